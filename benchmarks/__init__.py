"""What we claim about speed, runnable: a made-up company of any size, this pipeline's night on it, and the same night written by hand.

Knows the product from outside only: its extracts, its commands and its release.
"""
