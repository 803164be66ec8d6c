"""Gives some segments their past: evaluates them, and no other, on days that are on record, over what the warehouse knows of the customers.

The project's own models are run over those days in a copy beside the warehouse, of which only the columns that the rules ask for are worked out;
the members go to the segments' tables, and dbt records them as it records a night. States no rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import duckdb
from dbt.cli.main import dbtRunnerResult

from orchestration.errors import ConfigurationError
from orchestration.selection import Selection
from orchestration.transform.ahead import members
from orchestration.transform.building import WITHOUT_UNIT_TESTS
from orchestration.transform.catalogue import Definition, Segment, with_those_beneath
from orchestration.transform.meaning import CUSTOMERS
from orchestration.transform.moves import record_moves
from orchestration.transform.plan import chunk_built, is_planned, next_chunk, selected_segments
from orchestration.transform.project import DbtProjectOfHome
from orchestration.transform.rules import Rules
from orchestration.transform.what_if import Copy, copy_beside

#: The copy's name as a database.
PAST = "past"

#: What dbt keeps of the members of a part of the days, and what it makes of the record at the end.
RECORD = (
    "segment_membership",
    "segment_sizes",
    "segment_days",
    "segment_departures",
    "segment_membership_history",
    "segment_membership_changes",
)
#: Tests that ask the warehouse for the customers on these days, which are in the copy alone.
OF_CUSTOMERS = f"{CUSTOMERS}+1,resource_type:test"
SUMMARIES = ("segment_flows_daily", "segment_overlap", "resource_type:test")

DAYS = "select as_of_date from {warehouse}.refresh.as_of_dates"

#: With the evaluated day before them, on which movers are asked too.
DAYS_AND_BEFORE = f"""
{DAYS}
union
select max(as_of_date) as as_of_date from {{warehouse}}.metrics.segment_sizes
where as_of_date < (select min(as_of_date) from {{warehouse}}.refresh.as_of_dates)
having max(as_of_date) is not null
"""

#: The segments with a size on the newest day on record.
EVALUATED = (
    "select segment from metrics.segment_sizes where as_of_date = (select max(as_of_date) from metrics.segment_sizes)"
)

KEEP_MEMBERS = f"""
create or replace table {{warehouse}}.segments.{{segment}} as
select as_of_date, customer_id from segments.{{segment}} where as_of_date in ({DAYS})
"""

#: A night leaves no other days in a segment's table than in that of the customers.
KEEP_DAYS_OF_CUSTOMERS = f"""
delete from segments.{{segment}} where as_of_date not in (select as_of_date from customers.{CUSTOMERS})
"""

MOVERS = """
create or replace table main.movers as
select distinct customer_id from {warehouse}.metrics.segment_membership_changes
where segment in (select segment from {warehouse}.refresh.segments)
    and as_of_date in (select as_of_date from {warehouse}.refresh.as_of_dates)
"""


def with_all_that_goes_with_it(
    connection: duckdb.DuckDBPyConnection, selection: Selection, segments: Sequence[Segment]
) -> Selection:
    """The selection with what an earlier one left undone, with all of an exclusive scheme, and with what it builds on that has not been evaluated.

    Raises ConfigurationError where another segment has not been evaluated either.
    """
    if not is_planned(connection):
        return selection
    schemes = {segment.scheme for segment in segments if segment.name in selection.segments and segment.scheme}
    chosen = {*selection.segments} | selected_segments(connection)
    chosen |= {segment.name for segment in segments if segment.scheme in schemes}
    evaluated = {segment for (segment,) in connection.execute(EVALUATED).fetchall()}
    missing = {segment.name for segment in segments} - evaluated
    chosen |= missing & {*with_those_beneath(segments, chosen)}
    if others := sorted(missing - chosen):
        raise ConfigurationError(
            f"Not evaluated on the newest day either: {', '.join(others)}. Select them too, or `segments refresh` first."
        )
    return replace(selection, segments=tuple(sorted(chosen)))


def demand_that_others_are_as_recorded(
    connection: duckdb.DuckDBPyConnection, selection: Selection, definitions: Sequence[Definition]
) -> None:
    """Raises ConfigurationError where a segment that is left alone has another rule than on record: it would be told of with the new one."""
    recorded = dict(connection.execute("select segment, definition_hash from refresh.definitions").fetchall())
    if changed := [
        one.segment
        for one in definitions
        if one.segment not in selection.segments
        and recorded.get(one.segment, one.definition_hash) != one.definition_hash
    ]:
        raise ConfigurationError(
            f"The rule of {' and '.join(changed)} is another than on record: `segments refresh` first, or select it too."
        )


def evaluate_past(
    project: DbtProjectOfHome, rules_of_warehouse: Callable[[duckdb.DuckDBPyConnection], Rules]
) -> Iterator[dbtRunnerResult]:
    """Evaluates the segments of the plan at work on each of its days, part by part, and records them; gives what dbt said, of which only
    the last may be a failure.
    """
    warehouse = project.warehouse
    with warehouse.connect() as connection:
        rules = rules_of_warehouse(connection)
        made_of = connection.execute("from refresh.customers_made_of").fetchall()
    if made_of != [(rules.models.fingerprint,)]:  # an attribute is new: the customers on the newest days get it
        built = project.run("run", "--select", CUSTOMERS)
        yield built
        if not built.success:
            return
    with warehouse.connect() as connection:
        chosen = [segment for (segment,) in connection.execute("select segment from refresh.segments").fetchall()]
        while next_chunk(connection) is not None:
            rules = rules_of_warehouse(connection)
            with _members_in_a_copy(connection, rules, chosen) as note_movers:
                built = project.run("build", *WITHOUT_UNIT_TESTS, "--select", *RECORD, "--exclude", OF_CUSTOMERS)
                yield built
                if not built.success:
                    return
                note_movers()
                only_chosen = replace(rules, rules={segment: rules.rules[segment] for segment in chosen})
                record_moves(connection, only_chosen, PAST)
            chunk_built(connection)
        for segment in chosen:
            connection.execute(KEEP_DAYS_OF_CUSTOMERS.replace("{segment}", segment))
    yield project.run("build", *WITHOUT_UNIT_TESTS, "--select", *SUMMARIES)


@contextmanager
def _members_in_a_copy(
    connection: duckdb.DuckDBPyConnection, rules: Rules, chosen: list[str]
) -> Iterator[Callable[[], None]]:
    """Writes the members of the chosen segments on the as-of dates to their tables. Gives a function to call once they are recorded, after which
    the copy has the movers among the customers on these dates and the one before.
    """
    part = rules.alone(chosen)
    own = replace(rules, rules={segment: rules.rules[segment] for segment in chosen})
    comparing = part.models.comparing_among(part.asked) or part.tables & part.models.comparing
    part = replace(part, with_worth=bool(comparing))  # else the movers alone are worth something, later
    with copy_beside(connection, rules.models, PAST) as copy:
        copy.know_what_is_known(part.tables)
        copy.derive(
            _of(copy, DAYS_AND_BEFORE if comparing else DAYS),
            part.needed,
            compare=bool(comparing),
            columns=part.columns,
            tables={*part.derived},
        )
        for segment, rule in part.rules.items():
            copy.run(members(segment, rule))
            if segment in chosen:
                copy.run(KEEP_MEMBERS.replace("{segment}", segment))

        def note_movers() -> None:
            if not comparing:
                copy.run(MOVERS)
                copy.know_what_is_known(own.tables, own.needed, "customer_id in (from main.movers)")
                copy.derive(
                    _of(copy, DAYS_AND_BEFORE), own.needed, compare=False, columns=own.columns, tables={*own.derived}
                )
            connection.execute(f"use {copy.warehouse}")

        yield note_movers


def _of(copy: Copy, query: str) -> str:
    return query.replace("{warehouse}", copy.warehouse)
