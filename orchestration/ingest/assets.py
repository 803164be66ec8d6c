"""One Dagster asset per extract table: new and corrected extracts of the run's days go into the archive, once judged.

Who judges is handed in, so that this package knows files and nothing of expectations.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import dagster as dg
import duckdb

from expectations.contracts import BASE, EXTRACT_TABLES, ExtractTable
from orchestration.days import Days
from orchestration.errors import ExtractMissing, ExtractRefused, ExtractUnreadable
from orchestration.ingest.archive import (
    FILE_IS_READABLE,
    REFUSED_SHARE,
    REPEATED_FILE,
    Origin,
    Quality,
    archived,
    keep_accepted,
    keep_broken,
    quality_of,
)
from orchestration.ingest.extracts import Extract, find_extracts, newest_day
from orchestration.ingest.reading import FILE_EXPECTATIONS, Finding, read_extracts, relation_of
from orchestration.partitions import days_of_run
from orchestration.settings import Home
from orchestration.warehouse import Warehouse

FILE_CHECK = "file_is_in_order"

#: How many days a check's description tells of; the others are counted.
DAYS_SAID = 5


@dataclass(frozen=True)
class Judged:
    """What a judge says of one extract; ``profile`` is what its accepted rows look like, as JSON; ``refusal`` is the
    sentence that says so where too many rows were refused, and with ``stops`` the run ends with it.
    """

    quality: list[Quality]
    profile: dict[str, Any]
    refused: int
    refusal: str | None
    stops: bool = False


#: Judges the rows of a relation as read by ``read_extracts``, fills its columns of ``MARKS``, and answers per extract date.
Judge = Callable[[duckdb.DuckDBPyConnection, str, ExtractTable, Sequence[date]], dict[date, Judged]]


@dataclass(frozen=True)
class Ingested:
    """What one ingest did: the days read anew, and the origin of every day now in the archive."""

    new: list[date]
    origins: dict[date, Origin]


def extract_asset(
    table: ExtractTable, partitions: dg.DailyPartitionsDefinition, judge: Judge, rules: Sequence[str]
) -> dg.AssetsDefinition:
    """The asset ``<source>/<table>``.

    A required table comes every day, and its Dagster partitions are the archive's. The others come when they like: their
    asset has no partitions, for each costs every run two events whether there is a file or not.
    """
    key = dg.AssetKey([table.source, table.name])
    checks = [dg.AssetCheckSpec(rule, asset=key) for rule in (*rules, FILE_CHECK)]
    blocking = dg.AssetCheckSpec(REFUSED_SHARE, asset=key, blocking=True)

    @dg.asset(
        key=key,
        group_name="ingest",
        kinds={"duckdb", "parquet"},
        description=f"The extracts of {table.id}, typed and judged, one archive partition per extract date.",
        partitions_def=partitions if table.required else None,
        backfill_policy=dg.BackfillPolicy.single_run() if table.required else None,
        check_specs=[*checks, blocking],
        required_resource_keys={"warehouse"},
    )
    def extracts(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        warehouse: Warehouse = context.resources.warehouse
        days = days_of_run(context.run) or _up_to_the_newest(warehouse.home)
        with warehouse.connect() as connection:
            try:
                ingested = ingest(connection, warehouse.home, table, days, judge)
            except ExtractRefused as refusal:
                yield dg.AssetCheckResult(
                    asset_key=key, check_name=REFUSED_SHARE, passed=False, description=str(refusal)
                )
                raise
            quality = quality_of(connection, warehouse.home.archive, table, {*days, *ingested.new})
        if table.required:
            _describe_partitions(context, key, days, ingested)
        context.log.info(f"{table.id}: {len(ingested.new)} new extracts up to {days.last}")
        rows = sum(origin.rows - origin.refused for origin in ingested.origins.values())
        yield dg.MaterializeResult(asset_key=key, metadata={"new_extracts": len(ingested.new), "rows_in_archive": rows})
        yield from check_results(key, rules, quality)

    return extracts


def ingest(
    connection: duckdb.DuckDBPyConnection, home: Home, table: ExtractTable, days: Days, judge: Judge
) -> Ingested:
    """Brings the archive up to date with every extract up to the last of the days that is new or has changed.

    A file that cannot be read is archived as a day without rows that says so, which holds the segments that depend on the table.
    Raises ExtractMissing where a required extract of the days has not come; ExtractUnreadable where customers, or the correction
    of a day that was read before, cannot be read; ExtractRefused where too many customers are refused. What could be accepted is
    archived even so.
    """
    extracts = find_extracts(home.extracts, table)
    before = archived(connection, home.archive, table)
    if table.required:
        _demand(home, table, days, {*extracts, *before})
    new = [
        extract for day, extract in sorted(extracts.items()) if day <= days.last and _is_new(extract, before.get(day))
    ]
    if not new:
        return Ingested([], before)
    for extract in new:  # before the rows are read: the archive must never carry the mark of a later file
        _ = extract.stamp, extract.sha256
    relation = relation_of(table)
    findings, unreadable = read_extracts(connection, table, new)
    # Without its customers a day is nothing, and what was read well before is not given up for a broken file.
    read_before = before.keys() - _unreadable_before(connection, home, table, unreadable)
    if stopping := [said for day, said in unreadable.items() if table.id == BASE or day in read_before]:
        raise ExtractUnreadable("\n".join(stopping))
    origins = dict(before)
    refusals: list[str] = []
    judged = judge(connection, relation, table, [extract.extract_date for extract in new])
    if replaced := [extract.name for extract in new if extract.was_replaced]:
        raise ExtractUnreadable(f"{', '.join(replaced)} changed while it was read. Refresh again.")
    for extract in new:
        day = extract.extract_date
        verdict = judged[day]
        keep_broken(connection, home.quarantine, extract, relation)
        if verdict.refusal and verdict.stops:
            refusals.append(verdict.refusal)
            continue
        quality = [*verdict.quality, *_file_quality(extract, findings, verdict.quality), _refused_quality(verdict)]
        if day in unreadable:
            quality.append(Quality(FILE_IS_READABLE, "", "critical", False, unreadable[day], 0, 0))
        origins[day] = keep_accepted(
            connection, home.archive, extract, relation, quality, verdict.profile, verdict.refused
        )
    connection.execute(f"drop table {relation}")
    if refusals:
        raise ExtractRefused("\n".join(refusals))
    return Ingested([extract.extract_date for extract in new], origins)


def _unreadable_before(
    connection: duckdb.DuckDBPyConnection, home: Home, table: ExtractTable, days: Iterable[date]
) -> set[date]:
    """The days whose archived extract could not be read either."""
    found = quality_of(connection, home.archive, table, days)
    return {day for day, quality in found.items() if any(one.expectation == FILE_IS_READABLE for one in quality)}


def _up_to_the_newest(home: Home) -> Days:
    newest = newest_day(home.extracts, list(EXTRACT_TABLES.values()))
    return Days(newest, newest)


def _describe_partitions(context: dg.AssetExecutionContext, key: dg.AssetKey, days: Days, ingested: Ingested) -> None:
    for day in days:
        origin = ingested.origins[day]
        rows = {"dagster/partition_row_count": origin.rows - origin.refused, "refused_rows": origin.refused}
        context.add_asset_metadata(rows, asset_key=key, partition_key=str(day))
    for day in ingested.new:
        if day not in days:
            context.log_event(
                dg.AssetMaterialization(key, partition=str(day), description="came or was corrected after its night")
            )


def _demand(home: Home, table: ExtractTable, days: Days, have: set[date]) -> None:
    missing = [day for day in days if day not in have]
    if missing:
        folder = home.extracts / table.source / table.name
        first = f"{folder / str(missing[0])}.parquet (or .csv, .csv.gz, .jsonl)"
        more = f" and {len(missing) - 1} more up to {missing[-1]}" if len(missing) > 1 else ""
        raise ExtractMissing(
            f"{table.id} of {missing[0]}{more} has not arrived: expected {first}. "
            "Deliver it and refresh again; a day without new rows is an empty file, not a missing one."
        )


def _is_new(extract: Extract, origin: Origin | None) -> bool:
    return origin is None or (origin.stamp != extract.stamp and origin.sha256 != extract.sha256)


def _file_quality(extract: Extract, findings: list[Finding], judged: list[Quality]) -> list[Quality]:
    """The expectations of the file as a file, as rows beside those of its contents."""
    rows = max((found.rows for found in judged), default=0)
    odd = [finding for finding in findings if finding.extract_date == extract.extract_date]
    in_order = set(FILE_EXPECTATIONS) - {finding.expectation for finding in odd}
    return [
        Quality(
            expectation=finding.expectation,
            column_name=finding.column_name,
            severity="critical" if finding.is_critical else "warning",
            success=False,
            observed=finding.observed,
            rows=rows,
            unexpected_rows=rows if finding.is_critical else 0,
        )
        for finding in odd
    ] + [Quality(name, "", "warning", True, "", rows, 0) for name in FILE_EXPECTATIONS if name in in_order]


def _refused_quality(verdict: Judged) -> Quality:
    rows = max((found.rows for found in verdict.quality), default=0)
    return Quality(
        expectation=REFUSED_SHARE,
        column_name="",
        severity="critical",
        success=verdict.refusal is None,
        observed=f"{verdict.refused:,} rows refused",
        rows=rows,
        unexpected_rows=verdict.refused,
    )


def check_results(
    key: dg.AssetKey, rules: Sequence[str], quality: dict[date, list[Quality]]
) -> Iterator[dg.AssetCheckResult]:
    """One result per rule for the whole run: which days broke it, and how many rows."""
    broken: dict[str, dict[date, list[Quality]]] = {}
    for day, found in sorted(quality.items()):
        for one in found:
            if not one.success:
                of_the_file = (*FILE_EXPECTATIONS, REPEATED_FILE, FILE_IS_READABLE)
                check = FILE_CHECK if one.expectation in of_the_file else one.expectation
                broken.setdefault(check, {}).setdefault(day, []).append(one)
    for rule in (*rules, FILE_CHECK):
        days = broken.get(rule, {})
        said = "; ".join(
            f"{day}: {', '.join(one.observed for one in found)}" for day, found in list(days.items())[:DAYS_SAID]
        )
        yield dg.AssetCheckResult(
            asset_key=key,
            check_name=rule,
            passed=not days,
            severity=dg.AssetCheckSeverity.WARN,
            description=f"{said}{' …' if len(days) > DAYS_SAID else ''}" if days else None,
            metadata={"days": len(days), "rows": sum(one.unexpected_rows for found in days.values() for one in found)},
        )
    too_many = broken.get(REFUSED_SHARE, {})
    # As a warning: it blocks nothing, for the segments that depend on the table are held.
    yield dg.AssetCheckResult(
        asset_key=key,
        check_name=REFUSED_SHARE,
        passed=not too_many,
        severity=dg.AssetCheckSeverity.WARN,
        description="; ".join(f"{day}: {one.observed}" for day, found in too_many.items() for one in found) or None,
    )
