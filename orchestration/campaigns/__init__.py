"""Campaigns as facts: what was decided of each, and which customers were drawn for it. Every package of a night may read them."""
