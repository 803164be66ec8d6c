"""Rehearses bad nights on a copy of the home: what would be published if an extract were wrong in a known way.

Stands beside the flow and knows it only from outside: it writes extracts, calls the command and reads the release.
"""
