"""Whom a campaign may reach: the way from the members of its segment to its audience, from the release and the receipts of other campaigns alone.

Who of the audience is contacted is in ``arms``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from orchestration.campaigns.files import Campaign
from orchestration.campaigns.receipts import Step
from orchestration.errors import CampaignWaits, ConfigurationError, nearest
from orchestration.read.reach import ways_to_reach
from orchestration.sql import identifier, literal

#: The temporary table with the audience, one row per customer: customer_id.
AUDIENCE = "audience"

#: The salt of the global holdout: nobody is in it because of a campaign's name, and nobody's arm hangs on it.
EVERYWHERE = "global holdout"
#: Hexadecimal digits of a hash that are compared with the share: enough for any share that a person would write.
DIGITS = 13


@dataclass(frozen=True)
class Condition:
    """What a customer must fulfil to be left after a step; ``sql`` is asked of a row of customers.dim_customers."""

    step: str
    sql: str


def find_audience(
    release: duckdb.DuckDBPyConnection, campaign: Campaign, global_holdout: float, others: Mapping[str, Path]
) -> tuple[Step, ...]:
    """Leaves the audience in the temporary table ``audience``, and gives the customers left after each step on the way there.

    ``others`` are the assignments of the exclusive campaigns that are running, of which the customers of both arms are left out.
    Raises ConfigurationError where the release has not what the campaign names.
    """
    demand_known_names(release, campaign)
    conditions = way_to_the_audience(campaign, global_holdout, others)
    asked = ", ".join(f"({condition.sql}) is true as step_{n}" for n, condition in enumerate(conditions))
    release.execute(
        f"create or replace temp table way as select customer_id, {asked} from customers.dim_customers as customer"
    )
    passed = [" and ".join(f"step_{n}" for n in range(last + 1)) for last in range(len(conditions))]
    counted = ", ".join(f"count(*) filter (where {condition})" for condition in passed)
    counts = release.execute(f"select {counted} from way").fetchall()[0]
    release.execute(f"create or replace temp table {AUDIENCE} as select customer_id from way where {passed[-1]}")
    release.execute("drop table way")
    return tuple(Step(condition.step, count) for condition, count in zip(conditions, counts, strict=True))


def way_to_the_audience(campaign: Campaign, global_holdout: float, others: Mapping[str, Path]) -> list[Condition]:
    """The steps in their order."""
    suppressed = " union all ".join(f"select customer_id from segments.{identifier(one)}" for one in campaign.suppress)
    taken = ", ".join(literal(file) for file in others.values())
    return [
        Condition("members", f"customer_id in (select customer_id from segments.{identifier(campaign.segment)})"),
        *(Condition(step, sql) for step, sql in ways_to_reach(campaign.channel).items()),
        Condition("not_suppressed", f"customer_id not in ({suppressed})" if suppressed else "true"),
        Condition("not_in_global_holdout", f"not {_is_held_out_everywhere(global_holdout)}"),
        Condition(
            "not_in_another_campaign",
            f"customer_id not in (select customer_id from read_parquet([{taken}]))" if taken else "true",
        ),
    ]


def demand_known_names(release: duckdb.DuckDBPyConnection, campaign: Campaign) -> None:
    """Raises ConfigurationError where the release has not a segment or an attribute that the campaign names."""
    segments = [row[0] for row in release.execute("select segment from catalog.segments order by all").fetchall()]
    for field, named in (("segment", (campaign.segment,)), ("suppress", campaign.suppress)):
        for segment in named:
            if segment not in segments:
                raise ConfigurationError(
                    f"`{field}` names the segment {segment}, which there is not; {nearest(segment, segments)}"
                )
    attributes = [row[0] for row in release.execute("describe customers.dim_customers").fetchall()]
    for attribute in campaign.stratify_by:
        if attribute not in attributes:
            raise ConfigurationError(
                f"`stratify_by` names {attribute}, which is no attribute of customers.dim_customers; {nearest(attribute, attributes)}"
            )


def demand_fresh_segments(release: duckdb.DuckDBPyConnection, campaign: Campaign) -> None:
    """Raises CampaignWaits where a segment that says who is in the audience cannot be believed tonight."""
    held = release.execute(
        "select segment, held_since, held_because from catalog.segments "
        "where state = 'held' and list_contains($named, segment) order by list_position($named, segment)",
        {"named": [campaign.segment, *campaign.suppress]},
    ).fetchall()
    if held:
        segment, since, because = held[0]
        raise CampaignWaits(
            f"{segment} is held since {since}: {because}. The campaign starts on the first morning on which it is not, "
            f'or at once after `segments release-held {segment} --reason "…"`.'
        )


def _is_held_out_everywhere(share: float) -> str:
    """A customer stays in a share that is raised later: the hashes below the share are among those below a larger one."""
    below = f"{round(share * 16**DIGITS):0{DIGITS}x}"
    return f"(left(sha256('{EVERYWHERE}:' || customer_id), {DIGITS}) < '{below}')"
