"""A condition of a rule in plain words, for who does not read SQL. What has no plain words stays as SQL has it, so that nothing is told wrongly."""

from __future__ import annotations

from sqlglot import exp

from orchestration.read.conditions import asked_of_an_order_line, segment_looked_into
from orchestration.transform.meaning import parse

MEMBER, BUYER = "is a member of ", "has an order line "
#: What stands between two values.
COMPARED: dict[type[exp.Expr], str] = {
    exp.EQ: "is",
    exp.NEQ: "is not",
    exp.GT: "is more than",
    exp.GTE: "is at least",
    exp.LT: "is less than",
    exp.LTE: "is at most",
}
COMPUTED: dict[type[exp.Expr], str] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/"}


def in_words(sql: str) -> str:
    """``age BETWEEN 18 AND 25`` is "age is between 18 and 25"."""
    return _said(parse(sql).unnest())


def _said(node: exp.Expr) -> str:
    if isinstance(node, exp.Paren):
        return f"({_said(node.this)})"
    if isinstance(node, exp.And | exp.Or):
        return f" {node.key} ".join(_said(part) for part in node.flatten(unnest=False))
    if isinstance(node, exp.Not):
        return _denied(node.this)
    if type(node) in COMPARED:
        return f"{_value(node.this)} {COMPARED[type(node)]} {_value(node.expression)}"
    if isinstance(node, exp.Between):
        return f"{_value(node.this)} is between {_value(node.args['low'])} and {_value(node.args['high'])}"
    if isinstance(node, exp.Is) and isinstance(node.expression, exp.Null):
        return f"{_value(node.this)} has no value"
    if isinstance(node, exp.In):
        return _among(node)
    if isinstance(node, exp.ArrayContains):
        return f"{_value(node.this)} include {_value(node.expression)}"
    return _value(node)


def _denied(node: exp.Expr) -> str:
    inner = node.unnest()
    if isinstance(inner, exp.Is) and isinstance(inner.expression, exp.Null):
        return f"{_value(inner.this)} has a value"
    said = _said(inner)
    if isinstance(inner, exp.Column) and said.startswith("is "):
        return f"is not {said.removeprefix('is ')}"
    if isinstance(inner, exp.In) and said.startswith(MEMBER):
        return f"is not {said.removeprefix('is ')}"
    if isinstance(inner, exp.In) and said.startswith(BUYER):
        return f"has no order line {said.removeprefix(BUYER)}"
    return f"not ({said})"


def _among(node: exp.In) -> str:
    asked = node.args.get("query")
    if segment := segment_looked_into(node):
        return f"{MEMBER}{segment}"
    if asked is not None and (lines := asked_of_an_order_line(node)):
        return _of_an_order_line(lines)
    if asked is not None or not node.expressions:
        return _as_it_is(node)
    return f"{_value(node.this)} is one of {', '.join(map(_value, node.expressions))}"


def _of_an_order_line(lines: list[exp.Expr]) -> str:
    """What is asked of an order line; the time in which it was ordered comes last."""
    parts = [part for line in lines for part in (line.flatten() if isinstance(line, exp.And) else [line])]
    times = [time for part in parts if (time := _within(part))]
    if times:
        parts = [part for part in parts if not _within(part) and part.sql() != "ordered_on <= as_of_date"]
    said = f"{BUYER}of which {' and '.join(map(_said, parts))}"
    return ", ".join([said, *(f"ordered in the last {time}" for time in times)])


def _within(line: exp.Expr) -> str | None:
    since = line.expression if isinstance(line, exp.GT) and line.this.name == "ordered_on" else None
    if isinstance(since, exp.Sub) and since.this.name == "as_of_date" and isinstance(since.expression, exp.Interval):
        return _value(since.expression)
    return None


def _value(node: exp.Expr) -> str:
    if isinstance(node, exp.Column):
        return node.name.replace("_", " ")
    if isinstance(node, exp.Literal):
        return node.sql(dialect="duckdb") if node.is_string or not node.this.isdigit() else f"{int(node.this):,}"
    if isinstance(node, exp.Paren):
        return f"({_value(node.this)})"
    if type(node) in COMPUTED:
        return f"{_value(node.this)} {COMPUTED[type(node)]} {_value(node.expression)}"
    if isinstance(node, exp.Coalesce) and len(node.expressions) == 1:
        return f"{_value(node.this)} ({_value(node.expressions[0])} where it has no value)"
    if isinstance(node, exp.Cast) and isinstance(node.this, exp.Literal) and node.is_type("date"):
        return str(node.this.this)
    if isinstance(node, exp.Interval):
        return f"{node.this.name} {str(node.args['unit']).lower()}"
    return _as_it_is(node)


def _as_it_is(node: exp.Expr) -> str:
    return node.sql(dialect="duckdb")
