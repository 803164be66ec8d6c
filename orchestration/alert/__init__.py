"""Tells people what moved; knows messages."""
