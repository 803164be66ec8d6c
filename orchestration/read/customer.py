"""One customer of a release: in which segments and since when, what keeps her out of the others, what is known of her. No contact data: a release has none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

import duckdb
from sqlglot import exp

from orchestration.errors import ConfigurationError
from orchestration.read.attributes import attributes_in
from orchestration.read.conditions import (
    CONDITIONS_ON_ORDER_LINES,
    TODAY,
    Asked,
    Unanswerable,
    answered_conditions,
    asked_today,
    condition_looked_up,
    rule_in_release,
    segment_looked_into,
)
from orchestration.read.opened import Release
from orchestration.read.wording import in_words
from orchestration.sql import identifier, literal
from orchestration.transform.meaning import columns_used, parse


@dataclass(frozen=True)
class Answer:
    """Whether the customer meets a clause, which is also said in plain ``words``; None where it cannot be told, for want of a value. ``asks`` are the
    attributes that it asks.
    """

    clause: str
    words: str
    sql: str
    asks: tuple[str, ...]
    is_met: bool | None


@dataclass(frozen=True)
class Standing:
    """The customer and one segment: a member since ``entered_on``, or none; and her answer to each clause. ``remark`` says why there are no
    answers, or why they are not those that her membership comes from.
    """

    segment: str
    label: str
    entered_on: date | None
    answers: tuple[Answer, ...]
    remark: str | None

    @property
    def is_member(self) -> bool:
        return self.entered_on is not None

    @property
    def keeps_out(self) -> tuple[Answer, ...]:
        """The clauses that she does not meet, or cannot be told to."""
        return tuple(answer for answer in self.answers if not answer.is_met)


@dataclass(frozen=True)
class Known:
    """An attribute of the customer; its ``value`` is None where it is not known."""

    name: str
    value: Any
    description: str

    @property
    def said(self) -> str:
        """The value for people."""
        if self.value is None:
            return "not known"
        if isinstance(self.value, bool):
            return "yes" if self.value else "no"
        if isinstance(self.value, list):
            return ", ".join(map(str, self.value)) or "none"
        if isinstance(self.value, int | Decimal):
            return f"{self.value:,}"
        # Enough to tell on which side of a boundary it is.
        return f"{self.value:,.4f}".rstrip("0").rstrip(".") if isinstance(self.value, float) else str(self.value)


@dataclass(frozen=True)
class Customer:
    """A customer of the base on the release's day; ``standings`` are of all segments, by name."""

    customer_id: str
    as_of_date: date
    standings: tuple[Standing, ...]
    known: tuple[Known, ...]


def customer(release: Release, customer_id: str) -> Customer:
    """Raises ConfigurationError where the base has no such customer on the release's day."""
    with release.cursor() as cursor:
        known = _known(cursor, customer_id)
        if not known:
            raise ConfigurationError(
                f"There is no customer {customer_id} in the base on {release.as_of_date}: the id is the CRM's, and who is deleted is in it no more."
            )
        return Customer(customer_id, release.as_of_date, _standings(cursor, customer_id), known)


def _known(cursor: duckdb.DuckDBPyConnection, customer_id: str) -> tuple[Known, ...]:
    asked = attributes_in(cursor)
    names = ", ".join(identifier(one.name) for one in asked)
    found = cursor.execute(f"select {names} from {TODAY} where customer_id = $1", [customer_id]).fetchall()
    return tuple(
        Known(one.name, value, one.description) for row in found for one, value in zip(asked, row, strict=True)
    )


def _standings(cursor: duckdb.DuckDBPyConnection, customer_id: str) -> tuple[Standing, ...]:
    answered = answered_conditions(cursor)
    segments = cursor.execute("select segment, label, sql, state, held_since from catalog.segments order by segment").fetchall()  # fmt: skip
    rules: dict[str, Asked] = {}
    remarks: dict[str, str] = {}
    for segment, _, sql, state, since in segments:
        try:
            rules[segment] = asked_today(rule_in_release(sql), answered)
        except Unanswerable:
            remarks[segment] = "The rule looks into order lines; from the next refresh on the release has who meets it."
        else:
            if state == "held":
                remarks[segment] = f"Held since {since}: its members are those of the last good day, the clauses are of today's data."  # fmt: skip
    entered = _entered(cursor, customer_id, [segment for segment, *_ in segments])
    answers = _answers(cursor, customer_id, rules, _true_of_her(cursor, customer_id, entered, answered))
    return tuple(
        Standing(segment, label, entered.get(segment), answers.get(segment, ()), remarks.get(segment))
        for segment, label, *_ in segments
    )


@dataclass(frozen=True)
class _TrueOfHer:
    """What is looked up elsewhere, once for all rules: the segments that she is in, and the conditions on order lines under which she is listed."""

    segments: frozenset[str]
    conditions: frozenset[str]

    def put_into(self, sql: str) -> str:
        """The condition with true or false in place of what looks into tables of everybody."""

        def replaced(node: exp.Expr) -> exp.Expr:
            if (segment := segment_looked_into(node)) is not None:
                return exp.Boolean(this=segment in self.segments)
            if (condition := condition_looked_up(node)) is not None:
                return exp.Boolean(this=condition in self.conditions)
            return node

        return parse(sql).transform(replaced).sql(dialect="duckdb")


def _true_of_her(
    cursor: duckdb.DuckDBPyConnection, customer_id: str, entered: dict[str, date], answered: frozenset[str]
) -> _TrueOfHer:
    met = frozenset[str]()
    if answered:
        rows = cursor.execute(
            f"select condition from {CONDITIONS_ON_ORDER_LINES} where customer_id = $1 and as_of_date = (select max(as_of_date) from {TODAY})",
            [customer_id],
        ).fetchall()
        met = frozenset(condition for (condition,) in rows)
    return _TrueOfHer(frozenset(entered), met)


def _answers(
    cursor: duckdb.DuckDBPyConnection, customer_id: str, rules: dict[str, Asked], of_her: _TrueOfHer
) -> dict[str, tuple[Answer, ...]]:
    """The customer's answer to each clause of all rules, a query for each kind of source."""
    found = {}
    for source in sorted({asked.source for asked in rules.values()}):
        of_source = {segment: asked for segment, asked in rules.items() if asked.source == source}
        asked = ", ".join(
            f"({of_her.put_into(one.asked)})::boolean" for rule in of_source.values() for one in rule.conditions
        )
        (row,) = cursor.execute(f"select {asked} from {source} where customer_id = $1", [customer_id]).fetchall()
        values = iter(row)
        for segment, rule in of_source.items():
            found[segment] = tuple(Answer(one.text, *_said(one.sql), is_met=next(values)) for one in rule.conditions)
    return found


@lru_cache(maxsize=1_000)
def _said(sql: str) -> tuple[str, str, tuple[str, ...]]:
    return in_words(sql), sql, columns_used(parse(sql))


def _entered(cursor: duckdb.DuckDBPyConnection, customer_id: str, segments: list[str]) -> dict[str, date]:
    listed = " union all ".join(
        f"select {literal(segment)}, entered_on from segments.{identifier(segment)} where customer_id = $1"
        for segment in segments
    )
    return dict(cursor.execute(listed, [customer_id]).fetchall()) if listed else {}
