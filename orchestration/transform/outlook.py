"""Who will leave and enter each segment in the days ahead if nothing comes in, and who is one order away from entering.

No model of behaviour: windows end, birthdays come and ranks move on known days. The project's own models are put to the days to come with what
is known tonight, and each rule is asked on every one of them; then to tonight with one more order of each customer.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from graphlib import TopologicalSorter
from pathlib import Path

import duckdb

from orchestration.transform.clauses import Rule
from orchestration.transform.meaning import CUSTOMERS
from orchestration.transform.rules import Rules
from orchestration.transform.what_if import Copy, copy_beside

#: Days ahead that are looked at; their number has to be below 63, for a customer's days are the bits of an integer.
DAYS_AHEAD = 30

#: Customers times days that are worked out at once.
ROWS_AT_ONCE = 10_000_000

ORDERS = "intermediate.int_customer_days"

CREATE = """
create or replace table metrics.segment_outlook (segment varchar, customer_id varchar, change varchar, expected_on date);
create or replace table metrics.segment_outlook_gaps (segment varchar, change varchar, because varchar)
"""

MEMBERS = "create or replace view segments.{segment} as select as_of_date, customer_id from {source} where {meets_all}"

#: A customer's days as a member, as bits, the first day the lowest.
AHEAD = """
insert into main.outlook
with days as (
    select customer_id, bit_or(1::bigint << date_diff('day', {first}, as_of_date)) as days
    from segments.{segment}
    group by customer_id
),

changes as (
    select member.customer_id, 'leaves' as change, xor(coalesce(days.days, 0), {all_days}) as bits
    from main.members as member
    left join days using (customer_id)
    where member.segment = '{segment}'

    union all

    select customer_id, 'enters' as change, days as bits
    from days
    where customer_id not in (select customer_id from main.members where segment = '{segment}')
)

select '{segment}' as segment, customer_id, change, {first} + bit_count((bits & -bits) - 1)::integer as expected_on
from changes
where bits > 0 and (customer_id, change) not in (select customer_id, change from main.outlook where segment = '{segment}')
"""

#: Today's order is of the size that is usual for the customer; for one who never ordered, of that of the others.
ONE_MORE_ORDER = """
create or replace table {orders} as
from {warehouse}.{orders}
union all by name
select
    customer_id,
    as_of_date as ordered_on,
    as_of_date as valid_from,
    1 as orders,
    1 as lines,
    0 as returned_lines,
    coalesce(average_order_last_365_days, average_order_lifetime, median(average_order_lifetime) over (), 0)::decimal(18, 2) as spend,
    0 as returned_amount,
    0 as discount
from {warehouse}.customers.{customers}
where as_of_date = {day}
"""

ONE_ORDER_AWAY = """
insert into main.outlook
select '{segment}', customer_id, 'one_order_away', null
from segments.{segment}
where customer_id not in (select customer_id from main.members where segment = '{segment}')
"""


def record_outlook(connection: duckdb.DuckDBPyConnection, file: Path, rules: Rules) -> int:
    """Writes ``metrics.segment_outlook`` from the newest as-of date on, and in ``metrics.segment_outlook_gaps`` what cannot be told; gives the
    rows of the first.

    Grain: one row per segment, customer and change: ``leaves`` and ``enters`` with the first day of the next ``DAYS_AHEAD`` on which it is so,
    ``one_order_away`` without one. ``file`` is where the copy lives meanwhile.
    """
    connection.execute(CREATE)
    ((day, customers),) = connection.execute(
        f"select as_of_date, count(*) from customers.{CUSTOMERS} where as_of_date = (select max(as_of_date) from customers.{CUSTOMERS}) group by 1"
    ).fetchall() or [(None, 0)]
    if day is None:
        return 0
    told, gaps = _told(connection, rules, day)
    connection.executemany("insert into metrics.segment_outlook_gaps values (?, ?, ?)", gaps)
    with copy_beside(connection, file, rules.models) as copy:
        copy.know_what_is_known()
        for table in sorted({table for rule in rules.rules.values() for table in rule.tables}):
            copy.see(table)
        copy.run(
            "create table main.outlook (segment varchar, customer_id varchar, change varchar, expected_on date)",
            "create table main.members as select segment, customer_id from {warehouse}.metrics.segment_membership "
            f"where as_of_date = date '{day}' order by segment",  # they are asked for segment by segment
        )
        _look_ahead(copy, rules, told["leaves"], day, customers)
        _add_an_order(copy, rules, told["one_order_away"], day)
        copy.run("insert into {warehouse}.metrics.segment_outlook from main.outlook order by all")
    return int(connection.execute("select count(*) from metrics.segment_outlook").fetchall()[0][0])


def _look_ahead(copy: Copy, rules: Rules, told: list[str], day: date, customers: int) -> None:
    for first, days in _batches(day, customers):
        copy.derive(
            f"select date '{first}' + range::integer as as_of_date from range({days})",
            rules.needed,
            compare=True,
            columns=rules.columns,
        )
        for segment in told:
            ahead = AHEAD.replace("{first}", f"date '{first}'").replace("{all_days}", str(2**days - 1))
            copy.run(_members(segment, rules.rules[segment]), ahead.replace("{segment}", segment))


def _add_an_order(copy: Copy, rules: Rules, told: list[str], day: date) -> None:
    """Everybody orders at once, which no rule that compares customers is asked about."""
    one_more = ONE_MORE_ORDER.replace("{orders}", ORDERS).replace("{customers}", CUSTOMERS)
    copy.run(f"drop view {ORDERS}", one_more.replace("{day}", f"date '{day}'"))
    copy.derive(f"select date '{day}' as as_of_date", rules.needed, compare=False, columns=rules.columns)
    for segment in told:
        copy.run(_members(segment, rules.rules[segment]), ONE_ORDER_AWAY.replace("{segment}", segment))


def _members(segment: str, rule: Rule) -> str:
    meets_all = " and ".join(f"coalesce({clause.sql}, false)" for clause in rule.clauses)
    made = MEMBERS.replace("{segment}", segment).replace("{source}", rule.source)
    return made.replace("{meets_all}", meets_all)


def _batches(day: date, customers: int) -> Iterator[tuple[date, int]]:
    at_once = max(1, ROWS_AT_ONCE // customers)
    for gone in range(0, DAYS_AHEAD, at_once):
        yield day + timedelta(gone + 1), min(at_once, DAYS_AHEAD - gone)


def _told(
    connection: duckdb.DuckDBPyConnection, rules: Rules, day: date
) -> tuple[dict[str, list[str]], list[tuple[str, str, str]]]:
    """The segments of which each change can be told, each after those that it builds on; and why it cannot be of the others."""
    fresh = {
        segment
        for (segment,) in connection.execute(
            "select segment from metrics.segment_sizes where as_of_date = $day and not is_held "
            "and as_of_date = (select max(as_of_date) from metrics.segment_sizes)",
            {"day": day},
        ).fetchall()
    }
    compared = rules.models.comparing_among(rules.attributes)
    gaps: list[tuple[str, str, str]] = []
    told: dict[str, list[str]] = {"leaves": [], "one_order_away": []}
    builds_on = {segment.name: segment.builds_on for segment in rules.segments}
    for segment in TopologicalSorter(builds_on).static_order():
        for change, known in told.items():
            unknown = [other for other in builds_on[segment] if other not in known]
            if segment not in fresh:
                because = "it is held"
            elif unknown:
                because = f"it builds on {', '.join(unknown)}, of which it cannot be told"
            else:
                because = _untold_of_an_order(rules.rules[segment], compared) if change == "one_order_away" else ""
            if because:
                of = (change,) if change == "one_order_away" else ("leaves", "enters")
                gaps += [(segment, one, because) for one in of]
            else:
                known.append(segment)
    return told, gaps


def _untold_of_an_order(rule: Rule, compared: set[str]) -> str:
    if asked := sorted(rule.columns & compared):
        return f"it compares customers ({', '.join(asked)}), and an order moves more than the one who makes it"
    return "it asks what was bought, which the size of an order does not say" if rule.tables else ""
