"""What an opened release says to people: pure functions over it, and the colours, the CSV and the Markdown that pages and commands share.

Which release is opened is decided in ``publish``; how a page is drawn, in ``dashboard``.
"""
