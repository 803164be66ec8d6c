"""The web app. It draws what ``orchestration.read`` says of a release; it asks no table itself, and decides nothing.

The one thing that it writes is a draft that somebody saves, as a segment's files in the checkout in which it runs (``try_a_segment``).
"""
