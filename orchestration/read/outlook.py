"""What is known of a segment's days ahead: who leaves and enters if nothing comes in, and who is one order away. Worked out when the release was made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from orchestration.read.opened import Release

#: The horizons that people ask for, in days.
HORIZONS = (7, 30)


@dataclass(frozen=True)
class Ahead:
    """Customers who ``leave`` and ``enter`` on a day, if nothing comes in until then."""

    on: date
    leave: int
    enter: int


@dataclass(frozen=True)
class Outlook:
    """The days on which anybody is expected to leave or enter; ``one_order_away`` counts who would enter with one order of her usual size, None
    where that is not told. ``gaps`` says why of what is not told, by change: leaves, enters, one_order_away, changes_rank.
    """

    days: tuple[Ahead, ...]
    one_order_away: int | None
    gaps: dict[str, str]

    def within(self, since: date, days: int) -> Ahead:
        """Who is expected to leave and to enter in so many days."""
        last = since + timedelta(days)
        near = [day for day in self.days if day.on <= last]
        return Ahead(last, sum(day.leave for day in near), sum(day.enter for day in near))


def outlook(release: Release, segment: str) -> Outlook | None:
    """The outlook of a segment; None in a release that was made before there was one."""
    if not release.has("metrics.segment_outlook"):
        return None
    days = release.rows(
        "select expected_on, count(*) filter (change = 'leaves'), count(*) filter (change = 'enters') from metrics.segment_outlook "
        "where segment = $1 and expected_on is not null group by 1 order by 1",
        [segment],
    )
    gaps = dict(release.rows("select change, because from metrics.segment_outlook_gaps where segment = $1", [segment]))
    ((away,),) = release.rows(
        "select count(*) from metrics.segment_outlook where segment = $1 and change = 'one_order_away'", [segment]
    )
    return Outlook(tuple(Ahead(*day) for day in days), None if "one_order_away" in gaps else away, gaps)


def who_changes(release: Release, segment: str, change: str, limit: int = 1_000) -> list[tuple[str, date | None]]:
    """The customers of whom a ``change`` is expected, the soonest first: their ids, and the day."""
    return [
        (customer, on)
        for customer, on in release.rows(
            "select customer_id, expected_on from metrics.segment_outlook where segment = $1 and change = $2 "
            "order by expected_on, customer_id limit $3",
            [segment, change, limit],
        )
    ]
