"""What somebody has to hear of a campaign by the end of the newest day: that it cannot be believed, that its controls were contacted, that it does harm."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import duckdb

from orchestration.measure.campaigns.running import SETTLING_DAYS
from orchestration.measure.campaigns.wording import meaning


@dataclass(frozen=True)
class Kind:
    """A kind of trouble: its name, the asset check that fails for it, and what the check claims."""

    name: str
    check: str
    claim: str
    is_critical: bool


TOLD = (
    Kind(
        "sample_ratio",
        "arms_have_the_planned_sizes",
        "The arms of every campaign are as large as they were drawn.",
        True,
    ),
    Kind("contamination", "controls_are_not_contacted", "Nobody of a control group was contacted.", False),
    Kind("loss", "no_campaign_does_harm", "No campaign is proved to do harm.", True),
)

#: A campaign that is over and settled is history, and no trouble of tonight.
NEWEST = f"""
select impact.campaign_id, impact.as_of_date, campaign.segment, impact.verdict, impact.flags, impact.message
from metrics.campaign_impact as impact
left join {{campaigns}} as campaign on campaign.campaign_id = impact.campaign_id
where impact.is_primary and impact.as_of_date = (select max(as_of_date) from metrics.segment_counts_daily)
    and coalesce(impact.as_of_date <= impact.measured_until + {SETTLING_DAYS}, true)
order by impact.campaign_id
"""


@dataclass(frozen=True)
class Trouble:
    """A trouble of a campaign, in a sentence; ``segment`` is the one that its audience is taken from, where that is known."""

    campaign_id: str
    as_of_date: date
    segment: str | None
    kind: str
    sentence: str


def troubles_of(connection: duckdb.DuckDBPyConnection, campaigns: str = "metrics.campaigns") -> Iterator[Trouble]:
    """The troubles of the newest day, from the warehouse, or, with ``campaigns`` being catalog.campaigns, from a release."""
    for campaign_id, day, segment, verdict, flags, message in connection.execute(
        NEWEST.format(campaigns=campaigns)
    ).fetchall():
        if verdict == "invalid_sample_ratio":
            yield Trouble(campaign_id, day, segment, "sample_ratio", f"campaign {campaign_id}: {message}")
        if verdict == "loss":
            yield Trouble(campaign_id, day, segment, "loss", f"campaign {campaign_id}: {message}")
        for flag in flags:
            if flag.startswith("controls_contacted"):
                yield Trouble(campaign_id, day, segment, "contamination", f"campaign {campaign_id}: {meaning(flag)}")
