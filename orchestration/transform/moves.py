"""Why each customer entered or left a segment: exactly one cause per move, and the clause of the rule that did it.

Between two as-of dates five things happen to a customer, and they are taken one after the other: time passes, attributes are edited,
what she did on the days themselves comes in, what is late or corrected comes in. The rule is put to her after each; the cause of her
move is the last of them that turned the answer. (The days between are told apart by what the versioned models knew when, and the
states between are computed by the project's own models in ``what_if``.) Where today's rule gives the same answer on both days, it is not
the customer that changed: the segment was held, or defined anew, or the record corrected.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from orchestration.transform.catalogue import Definition, Segment, segments
from orchestration.transform.clauses import Rule, rule_of
from orchestration.transform.lineage import relations
from orchestration.transform.meaning import CUSTOMERS, parse
from orchestration.transform.what_if import (
    KNOWN_FROM,
    KNOWN_UNTIL,
    Copy,
    CustomerModels,
    Versions,
    columns_of_tables,
    copy_beside,
)

#: What a mover is worth, in the business currency: an attribute of dim_customers.
REVENUE = "spend_last_365_days"
#: Customers in states between, times as-of dates, that are computed at once.
STATES_AT_ONCE = 200_000
#: The tables of schema metrics that are written.
WRITTEN = ("segment_moves", "segment_shift_causes")
#: Columns of versions that are no attribute.
NO_ATTRIBUTES = {"customer_id", "extract_date", KNOWN_FROM, KNOWN_UNTIL}

CREATE = """
create schema if not exists metrics;
create table if not exists metrics.segment_moves (
    as_of_date date,
    segment varchar,
    customer_id varchar,
    direction varchar,
    cause varchar,
    clause varchar,
    detail varchar,
    revenue decimal(18, 2)
);
create table if not exists metrics.segment_shift_causes (
    as_of_date date,
    segment varchar,
    direction varchar,
    cause varchar,
    clause varchar,
    detail varchar,
    customers bigint,
    revenue decimal(18, 2)
)
"""

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
create table main.moves as
select changes.segment, changes.customer_id, changes.as_of_date, days.before, changes.change = 'entered' as entered
from {warehouse}.metrics.segment_membership_changes as changes
inner join main.days as days on days.as_of_date = changes.as_of_date
inner join (
    select segment, min(as_of_date) as first_day from {warehouse}.metrics.segment_sizes group by segment
) as born on born.segment = changes.segment and born.first_day < changes.as_of_date
inner join {warehouse}.refresh.segments as current on current.segment = changes.segment
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
select {columns} from {warehouse}.customers.dim_customers
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

#: A segment in another's rule has the members that are on record; in the states between it has those of the day itself.
MEMBERS = """
create table segments.{segment} as
select distinct states."on" as as_of_date, states.state as customer_id
from main.states
inner join {warehouse}.metrics.segment_membership_history as history
    on history.segment = '{segment}' and history.customer_id = states.customer_id
    and history.entered_on <= states."on" and coalesce(history.exited_on, date '9999-12-31') > states."on"
"""

ASKED = """
create table main.asked as
select distinct moves.segment, states."on" as as_of_date, states.state as customer_id
from main.moves
inner join main.states on states.customer_id = moves.customer_id and states.as_of_date = moves.as_of_date
order by all
"""

ANSWERS = """
insert into main.answers
select '{segment}' as segment, as_of_date, customer_id, [{clauses}] as meets
from {source}
where (as_of_date, customer_id) in (select as_of_date, customer_id from main.asked where segment = '{segment}')
"""

CAUSES = """
with answered as (

    select
        moves.*,
        states.step,
        answers.meets,
        lag(answers.meets) over so_far as met,
        list_bool_and(answers.meets) as is_in,
        list_bool_and(lag(answers.meets) over so_far) as was_in
    from main.moves
    inner join main.states on states.customer_id = moves.customer_id and states.as_of_date = moves.as_of_date
    inner join main.answers as answers
        on answers.segment = moves.segment and answers.as_of_date = states."on" and answers.customer_id = states.state
    window so_far as (partition by moves.segment, moves.customer_id, moves.as_of_date order by states.step)

),

turned as (

    select
        segment,
        customer_id,
        as_of_date,
        max(step) filter (where is_in <> was_in) as step,
        arg_max(meets, step) filter (where is_in <> was_in) as meets,
        arg_max(met, step) filter (where is_in <> was_in) as met,
        arg_min(is_in, step) <> arg_max(is_in, step) and arg_max(is_in, step) = any_value(entered) as is_explained
    from answered
    group by all

),

turning_clauses as (

    select
        turned.segment,
        turned.customer_id,
        turned.as_of_date,
        string_agg(clauses.clause, ' and ' order by clauses.position) as clause,
        bool_and(clauses.compares) as compares,
        flatten(list(clauses.segments)) as segments,
        flatten(list(clauses.raw_columns)) as raw_columns
    from turned
    inner join main.clauses on clauses.segment = turned.segment and turned.meets[clauses.position] <> turned.met[clauses.position]
    where turned.is_explained
    group by all

),

told as (

    select
        moves.*,
        turned.step,
        coalesce(turned.is_explained, false) as is_explained,
        turning.* exclude (segment, customer_id, as_of_date),
        present.customer_id is not null as is_customer,
        former.customer_id is not null as was_customer,
        elsewhere.segments as moved_with,
        coalesce(present.{revenue}, former.{revenue}) as revenue
    from main.moves
    left join turned using (segment, customer_id, as_of_date)
    left join turning_clauses as turning using (segment, customer_id, as_of_date)
    left join main.customers as present on present.customer_id = moves.customer_id and present.as_of_date = moves.as_of_date
    left join main.customers as former on former.customer_id = moves.customer_id and former.as_of_date = moves.before
    left join (
        select customer_id, as_of_date, list(segment) as segments from main.moves group by all
    ) as elsewhere on elsewhere.customer_id = moves.customer_id and elsewhere.as_of_date = moves.as_of_date

),

caused as (

    select
        told.*,
        case
            when not is_customer then 'deleted'
            when not was_customer then 'new_customer'
            when not is_explained then case
                when held.segment is not null then 'held_or_released'
                when redefined.segment is not null then 'definition_changed'
                else 'late_or_corrected_data'
            end
            when len(list_intersect(segments, moved_with)) > 0 then 'other_segment_moved'
            when step = 1 and compares then 'rank_moved'
            when step = 1 then 'time_passed'
            when step = 2 then 'attribute_edited'
            when step = 3 then 'own_behaviour'
            else 'late_or_corrected_data'
        end as cause
    from told
    left join main.held on held.segment = told.segment and held.as_of_date = told.as_of_date
    left join main.redefined on redefined.segment = told.segment and redefined.as_of_date = told.as_of_date

)

insert into {warehouse}.metrics.segment_moves
select
    caused.as_of_date,
    caused.segment,
    caused.customer_id,
    case when caused.entered then 'entered' else 'exited' end as direction,
    caused.cause,
    case when caused.cause not in ('deleted', 'new_customer') then caused.clause end as clause,
    case caused.cause
        when 'other_segment_moved' then list_aggregate(list_sort(list_intersect(caused.segments, caused.moved_with)), 'string_agg', ', ')
        when 'attribute_edited' then list_aggregate(list_sort(list_intersect(caused.raw_columns, edits.columns)), 'string_agg', ', ')
    end as detail,
    coalesce(caused.revenue, 0) as revenue
from caused
left join main.edits as edits on edits.customer_id = caused.customer_id and edits.as_of_date = caused.as_of_date
order by all
"""

#: The segment, or one in its rule, was held on the day or on the one before: what is on record is not what the rule says of it.
HELD = """
create table main.held as
select distinct days.as_of_date, needs.segment
from main.days
inner join main.needs on true
inner join {warehouse}.metrics.segment_sizes as sizes
    on sizes.segment = needs.other and sizes.is_held and sizes.as_of_date in (days.as_of_date, days.before)
"""

FORGET = """
delete from {warehouse}.metrics.{table}
where as_of_date >= (select min(as_of_date) from main.days) and segment in (select segment from {warehouse}.refresh.segments)
"""

#: The causes of the days, added up.
SUM = """
insert into {warehouse}.metrics.segment_shift_causes
select as_of_date, segment, direction, cause, clause, detail, count(*), sum(revenue)
from {warehouse}.metrics.segment_moves
where as_of_date >= (select min(as_of_date) from main.days) and segment in (select segment from {warehouse}.refresh.segments)
group by all
order by all
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

REDEFINED = """
insert into main.redefined
select days.as_of_date, counts.segment
from main.days
inner join {warehouse}.metrics.segment_counts_daily as counts on counts.as_of_date = days.before
inner join main.hashes on hashes.segment = counts.segment and hashes.definition_hash <> counts.definition_hash
where days.as_of_date = (select min(as_of_date) from main.days)
"""


@dataclass(frozen=True)
class Rules:
    """The segments' rules as they run tonight: the models of the customers, the segments, each one's rule and definition hash, and the raw
    columns behind each column of a model.
    """

    models: CustomerModels
    segments: Sequence[Segment]
    rules: Mapping[str, Rule]
    hashes: Mapping[str, str]
    raw_columns: Callable[[str], Mapping[str, frozenset[str]]]

    @property
    def attributes(self) -> set[str]:
        """The attributes of dim_customers that are asked for, and a mover's worth. A rule may have columns of its own making besides."""
        asked = {REVENUE} | {column for rule in self.rules.values() for column in rule.columns}
        return asked & self.models.columns.get(f"customers.{CUSTOMERS}", set())

    @property
    def derived(self) -> list[str]:
        """The tables besides dim_customers that are asked for and have to be computed in the states between."""
        return sorted({table for rule in self.rules.values() for table in rule.tables} & self.models.derived.keys())

    @property
    def needed(self) -> set[str]:
        """The tables behind all that is asked for."""
        return self.models.behind(self.attributes) | self.models.beneath(set(self.derived))

    @property
    def columns(self) -> str:
        return ", ".join(["as_of_date", "customer_id", *sorted(self.attributes)])


def rules_of(
    connection: duckdb.DuckDBPyConnection,
    manifest: Mapping[str, Any],
    compiled: Mapping[str, str],
    definitions: Sequence[Definition],
) -> Rules:
    """The rules of a project's manifest and of its models' SQL as when all is built anew, over the tables that the warehouse has."""
    traced = relations(manifest, compiled)

    def raw_columns(model: str) -> Mapping[str, frozenset[str]]:
        return {column: frozenset(map(str, raw)) for column, raw in traced(model).columns.items()}

    found = segments(manifest)
    written = {
        node["name"]: node["raw_code"] for node in manifest["nodes"].values() if node["resource_type"] == "model"
    }
    return Rules(
        CustomerModels(manifest, compiled, columns_of_tables(connection)),
        found,
        {segment.name: rule_of(parse(compiled[segment.name]), written[segment.name]) for segment in found},
        {definition.segment: definition.definition_hash for definition in definitions},
        raw_columns,
    )


def record_moves(connection: duckdb.DuckDBPyConnection, file: Path, rules: Rules) -> None:
    """Writes ``metrics.segment_moves`` for the as-of dates that dbt has just built, in place of what was there from the first of them on, and
    its sums in ``metrics.segment_shift_causes``.

    Grain: one row per segment, as-of date and customer who entered or left. On a segment's first day on record nobody moved. ``file`` is
    where the copy lives meanwhile.
    """
    connection.execute(CREATE)
    with copy_beside(connection, file, rules.models) as copy:
        _run(copy, DAYS, MOVES, MOVERS, SEEN)
        _note_what_came(copy)
        _note_states(copy, rules)
        _ask_rules(copy, rules)
        _note_what_is_known(copy, rules)
        with _all_or_nothing(connection):
            _run(
                copy,
                *(FORGET.replace("{table}", table) for table in WRITTEN),
                CAUSES.replace("{revenue}", REVENUE),
                SUM,
            )
    made_of = f"select '{rules.models.fingerprint}' as fingerprint"
    connection.execute(f"create or replace table refresh.customers_made_of as {made_of}")


def keep_the_day_before(connection: duckdb.DuckDBPyConnection, rules: Rules) -> None:
    """Keeps what dim_customers says of the last day before the chunk that dbt builds next, which will overwrite it, in
    ``refresh.customers_before``. Nothing where dim_customers does not have that day, or was made of other models.
    """
    connection.execute("drop table if exists refresh.customers_before")
    read = {f"customers.{CUSTOMERS}", "refresh.customers_made_of", "metrics.segment_sizes"}
    if read <= rules.models.columns.keys():
        connection.execute(KEEP.format(columns=rules.columns), {"fingerprint": rules.models.fingerprint})


@contextmanager
def _all_or_nothing(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    connection.execute("begin")
    try:
        yield
    except duckdb.Error:
        connection.execute("rollback")
        raise
    connection.execute("commit")


def _run(copy: Copy, *queries: str) -> None:
    for query in queries:
        copy.connection.execute(query.replace("{warehouse}", copy.warehouse))


def _note_what_came(copy: Copy) -> None:
    arrivals = []
    for versions in copy.models.versioned:
        of_events = ("false", "version.ordered_on > seen.before", "version.ordered_on <= seen.before")
        edited, on_time, late = of_events if versions.is_of_events else ("true", "false", "false")
        arrivals += [
            f"select version.customer_id, seen.as_of_date, {edited} as edited, {on_time} as on_time, {late} as late "
            f"from {{warehouse}}.{versions.table} as version inner join main.seen on seen.came_on = version.{known}"
            for known in (KNOWN_FROM, KNOWN_UNTIL)
        ]
    _run(copy, CAME.replace("{arrivals}", " union all ".join(arrivals)), BETWEEN, STATES)


def _note_states(copy: Copy, rules: Rules) -> None:
    """The attributes of every mover in each of the states: the copy's ``customers.dim_customers``."""
    _note_the_day_before(copy, rules)
    _run(copy, KNOWN_STATES.replace("{columns}", rules.columns))
    comparing, needed = copy.models.comparing_among(rules.attributes), rules.needed
    settled = copy.models.of_the_day_before
    ranks = "".join(
        f", {f'present.{column} as {column}' if column in settled else RANK.format(column=column)}"
        for column in sorted(comparing)
    )
    for first, last in _batches(copy):
        days = f"as_of_date between date '{first}' and date '{last}'"
        _run(copy, f"create or replace table main.batch as from main.between_states where {days}")
        for versions in copy.models.versioned:
            if versions.table in needed:
                _run(copy, f"create or replace table {versions.table} as {_known(versions, 'main.batch')}")
        copy.derive("select distinct as_of_date from main.batch", needed, compare=False)
        _run(copy, COMPUTED.replace("{columns}", rules.columns).replace("{ranks}", ranks))
        for table in rules.derived:
            is_of_ranks = table in copy.models.comparing and {"as_of_date", "customer_id"} <= copy.models.columns[table]
            rows = RANKED.replace("{kept}", _kept(table)) if is_of_ranks else f"from {table}"
            _run(copy, f"insert into {_kept(table)} by name {rows}")
    _run(copy, "create or replace table customers.dim_customers as from main.customers")
    for table in rules.derived:
        _run(copy, f"create or replace table {table} as from {_kept(table)}")


def _note_the_day_before(copy: Copy, rules: Rules) -> None:
    """Everybody on the last day before those of the run, as ``main.former``: as it was kept, or else computed again."""
    ((day,),) = copy.connection.execute("select before from main.days order by as_of_date limit 1").fetchall()
    kept = copy.connection.execute(
        f"select estimated_size from duckdb_tables() where database_name = '{copy.warehouse}' "
        "and schema_name = 'refresh' and table_name = 'customers_before'"
    ).fetchall()
    if day is None:
        made = f"select {rules.columns} from {{warehouse}}.customers.dim_customers where false"
    elif kept and kept[0][0] and not rules.derived:
        made = f"select {rules.columns} from {{warehouse}}.refresh.customers_before"
    else:
        for versions in copy.models.versioned:
            _run(copy, f"create view {versions.table} as from {{warehouse}}.{versions.table}")
        copy.derive(f"select date '{day}' as as_of_date", rules.needed, compare=True)
        for versions in copy.models.versioned:
            _run(copy, f"drop view {versions.table}")
        made = f"select {rules.columns} from customers.dim_customers"
    _run(copy, f"create table main.former as {made}")
    for table in rules.derived:
        former = f"union by name from {table}" if day is not None else ""
        _run(copy, f"create table {_kept(table)} as from {{warehouse}}.{table} {former}")


def _kept(table: str) -> str:
    return f"main.{table.replace('.', '_')}"


def _known(versions: Versions, states: str) -> str:
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


def _ask_rules(copy: Copy, rules: Rules) -> None:
    """Puts each segment's rule to its movers in all of their states: ``main.answers``, with a truth for each clause."""
    _run(
        copy,
        ASKED,
        "create table main.answers (segment varchar, as_of_date date, customer_id varchar, meets boolean[])",
    )
    others = {other for rule in rules.rules.values() for clause in rule.clauses for other in clause.segments}
    _run(copy, *(MEMBERS.replace("{segment}", other) for other in sorted(others)))
    for table in {table for rule in rules.rules.values() for table in rule.tables} - copy.models.derived.keys():
        _run(copy, _as_rules_see_it(copy, rules, table))
    for segment, rule in rules.rules.items():
        clauses = ", ".join(f"coalesce({clause.sql}, false)" for clause in rule.clauses)
        asked = ANSWERS.replace("{clauses}", clauses).replace("{source}", rule.source)
        _run(copy, asked.replace("{segment}", segment))


def _as_rules_see_it(copy: Copy, rules: Rules, table: str) -> str:
    """A table besides dim_customers that rules look into: a versioned one with the movers of those rules, in the states between too."""
    versions = next((one for one in copy.models.versioned if one.table == table), None)
    if versions is None:
        return f"create or replace view {table} as from {{warehouse}}.{table}"
    asking = ", ".join(f"'{segment}'" for segment, rule in rules.rules.items() if table in rule.tables)
    moves = f"select customer_id, as_of_date from main.moves where segment in ({asking})"
    states = f"(from main.between_states where (customer_id, as_of_date) in ({moves}))"
    whole = f"select * from {{warehouse}}.{table} where customer_id in (select customer_id from ({moves}))"
    return f"create or replace table {table} as {whole} union all by name {_known(versions, states)}"


def _note_what_is_known(copy: Copy, rules: Rules) -> None:
    """What the causes are told from besides: the clauses, the edited attributes, and which segments were held or defined anew."""
    _run(
        copy,
        "create table main.clauses (segment varchar, position integer, clause varchar, compares boolean, segments varchar[], raw_columns varchar[])",
        "create table main.hashes (segment varchar, definition_hash varchar)",
        "create table main.needs (segment varchar, other varchar)",
        "create table main.redefined (as_of_date date, segment varchar)",
    )
    raw = rules.raw_columns(CUSTOMERS)
    comparing = copy.models.comparing_among(rules.attributes) - copy.models.of_the_day_before
    rows = [
        (
            segment,
            position,
            clause.text,
            bool(clause.columns & comparing or clause.tables & copy.models.comparing),
            list(clause.segments),
            _raw_of(clause.columns, raw),
        )
        for segment, rule in rules.rules.items()
        for position, clause in enumerate(rule.clauses, 1)
    ]
    copy.connection.executemany("insert into main.clauses values (?, ?, ?, ?, ?, ?)", rows)
    copy.connection.executemany("insert into main.hashes values (?, ?)", list(rules.hashes.items()))
    copy.connection.executemany("insert into main.needs values (?, ?)", list(_needs(rules.segments)))
    _run(copy, f"create table main.edits as {_edits(copy, rules)}", HELD)
    if "metrics.segment_counts_daily" in copy.models.columns:
        _run(copy, REDEFINED)


def _raw_of(columns: Iterable[str], raw: Mapping[str, frozenset[str]]) -> list[str]:
    return sorted({behind for column in columns for behind in raw.get(column, ())})


def _needs(segments: Sequence[Segment]) -> Iterator[tuple[str, str]]:
    """Each segment with itself and every other one that its rule builds on, through others too."""
    builds_on = {segment.name: segment.builds_on for segment in segments}
    for segment in builds_on:
        needed, asked = {segment}, [segment]
        while asked:
            new = set(builds_on[asked.pop()]) - needed
            needed |= new
            asked += new
        yield from ((segment, other) for other in sorted(needed))


def _edits(copy: Copy, rules: Rules) -> str:
    """A query for the raw columns that were edited, by mover."""
    found = []
    for versions in copy.models.versioned:
        if not versions.is_of_events:
            raw = rules.raw_columns(versions.table.split(".")[1])
            key = raw["customer_id"]
            changed = ", ".join(
                f"case when former.{column} is distinct from present.{column} then {sorted(raw[column] - key)}::varchar[] end"
                for column in sorted(copy.models.columns[versions.table] & raw.keys() - NO_ATTRIBUTES)
            )
            found.append(
                f"select came.customer_id, came.as_of_date, flatten(list_filter([{changed}], lambda one: one is not null)) as columns "
                "from main.came "
                f"inner join {{warehouse}}.{versions.table} as former on former.customer_id = came.customer_id "
                "and former.valid_from <= came.before and coalesce(former.valid_to, date '9999-12-31') > came.before "
                f"inner join {{warehouse}}.{versions.table} as present on present.customer_id = came.customer_id "
                "and present.valid_from <= came.as_of_date and coalesce(present.valid_to, date '9999-12-31') > came.as_of_date "
                "where came.edited"
            )
    return f"select customer_id, as_of_date, flatten(list(columns)) as columns from ({' union all '.join(found)}) group by all"
