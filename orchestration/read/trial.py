"""What becomes of a draft in a release: who would be its members, clause by clause, over the last year, beside the other segments. Exact."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

import duckdb

from orchestration.errors import DraftRefused, without_values
from orchestration.read.conditions import (
    TODAY,
    Asked,
    Unanswerable,
    answered_conditions,
    asked_at_month_ends,
    asked_today,
    has_month_ends,
    rule_in_release,
)
from orchestration.read.drafts import Draft
from orchestration.read.opened import Release
from orchestration.read.waterfall import Waterfall, waterfall_of
from orchestration.sql import identifier
from orchestration.transform.clauses import Rule

#: The attributes of which a trial shows how they spread, and the lower ends of the bins of those that are numbers.
SHOWN = {
    "age": [18, 25, 35, 45, 55, 65],
    "gender": None,
    "lifecycle_stage": None,
    "spend_last_365_days": [0.01, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000],
}
NOT_KNOWN = "not known"


@dataclass(frozen=True)
class Size:
    """Members and everybody on a day; of a month end, of those who are customers still."""

    as_of_date: date
    members: int
    base: int


@dataclass(frozen=True)
class Overlap:
    """A published segment, and the members that it has together with the draft; jaccard is the share of both in either, null where both are empty."""

    segment: str
    members: int
    members_both: int
    jaccard: float | None


@dataclass(frozen=True)
class Bin:
    """The customers with a value, or one between two, of the base and of the draft's members."""

    value: str
    base: int
    members: int


@dataclass(frozen=True)
class Spread:
    attribute: str
    bins: tuple[Bin, ...]


@dataclass(frozen=True)
class Trial:
    """A draft's answer. ``history`` ends on the release's day; ``history_gap`` says why it has that day alone, where it has."""

    as_of_date: date
    waterfall: Waterfall
    history: tuple[Size, ...]
    history_gap: str | None
    overlaps: tuple[Overlap, ...]
    spreads: tuple[Spread, ...]

    @property
    def members(self) -> int:
        return self.waterfall.members

    @property
    def share_of_base(self) -> float | None:
        return self.members / self.waterfall.base if self.waterfall.base else None


def try_draft(release: Release, draft: Draft) -> Trial:
    """Raises DraftRefused where the release cannot answer the draft, and QueryTooLong."""
    with asking(release, draft.rule) as (cursor, asked):
        told = waterfall_of(cursor, asked)
        keep_members(cursor, asked)
        history, gap = _history(cursor, draft.rule)
        return Trial(
            release.as_of_date,
            told,
            (*history, Size(release.as_of_date, told.members, told.base)),
            gap,
            _overlaps(cursor, told.members),
            _spreads(cursor),
        )


def keep_members(cursor: duckdb.DuckDBPyConnection, asked: Asked, name: str = "members") -> None:
    """Has the members of a rule, with what is shown of them, in a temporary table of the cursor."""
    cursor.execute(
        f"create temp table {name} as select customer_id, {', '.join(SHOWN)} from {asked.source} where {asked.is_member}"
    )


@contextmanager
def asking(release: Release, rule: Rule) -> Iterator[tuple[duckdb.DuckDBPyConnection, Asked]]:
    """A cursor, and the rule of a draft as it is asked of the release's day. What DuckDB says of it becomes a DraftRefused."""
    with release.cursor() as cursor:
        answered = answered_conditions(cursor)
        try:
            asked = asked_today(rule, answered)
        except Unanswerable as reason:
            told = ", ".join(f"`{one}`" for one in sorted(_in_words(cursor, answered)))
            raise DraftRefused(
                f"{reason} Ask an attribute of the customer instead, or save the segment and refresh: from then on the release says it"
                + (f", as it does of {told}." if told else ".")
            ) from reason
        try:
            yield cursor, asked
        except duckdb.InterruptException:
            raise
        except duckdb.Error as wrong:
            raise DraftRefused(f"DuckDB cannot answer the draft: {without_values(str(wrong))}") from wrong


def _in_words(cursor: duckdb.DuckDBPyConnection, answered: frozenset[str]) -> set[str]:
    rules = [rule_in_release(sql) for (sql,) in cursor.execute("select sql from catalog.segments").fetchall()]
    return {clause.text for rule in rules for clause in rule.clauses if clause.sql in answered}


def _history(cursor: duckdb.DuckDBPyConnection, rule: Rule) -> tuple[list[Size], str | None]:
    if not has_month_ends(cursor):
        return [], "The release was made before it kept the customers of past month ends: the next refresh has them."
    try:
        asked = asked_at_month_ends(rule, answered_conditions(cursor))
    except Unanswerable as reason:
        return [], str(reason)
    # Members are looked for on their own: DuckDB then looks up in other tables only those whom the plain conditions leave.
    counted = cursor.execute(
        f"""
        with everybody as (select as_of_date, count(*) as base from {asked.table} group by as_of_date),

        members as (select as_of_date, count(*) as members from {asked.source} where {asked.is_member} group by as_of_date)

        select as_of_date, coalesce(members, 0), base
        from everybody left join members using (as_of_date)
        order by as_of_date
        """
    )
    return [Size(*row) for row in counted.fetchall()], None


def _overlaps(cursor: duckdb.DuckDBPyConnection, members: int) -> tuple[Overlap, ...]:
    """All segments at once, so that the draft's members are looked up in one list."""
    sizes = cursor.execute("select segment, members from catalog.segments order by segment").fetchall()
    if not sizes:
        return ()
    listed = " union all ".join(
        f"select {place}::usmallint as place, customer_id from segments.{identifier(name)}"
        for place, (name, _) in enumerate(sizes)
    )
    counted = cursor.execute(
        f"select place, count(*) from ({listed}) semi join members using (customer_id) group by place"
    )
    both = dict(counted.fetchall())
    found = []
    for place, (name, other) in enumerate(sizes):
        either = members + other - both.get(place, 0)
        found.append(Overlap(name, other, both.get(place, 0), both.get(place, 0) / either if either else None))
    return tuple(sorted(found, key=lambda one: (-one.members_both, one.segment)))


def _spreads(cursor: duckdb.DuckDBPyConnection) -> tuple[Spread, ...]:
    base, members = _counted(cursor, TODAY), _counted(cursor, "members")
    found = []
    for name, edges in SHOWN.items():
        counts = {value: (count, members[name].get(value, 0)) for value, count in base[name].items()}
        found.append(Spread(name, _in_order(edges, counts)))
    return tuple(found)


def _counted(cursor: duckdb.DuckDBPyConnection, table: str) -> dict[str, dict[str, int]]:
    """How many customers of a table are in each bin, by attribute."""
    bins = ", ".join(f"{_bin(name, edges)} as {name}" for name, edges in SHOWN.items())
    each = ", ".join(f"({name})" for name in SHOWN)
    rows = cursor.execute(
        f"with shown as (select {bins} from {table}) select {', '.join(SHOWN)}, count(*) from shown group by grouping sets ({each})"
    ).fetchall()
    return {name: {row[place]: row[-1] for row in rows if row[place] is not None} for place, name in enumerate(SHOWN)}


def _bin(name: str, edges: Sequence[float] | None) -> str:
    """The value, or the place of the bin that it is in, as text; a place of its own for what is not known."""
    if edges is None:
        return f"coalesce({name}::varchar, '{NOT_KNOWN}')"
    cases = " ".join(f"when {name} < {edge} then '{place}'" for place, edge in enumerate(edges))
    return f"case when {name} is null then '{NOT_KNOWN}' {cases} else '{len(edges)}' end"


def _in_order(edges: Sequence[float] | None, by_value: dict[str, tuple[int, int]]) -> tuple[Bin, ...]:
    missing = by_value.pop(NOT_KNOWN, None)
    if edges is None:
        found = [Bin(value, *by_value[value]) for value in sorted(by_value, key=lambda value: (-by_value[value][0], value))]  # fmt: skip
    else:
        places = sorted(map(int, by_value))
        between = range(places[0], places[-1] + 1) if places else range(0)
        found = [Bin(_between(edges, place), *by_value.get(str(place), (0, 0))) for place in between]
    return (*found, *([Bin(NOT_KNOWN, *missing)] if missing else []))


def _between(edges: Sequence[float], place: int) -> str:
    if place == 0:
        return f"below {edges[0]:,}"
    lower = f"{edges[place - 1]:,}"
    return f"{lower} and more" if place == len(edges) else f"{lower} to below {edges[place]:,}"
