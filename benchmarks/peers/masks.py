"""Evaluates a rule over the columns of a data frame, for the tools that do not speak SQL: SQL's operators become Python's.

A tool says how it does what Python has no operator for (``Columns``); null must stay unknown in its comparisons.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any, Protocol

import sqlglot
from dateutil.relativedelta import relativedelta
from sqlglot import exp

OPERATORS: dict[type[exp.Expression], Callable[[Any, Any], Any]] = {
    exp.And: operator.and_,
    exp.Or: operator.or_,
    exp.EQ: operator.eq,
    exp.GT: operator.gt,
    exp.GTE: operator.ge,
    exp.LT: operator.lt,
    exp.LTE: operator.le,
    exp.Add: operator.add,
    exp.Sub: operator.sub,
    exp.Mul: operator.mul,
}


class Columns(Protocol):
    """The columns of a frame and what a tool does with them in its own way."""

    def column(self, name: str) -> Any: ...
    def is_null(self, value: Any) -> Any: ...
    def fill_null(self, value: Any, filler: Any) -> Any: ...
    def is_in(self, value: Any, choices: list[Any]) -> Any: ...
    def has(self, lists: str, item: str) -> Any: ...
    def divided(self, value: Any, by: Any) -> Any: ...
    def member_of(self, segment: str) -> Any: ...
    def bought(self, condition: exp.Expression) -> Any: ...


def parsed(conditions: dict[str, str]) -> dict[str, exp.Expression]:
    return {name: sqlglot.parse_one(condition, dialect="duckdb") for name, condition in conditions.items()}


def evaluated(tree: exp.Expression, columns: Columns, today: date) -> Any:
    """What the tree is of every row."""

    def value(part: exp.Expression) -> Any:
        return evaluated(part, columns, today)

    if type(tree) in OPERATORS:
        return OPERATORS[type(tree)](value(tree.this), value(tree.expression))
    match tree:
        case exp.Paren():
            return value(tree.this)
        case exp.Not():
            return ~value(tree.this)
        case exp.Column():
            return columns.column(tree.name)
        case exp.Literal():
            return tree.name if tree.is_string else int(tree.name) if tree.is_int else _exact(tree.name)
        case exp.Between():
            return (value(tree.this) >= value(tree.args["low"])) & (value(tree.this) <= value(tree.args["high"]))
        case exp.Is() if isinstance(tree.expression, exp.Null):
            return columns.is_null(value(tree.this))
        case exp.Coalesce():
            return columns.fill_null(value(tree.this), value(tree.expressions[0]))
        case exp.Div():
            return columns.divided(value(tree.this), value(tree.expression))
        case exp.ArrayContains():
            return columns.has(tree.this.name, tree.expression.name)
        case exp.In() if query := tree.args.get("query"):
            table, asked = query.find(exp.Table).name, query.find(exp.Where)
            return columns.bought(asked.this) if asked else columns.member_of(table)
        case exp.In():
            return columns.is_in(value(tree.this), [value(choice) for choice in tree.expressions])
        case exp.Placeholder():
            return today
        case exp.Interval():
            return relativedelta(months=int(tree.this.name))
    raise NotImplementedError(f"A rule has {tree.sql()}, a {type(tree).__name__}: add it to masks.evaluated.")


def _exact(number: str) -> Decimal:
    """With places enough for a product with money: in Polars it has no more than the longer of its factors."""
    return Decimal(number).quantize(Decimal("0.0001"))
