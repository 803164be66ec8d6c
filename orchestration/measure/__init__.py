"""Turns segment membership into daily counts."""
