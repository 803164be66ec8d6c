"""Who a segment's members are, beside the rest of the base: the attributes in which they differ most.

The measure is the standardized difference (Austin 2009, Statistics in Medicine 28: 3083): the difference of means, or of shares for what a
customer is or is not, over the root of the mean of the two variances. It has no unit, so that age and spend can be ranked beside each other; of
0.2 people say small, of 0.8 large. Its 95 % interval is that of Hedges and Olkin (1985).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt
from typing import Any

import duckdb

from orchestration.read.conditions import TODAY
from orchestration.read.opened import Release
from orchestration.sql import identifier

#: Two-sided, of 95 %.
Z = 1.959964
#: A value of an attribute that fewer customers have is not compared: it says who, and not what they are like.
FEWEST_WITH_A_VALUE = 20
#: Fewer members than this are not described.
FEWEST_MEMBERS = 20
#: Everybody of today, and whether she is a member.
COMPARED = f"(select today.*, flags.is_member from {TODAY} as today inner join flags on flags.row_number = today.rowid)"
NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "DOUBLE", "FLOAT", "DECIMAL")


@dataclass(frozen=True)
class Distinction:
    """One attribute, or of an attribute with names one ``value``: the mean or share of the members and of the ``others``, and the standardized
    ``difference`` with its interval. ``in_rule`` where the segment's rule asks the attribute, so that it differs by definition.
    """

    attribute: str
    value: str | None
    is_share: bool
    members: float
    others: float
    difference: float
    lower: float
    upper: float
    in_rule: bool
    description: str


@dataclass(frozen=True)
class People:
    """The distinctions, the greatest first, of ``members`` and ``others`` that were compared; none where either are too few."""

    members: int
    others: int
    distinctions: tuple[Distinction, ...]


def people(release: Release, segment: str) -> People:
    """How the members of a segment differ from the rest of the base today, by every attribute of dim_customers that is a number, a truth or a
    name, and by every interest. What is not known of somebody counts as a name of its own, and not as a number.
    """
    with release.cursor() as cursor:
        rule = {
            column
            for (columns,) in cursor.execute(
                "select columns_used from catalog.segments where segment = $1", [segment]
            ).fetchall()
            for column in columns
        }
        words = _attributes(cursor)
        # Who is a member is looked up once, by the number of her row: the rows themselves are not copied.
        cursor.execute(
            "create or replace temp table flags as "
            f"select rowid as row_number, customer_id in (select customer_id from segments.{identifier(segment)}) as is_member from {TODAY}"
        )
        members, others = cursor.execute(
            "select count(*) filter (is_member), count(*) filter (not is_member) from flags"
        ).fetchall()[0]
        if min(members, others) < FEWEST_MEMBERS:
            return People(members, others, ())
        found = [*_of_numbers(cursor, words, members, others), *_of_names(cursor, words, members, others)]
    told = (Distinction(*figures, in_rule=figures[0] in rule, description=words[figures[0]][1]) for figures in found)
    return People(members, others, tuple(sorted(told, key=lambda one: (-abs(one.difference), one.attribute))))


Figures = tuple[str, str | None, bool, float, float, float, float, float]


def _attributes(cursor: duckdb.DuckDBPyConnection) -> dict[str, tuple[str, str]]:
    """The type and the words of each attribute."""
    rows = cursor.execute(
        "select column_name, data_type, coalesce(comment, '') from duckdb_columns() "
        "where schema_name || '.' || table_name = $1 and column_name not in ('as_of_date', 'customer_id') and database_name = current_database()",
        [TODAY],
    ).fetchall()
    return {name: (type_, words) for name, type_, words in rows}


def _of_numbers(
    cursor: duckdb.DuckDBPyConnection, words: dict[str, tuple[str, str]], members: int, others: int
) -> Iterable[Figures]:
    numbers = [name for name, (type_, _) in words.items() if type_.startswith(NUMBERS)]
    if not numbers:
        return
    columns = [identifier(name) for name in numbers]
    averages = ", ".join(f"count({column}), avg({column})" for column in columns)
    rows = _by_member(cursor, averages)
    means = [[row[2 * place + 1] for row in rows] for place in range(len(columns))]
    squares = ", ".join(
        f"sum(({column}::double - if(is_member, {mean1 or 0}::double, {mean0 or 0}::double)) ** 2)"
        for column, (mean1, mean0) in zip(columns, means, strict=True)
    )
    deviations = _by_member(cursor, squares)
    for place, name in enumerate(numbers):
        n1, n0 = (row[2 * place] for row in rows)
        if min(n1, n0) >= FEWEST_WITH_A_VALUE:
            mean1, mean0 = means[place]
            variance1, variance0 = (row[place] / (n - 1) for row, n in zip(deviations, (n1, n0), strict=True))
            yield from _figures((name, None, False), n1, n0, float(mean1), float(mean0), variance1, variance0)


def _by_member(cursor: duckdb.DuckDBPyConnection, asked: str) -> list[tuple[Any, ...]]:
    """What is asked of the members, and of the others."""
    return cursor.execute(f"select {asked} from {COMPARED} group by is_member order by is_member desc").fetchall()


def _of_names(
    cursor: duckdb.DuckDBPyConnection, words: dict[str, tuple[str, str]], members: int, others: int
) -> Iterable[Figures]:
    for name, value, n1, n0 in [*_truths(cursor, words), *_values(cursor, words), *_listed(cursor, words)]:
        if n1 + n0 >= FEWEST_WITH_A_VALUE:
            share1, share0 = n1 / members, n0 / others
            spread = (share1 * (1 - share1), share0 * (1 - share0))
            yield from _figures((name, value, True), members, others, share1, share0, *spread)


#: An attribute, a value of it, and how many members and others have it.
Counts = list[tuple[str, str | None, int, int]]


def _truths(cursor: duckdb.DuckDBPyConnection, words: dict[str, tuple[str, str]]) -> Counts:
    truths = [name for name, (type_, _) in words.items() if type_ == "BOOLEAN"]
    if not truths:
        return []
    mine, others = _by_member(cursor, ", ".join(f"count(*) filter ({identifier(name)})" for name in truths))
    return [(name, None, n1, n0) for name, n1, n0 in zip(truths, mine, others, strict=True)]


def _values(cursor: duckdb.DuckDBPyConnection, words: dict[str, tuple[str, str]]) -> Counts:
    names = [name for name, (type_, _) in words.items() if type_ == "VARCHAR"]
    if not names:
        return []
    columns = ", ".join(map(identifier, names))
    sets = ", ".join(f"({identifier(name)})" for name in names)
    rows = cursor.execute(
        f"select {columns}, grouping({columns}), count(*) filter (is_member), count(*) filter (not is_member) "
        f"from {COMPARED} group by grouping sets ({sets})"
    ).fetchall()
    found: Counts = []
    for *values, left_out, n1, n0 in rows:
        # A bit for each column, the first the highest, set where the row is not of that column.
        [place] = [n for n in range(len(names)) if not left_out >> (len(names) - 1 - n) & 1]
        found.append((names[place], "not known" if values[place] is None else values[place], n1, n0))
    return found


def _listed(cursor: duckdb.DuckDBPyConnection, words: dict[str, tuple[str, str]]) -> Counts:
    return [
        (name, *row)
        for name, (type_, _) in words.items()
        if type_ == "VARCHAR[]"
        for row in cursor.execute(
            "select value, count(*) filter (is_member), count(*) filter (not is_member) "
            f"from (select unnest(list_distinct({identifier(name)})) as value, is_member from {COMPARED}) group by value"
        ).fetchall()
    ]


def _figures(
    what: tuple[str, str | None, bool], n1: int, n0: int, mean1: float, mean0: float, variance1: float, variance0: float
) -> Iterable[Figures]:
    """The standardized difference and its interval; nothing where neither group varies."""
    spread = sqrt((variance1 + variance0) / 2)
    if spread > 0:
        difference = (mean1 - mean0) / spread
        half = Z * sqrt((n1 + n0) / (n1 * n0) + difference**2 / (2 * (n1 + n0)))
        yield *what, mean1, mean0, difference, difference - half, difference + half
