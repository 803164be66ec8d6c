"""Who moved between the stages of an exclusive scheme from one day to another, and how all segments lie over each other today."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from orchestration.errors import ConfigurationError, nearest
from orchestration.read.opened import Release

#: The share of common members from which on two segments are one under two names.
NEAR_DUPLICATE = 0.9

STAGES = "select segment from catalog.segments where scheme = $scheme"

#: ``gone`` are those whom today's base has no more.
FLOWS = f"""
with memberships as (
    select customer_id, segment, entered_on, exited_on from metrics.segment_membership_history where segment in ({STAGES})
),

before as (select * from memberships where entered_on <= $since and coalesce(exited_on > $since, true)),

after as (select * from memberships where entered_on <= $until and coalesce(exited_on > $until, true))

select
    before.segment, after.segment, count(*), coalesce(sum(today.spend_last_365_days), 0)::decimal(18, 2),
    count(*) filter (today.customer_id is null)
from before
full join after using (customer_id)
left join customers.dim_customers as today using (customer_id)
group by all
order by before.segment nulls last, after.segment nulls last
"""

#: What makes the figures of a day other than they seem.
CAVEATS = f"""
select segment, true, as_of_date
from metrics.segment_counts_daily
where segment in ({STAGES}) and as_of_date in ($since, $until) and state = 'held'
union
select segment, false, min(as_of_date)
from metrics.segment_counts_daily
where segment in ({STAGES})
group by segment
having min(as_of_date) > $since
order by all
"""


@dataclass(frozen=True)
class Scheme:
    """An exclusive scheme, its stages by name, and the first day on which one of them was counted."""

    name: str
    stages: tuple[str, ...]
    first_day: date


@dataclass(frozen=True)
class Flow:
    """Customers who were in one stage on the first day and in another, or the same, on the second; None: in no stage of the scheme, those who were
    not in the base among them. ``spend`` is what they spent in the 365 days up to today; of ``gone`` customers, who are deleted by today, it is not known.
    """

    from_stage: str | None
    to_stage: str | None
    customers: int
    spend: Decimal
    gone: int

    @property
    def is_move(self) -> bool:
        return self.from_stage != self.to_stage


@dataclass(frozen=True)
class Movement:
    """The flows of everybody who was in a stage on either day. ``remarks`` are sentences on what the figures do not mean."""

    scheme: str
    since: date
    until: date
    flows: tuple[Flow, ...]
    remarks: tuple[str, ...]

    @property
    def moved(self) -> int:
        return sum(flow.customers for flow in self.flows if flow.is_move)

    @property
    def stayed(self) -> int:
        return sum(flow.customers for flow in self.flows if not flow.is_move)

    @property
    def gone(self) -> int:
        return sum(flow.gone for flow in self.flows)


@dataclass(frozen=True)
class Pair:
    """Two segments, the first by name on the left, and their common members today; ``jaccard`` is the share of these in the members of either, None
    where both are empty. ``is_exclusive``: they are stages of one scheme, so that they have none by their rules.
    """

    segment_a: str
    segment_b: str
    members_a: int
    members_b: int
    members_both: int
    jaccard: float | None
    is_exclusive: bool

    @property
    def is_near_duplicate(self) -> bool:
        return self.jaccard is not None and self.jaccard >= NEAR_DUPLICATE

    @property
    def is_empty_intersection(self) -> bool:
        """No common member, although both have members and no scheme wants it so."""
        return not self.members_both and bool(self.members_a) and bool(self.members_b) and not self.is_exclusive


@dataclass(frozen=True)
class Overlap:
    """All pairs; ``segments`` stand family by family, so that those that are about the same lie side by side."""

    base_customers: int
    segments: tuple[str, ...]
    pairs: tuple[Pair, ...]

    def by_chance(self, pair: Pair) -> float | None:
        """The members of both if neither had to do with the other; None where the base is empty."""
        return pair.members_a * pair.members_b / self.base_customers if self.base_customers else None

    @property
    def near_duplicates(self) -> tuple[Pair, ...]:
        return tuple(pair for pair in self.pairs if pair.is_near_duplicate)

    @property
    def empty_intersections(self) -> tuple[Pair, ...]:
        """Those first that chance explains least."""
        found = (pair for pair in self.pairs if pair.is_empty_intersection)
        return tuple(sorted(found, key=lambda pair: -pair.members_a * pair.members_b))


def schemes(release: Release) -> list[Scheme]:
    """The exclusive schemes of a release, by name; none where no segment is in one."""
    found = release.rows(
        "select scheme, list(distinct segment order by segment), min(counts.as_of_date) from catalog.segments as catalogued "
        "inner join metrics.segment_counts_daily as counts using (segment) where scheme is not null group by scheme order by scheme"
    )
    return [Scheme(name, tuple(stages), first) for name, stages, first in found]


def movement(release: Release, scheme: str, since: date, until: date) -> Movement:
    """The flows from the end of ``since`` to the end of ``until``.

    Raises ConfigurationError where there is no such scheme, and where the days are not two of the release's record in their order.
    """
    known = {one.name: one for one in schemes(release)}
    if scheme not in known:
        raise ConfigurationError(f"There is no scheme {scheme} in the release; {nearest(scheme, known)}")
    first, last = known[scheme].first_day, release.as_of_date
    if not first <= since < until <= last:
        raise ConfigurationError(
            f"From {since} to {until} nothing can be told: {scheme} is on record from {first} to {last}, and the first day has to be before the second."
        )
    asked = {"scheme": scheme, "since": since, "until": until}
    flows = tuple(Flow(*row) for row in release.rows(FLOWS, asked))
    return Movement(scheme, since, until, flows, tuple(_caveat(*row) for row in release.rows(CAVEATS, asked)))


def overlap(release: Release) -> Overlap:
    described = release.rows("select segment, scheme from catalog.segments order by family, scheme nulls last, segment")
    scheme_of = dict(described)
    found = release.rows(
        "select segment_a, segment_b, members_a, members_b, members_both, jaccard from metrics.segment_overlap order by jaccard desc nulls last, 1, 2"
    )
    pairs = tuple(
        Pair(a, b, members_a, members_b, both, jaccard, scheme_of[a] is not None and scheme_of[a] == scheme_of[b])
        for a, b, members_a, members_b, both, jaccard in found
    )
    [(base,)] = release.rows("select count(*) from customers.dim_customers")
    return Overlap(base, tuple(segment for segment, _ in described), pairs)


def _caveat(segment: str, is_held: bool, day: date) -> str:
    if is_held:
        return f"{segment} was held on {day}: its members are those of its last good day before."
    return f"{segment} is on record from {day} on: who was in it before is not known."
