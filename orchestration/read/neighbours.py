"""The segments around one: who shares members with it, where its entrants came from and its leavers went, and what the rule builds on."""

from __future__ import annotations

from dataclasses import dataclass

from orchestration.read.opened import Release

#: Days of moves that are looked at.
DAYS_OF_MOVES = 30


@dataclass(frozen=True)
class Shared:
    """Another segment with members of this one; jaccard is the share of both in either."""

    segment: str
    label: str
    members: int
    members_both: int
    jaccard: float


@dataclass(frozen=True)
class Passage:
    """Customers who entered (``direction`` from) or left (to) on the day on which they left, or entered, the other segment. One who passes between
    several is counted with each; ``segment`` is None for those who passed between none.
    """

    direction: str
    segment: str | None
    customers: int


SHARED = """
select other, catalog.label, catalog.members, members_both, jaccard
from (
    select if(segment_a = $segment, segment_b, segment_a) as other, members_both, jaccard
    from metrics.segment_overlap
    where $segment in (segment_a, segment_b) and members_both > 0
)
inner join catalog.segments as catalog on catalog.segment = other
order by jaccard desc, other
"""

#: The moves of the last days, each with the opposite moves of the same customer on the same day.
PASSAGES = """
with own as (
    select as_of_date, customer_id, direction
    from metrics.segment_moves
    where segment = $segment and as_of_date > $last::date - $days
),

others as (
    select as_of_date, customer_id, direction, segment
    from metrics.segment_moves
    where segment <> $segment and as_of_date > $last::date - $days
)

select if(own.direction = 'entered', 'from', 'to') as direction, others.segment, count(*) as customers
from own
left join others
    on others.customer_id = own.customer_id and others.as_of_date = own.as_of_date and others.direction <> own.direction
group by all
order by direction, customers desc, others.segment
"""


def shared(release: Release, segment: str) -> list[Shared]:
    """The segments that share members with one, the most alike first."""
    return [Shared(*row) for row in release.rows(SHARED, {"segment": segment})]


def passages(release: Release, segment: str) -> list[Passage]:
    """Where the entrants of the last ``DAYS_OF_MOVES`` days came from, and where the leavers went."""
    asked = {"segment": segment, "last": release.as_of_date, "days": DAYS_OF_MOVES}
    return [Passage(*row) for row in release.rows(PASSAGES, asked)]
