"""A segment's days: what was counted, what was to be expected, and what is known of the days besides: new definitions, holds, campaigns, events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from orchestration.read.opened import Release


@dataclass(frozen=True)
class Day:
    """One as-of date: members, entered and exited (null on the first day), and the band in which 95 of 100 such days lie (null before there are
    days to learn from).
    """

    as_of_date: date
    members: int
    entered: int | None
    exited: int | None
    is_held: bool
    expected: float | None
    lower: float | None
    upper: float | None


@dataclass(frozen=True)
class Mark:
    """Something known of one day, or of all days until ``until``: kind is new definition, held, campaign, shift or known."""

    on: date
    until: date
    kind: str
    said: str


DAYS = """
select
    counts.as_of_date, counts.members, counts.entered, counts.exited, counts.state = 'held',
    expectations.expected, expectations.lower_95, expectations.upper_95
from metrics.segment_counts_daily as counts
left join metrics.segment_expectations as expectations
    on expectations.segment = counts.segment and expectations.as_of_date = counts.as_of_date and expectations.measure = 'members'
where counts.segment = $segment
order by counts.as_of_date
"""

#: Days in a row of which the same is known are one mark.
MARKS = """
with days as (
    select as_of_date, state, held_because, definition_hash, lag(definition_hash) over (order by as_of_date) as hash_before
    from metrics.segment_counts_daily
    where segment = $segment
),

said as (
    select as_of_date, 'held' as kind, held_because as said from days where state = 'held'
    union all
    select as_of_date, 'known', known_because
    from metrics.segment_expectations
    where segment = $segment and measure = 'members' and known_because is not null and not starts_with(known_because, 'held: ')
),

in_a_row as (
    select *, as_of_date - (row_number() over (partition by kind, said order by as_of_date))::integer as run from said
)

select min(as_of_date), max(as_of_date), kind, said from in_a_row group by kind, said, run
union all
select as_of_date, as_of_date, 'new definition', 'defined anew' from days where definition_hash <> hash_before
union all
select starts_on, coalesce(ends_on, $last), 'campaign', campaign_name from catalog.campaigns where segment = $segment
union all
select as_of_date, as_of_date, 'shift', message from metrics.segment_shifts where segment = $segment and state = 'opened'
order by all
"""


def daily_series(release: Release, segment: str) -> list[Day]:
    return [Day(*row) for row in release.rows(DAYS, {"segment": segment})]


def marks(release: Release, segment: str) -> list[Mark]:
    return [Mark(*row) for row in release.rows(MARKS, {"segment": segment, "last": release.as_of_date})]
