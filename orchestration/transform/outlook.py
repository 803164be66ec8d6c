"""Who will leave and enter each segment in the days ahead if nothing comes in, and who is one order away from entering.

No model of behaviour: windows end and birthdays come on known days. The project's own models are put to the days to come with what is known
tonight, and what is known beforehand of each rule is asked on every one of them; then each rule of tonight with one more order of each customer.
"""

from __future__ import annotations

from datetime import date, timedelta

import duckdb

from orchestration.transform.ahead import DAYS_AHEAD, keep_days_ahead, look_ahead, meets_all, members
from orchestration.transform.beforehand import Beforehand
from orchestration.transform.catalogue import what_builds_on_what
from orchestration.transform.clauses import Rule
from orchestration.transform.meaning import CUSTOMERS
from orchestration.transform.rules import Rules
from orchestration.transform.what_if import Copy, copy_beside
from orchestration.warehouse import all_or_nothing

ORDERS = "intermediate.int_customer_days"
#: What is not told of a segment that compares customers and of which the rest is told.
CHANGES_RANK = "changes_rank"

CREATE = """
create or replace table metrics.segment_outlook (segment varchar, customer_id varchar, change varchar, expected_on date);
create or replace table metrics.segment_outlook_gaps (segment varchar, change varchar, because varchar)
"""

#: Of a segment: the first day ahead on which a member is none, and the first on which somebody else is one who compares as a member does tonight.
CHANGES = """
insert into {warehouse}.metrics.segment_outlook
with days as (select customer_id, days from main.days_ahead where segment = '{segment}'),

members as (select customer_id from main.members where segment = '{segment}'),

changes as (
    select members.customer_id, 'leaves' as change, xor(coalesce(days.days, 0), {all_days}) as bits
    from members
    left join days on days.customer_id = members.customer_id

    union all

    select customer_id, 'enters' as change, days as bits
    from days
    where customer_id not in (from members) and {compares}
)

select '{segment}' as segment, customer_id, change, {tomorrow} + bit_count((bits & -bits) - 1)::integer as expected_on
from changes
where bits > 0
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
insert into {warehouse}.metrics.segment_outlook
select '{segment}', customer_id, 'one_order_away', null
from segments.{segment}
where customer_id not in (select customer_id from main.members where segment = '{segment}')
"""


def record_outlook(connection: duckdb.DuckDBPyConnection, rules: Rules, first_day: date) -> int:
    """Writes ``metrics.segment_outlook`` from the newest as-of date on, and in ``metrics.segment_outlook_gaps`` what cannot be told; gives the
    rows of the first.

    Grain: one row per segment, customer and change: ``leaves`` and ``enters`` with the first day of the next ``DAYS_AHEAD`` on which it is so,
    ``one_order_away`` without one. ``first_day`` is the first that the run has evaluated.
    """
    connection.execute(CREATE)
    ((day,),) = connection.execute(f"select max(as_of_date) from customers.{CUSTOMERS}").fetchall()
    if day is None:
        return 0
    beforehand = Beforehand(rules)
    told, gaps = _told(connection, rules, beforehand, day)
    connection.execute(
        "insert into metrics.segment_outlook_gaps select unnest($1::varchar[]), unnest($2::varchar[]), unnest($3::varchar[])",
        [[gap[column] for gap in gaps] for column in range(3)],
    )
    with copy_beside(connection, rules.models) as copy:
        copy.run(
            "create table main.members as select segment, customer_id from {warehouse}.metrics.segment_membership "
            f"where as_of_date = date '{day}' order by segment",  # they are asked for segment by segment
        )
        looked = look_ahead(copy, beforehand.rules, told["leaves"], day, first_day)
        _add_an_order(copy, rules, told["one_order_away"], day)
        with all_or_nothing(connection):
            _note_changes(copy, beforehand, told["leaves"], day)
            copy.run(*(ONE_ORDER_AWAY.replace("{segment}", segment) for segment in told["one_order_away"]))
            keep_days_ahead(copy, rules, told["leaves"], looked)
    return int(connection.execute("select count(*) from metrics.segment_outlook").fetchall()[0][0])


def _note_changes(copy: Copy, beforehand: Beforehand, told: list[str], day: date) -> None:
    changes = CHANGES.replace("{tomorrow}", f"date '{day + timedelta(1)}'").replace(
        "{all_days}", str(2**DAYS_AHEAD - 1)
    )
    for segment in told:
        compares = _compares_tonight(rule, day) if (rule := beforehand.comparing(segment)) else "true"
        copy.run(changes.replace("{segment}", segment).replace("{compares}", compares))


def _compares_tonight(rule: Rule, day: date) -> str:
    return (
        "customer_id in (select customer_id "
        f"from {{warehouse}}.{rule.source} where as_of_date = date '{day}' and {meets_all(rule)})"
    )


def _add_an_order(copy: Copy, rules: Rules, told: list[str], day: date) -> None:
    """Everybody orders at once, which no rule that compares customers is asked about."""
    one_more = ONE_MORE_ORDER.replace("{orders}", ORDERS).replace("{customers}", CUSTOMERS)
    copy.know_what_is_known(rules.tables)
    copy.run(f"drop view {ORDERS}", one_more.replace("{day}", f"date '{day}'"))
    untouched = {
        table: f"{copy.warehouse}.{table}"
        for table in copy.models.of_a_day_comparing_nobody
        if ORDERS not in copy.models.beneath({table})
    }
    tonight = f"select date '{day}' as as_of_date"
    copy.derive(tonight, rules.needed, compare=False, columns=rules.columns, given=untouched)
    for segment in told:
        copy.run(members(segment, rules.rules[segment]))


def _told(
    connection: duckdb.DuckDBPyConnection, rules: Rules, beforehand: Beforehand, day: date
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
    gaps: list[tuple[str, str, str]] = []
    told: dict[str, list[str]] = {"leaves": [], "one_order_away": []}
    for segment, beneath in what_builds_on_what(rules.segments).items():
        for change, known in told.items():
            unknown = [other for other in beneath if other not in known]
            if segment not in fresh:
                because = "it is held"
            elif unknown:
                because = f"it builds on {', '.join(unknown)}, of which it cannot be told"
            elif change == "leaves":
                because = beforehand.untold(segment)
            else:
                because = _untold_of_an_order(rules.rules[segment], beforehand.compared)
            if because:
                of = (change,) if change == "one_order_away" else ("leaves", "enters")
                gaps += [(segment, one, because) for one in of]
            else:
                known.append(segment)
                if change == "leaves" and (because := beforehand.taken_as_tonight(segment)):
                    gaps.append((segment, CHANGES_RANK, because))
    return told, gaps


def _untold_of_an_order(rule: Rule, compared: set[str]) -> str:
    if asked := sorted(rule.columns & compared):
        return f"it compares customers ({', '.join(asked)}), and an order moves more than the one who makes it"
    return "it asks what was bought, which the size of an order does not say" if rule.tables else ""
