"""What each mover was, day before and day, and in the states between: time passed, then edits in, then the events of the days in.

Writes these tables into the copy of ``what_if``, for ``moves``, which asks the rules:

=================  ====================================================  ==================================================
main.days          one row per as-of date of the run                     the evaluated day before it
main.moves         one row per segment, as-of date and mover             whether she entered
main.moves_of_…    the same of the segments that are left alone          whoever else moved in them
main.movers        one row per as-of date and mover                      of any segment
main.came          the same                                              what came in between: edits, events on time, late
main.states        one row per as-of date, mover and step 0 to 4         which row of dim_customers she is then
main.between_…     the states that had to be computed                    the others are equal to one beside them
main.customers     = customers.dim_customers of the copy                 all of these rows
=================  ====================================================  ==================================================

Step 0 is the day before, 1 after time passed, 2 after edits, 3 after the events of the days, 4 the day as it came out.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import duckdb

from orchestration.transform.meaning import CUSTOMERS
from orchestration.transform.rules import Rules
from orchestration.transform.what_if import KNOWN_FROM, KNOWN_UNTIL, Copy, Versions

#: Customers in states between, times as-of dates, that are computed at once.
STATES_AT_ONCE = 200_000

DAYS = """
create table main.days as
select
    as_of_date,
    coalesce(previous_as_of_date, (
        select max(recorded.as_of_date) from {warehouse}.metrics.segment_sizes as recorded
        where recorded.as_of_date < (select min(as_of_date) from {warehouse}.refresh.as_of_dates)
    )) as before
from {warehouse}.refresh.as_of_dates
"""

MOVES = """
create table main.{moves} as
select changes.segment, changes.customer_id, changes.as_of_date, days.before, changes.change = 'entered' as entered
from {warehouse}.metrics.segment_membership_changes as changes
inner join main.days as days on days.as_of_date = changes.as_of_date
inner join (
    select segment, min(as_of_date) as first_day from {warehouse}.metrics.segment_sizes group by segment
) as born on born.segment = changes.segment and born.first_day < changes.as_of_date
inner join {warehouse}.refresh.{segments} as current on current.segment = changes.segment
"""

MOVERS = "create table main.movers as select distinct customer_id, as_of_date, before from main.moves"

#: Every calendar day since the one before, by the as-of date that first sees what came on it.
SEEN = """
create table main.seen as
select unnest(generate_series(before + 1, as_of_date, interval 1 day))::date as came_on, as_of_date, before from main.days
"""

#: What came in of a mover between the two days. An event is on time where it is of a day after the one before.
CAME = """
create table main.came as
select
    movers.*,
    coalesce(bool_or(came.edited), false) as edited,
    coalesce(bool_or(came.on_time), false) as on_time,
    coalesce(bool_or(came.late), false) as late
from main.movers
left join ({arrivals}) as came on came.customer_id = movers.customer_id and came.as_of_date = movers.as_of_date
group by all
"""

#: The states between that have to be computed; the others are equal to one beside them.
BETWEEN = """
create table main.between_states as
select customer_id || chr(31) || as_of_date || chr(31) || step as state, *
from (
    select customer_id, as_of_date, before, on_time or late as has_events, unnest([1, 2, 3]) as step, edited, on_time, late
    from main.came
)
where (step = 1 and (edited or has_events)) or (step = 2 and edited and has_events) or (step = 3 and on_time and late)
"""

#: Each mover's five states, as rows of the copy's dim_customers.
STATES = """
create table main.states as
select customer_id, as_of_date, unnest([
    {'step': 0, 'on': before, 'state': customer_id},
    {'step': 1, 'on': as_of_date, 'state': after_time},
    {'step': 2, 'on': as_of_date, 'state': after_edits},
    {'step': 3, 'on': as_of_date, 'state': after_events},
    {'step': 4, 'on': as_of_date, 'state': customer_id}
], recursive := true)
from (
    select
        *,
        customer_id || chr(31) || as_of_date || chr(31) as between_states,
        case when edited or on_time or late then between_states || '1' else customer_id end as after_time,
        case when not edited then after_time when on_time or late then between_states || '2' else customer_id end as after_edits,
        case when not on_time then after_edits when late then between_states || '3' else customer_id end as after_events
    from main.came
)
"""

#: What was known of a customer in a state between: of attributes what was known the day before, until edits are in; of events too, until in the
#: third state those of the days themselves are in, and never what is late or corrected.
KNOWN = """
select version.* replace (state.state as customer_id, null as valid_to)
from {warehouse}.{table} as version
inner join {states} as state on state.customer_id = version.customer_id
    and version.valid_from <= case when {is_in} then state.as_of_date else state.before end
    and coalesce(version.valid_to, date '9999-12-31') > case when {is_in} then state.as_of_date else state.before end
"""

ATTRIBUTES_ARE_IN, EVENTS_ARE_IN = "state.step > 1", "state.step = 3 and version.ordered_on > state.before"

#: Everybody who moved, on both days.
KNOWN_STATES = """
create table main.customers as
select {columns} from {evaluated}.customers.dim_customers
where (as_of_date, customer_id) in (
    select as_of_date, customer_id from main.movers union all select before, customer_id from main.movers
)
union all
select {columns} from main.former
where (as_of_date, customer_id) in (select before, customer_id from main.movers)
"""

#: A rank is taken as it was until the customer's own events are in; of one who did nothing, others moved it as time passed.
COMPUTED = """
insert into main.customers
select customer.* replace (state.state as customer_id {ranks})
from (select {columns} from customers.dim_customers) as customer
inner join main.batch as state on state.state = customer.customer_id and state.as_of_date = customer.as_of_date
left join main.customers as former on former.customer_id = state.customer_id and former.as_of_date = state.before
left join main.customers as present on present.customer_id = state.customer_id and present.as_of_date = state.as_of_date
"""

RANK = "case when state.step = 3 or not state.has_events then present.{column} else former.{column} end as {column}"

#: The same of a table of ranks that a rule looks into.
RANKED = """
select kept.* replace (state.state as customer_id, state.as_of_date as as_of_date)
from {kept} as kept
inner join main.batch as state on state.customer_id = kept.customer_id
    and kept.as_of_date = case when state.step = 3 or not state.has_events then state.as_of_date else state.before end
"""

#: What dim_customers says of the last day on record before the chunk that dbt builds next.
KEEP = """
create table refresh.customers_before as
select {columns} from customers.dim_customers
where (select fingerprint from refresh.customers_made_of) = $fingerprint and as_of_date = (
    select max(recorded.as_of_date) from metrics.segment_sizes as recorded
    where recorded.as_of_date < (select min(as_of_date) from refresh.as_of_dates)
)
"""


def keep_the_day_before(connection: duckdb.DuckDBPyConnection, rules: Rules) -> None:
    """Keeps what dim_customers says of the last day before the chunk that dbt builds next, which will overwrite it, in
    ``refresh.customers_before``. Nothing where dim_customers does not have that day, or was made of other models.
    """
    connection.execute("drop table if exists refresh.customers_before")
    read = {f"customers.{CUSTOMERS}", "refresh.customers_made_of", "metrics.segment_sizes"}
    if read <= rules.models.columns.keys():
        connection.execute(KEEP.format(columns=rules.columns), {"fingerprint": rules.models.fingerprint})


def note_movers(copy: Copy) -> None:
    """Who moved on the as-of dates that dbt has just built."""
    of_others = MOVES.replace("{moves}", "moves_of_others").replace("{segments}", "left_alone")
    copy.run(DAYS, MOVES.replace("{moves}", "moves").replace("{segments}", "segments"), of_others, MOVERS, SEEN)


def note_what_came(copy: Copy) -> None:
    """What came in of each mover, and so which states there are between."""
    arrivals = []
    for versions in copy.models.versioned:
        of_events = ("false", "version.ordered_on > seen.before", "version.ordered_on <= seen.before")
        edited, on_time, late = of_events if versions.is_of_events else ("true", "false", "false")
        arrivals += [
            f"select version.customer_id, seen.as_of_date, {edited} as edited, {on_time} as on_time, {late} as late "
            f"from {{warehouse}}.{versions.table} as version inner join main.seen on seen.came_on = version.{known}"
            for known in (KNOWN_FROM, KNOWN_UNTIL)
        ]
    copy.run(CAME.replace("{arrivals}", " union all ".join(arrivals)), BETWEEN, STATES)


def note_states(copy: Copy, rules: Rules, evaluated: str) -> None:
    """The attributes of every mover in each of the states: the copy's ``customers.dim_customers``. ``evaluated`` is the database with the customers
    on the as-of dates.
    """
    _note_the_day_before(copy, rules, evaluated)
    copy.run(KNOWN_STATES.replace("{columns}", rules.columns).replace("{evaluated}", evaluated))
    comparing, needed = copy.models.comparing_among(rules.attributes), rules.needed
    settled = copy.models.of_the_day_before
    ranks = "".join(
        f", {f'present.{column} as {column}' if column in settled else RANK.format(column=column)}"
        for column in sorted(comparing)
    )
    for first, last in _batches(copy):
        days = f"as_of_date between date '{first}' and date '{last}'"
        copy.run(f"create or replace table main.batch as from main.between_states where {days}")
        for versions in copy.models.versioned:
            if versions.table in needed:
                copy.run(f"create or replace table {versions.table} as {as_known(versions, 'main.batch')}")
        copy.derive("select distinct as_of_date from main.batch", needed, compare=False)
        copy.run(COMPUTED.replace("{columns}", rules.columns).replace("{ranks}", ranks))
        for table in rules.derived:
            is_of_ranks = table in copy.models.comparing and {"as_of_date", "customer_id"} <= copy.models.columns[table]
            rows = RANKED.replace("{kept}", _kept(table)) if is_of_ranks else f"from {table}"
            copy.run(f"insert into {_kept(table)} by name {rows}")
    copy.run("create or replace table customers.dim_customers as from main.customers")
    for table in rules.derived:
        copy.run(f"create or replace table {table} as from {_kept(table)}")


def _note_the_day_before(copy: Copy, rules: Rules, evaluated: str) -> None:
    """Everybody on the last day before those of the run, as ``main.former``: as it was kept, or else computed again. Elsewhere than in the warehouse
    it is among the evaluated.
    """
    ((day,),) = copy.connection.execute("select before from main.days order by as_of_date limit 1").fetchall()
    kept = copy.connection.execute(
        f"select estimated_size from duckdb_tables() where database_name = '{copy.warehouse}' "
        "and schema_name = 'refresh' and table_name = 'customers_before'"
    ).fetchall()
    is_evaluated_too = evaluated != copy.warehouse
    if day is None or is_evaluated_too:
        made = f"select {rules.columns} from {evaluated}.customers.dim_customers where false"
    elif kept and kept[0][0] and not rules.derived:
        made = f"select {rules.columns} from {{warehouse}}.refresh.customers_before"
    else:
        copy.know_what_is_known()
        copy.derive(f"select date '{day}' as as_of_date", rules.needed, compare=True)
        for versions in copy.models.versioned:
            copy.run(f"drop view {versions.table}")
        made = f"select {rules.columns} from customers.dim_customers"
    copy.run(f"create table main.former as {made}")
    for table in rules.derived:
        former = f"union by name from {table}" if day is not None and not is_evaluated_too else ""
        copy.run(f"create table {_kept(table)} as from {evaluated}.{table} {former}")


def _kept(table: str) -> str:
    return f"main.{table.replace('.', '_')}"


def as_known(versions: Versions, states: str) -> str:
    """A query for what was known of the customers in the ``states`` between, as rows of a versioned model."""
    is_in = EVENTS_ARE_IN if versions.is_of_events else ATTRIBUTES_ARE_IN
    return KNOWN.replace("{table}", versions.table).replace("{states}", states).replace("{is_in}", is_in)


def _batches(copy: Copy) -> Iterator[tuple[date, date]]:
    """The as-of dates, in ranges of which each has few enough states times days."""
    sizes = copy.connection.execute(
        "select as_of_date, count(*) from main.between_states group by 1 order by 1"
    ).fetchall()
    days: list[date] = []
    states = 0
    for day, size in sizes:
        if days and (states + size) * (len(days) + 1) > STATES_AT_ONCE:
            yield days[0], days[-1]
            days, states = [], 0
        days.append(day)
        states += size
    if days:
        yield days[0], days[-1]
