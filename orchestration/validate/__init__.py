"""Decides whether an extract can be believed. Knows expectations and Great Expectations; knows no file."""
