"""Why each customer entered or left a segment: exactly one cause per move, and the clause of the rule that did it.

Between two as-of dates five things happen to a customer, and they are taken one after the other: time passes, attributes are edited,
what she did on the days themselves comes in, what is late or corrected comes in. The rule is put to her after each; the cause of her
move is the last of them that turned the answer. (The days between are told apart by what the versioned models knew when, and the
states between are computed by the project's own models in ``what_if``.) Where today's rule gives the same answer on both days, it is not
the customer that changed: the segment was held, or defined anew, or the record corrected.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import duckdb

from orchestration.transform.catalogue import Segment, with_those_beneath
from orchestration.transform.meaning import CUSTOMERS
from orchestration.transform.rules import REVENUE, Rules
from orchestration.transform.states import as_known, note_movers, note_states, note_what_came
from orchestration.transform.what_if import KNOWN_FROM, KNOWN_UNTIL, Copy, copy_beside
from orchestration.warehouse import all_or_nothing

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
        select customer_id, as_of_date, list(segment) as segments
        from (from main.moves union all from main.moves_of_others)
        group by all
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

REDEFINED = """
insert into main.redefined
select days.as_of_date, counts.segment
from main.days
inner join {warehouse}.metrics.segment_counts_daily as counts on counts.as_of_date = days.before
inner join main.hashes on hashes.segment = counts.segment and hashes.definition_hash <> counts.definition_hash
where days.as_of_date = (select min(as_of_date) from main.days)
"""


def record_moves(connection: duckdb.DuckDBPyConnection, rules: Rules, evaluated: str | None = None) -> None:
    """Writes ``metrics.segment_moves`` for the as-of dates that dbt has just built, in place of what was there from the first of them on, and
    its sums in ``metrics.segment_shift_causes``.

    Grain: one row per segment, as-of date and customer who entered or left. On a segment's first day on record nobody moved. The customers on
    these dates are the warehouse's, or those of the database ``evaluated``, which has the evaluated day before too.
    """
    connection.execute(CREATE)
    with copy_beside(connection, rules.models) as copy:
        note_movers(copy)
        note_what_came(copy)
        note_states(copy, rules, evaluated or copy.warehouse)
        _ask_rules(copy, rules)
        _note_what_is_known(copy, rules)
        with all_or_nothing(connection):
            copy.run(
                *(FORGET.replace("{table}", table) for table in WRITTEN),
                CAUSES.replace("{revenue}", REVENUE),
                SUM,
            )
    made_of = f"select '{rules.models.fingerprint}' as fingerprint"
    connection.execute(f"create or replace table refresh.customers_made_of as {made_of}")


def _ask_rules(copy: Copy, rules: Rules) -> None:
    """Puts each segment's rule to its movers in all of their states: ``main.answers``, with a truth for each clause."""
    copy.run(
        ASKED,
        "create table main.answers (segment varchar, as_of_date date, customer_id varchar, meets boolean[])",
    )
    others = {other for rule in rules.rules.values() for clause in rule.clauses for other in clause.segments}
    copy.run(*(MEMBERS.replace("{segment}", other) for other in sorted(others)))
    for table in {table for rule in rules.rules.values() for table in rule.tables} - copy.models.derived.keys():
        copy.run(_as_rules_see_it(copy, rules, table))
    for segment, rule in rules.rules.items():
        clauses = ", ".join(f"coalesce({clause.sql}, false)" for clause in rule.clauses)
        asked = ANSWERS.replace("{clauses}", clauses).replace("{source}", rule.source)
        copy.run(asked.replace("{segment}", segment))


def _as_rules_see_it(copy: Copy, rules: Rules, table: str) -> str:
    """A table besides dim_customers that rules look into: a versioned one with the movers of those rules, in the states between too."""
    versions = next((one for one in copy.models.versioned if one.table == table), None)
    if versions is None:
        return f"create or replace view {table} as from {{warehouse}}.{table}"
    asking = ", ".join(f"'{segment}'" for segment, rule in rules.rules.items() if table in rule.tables)
    moves = f"select customer_id, as_of_date from main.moves where segment in ({asking})"
    states = f"(from main.between_states where (customer_id, as_of_date) in ({moves}))"
    whole = f"select * from {{warehouse}}.{table} where customer_id in (select customer_id from ({moves}))"
    return f"create or replace table {table} as {whole} union all by name {as_known(versions, states)}"


def _note_what_is_known(copy: Copy, rules: Rules) -> None:
    """What the causes are told from besides: the clauses, the edited attributes, and which segments were held or defined anew."""
    copy.run(
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
    copy.run(f"create table main.edits as {_edits(copy, rules)}", HELD)
    if "metrics.segment_counts_daily" in copy.models.columns:
        copy.run(REDEFINED)


def _raw_of(columns: Iterable[str], raw: Mapping[str, frozenset[str]]) -> list[str]:
    return sorted({behind for column in columns for behind in raw.get(column, ())})


def _needs(segments: Sequence[Segment]) -> Iterator[tuple[str, str]]:
    """Each segment with itself and every other one that its rule builds on, through others too."""
    for segment in segments:
        yield from ((segment.name, other) for other in sorted(with_those_beneath(segments, [segment.name])))


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
