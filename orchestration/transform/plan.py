"""Which days a run evaluates, and the tables of the ``refresh`` schema in which dbt reads it.

The plan is worked out inside the run from what the archive holds and what the warehouse already rests on, so that
it comes out the same whether a person, the schedule or a backfill started it, and after any crash.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from expectations.contracts import EXTRACT_TABLES
from orchestration.days import ONE_DAY, Days, Record, chunks, days_to_evaluate
from orchestration.errors import ConfigurationError, ExtractMissing, StepTooEarly
from orchestration.ingest.archive import archived
from orchestration.selection import Selection
from orchestration.transform.catalogue import Definition, Segment
from orchestration.transform.output_rules import OutputRules
from orchestration.validate.findings import Finding
from orchestration.validate.overrides import Override

#: Stands for "no extract has to be read again".
NEVER = date.max

#: The name under which ``refresh.built_from`` keeps the fingerprint of the models themselves.
FOUNDATION = "foundation"

#: Rows of dim_customers that one dbt invocation works out at once: customers times as-of dates.
CUSTOMER_DAYS_AT_ONCE = 4_000_000

#: The same of the few columns that some segments alone ask for.
CUSTOMER_DAYS_OF_A_SELECTION = 16_000_000


@dataclass(frozen=True)
class Plan:
    """What a run does: the as-of dates to evaluate, in chunks of one dbt invocation each, and the first extract date to
    read again.
    """

    days: Days
    chunks: list[list[date]]
    rebuild_from: date


def make_plan(
    connection: duckdb.DuckDBPyConnection,
    archive: Path,
    requested: Days | None,
    published: Days | None,
    foundation: str,
    overrides: Sequence[Override] = (),
    findings: Sequence[Finding] = (),
    selection: Selection | None = None,
) -> Plan:
    """Works out the plan and notes it as unfinished; ``finish`` takes the note away.

    Without ``requested`` days it is every day in the archive that is not on record yet. ``published`` are the days of
    the current release: a warehouse that was thrown away gets all of them back. ``refresh.segments`` must be written
    before. ``foundation`` is the fingerprint of what the incremental models are made of: when it changes, they are built
    anew. A finding about an extract, or an override, changes the days since its first, as a corrected extract does. A day whose required
    extracts never came is not evaluated: its segments are held. A ``selection`` of segments is evaluated on days that are on record, over what
    the warehouse is built from.

    Raises ExtractMissing where that is so of every day, and ConfigurationError where the selection can have no past yet.
    """
    _create_tables(connection)
    partitions = _partitions(connection, archive)
    rests_on = partitions | _released(overrides) | _found(findings) | {(FOUNDATION, date.min): foundation}
    rebuild_from = _first_change(connection, rests_on)
    record, unfinished = _record(connection), _range(connection, "refresh.unfinished")
    if selection is not None:
        days = _past_of(selection, record, rebuild_from, unfinished, bool(selected_segments(connection)))
    else:
        if rebuild_from == date.min:
            connection.execute("drop schema if exists intermediate cascade")
        if record is None and unfinished is None:
            unfinished = published
        requested = requested or _not_on_record(partitions, record)
        days = days_to_evaluate(requested if unfinished is None else requested | unfinished, record, rebuild_from)
    missing = {
        day: [table.id for table in EXTRACT_TABLES.values() if table.required and (table.id, day) not in partitions]
        for day in days
    }
    held = {day: f"{' and '.join(tables)} of {day} never arrived" for day, tables in missing.items() if tables}
    if len(held) == len(days):
        raise ExtractMissing(
            f"None of the days {days} can be evaluated: {held[days.first]}. "
            "Deliver it and refresh again; a day without new rows is an empty file, not a missing one."
        )
    connection.execute("begin")
    connection.execute("delete from refresh.built_from where extract_date >= $from", {"from": rebuild_from or NEVER})
    connection.execute("delete from refresh.planned_from")
    connection.execute(
        "insert into refresh.planned_from "
        "select unnest($tables::varchar[]), unnest($days::date[]), unnest($hashes::varchar[])",
        {
            "tables": [name for name, _ in rests_on],
            "days": [day for _, day in rests_on],
            "hashes": list(rests_on.values()),
        },
    )
    connection.execute("create or replace table refresh.held (as_of_date date, because varchar)")
    if held:
        connection.executemany("insert into refresh.held values (?, ?)", list(held.items()))
    at_once = CUSTOMER_DAYS_OF_A_SELECTION if selection else CUSTOMER_DAYS_AT_ONCE
    size = max(1, at_once // max(1, _customers(connection)))
    made = Plan(days, chunks([day for day in days if day not in held], size), rebuild_from or NEVER)
    connection.execute(
        "create or replace table refresh.run as select $from::date as rebuild_from", {"from": made.rebuild_from}
    )
    connection.execute("delete from refresh.chunks")
    connection.executemany(
        "insert into refresh.chunks values (?, ?)", [(n, day) for n, chunk in enumerate(made.chunks) for day in chunk]
    )
    connection.execute(
        "create or replace table refresh.as_of_dates (as_of_date date, previous_as_of_date date, next_as_of_date date)"
    )
    _note(connection, "refresh.unfinished", days)
    connection.execute("delete from refresh.selected")
    connection.execute(
        "insert into refresh.selected select unnest($segments::varchar[])",
        {"segments": selection.segments if selection else []},
    )
    connection.execute("commit")
    return made


def next_chunk(connection: duckdb.DuckDBPyConnection) -> Days | None:
    """Puts the plan's next chunk before dbt and says which days it has; None when every chunk is built.

    Only the first chunk reads extracts again.
    """
    chunk = connection.execute("select min(chunk) from refresh.chunks").fetchall()[0][0]
    if chunk is None:
        return None
    if chunk > 0:
        connection.execute("update refresh.run set rebuild_from = $never", {"never": NEVER})
    connection.execute(
        "create or replace table refresh.as_of_dates as select as_of_date, lag(as_of_date) over in_order as previous_as_of_date, "
        "lead(as_of_date) over in_order as next_as_of_date from refresh.chunks where chunk = $chunk "
        "window in_order as (order by as_of_date)",
        {"chunk": chunk},
    )
    first, last = connection.execute("select min(as_of_date), max(as_of_date) from refresh.as_of_dates").fetchall()[0]
    if _exists(connection, "metrics", "segment_sizes"):
        connection.execute(
            "update refresh.segments set members_before = ("
            "select arg_max(sizes.members, sizes.as_of_date) from metrics.segment_sizes as sizes "
            "where sizes.segment = segments.segment and not sizes.is_held and sizes.as_of_date < $first)",
            {"first": first},
        )
    return Days(first, last)


def chunk_built(connection: duckdb.DuckDBPyConnection) -> None:
    """Takes the chunk that ``next_chunk`` put before dbt off the list: dbt has built it."""
    connection.execute("delete from refresh.chunks where as_of_date in (select as_of_date from refresh.as_of_dates)")


def write_segments(
    connection: duckdb.DuckDBPyConnection, segments: Sequence[Segment], selection: Selection | None = None
) -> None:
    """Tells dbt which segments there are, the exclusive scheme of each and its output rules; those that are not in a ``selection`` are left as
    they are on record.
    """
    _create_tables(connection)
    left_alone = [segment for segment in segments if selection and segment.name not in selection.segments]
    connection.execute(
        "create or replace table refresh.left_alone (segment varchar, scheme varchar, is_current boolean)"
    )
    for segment in left_alone:
        connection.execute("insert into refresh.left_alone values (?, ?, true)", [segment.name, segment.scheme])
    if selection and _exists(connection, "metrics", "segment_sizes"):
        connection.execute(
            "insert into refresh.left_alone select distinct segment, null, false from metrics.segment_sizes "
            "where not list_contains($current::varchar[], segment)",
            {"current": [segment.name for segment in segments]},
        )
    connection.execute(
        "create or replace table refresh.segments (segment varchar, scheme varchar, min_members bigint, max_members bigint, "
        "changed_by_share double, changed_by_members bigint, allow_empty boolean, only_warns boolean, members_before bigint)"
    )
    connection.executemany(
        "insert into refresh.segments values (?, ?, ?, ?, ?, ?, ?, ?, null)",
        [
            (segment.name, segment.scheme, *_columns_of(segment.output_rules))
            for segment in segments
            if segment not in left_alone
        ],
    )


def write_overrides(
    connection: duckdb.DuckDBPyConnection, overrides: Sequence[Override], digests: Mapping[tuple[str, date], str]
) -> None:
    """Tells dbt which days of a segment somebody had published, and the catalogue who: ``stands`` where an extract that was released is
    still the one in the archive.
    """
    released = [(override.segment, day) for override in overrides for day in override.as_of_dates]
    connection.execute("create or replace table refresh.released_segments (segment varchar, as_of_date date)")
    connection.execute(
        "insert into refresh.released_segments select distinct unnest($segments::varchar[]), unnest($days::date[])",
        {"segments": [segment for segment, _ in released], "days": [day for _, day in released]},
    )
    connection.execute(
        "create or replace table refresh.overrides (segment varchar, who varchar, released_at varchar, reason varchar, first_day date, stands boolean)"
    )
    if overrides:
        connection.executemany(
            "insert into refresh.overrides values (?, ?, ?, ?, ?, ?)",
            [
                (
                    *(override.segment, override.who, override.at, override.reason, override.first_day),
                    any(digests.get((doubt.table, doubt.extract_date)) == doubt.digest for doubt in override.doubts),
                )
                for override in overrides
            ],
        )


def write_definitions(
    connection: duckdb.DuckDBPyConnection, segments: Sequence[Segment], definitions: Sequence[Definition]
) -> None:
    """Keeps the words and the rule of every segment as they ran, for the counts and the catalogue. One row per segment."""
    connection.execute(
        "create or replace table refresh.definitions (segment varchar, label varchar, description varchar, objective varchar, "
        "owner varchar, channel varchar, family varchar, scheme varchar, builds_on varchar[], sql varchar, columns_used varchar[], raw_columns varchar[], definition_hash varchar)"
    )
    rules = {definition.segment: definition for definition in definitions}
    connection.executemany(
        "insert into refresh.definitions values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                *(
                    segment.name,
                    segment.label,
                    segment.description,
                    segment.objective,
                    segment.owner,
                    segment.channel,
                    segment.family,
                ),
                *(segment.scheme, list(segment.builds_on)),
                *(rules[segment.name].sql, list(rules[segment.name].columns_used)),
                *(list(rules[segment.name].raw_columns), rules[segment.name].definition_hash),
            )
            for segment in segments
        ],
    )


def is_planned(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether a run was ever planned in the warehouse, so that dbt can compile the models."""
    return _exists(connection, "refresh", "as_of_dates")


def selected_segments(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """The segments of the plan at work where it is of a selection; none where it is of them all."""
    return {segment for (segment,) in connection.execute("from refresh.selected").fetchall()}


def first_day_anew(connection: duckdb.DuckDBPyConnection) -> date:
    """The first day whose customers the plan at work evaluates anew, which those of a selection of segments are not."""
    days = built_days(connection)
    return days.last + ONE_DAY if selected_segments(connection) else days.first


def row_counts(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """The rows of every table of the warehouse, by ``<schema>.<table>``, as DuckDB keeps them."""
    return dict(
        connection.execute("select schema_name || '.' || table_name, estimated_size from duckdb_tables()").fetchall()
    )


def built_days(connection: duckdb.DuckDBPyConnection) -> Days:
    """The days of the plan at work, each of them built by dbt or held.

    Raises StepTooEarly where no plan is at work, and where dbt has not built all of it.
    """
    _create_tables(connection)
    days = _range(connection, "refresh.unfinished")
    if days is None:
        raise StepTooEarly(
            "The warehouse has no plan at work, so there is no day to count: run the whole job nightly_refresh."
        )
    if waiting := connection.execute("select count(*) from refresh.chunks").fetchall()[0][0]:
        raise StepTooEarly(f"dbt has not built {waiting} of the days {days}: run the whole job nightly_refresh again.")
    unbuilt = connection.execute(
        "select min(day)::date, count(*) from generate_series($first::date, $last::date, interval 1 day) as planned (day) "
        "where day not in (select as_of_date from refresh.held) "
        "and day not in (select as_of_date from metrics.segment_sizes)",
        {"first": days.first, "last": days.last},
    ).fetchall()[0]
    if unbuilt[1]:
        raise StepTooEarly(
            f"metrics.segment_sizes lacks {unbuilt[1]} of the days {days}, the first of them {unbuilt[0]}: "
            "run the whole job nightly_refresh again; if it comes again, `segments rebuild`."
        )
    return days


def finish(connection: duckdb.DuckDBPyConnection) -> None:
    """Notes that the record has the plan's days, that the warehouse rests on what the archive held when they were
    planned, and that nothing is left undone. What has come since is a change for the next plan.

    Raises StepTooEarly where dbt has not built every day of the plan.
    """
    days, recorded = built_days(connection), _range(connection, "refresh.recorded")
    connection.execute("begin")
    _note(connection, "refresh.recorded", days if recorded is None else days | recorded)
    connection.execute("delete from refresh.built_from")
    connection.execute("insert into refresh.built_from from refresh.planned_from")
    connection.execute("delete from refresh.unfinished")
    connection.execute("delete from refresh.selected")
    connection.execute("commit")


def require_finished(connection: duckdb.DuckDBPyConnection) -> None:
    """Raises StepTooEarly where the warehouse holds less than a whole run: its tables are not of one night."""
    _create_tables(connection)
    if unfinished := _range(connection, "refresh.unfinished"):
        raise StepTooEarly(
            f"The refresh of {unfinished} did not get to its end, so the warehouse is not published: "
            "run the whole job nightly_refresh again."
        )
    if _range(connection, "refresh.recorded") is None:
        raise StepTooEarly("The warehouse has no day on record yet: run the whole job nightly_refresh.")


def _create_tables(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("create schema if not exists refresh")
    connection.execute(
        "create table if not exists refresh.built_from (table_id varchar, extract_date date, sha256 varchar)"
    )
    connection.execute(
        "create table if not exists refresh.planned_from (table_id varchar, extract_date date, sha256 varchar)"
    )
    connection.execute("create table if not exists refresh.unfinished (first_day date, last_day date)")
    connection.execute("create table if not exists refresh.chunks (chunk integer, as_of_date date)")
    connection.execute("create table if not exists refresh.recorded (first_day date, last_day date)")
    connection.execute("create table if not exists refresh.selected (segment varchar)")


def _past_of(
    selection: Selection, record: Record | None, first_change: date | None, unfinished: Days | None, is_begun: bool
) -> Days:
    """The days on record on which a selection is evaluated: from the first that is asked for, or that it lacks, to the last."""
    names = " and ".join(selection.segments)
    if record is None:
        raise ConfigurationError(f"No day is on record on which {names} could be evaluated: `segments refresh` first.")
    if first_change is not None or (unfinished is not None and not is_begun):
        raise ConfigurationError(
            f"What is on record does not rest on all that is there now: `segments refresh` first, then give {names} its past."
        )
    asked = selection.days or record.days
    if asked.first < record.days.first or asked.last > record.days.last:
        raise ConfigurationError(
            f"On record are {record.days}, and nothing can be said of {names} on other days: ask for days among them."
        )
    first = min(asked.first, record.complete_until + ONE_DAY)
    days = Days(first, record.days.last)
    return days if unfinished is None else days | unfinished


def _not_on_record(partitions: dict[tuple[str, date], str], record: Record | None) -> Days:
    """The days of the archive after the record's last, or else that last day again."""
    archived_days = [day for table, day in partitions if EXTRACT_TABLES[table].required]
    if not archived_days:
        raise ExtractMissing("The archive is empty: ingest extracts before evaluating their days.")
    newest = max(archived_days)
    if record is None:
        return Days(min(archived_days), newest)
    return Days(min(record.days.last + ONE_DAY, newest), newest)


def _partitions(connection: duckdb.DuckDBPyConnection, archive: Path) -> dict[tuple[str, date], str]:
    return {
        (table.id, day): origin.sha256
        for table in EXTRACT_TABLES.values()
        for day, origin in archived(connection, archive, table).items()
    }


def _released(overrides: Sequence[Override]) -> dict[tuple[str, date], str]:
    """Every override as something that the record rests on, by its number and the first day that it releases."""
    return {(f"override {number}", override.first_day): override.at for number, override in enumerate(overrides)}


def _found(findings: Sequence[Finding]) -> dict[tuple[str, date], str]:
    """What is found about each extract, as something that the record rests on. Its words do not matter, for they may come
    to be others when the past of a figure does.
    """
    found: dict[tuple[str, date], list[str]] = {}
    for finding in findings:
        reach = f"{','.join(finding.columns)} {finding.leaves_out} until {finding.until}"
        found.setdefault((f"findings in {finding.table}", finding.extract_date), []).append(reach)
    return {extract: "; ".join(sorted(said)) for extract, said in found.items()}


def _columns_of(rules: OutputRules) -> tuple[int | float | bool | None, ...]:
    """The columns of refresh.segments that say them."""
    changed = rules.hold_if_changed_by
    change = (changed.share, changed.members) if changed else (None, None)
    return (rules.min_members, rules.max_members, *change, rules.allow_empty, rules.on_breach == "warn")


def _exists(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> bool:
    found = connection.execute(
        "select 1 from duckdb_tables() where schema_name = $schema and table_name = $table",
        {"schema": schema, "table": table},
    )
    return found.fetchone() is not None


def _first_change(connection: duckdb.DuckDBPyConnection, rests_on: dict[tuple[str, date], str]) -> date | None:
    """The first day at which the archive, or what is believed of it, differs from what the warehouse was built from."""
    built = {(name, day): sha for name, day, sha in connection.execute("from refresh.built_from").fetchall()}
    return min((day for (_, day), _ in rests_on.items() ^ built.items()), default=None)


def _record(connection: duckdb.DuckDBPyConnection) -> Record | None:
    """What is on record of the segments that are evaluated. One that was away for some nights lacks them; one never recorded begins with this run."""
    days = _range(connection, "refresh.recorded")
    if days is None:
        return None
    last = connection.execute(
        "select min(last_day) from (select max(as_of_date) as last_day from metrics.segment_sizes "
        "where segment in (select segment from refresh.segments) group by segment)"
    ).fetchall()[0][0]
    return Record(days, days.last if last is None else last)


def _range(connection: duckdb.DuckDBPyConnection, table: str) -> Days | None:
    bounds = connection.execute(f"select first_day, last_day from {table}").fetchall()
    return Days(*bounds[0]) if bounds else None


def _note(connection: duckdb.DuckDBPyConnection, table: str, days: Days) -> None:
    connection.execute(f"delete from {table}")
    connection.execute(f"insert into {table} values ($first, $last)", {"first": days.first, "last": days.last})


def _customers(connection: duckdb.DuckDBPyConnection) -> int:
    customers: int = connection.execute("select count(distinct customer_id) from crm.customers").fetchall()[0][0]
    return customers
