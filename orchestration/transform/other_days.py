"""The customers on days other than those of the run, by the project's own models over what is known tonight: the month ends of the year
behind, and in ``outlook`` the days ahead. States no rule.

A month end that is on record is worked out again where the run has evaluated that day anew, or the models have become others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import date

import duckdb
from sqlglot import exp

from orchestration.transform.catalogue import Definition
from orchestration.transform.clauses import rule_of
from orchestration.transform.meaning import CUSTOMERS, parse
from orchestration.transform.rules import Rules
from orchestration.transform.what_if import copy_beside
from orchestration.warehouse import all_or_nothing

#: Month ends before the release's day that are kept.
MONTHS = 12

#: The last days of the months before the newest as-of date, as far back as there is a record.
MONTH_ENDS = """
select last_day(newest - to_months(n::integer))::date
from (select max(as_of_date) as newest from customers.dim_customers), range(1, {months} + 1) as months (n)
where last_day(newest - to_months(n::integer)) >= (select min(as_of_date) from metrics.segment_sizes)
order by 1
"""


def record_month_ends(
    connection: duckdb.DuckDBPyConnection, rules: Rules, definitions: Iterable[Definition], first_day: date
) -> int:
    """Writes ``customers.dim_customers_month_ends`` and ``customers.conditions_on_order_lines``; gives the rows of the first.

    Grain: one row per month end and customer, with every attribute as of that day; one row per day (month ends and the newest), condition
    and customer who meets it, or who does not where it begins with not, of the conditions in rules that look into tables which a release does not
    have. ``first_day`` is the first that the run has evaluated.
    """
    conditions = _conditions(rules, definitions)
    made_of = _fingerprint(rules, conditions)
    wanted = [day for (day,) in connection.execute(MONTH_ENDS.format(months=MONTHS)).fetchall()]
    missing = _forget(connection, wanted, first_day, made_of)
    with copy_beside(connection, rules.models) as copy:
        if missing:
            copy.know_what_is_known(rules.tables)
            everything = rules.models.behind(rules.models.columns[f"customers.{CUSTOMERS}"])
            copy.derive(_listed(missing), everything | rules.needed, compare=True)
        # All of it or nothing: whoever finds the days of the one finds them in the other too.
        with all_or_nothing(connection):
            if missing:
                copy.run(
                    f"insert into {{warehouse}}.customers.{CUSTOMERS}_month_ends by name from customers.{CUSTOMERS} order by as_of_date, customer_id",
                    f"delete from {{warehouse}}.customers.conditions_on_order_lines where as_of_date in ({_listed(missing)})",
                )
                for condition, (sql, source) in conditions.items():
                    copy.run(
                        "insert into {warehouse}.customers.conditions_on_order_lines "
                        + _who_is_listed(condition, sql, source)
                    )
            copy.run(
                f"create or replace table {{warehouse}}.refresh.month_ends_made_of as select '{made_of}' as fingerprint"
            )
    newest = f"as_of_date = (select max(as_of_date) from customers.{CUSTOMERS})"
    for condition, (sql, source) in conditions.items():
        connection.execute(
            f"insert into customers.conditions_on_order_lines {_who_is_listed(condition, sql, source)} and {newest}"
        )
    return int(connection.execute(f"select count(*) from customers.{CUSTOMERS}_month_ends").fetchall()[0][0])


def _conditions(rules: Rules, definitions: Iterable[Definition]) -> dict[str, tuple[str, str]]:
    """By its text in a release: the condition as it runs here, and the source of its rows."""
    found = {}
    for definition in definitions:
        rule, published = rules.rules[definition.segment], rule_of(parse(definition.sql), definition.sql)
        if rule.is_split:
            for here, there in zip(rule.clauses, published.clauses, strict=True):
                if here.tables:
                    found[there.sql] = (here.sql, rule.source)
    return dict(sorted(found.items()))


def _who_is_listed(condition: str, sql: str, source: str) -> str:
    """A query for who meets the condition; of one that begins with not for who does not, who are as a rule the fewer."""
    said = condition.replace("'", "''")
    is_met = not isinstance(parse(condition), exp.Not)
    listed = f"({sql})" if is_met else f"not coalesce(({sql}), false)"
    return f"select as_of_date, '{said}' as condition, customer_id, {is_met} as is_met from {source} where {listed}"


def _forget(connection: duckdb.DuckDBPyConnection, wanted: list[date], first_day: date, made_of: str) -> list[date]:
    """Removes what is not wanted any more or has to be worked out again; gives the month ends that are then missing."""
    connection.execute(
        f"create table if not exists customers.{CUSTOMERS}_month_ends as from customers.{CUSTOMERS} limit 0;"
        "create table if not exists customers.conditions_on_order_lines (as_of_date date, condition varchar, customer_id varchar, is_met boolean);"
        "create table if not exists refresh.month_ends_made_of (fingerprint varchar)"
    )
    if connection.execute("from refresh.month_ends_made_of").fetchall() != [(made_of,)]:
        connection.execute(
            f"create or replace table customers.{CUSTOMERS}_month_ends as from customers.{CUSTOMERS} limit 0;"
            "delete from customers.conditions_on_order_lines"
        )
    for table in (f"{CUSTOMERS}_month_ends", "conditions_on_order_lines"):
        connection.execute(
            f"delete from customers.{table} where as_of_date >= $first or not list_contains($wanted::date[], as_of_date)",
            {"first": first_day, "wanted": wanted},
        )
    kept = connection.execute(f"select distinct as_of_date from customers.{CUSTOMERS}_month_ends").fetchall()
    return [day for day in wanted if (day,) not in kept]


def _fingerprint(rules: Rules, conditions: dict[str, tuple[str, str]]) -> str:
    listed = [_who_is_listed(condition, *asked) for condition, asked in conditions.items()]
    return hashlib.sha256("\n".join([rules.models.fingerprint, *listed]).encode()).hexdigest()


def _listed(days: list[date]) -> str:
    listed = ", ".join(f"date '{day}'" for day in days)
    return f"select unnest([{listed}]) as as_of_date"
