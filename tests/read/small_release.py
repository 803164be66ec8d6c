"""A release made by hand, of the few tables and columns that a test is about: for what no refreshed company shows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import duckdb

from orchestration.read.opened import DATABASE, Release
from orchestration.transform.clauses import rule_of
from orchestration.transform.meaning import parse

DAY = date(2024, 3, 31)

#: A condition on order lines, as it stands in a release.
BOUGHT_FRUIT = """
(as_of_date, customer_id) in (
    select days.as_of_date, bought.customer_id
    from intermediate.int_order_lines as bought
    inner join (select distinct as_of_date from customers.dim_customers) as days
        on (bought.ordered_on > days.as_of_date - interval 3 months and bought.ordered_on <= days.as_of_date)
        and bought.valid_from <= days.as_of_date
    where bought.quantity > 0 and bought.category = 'FRUIT'
)
"""

#: id, gender, age, spend: of some nothing is known.
CUSTOMERS = """
    ('anna', 'female', 30, 10.00), ('bert', 'male', 20, 20.00), ('carl', 'male', 60, 0.00), ('dora', null, 25, 100.00),
    ('emil', 'male', null, 0.50), ('fred', null, null, 0.00)
"""


def select(condition: str) -> str:
    return f"select as_of_date, customer_id from customers.dim_customers where {condition}"


def small_release(
    rules: Mapping[str, str], members: Mapping[str, list[str]] | None = None, limit_seconds: float = 30
) -> Release:
    """A release of six customers and of segments with the given rules, and members where they are not those of the rules."""
    connection = duckdb.connect()
    connection.execute(f"attach ':memory:' as {DATABASE}; use {DATABASE}")
    for schema in ("customers", "segments", "catalog", "metrics"):
        connection.execute(f"create schema {schema}")
    connection.execute(
        f"create table customers.dim_customers as select date '{DAY}' as as_of_date, *, 'active' as lifecycle_stage from (values {CUSTOMERS}) as c (customer_id, gender, age, spend_last_365_days)"
    )
    connection.execute(
        "create table catalog.segments (segment varchar, label varchar, sql varchar, members bigint, state varchar, held_since date, builds_on varchar[])"
    )
    for name, sql in rules.items():
        listed = (members or {}).get(name)
        who = sql if listed is None else f"select unnest({listed}::varchar[]) as customer_id"
        connection.execute(
            f"create table segments.{name} as select customer_id, date '{DAY}' as entered_on from ({who})"
        )
        connection.execute(
            f"insert into catalog.segments select $1, upper($1), $2, count(*), 'fresh', null, [] from segments.{name}",
            [name, sql],
        )
    return Release(connection, "by hand", DAY, DAY, "2024-04-01T02:00:00+00:00", limit_seconds)


def with_answers(release: Release, answers: Mapping[str, list[str]]) -> Release:
    """The release, with who is listed under each of some conditions on its day."""
    release.connection.execute(
        "create table customers.conditions_on_order_lines (as_of_date date, condition varchar, customer_id varchar, is_met boolean)"
    )
    for condition, who in answers.items():
        rule = rule_of(parse(select(condition)), "")
        for customer in who:
            release.connection.execute(
                "insert into customers.conditions_on_order_lines values ($1, $2, $3, not $2 like 'NOT %')",
                [DAY, rule.clauses[0].sql, customer],
            )
    return release
