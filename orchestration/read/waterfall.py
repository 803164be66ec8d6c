"""From everybody in the base to the members of a rule, clause by clause: how many are left, and whom each clause drops. Exact."""

from __future__ import annotations

from dataclasses import dataclass, replace

import duckdb

from orchestration.read.conditions import (
    TODAY,
    Asked,
    Unanswerable,
    answered_conditions,
    asked_today,
    published_rule,
)
from orchestration.read.opened import Release
from orchestration.sql import identifier
from orchestration.transform.clauses import Rule


@dataclass(frozen=True)
class Step:
    """One clause, in the order of the rule: customers ``left`` after it and ``dropped`` by it of those before; ``dropped_alone`` of the whole base, were
    it the only clause; ``kept_out`` by it and no other: they meet every other clause.
    """

    clause: str
    sql: str
    left: int
    dropped: int
    dropped_alone: int
    kept_out: int


@dataclass(frozen=True)
class Waterfall:
    """The steps from ``base`` to ``members``. ``remark`` is a sentence where the rule cannot be told clause by clause, or is not what the published
    members come from; else None.
    """

    base: int
    steps: tuple[Step, ...]
    members: int
    is_split: bool = True
    remark: str | None = None


def waterfall(release: Release, segment: str) -> Waterfall:
    """The waterfall of a published segment, over the data of the release's day.

    Raises ConfigurationError, with the nearest name, where the release has no such segment.
    """
    with release.cursor() as cursor:
        rule = published_rule(cursor, segment)
        ((state, members, since),) = cursor.execute(
            "select state, members, held_since from catalog.segments where segment = $1", [segment]
        ).fetchall()
        if not rule.is_split:
            return _whole(
                cursor,
                segment,
                rule,
                "The rule is more than conditions that a customer meets, so that it cannot be told clause by clause.",
            )
        try:
            found = waterfall_of(cursor, asked_today(rule, answered_conditions(cursor)))
        except Unanswerable:
            because = "The rule looks into order lines, which a release does not have. From the next refresh on it has who meets such a condition, and this is told clause by clause."
            return _whole(cursor, segment, rule, because)
    if state == "held":
        told = f"{segment} is held since {since}: its {members:,} members are those of the last good day, and this is what the rule makes of today's data."
        return replace(found, remark=told)
    return found


def waterfall_of(connection: duckdb.DuckDBPyConnection, asked: Asked) -> Waterfall:
    """The waterfall of a rule as it is asked of the release's day, in one query."""
    count = len(asked.conditions)
    met = [f"met_{place}" for place in range(count)]
    figures = ["count(*)"]
    for place in range(count):
        others = [name for other, name in enumerate(met) if other != place]
        figures += [
            f"count(*) filter ({' and '.join(met[: place + 1])})",
            f"count(*) filter (not {met[place]})",
            f"count(*) filter ({' and '.join([f'not {met[place]}', *others])})",
        ]
    conditions = ", ".join(
        f"{condition.is_met} as {name}" for condition, name in zip(asked.conditions, met, strict=True)
    )
    ((base, *found),) = connection.execute(
        f"with met as (select {conditions} from {asked.source}) select {', '.join(figures)} from met"
    ).fetchall()
    before, steps = base, []
    for place, condition in enumerate(asked.conditions):
        left, dropped_alone, kept_out = found[3 * place : 3 * place + 3]
        steps.append(Step(condition.text, condition.sql, left, before - left, dropped_alone, kept_out))
        before = left
    return Waterfall(base, tuple(steps), before, asked.is_split)


def _whole(connection: duckdb.DuckDBPyConnection, segment: str, rule: Rule, remark: str) -> Waterfall:
    """From everybody to the published members in one step."""
    ((base, members),) = connection.execute(
        f"select (select count(*) from {TODAY}), (select count(*) from segments.{identifier(segment)})"
    ).fetchall()
    text, sql = (" and ".join(part) for part in zip(*((one.text, one.sql) for one in rule.clauses), strict=True))
    return Waterfall(base, (Step(text, sql, members, *[base - members] * 3),), members, False, remark)
