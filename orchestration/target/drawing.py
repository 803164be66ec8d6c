"""One campaign drawn, from what its receipt names: done on the launch day, and again whenever somebody wants to see that it comes out the same.

Nothing is written here; the arms are left in a temporary table of the release.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from orchestration.campaigns.files import Campaign, digest
from orchestration.campaigns.receipts import Receipt, Step, checksum
from orchestration.errors import CampaignWaits
from orchestration.measure.campaigns.figures import several
from orchestration.target.arms import ARMS, draw_arms
from orchestration.target.audience import AUDIENCE, find_audience
from orchestration.target.business_case import smallest_holdout

#: The smallest share of the audience that shows the campaign's ``lift_to_detect`` when it is held out: given the open release, the campaign, the relation
#: of it that holds the audience and the as-of date. None where not even a half does.
SmallestHoldout = Callable[[duckdb.DuckDBPyConnection, Campaign, str, date], float | None]

#: Fewer in an arm have no variance.
FEWEST_IN_AN_ARM = 2


@dataclass(frozen=True)
class Ground:
    """What a drawing rests on. ``holdout`` is the share where it is known already, ``others`` are the assignments of the campaigns to keep apart from."""

    campaign: Mapping[str, Any]
    release: str
    as_of_date: date
    global_holdout: float
    holdout: float | None = None
    others: Mapping[str, Path] = field(default_factory=dict)

    @property
    def decided(self) -> Campaign:
        return Campaign.model_validate(self.campaign)


def receipt_of(
    release: duckdb.DuckDBPyConnection, ground: Ground, smallest: SmallestHoldout = smallest_holdout
) -> Receipt:
    """Draws the campaign. Raises CampaignWaits where no arms can be drawn of which anything could be learnt."""
    campaign = ground.decided
    if campaign.assigned_by == "sender":
        return _receipt(release, ground)
    steps = find_audience(release, campaign, ground.global_holdout, ground.others)
    holdout = ground.holdout if ground.holdout is not None else _share(release, ground, smallest)
    _demand_two_in_each_arm(campaign, steps, holdout)
    strata = draw_arms(release, campaign.id, holdout, campaign.stratify_by)
    return _receipt(
        release,
        ground,
        holdout=holdout,
        global_holdout=ground.global_holdout,
        apart_from=tuple(ground.others),
        steps=steps,
        strata=strata,
        salt=campaign.id,
        checksum=checksum(release, ARMS),
    )


def _receipt(release: duckdb.DuckDBPyConnection, ground: Ground, **drawn: Any) -> Receipt:
    return Receipt(
        campaign=ground.campaign,
        frozen=digest(ground.campaign),
        release=ground.release,
        as_of_date=ground.as_of_date,
        launched_on=ground.as_of_date + timedelta(1),
        definition_hash=_definition_hash(release, ground.decided.segment),
        **drawn,
    )


def _definition_hash(release: duckdb.DuckDBPyConnection, segment: str) -> str | None:
    row = release.execute(
        "select definition_hash from catalog.segments where segment = $segment", {"segment": segment}
    ).fetchone()
    return row[0] if row else None


def _share(release: duckdb.DuckDBPyConnection, ground: Ground, smallest: SmallestHoldout) -> float:
    campaign = ground.decided
    if campaign.holdout != "smallest":
        return campaign.holdout
    if campaign.primary_metric == "responded":
        raise CampaignWaits(
            "who is held out cannot answer, so no holdout shows a lift in answers: say a share of your own, or take spend or ordered as primary_metric."
        )
    share = smallest(release, campaign, AUDIENCE, ground.as_of_date)
    if share is None:
        raise CampaignWaits(
            f"no holdout is large enough to show a lift of {campaign.lift_to_detect:.1%} in {campaign.primary_metric}, not even half of the audience: "
            "say a larger lift_to_detect, a segment with more members, or a share of your own."
        )
    return share


def _demand_two_in_each_arm(campaign: Campaign, steps: Sequence[Step], holdout: float) -> None:
    customers = steps[-1].customers
    control = int(holdout * customers + 0.5)
    if min(control, customers - control) >= FEWEST_IN_AN_ARM:
        return
    way = ", ".join(f"{step.customers:,} {step.step.replace('_', ' ')}" for step in steps)
    raise CampaignWaits(
        f"its audience has {several(customers, 'customer')}, of whom {control:,} would be held out and {customers - control:,} contacted, and each arm needs "
        f"{FEWEST_IN_AN_ARM}: choose a segment with more members, or another holdout. The way to the audience: {way}."
    )
