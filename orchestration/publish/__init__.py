"""Builds, checks and publishes releases."""
