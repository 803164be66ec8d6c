"""The commands ``segments campaign …``: thin. They read what was asked for, call the packages, and print what these return."""

from __future__ import annotations

import click


@click.group()
def campaign() -> None:
    """Plan a campaign, see whom it gets and what it did."""
