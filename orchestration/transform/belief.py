"""What the findings about extracts mean for the segments: which values dbt leaves out, and which segments are held from when until when.

The reach of a finding is told by lineage: a segment is held where it depends on one of the finding's columns, and no other is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import astuple
from datetime import date

import duckdb

from orchestration.transform.lineage import Lineage, RawColumn
from orchestration.validate.findings import Finding
from orchestration.validate.overrides import Doubt, Override


def write_findings(
    connection: duckdb.DuckDBPyConnection, findings: Sequence[Finding], released: Collection[Doubt]
) -> None:
    """Keeps every finding for the release: ``refresh.findings``, one row per finding."""
    connection.execute(
        "create or replace table refresh.findings (extract_date date, table_id varchar, expectation varchar, columns varchar[], "
        "because varchar, held_until date, is_left_out boolean, is_released boolean)"
    )
    rows = [
        (
            *(
                finding.extract_date,
                finding.table,
                finding.expectation,
                list(finding.columns),
                finding.because,
                finding.until,
            ),
            *(finding.leaves_out and finding.doubt not in released, finding.doubt in released),
        )
        for finding in findings
    ]
    if rows:
        connection.executemany("insert into refresh.findings values (?, ?, ?, ?, ?, ?, ?, ?)", rows)


def write_left_out(
    connection: duckdb.DuckDBPyConnection, findings: Sequence[Finding], released: Collection[Doubt]
) -> None:
    """Tells dbt whose values are not used: ``refresh.left_out``, one row per table and extract date.

    What somebody released for any segment is used as it came; the segments that are still held keep what they have.
    """
    columns: dict[tuple[str, date], set[str]] = {}
    for finding in findings:
        if finding.leaves_out and finding.doubt not in released:
            columns.setdefault((finding.table, finding.extract_date), set()).update(finding.columns)
    connection.execute(
        "create or replace table refresh.left_out (table_id varchar, extract_date date, columns varchar[])"
    )
    for (table, day), left_out in columns.items():
        connection.execute("insert into refresh.left_out values (?, ?, ?)", [table, day, sorted(left_out)])


def write_held_segments(
    connection: duckdb.DuckDBPyConnection,
    findings: Sequence[Finding],
    overrides: Sequence[Override],
    lineage: Lineage,
) -> None:
    """Tells dbt which segments are held for their inputs: ``refresh.held_segments``, one row per segment and finding."""
    connection.execute(
        "create or replace table refresh.held_segments ("
        "number integer, segment varchar, held_from date, held_until date, because varchar, "
        "table_id varchar, extract_date date, digest varchar, columns varchar[])"
    )
    rows = [
        (number, segment, finding.extract_date, finding.until, finding.because, *astuple(finding.doubt))
        for number, (segment, finding) in enumerate(_holds(findings, overrides, lineage))
    ]
    if rows:
        connection.executemany("insert into refresh.held_segments values (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)


def _holds(
    findings: Sequence[Finding], overrides: Sequence[Override], lineage: Lineage
) -> Iterator[tuple[str, Finding]]:
    released = {(override.segment, doubt) for override in overrides for doubt in override.doubts}
    for segment, depends_on in sorted(lineage.items()):
        for finding in findings:
            is_released = (segment, finding.doubt) in released
            if _touches(finding, depends_on) and not is_released:
                yield segment, finding


def _touches(finding: Finding, depends_on: frozenset[RawColumn]) -> bool:
    source, table = finding.table.split("/")
    return any(RawColumn(source, table, column) in depends_on for column in finding.columns)
