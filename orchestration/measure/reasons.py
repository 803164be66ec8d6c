"""Why a segment moved between two days, in figures that add up and in one sentence; from tables that the warehouse and every release have.

Knows the causes of moves and what was judged of the inputs. Which shifts are alerts is not decided here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import duckdb

#: How many causes a sentence names, the greatest first, and how many unusual figures of the inputs.
CAUSES_NAMED, INPUTS_NAMED = 3, 2

#: What a customer did who entered or left for each cause; the first for those who entered.
PHRASES = {
    "new_customer": ("joined the base", "joined the base"),
    "deleted": ("were deleted", "were deleted"),
    "attribute_edited": ("came by an edit of {detail}", "left by an edit of {detail}"),
    "own_behaviour": ("came by their own orders ({clause})", "left by their own orders ({clause})"),
    "time_passed": ("came as time passed ({clause})", "left as time passed ({clause})"),
    "rank_moved": ("came as others' ranks moved ({clause})", "left as others' ranks moved ({clause})"),
    "other_segment_moved": ("came with {detail}", "left with {detail}"),
    "late_or_corrected_data": ("came by late or corrected orders", "left by late or corrected orders"),
    "definition_changed": ("came by the new definition", "left by the new definition"),
    "held_or_released": ("came while it was held", "left while it was held"),
}

#: Who is in the segment on one day and not on the other, each with her last move before the end.
MOVED = """
with history as (
    select customer_id, entered_on, exited_on from metrics.segment_membership_history where segment = $segment
),
before as (select customer_id from history where entered_on <= $before and coalesce(exited_on, date '9999-12-31') > $before),
present as (select customer_id from history where entered_on <= $day and coalesce(exited_on, date '9999-12-31') > $day),
moved as (
    select customer_id, 'entered' as direction from present anti join before using (customer_id)
    union all
    select customer_id, 'exited' as direction from before anti join present using (customer_id)
),
last_moves as (
    select distinct on (customer_id) customer_id, cause, clause, detail, revenue
    from metrics.segment_moves
    where segment = $segment and as_of_date > $before and as_of_date <= $day
    order by customer_id, as_of_date desc
)
select moved.direction, last_moves.cause, last_moves.clause, last_moves.detail, count(*), sum(last_moves.revenue)::decimal(18, 2)
from moved
inner join last_moves using (customer_id)
group by all
order by 5 desc, 1, 2, 3, 4
"""

#: What the checks against the past found unusual in the inputs of the days: in the columns asked for, and in whole extracts with them.
INPUTS = """
select extract_date, source || '/' || table_name, column_name, expectation, observed
from metrics.input_quality
where extract_date > $before and extract_date <= $day and not success and observed like '%, usually %'
    and ($columns is null or list_bool_or([
        starts_with(raw_column, source || '/' || table_name || '.')
            and (column_name = '' or list_contains(string_split(column_name, ', '), string_split(raw_column, '.')[2]))
        for raw_column in $columns::varchar[]
    ]))
order by severity, extract_date desc, 2, 3, 4
"""


@dataclass(frozen=True)
class Cause:
    """Customers who entered or exited for one cause; ``revenue`` is what they spent in the last 365 days, in the business currency."""

    direction: str
    cause: str
    clause: str | None
    detail: str | None
    customers: int
    revenue: Decimal

    @property
    def phrase(self) -> str:
        came, left = PHRASES[self.cause]
        said = came if self.direction == "entered" else left
        return f"{self.customers:,} {said.format(clause=self.clause or 'the rule', detail=self.detail or 'attributes')}"


@dataclass(frozen=True)
class UnusualInput:
    """A figure of an extract that the past does not explain, with what is usual."""

    extract_date: date
    table: str
    column: str
    expectation: str
    observed: str

    @property
    def phrase(self) -> str:
        about = f"{self.table}{f' {self.column}' if self.column else ''}"
        return f"{about} of {self.extract_date}: {self.observed} ({self.expectation})"


@dataclass(frozen=True)
class Reasons:
    """Why a segment's members differ between two days: the causes add up to the difference, one customer by one."""

    segment: str
    before: date
    on: date
    members_before: int
    members: int
    causes: list[Cause]
    inputs: list[UnusualInput]
    held_because: str | None = None

    @property
    def sentence(self) -> str:
        """All of it in one: what moved, why, and what the inputs did."""
        held = f"; it is held on {self.on}: {self.held_because}" if self.held_because else ""
        return f"{self.segment} {self.moved}{self.because()}{held}"

    @property
    def moved(self) -> str:
        """By how many members it changed: "lost 3 of 288 members in 7 days"."""
        change = self.members - self.members_before
        days = (self.on - self.before).days
        span = "" if days == 1 else f" in {days} days"
        if change == 0:
            return f"stayed at {self.members:,} members{span}"
        moved = f"gained {change:,} on" if change > 0 else f"lost {-change:,} of"
        return f"{moved} {self.members_before:,} members{span}"

    def because(self) -> str:
        """The greatest causes and what the inputs did, as it goes on from what moved."""
        named = [cause.phrase for cause in self.causes[:CAUSES_NAMED]]
        for direction, word in (("entered", "came"), ("exited", "left")):
            others = sum(cause.customers for cause in self.causes[CAUSES_NAMED:] if cause.direction == direction)
            if others:
                named.append(f"{others:,} {word} for other causes")
        said = f": {', '.join(named)}" if named else ""
        return "; ".join([said, *(one.phrase for one in self.inputs[:INPUTS_NAMED])])


def reasons_of(
    connection: duckdb.DuckDBPyConnection, segment: str, on: date, before: date, raw_columns: Sequence[str]
) -> Reasons:
    """Why the segment's members on ``on`` are not those of ``before``. ``raw_columns`` are those that it depends on."""
    asked = {"segment": segment, "day": on, "before": before}
    rows = connection.execute(
        "select as_of_date, members, held_because from metrics.segment_counts_daily "
        "where segment = $segment and as_of_date in ($day, $before)",
        asked,
    ).fetchall()
    sizes = {day: (members, held_because) for day, members, held_because in rows}
    members, held_because = sizes.get(on, (0, None))
    return Reasons(
        segment,
        before,
        on,
        sizes.get(before, (0, None))[0],
        members,
        [Cause(*row) for row in connection.execute(MOVED, asked).fetchall()],
        unusual_inputs(connection, on, before, raw_columns),
        held_because,
    )


def unusual_inputs(
    connection: duckdb.DuckDBPyConnection, on: date, before: date, raw_columns: Sequence[str] | None
) -> list[UnusualInput]:
    """What the past does not explain in the extracts after ``before`` and up to ``on``: in the raw columns, or in all where None."""
    columns = None if raw_columns is None else list(raw_columns)
    rows = connection.execute(INPUTS, {"day": on, "before": before, "columns": columns}).fetchall()
    return [UnusualInput(*row) for row in rows]
