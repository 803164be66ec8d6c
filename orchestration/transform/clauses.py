"""The clauses of a segment's rule: the conditions that a member meets, every one of them. Reads SQL and looks at no row."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from orchestration.transform.meaning import CUSTOMERS, columns_used

SEGMENTS = "segments"
#: An expression of Jinja, by which a rule names a macro.
JINJA = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}", re.DOTALL)


@dataclass(frozen=True)
class Clause:
    """One condition: as people read it, as it runs, the attributes of a customer that it asks, the other segments and the other tables,
    and whether a customer's own rows of these are all that it needs.
    """

    text: str
    sql: str
    columns: frozenset[str]
    segments: tuple[str, ...]
    tables: frozenset[str]
    is_of_one: bool


@dataclass(frozen=True)
class Rule:
    """A segment's clauses in their order, each over a row of ``source``; a member meets them all, and who meets them all is a member.

    A rule that is not split is one clause, which holds all of it.
    """

    clauses: tuple[Clause, ...]
    source: str
    is_split: bool = True

    @property
    def columns(self) -> set[str]:
        return {column for clause in self.clauses for column in clause.columns}

    @property
    def tables(self) -> set[str]:
        return {table for clause in self.clauses for table in clause.tables}


def rule_of(parsed: exp.Expr, written: str) -> Rule:
    """The rule of a segment's parsed SQL, with the words of the SQL as it was ``written`` where it names a macro that looks into other tables.

    A rule that is more than ``select … from dim_customers where … and …`` is a single clause.
    """
    where = parsed.args.get("where")
    if not _only_filters(parsed) or where is None:
        return Rule((_clause(_is_found_by(parsed), "the rule"),), f"customers.{CUSTOMERS}", is_split=False)
    conditions = _conjuncts(where.this)
    words = _conditions_written(written)
    if len(words) != len(conditions):
        words = [condition.sql(dialect="duckdb") for condition in conditions]
    return Rule(
        tuple(_clause(condition, said) for condition, said in zip(conditions, words, strict=True)),
        parsed.args["from_"].this.sql(dialect="duckdb"),
    )


def _conditions_written(written: str) -> Sequence[str]:
    """The conditions as they were written; none where they cannot be told apart."""
    macros: list[str] = []

    def named(found: re.Match[str]) -> str:
        macros.append(found[1])
        return f"jinja_{len(macros) - 1}_"

    try:
        where = sqlglot.parse_one(JINJA.sub(named, written), dialect="duckdb").args.get("where")
    except SqlglotError:
        return []
    if where is None:
        return []
    said = (condition.sql(dialect="duckdb", comments=False) for condition in _conjuncts(where.this))
    return [re.sub(r"jinja_(\d+)_", lambda found: " ".join(macros[int(found[1])].split()), words) for words in said]


def _only_filters(parsed: exp.Expr) -> bool:
    says = {name for name, value in parsed.args.items() if value}
    if not isinstance(parsed, exp.Select) or says - {"expressions", "from_", "where"}:
        return False
    source = parsed.args["from_"].this
    is_plain = isinstance(source, exp.Table) and source.name == CUSTOMERS and not source.args.get("joins")
    return is_plain and [column.alias_or_name for column in parsed.selects] == ["as_of_date", "customer_id"]


def _conjuncts(condition: exp.Expr) -> list[exp.Expr]:
    condition = condition.unnest()
    if not isinstance(condition, exp.And):
        return [condition]
    return [found for part in condition.flatten() for found in _conjuncts(part)]


def _is_found_by(parsed: exp.Expr) -> exp.Expr:
    key = exp.Tuple(expressions=[exp.column("as_of_date"), exp.column("customer_id")])
    return exp.In(this=key, query=exp.Subquery(this=parsed.copy()))


def _clause(condition: exp.Expr, words: str) -> Clause:
    said = words if condition.find(exp.Query) else condition.sql(dialect="duckdb")
    tables = {(table.db, table.name) for table in condition.find_all(exp.Table) if table.db}
    return Clause(
        text=f"({said})" if isinstance(condition, exp.Or) else said,
        sql=condition.sql(dialect="duckdb"),
        columns=frozenset(columns_used(condition)),
        segments=tuple(sorted(name for schema, name in tables if schema == SEGMENTS)),
        tables=frozenset(f"{schema}.{name}" for schema, name in tables if schema != SEGMENTS and name != CUSTOMERS),
        is_of_one=not condition.find(exp.Window)
        and all(
            _finds_rows_of_one(query) for query in condition.find_all(exp.Query) if not isinstance(query, exp.Subquery)
        ),
    )


def _finds_rows_of_one(query: exp.Query) -> bool:
    """Whether it only says in which rows of one table, by day and customer, something holds, or which days there are."""
    if not isinstance(query, exp.Select) or query.find(exp.AggFunc, exp.Limit, exp.Star):
        return False
    names = [column.alias_or_name for column in query.selects]
    tables = [table.name for table in query.find_all(exp.Table)]
    if names == ["as_of_date"]:
        return tables == [CUSTOMERS]
    return names == ["as_of_date", "customer_id"] and len([table for table in tables if table != CUSTOMERS]) == 1
