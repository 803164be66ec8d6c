"""How many of a segment's members each channel reaches: members, consented, reachable, not unsubscribed. What ``target`` asks besides is of a campaign."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from orchestration.campaigns.files import Channel
from orchestration.read.conditions import TODAY
from orchestration.read.opened import Release
from orchestration.sql import identifier, literal

CHANNELS: tuple[str, ...] = get_args(Channel)


@dataclass(frozen=True)
class Reach:
    """Members left after each step, by one channel. Whoever is ``targetable`` a campaign could contact tonight, were she in no other."""

    channel: str
    members: int
    consented: int
    reachable: int
    targetable: int


def ways_to_reach(channel: str) -> dict[str, str]:
    """The steps in their order, each with what it asks of a row of customers.dim_customers.

    Of e-mail we know whether there is an address. Whether a letter, a text message or a push arrives nobody told us: by those channels
    whoever consented counts as reachable.
    """
    return {
        "consented": f"{channel}_opt_in",
        "reachable": "has_email" if channel == "email" else "true",
        "not_unsubscribed": f"customer_id not in (select customer_id from customers.unsubscribes where channel = {literal(channel)})",
    }


def reach(release: Release, segment: str) -> list[Reach]:
    """The reach of a segment by every channel."""
    figures = ["count(*)"]
    for channel in CHANNELS:
        steps = [f"({condition}) is true" for condition in ways_to_reach(channel).values()]
        figures += [f"count(*) filter ({' and '.join(steps[: last + 1])})" for last in range(len(steps))]
    ((members, *left),) = release.rows(
        f"select {', '.join(figures)} from {TODAY} where customer_id in (select customer_id from segments.{identifier(segment)})"
    )
    return [Reach(channel, members, *left[3 * n : 3 * n + 3]) for n, channel in enumerate(CHANNELS)]
