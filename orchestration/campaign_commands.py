"""The commands ``segments campaign …``: thin. They read what was asked for, call the packages, and print what these return."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click
from rich.console import Group
from rich.text import Text

from orchestration.terminal import FAILED, Context, command, listing

if TYPE_CHECKING:
    from orchestration.target.launching import CampaignState


@click.group()
def campaign() -> None:
    """Plan a campaign, see whom it gets and what it did."""


@campaign.command("list")
@command
def list_(context: Context) -> None:
    """Show every campaign: whether it has started, and why not where it should have."""
    from orchestration.target.launching import states

    found = states(context.home, context.settings)
    context.answer({"campaigns": [asdict(one) for one in found]}, lambda: _page_of_states(found))


@campaign.command()
@click.argument("campaign_id", metavar="ID")
@command
def verify(context: Context, campaign_id: str) -> int | None:
    """Draw the campaign ID again from the release of its receipt, and compare byte for byte."""
    from orchestration.target.verifying import verify as derive_again

    found = derive_again(context.home, context.settings, campaign_id)
    context.answer(asdict(found), lambda: Text(found.sentence))
    return None if found.holds else FAILED


def _page_of_states(found: list[CampaignState]) -> Group:
    if not found:
        return Group("There are no campaigns: docs/how_to/plan_a_campaign.md says how to plan one.")
    whys = [Text(f"{one.id}: {one.because}") for one in found if one.because]
    return Group(listing("Campaigns", [_row_of_state(one) for one in found]), *whys)


def _row_of_state(one: CampaignState) -> dict[str, Any]:
    return {
        "campaign": one.id,
        "name": one.name,
        "segment": one.segment,
        "state": one.state,
        "starts": one.launched_on or one.starts_on,
        "ends": one.ends_on,
        "measured until": one.measured_until,
        "treatment": one.treatment,
        "control": one.control,
    }
