"""What was found in the extracts: by table and day, what speaks against believing one and which segments that holds, and how a column looked over time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from orchestration.read.opened import Release

#: Days of extracts that are looked back on.
DAYS_SHOWN = 60

#: The newest extract of each table, and what was found in it.
TABLES = """
with newest as (
    select source, table_name, max(extract_date) as extract_date
    from metrics.input_quality
    group by all
)

select
    source || '/' || table_name, extract_date, max(rows), count(*),
    count(*) filter (not success and severity = 'critical'), count(*) filter (not success and severity <> 'critical')
from metrics.input_quality
inner join newest using (source, table_name, extract_date)
group by all
order by 1
"""

DAYS = """
select
    source || '/' || table_name, extract_date,
    count(*) filter (not success and severity = 'critical'), count(*) filter (not success and severity <> 'critical')
from metrics.input_quality
where extract_date >= $since
group by all
order by 1, 2
"""

#: The newest first of what is still so, then of what is over; beside each the segments that depend on a column of it.
FINDINGS = """
select
    found.extract_date, found.source || '/' || found.table_name, found.expectation, found.because, found.held_until,
    found.is_left_out, found.is_released,
    coalesce(list(segments.segment order by segments.segment) filter (segments.segment is not null), [])
from metrics.input_findings as found
left join catalog.segments as segments
    on list_has_any(
        segments.raw_columns, list_transform(found.columns, lambda name: found.source || '/' || found.table_name || '.' || name)
    )
group by all
order by found.held_until nulls first, found.extract_date desc, 2, 3
"""

FAILURES = """
select
    extract_date, source || '/' || table_name, expectation, coalesce(column_name, ''), severity, coalesce(observed, ''), rows, unexpected_rows
from metrics.input_quality
where not success and extract_date >= $since
order by extract_date desc, severity, 2, 3, 4
"""

COLUMNS = "select distinct source || '/' || table_name, column_name from metrics.input_profile order by all"

#: A mean of dates is no number, and so none here.
HISTORY = """
select extract_date, rows, null_share, distinct_values, try_cast(mean as double)
from metrics.input_profile
where source || '/' || table_name = $table and column_name = $column
order by extract_date
"""


@dataclass(frozen=True)
class TableOfExtracts:
    """An extract table, and what the checks found in the newest extract of it: ``refusing`` rules that were broken and had rows refused, and
    ``counted`` ones whose rows were kept.
    """

    table: str
    extract_date: date
    rows: int
    checks: int
    refusing: int
    counted: int


@dataclass(frozen=True)
class ExtractDay:
    """As above, of one extract."""

    table: str
    extract_date: date
    refusing: int
    counted: int


@dataclass(frozen=True)
class Finding:
    """What speaks against believing an extract. The ``segments`` that depend on it are held until ``held_until``, None as long as it stands, unless
    ``is_released``. ``is_left_out``: its values are not used.
    """

    extract_date: date
    table: str
    expectation: str
    because: str
    held_until: date | None
    is_left_out: bool
    is_released: bool
    segments: list[str]

    @property
    def is_open(self) -> bool:
        return self.held_until is None


@dataclass(frozen=True)
class Failure:
    """A rule that an extract broke, in how many of its rows. ``critical``: they were refused; ``warning``: they were kept."""

    extract_date: date
    table: str
    expectation: str
    column: str
    severity: str
    observed: str
    rows: int
    unexpected_rows: int


@dataclass(frozen=True)
class Quality:
    """``days`` and ``failures`` are of the extracts since ``since``, ``findings`` of all."""

    since: date
    tables: tuple[TableOfExtracts, ...]
    days: tuple[ExtractDay, ...]
    findings: tuple[Finding, ...]
    failures: tuple[Failure, ...]


@dataclass(frozen=True)
class ColumnDay:
    """How a column looked in one extract: its rows, the share of them without a value (None without rows), its different values, and of a number the mean."""

    extract_date: date
    rows: int
    empty_share: float | None
    distinct_values: int
    mean: float | None


def quality(release: Release) -> Quality:
    since = release.as_of_date - timedelta(DAYS_SHOWN - 1)
    asked = {"since": since}
    return Quality(
        since=since,
        tables=tuple(TableOfExtracts(*row) for row in release.rows(TABLES)),
        days=tuple(ExtractDay(*row) for row in release.rows(DAYS, asked)),
        findings=tuple(Finding(*row) for row in release.rows(FINDINGS)),
        failures=tuple(Failure(*row) for row in release.rows(FAILURES, asked)),
    )


def columns(release: Release) -> dict[str, list[str]]:
    """The columns that were measured, by table."""
    found: dict[str, list[str]] = {}
    for table, column in release.rows(COLUMNS):
        found.setdefault(table, []).append(column)
    return found


def column_history(release: Release, table: str, column: str) -> list[ColumnDay]:
    """The extracts of a column, the oldest first."""
    return [ColumnDay(*row) for row in release.rows(HISTORY, {"table": table, "column": column})]
