"""The rules of segments as a release can be asked them. Where a rule comes from, and what its answers are for, is in the other modules.

A release has not the order lines: who meets a condition on them is in ``customers.conditions_on_order_lines``, for the conditions of the published rules; of one that
begins with not, who does not meet it. What a customer was at a month end is in ``customers.dim_customers_month_ends``, and whose member then in the history.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import duckdb
from sqlglot import exp

from orchestration.errors import ConfigurationError, nearest
from orchestration.read.opened import has_table
from orchestration.sql import literal
from orchestration.transform.clauses import SEGMENTS, Clause, Rule, rule_of
from orchestration.transform.meaning import CUSTOMERS, parse

#: The schemas that a release has, so that a rule can look into them.
IN_A_RELEASE = {"customers", SEGMENTS, "metrics"}
TODAY, MONTH_ENDS = f"customers.{CUSTOMERS}", f"customers.{CUSTOMERS}_month_ends"

CONDITIONS_ON_ORDER_LINES = "customers.conditions_on_order_lines"
WHO_IS_LISTED = f"(as_of_date, customer_id) in (select as_of_date, customer_id from {CONDITIONS_ON_ORDER_LINES} where condition = {{condition}})"
MEMBER_AT_MONTH_END = f"""
(as_of_date, customer_id) in (
    select days.as_of_date, member.customer_id
    from metrics.segment_membership_history as member
    inner join (select distinct as_of_date from {MONTH_ENDS}) as days
        on member.entered_on <= days.as_of_date and coalesce(member.exited_on > days.as_of_date, true)
    where member.segment = {{segment}}
)
"""


@dataclass(frozen=True)
class Condition:
    """A clause of a rule: as people read it, as the rule has it, and as the release is asked it: true, false, or null where it cannot be told."""

    text: str
    sql: str
    asked: str

    @property
    def is_met(self) -> str:
        return f"coalesce(({self.asked}), false)"


@dataclass(frozen=True)
class Asked:
    """A rule over the rows of a ``table`` of customers, one by customer and day: a member meets every condition, and who meets every one is a member."""

    table: str
    alias: str
    conditions: tuple[Condition, ...]
    is_split: bool

    @property
    def source(self) -> str:
        return f"{self.table} as {self.alias}"

    @property
    def is_member(self) -> str:
        """True of members; of others false, or null."""
        return " and ".join(f"({condition.asked})" for condition in self.conditions)


class Unanswerable(ConfigurationError):
    """The release has not what a rule asks; the message is the reason."""


def published_rule(connection: duckdb.DuckDBPyConnection, segment: str) -> Rule:
    """The rule of a segment of the release. Raises ConfigurationError, with the nearest name, where there is none of the name."""
    rules = dict(connection.execute("select segment, sql from catalog.segments").fetchall())
    if segment not in rules:
        raise ConfigurationError(f"There is no segment {segment} in the release; {nearest(segment, rules)}")
    return rule_in_release(rules[segment])


@lru_cache(maxsize=1_000)
def rule_in_release(sql: str) -> Rule:
    """The rule of SQL that runs in a release, with words in place of what it looks for in other tables."""
    parsed = parse(sql)
    return rule_of(parsed, parsed.transform(_spoken).sql(dialect="duckdb"))


def answered_conditions(connection: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """The conditions on order lines to which the release has the answer, those of its rules; none where it was made before it kept them."""
    if not has_table(connection, CONDITIONS_ON_ORDER_LINES):
        return frozenset()
    rules = [rule_in_release(sql) for (sql,) in connection.execute("select sql from catalog.segments").fetchall()]
    return frozenset(clause.sql for rule in rules if rule.is_split for clause in rule.clauses if clause.tables)


def has_month_ends(connection: duckdb.DuckDBPyConnection) -> bool:
    return has_table(connection, MONTH_ENDS)


def asked_today(rule: Rule, answered: Iterable[str]) -> Asked:
    """The rule as it is asked of the release's day. Raises Unanswerable where the release has not what it looks into."""
    return _asked(rule, TODAY, frozenset(answered))


def asked_at_month_ends(rule: Rule, answered: Iterable[str]) -> Asked:
    """The rule as it is asked of the month ends. Raises Unanswerable where it looks into what is known of today alone."""
    return _asked(rule, MONTH_ENDS, frozenset(answered))


def _asked(rule: Rule, table: str, answered: frozenset[str]) -> Asked:
    source = parse(f"from {rule.source}").args["from_"].this
    conditions = tuple(
        Condition(clause.text, clause.sql, _as_asked(clause, table, answered)) for clause in rule.clauses
    )
    return Asked(table, source.alias_or_name, conditions, rule.is_split)


def _as_asked(clause: Clause, table: str, answered: frozenset[str]) -> str:
    """The clause with the release's answers in place of what it has not; only what is replaced whole can be answered."""

    def replaced(node: exp.Expr) -> exp.Expr:
        if not isinstance(node, exp.Condition):
            return node
        if (sql := node.sql(dialect="duckdb")) in answered:
            listed = parse(WHO_IS_LISTED.format(condition=literal(sql)))
            return exp.not_(listed) if isinstance(node, exp.Not) else listed
        if table == MONTH_ENDS and (segment := segment_looked_into(node)):
            return parse(MEMBER_AT_MONTH_END.format(segment=literal(segment)))
        return node

    asked = parse(clause.sql).transform(replaced)
    left = {(found.db, found.name) for found in asked.find_all(exp.Table) if found.db}
    if unknown := sorted(f"{schema}.{name}" for schema, name in left if schema not in IN_A_RELEASE):
        raise Unanswerable(
            f"`{clause.text}` looks into {', '.join(unknown)}, which a release does not have, and this release does not say who meets it."
        )
    of_today = {(schema, name) for schema, name in left if f"{schema}.{name}" == TODAY or schema == SEGMENTS}
    if table == MONTH_ENDS and of_today:
        raise Unanswerable(f"`{clause.text}` looks into tables of today, so that its past cannot be told.")
    return asked.sql(dialect="duckdb")


def segment_looked_into(node: exp.Expr) -> str | None:
    """The segment of ``customer_id in (select customer_id from segments.…)``, which is how a rule in a release asks for members of another."""
    asked = node.args.get("query") if isinstance(node, exp.In) else None
    if asked is None or node.this.sql() != "customer_id":
        return None
    select = asked.unnest()
    says = {name for name, value in select.args.items() if value}
    tables = list(select.find_all(exp.Table))
    is_plain = says == {"expressions", "from_"} and [one.sql() for one in select.expressions] == ["customer_id"]
    return tables[0].name if is_plain and len(tables) == 1 and tables[0].db == SEGMENTS else None


def condition_looked_up(node: exp.Expr) -> str | None:
    """The condition of ``WHO_IS_LISTED``, where the node is one."""
    asked = node.args.get("query") if isinstance(node, exp.In) else None
    tables = [] if asked is None else [f"{table.db}.{table.name}" for table in asked.find_all(exp.Table)]
    if asked is None or tables != [CONDITIONS_ON_ORDER_LINES]:
        return None
    return str(asked.unnest().args["where"].this.expression.this)


def _spoken(node: exp.Expr) -> exp.Expr:
    """What looks into other tables, in words between the signs of Jinja, by which a rule is known to speak in words."""
    asked = node.args.get("query") if isinstance(node, exp.In) else None
    if asked is None:
        return node
    if segment := segment_looked_into(node):
        return exp.Var(this=f"{{{{ member_of({literal(segment)}) }}}}")
    if lines := asked_of_an_order_line(node):
        said = " and ".join(one.sql(dialect="duckdb") for one in lines)
        return exp.Var(this=f"{{{{ an order line with ({said}) }}}}")
    return node


def asked_of_an_order_line(node: exp.Expr) -> list[exp.Expr]:
    """What ``(as_of_date, customer_id) in (select … from int_order_lines …)`` asks of a line, less how its versions are told apart; else nothing."""
    asked = node.args.get("query") if isinstance(node, exp.In) else None
    if asked is None or {table.name for table in asked.find_all(exp.Table) if table.db} != {
        "int_order_lines",
        CUSTOMERS,
    }:
        return []
    select = asked.unnest()
    parts = [join.args["on"] for join in select.args.get("joins") or [] if join.args.get("on")]
    parts += [select.args["where"].this] if select.args.get("where") else []
    said = [one for part in parts for one in (part.flatten() if isinstance(part, exp.And) else [part])]
    kept = [one.unnest() for one in said if not {c.name for c in one.find_all(exp.Column)} & {"valid_from", "valid_to"}]
    return [
        one.transform(lambda node: exp.column(node.name) if isinstance(node, exp.Column) else node)
        for one in reversed(kept)
    ]
