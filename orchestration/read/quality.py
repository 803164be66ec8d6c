"""Whether what came in can be believed: each table's extracts, the checks that they failed, what speaks against them, the segments that hang on it, and what
to do. The gate decides at night; this tells what it found.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median
from typing import Any

from expectations.contracts import EXTRACT_TABLES
from orchestration.read.opened import Release

#: Days of extracts and of checks that are looked at.
DAYS_SHOWN = 60

#: Tables of which an extract comes on every day.
DAILY = frozenset(table.id for table in EXTRACT_TABLES.values() if table.required)

#: The rule that counts what is refused has the rows of every extract.
EXTRACTS = """
select
    source || '/' || table_name as table_id, extract_date,
    coalesce(max(rows) filter (expectation = 'refused_share_is_within_limit'), max(rows), 0),
    coalesce(max(unexpected_rows) filter (expectation = 'refused_share_is_within_limit'), 0),
    count(*), count(*) filter (not success),
    coalesce(list(distinct expectation order by expectation) filter (not success), [])
from metrics.input_quality
where extract_date <= $day
group by table_id, extract_date
order by table_id, extract_date
"""

#: Each check that failed since a day, with every result since then, the oldest first.
CHECKS = """
select source || '/' || table_name as table_id, expectation, coalesce(column_name, '') as columns, arg_max(severity, extract_date), list(
    {'extract_date': extract_date, 'is_kept': success, 'observed': observed, 'rows': rows, 'unexpected_rows': unexpected_rows}
    order by extract_date
)
from metrics.input_quality
where extract_date between $since and $day
group by table_id, expectation, columns
having bool_or(not success)
"""

FINDINGS = """
select source || '/' || table_name as table_id, extract_date, expectation, columns, because, held_until, is_left_out, is_released
from metrics.input_findings
order by held_until is not null, extract_date desc, table_id, expectation
"""

RELEASED = "select segment, released_by from catalog.segments where released_by is not null order by segment"

HELD_NOW = """
select held_since, held_because, list(segment order by segment)
from catalog.segments where state = 'held' group by all order by held_since, held_because
"""

#: Days in a row on which segments were held for the same.
HELD_BEFORE = """
with days as (
    select as_of_date, held_because, list(segment order by segment) as segments
    from metrics.segment_counts_daily where state = 'held' group by all
),

in_a_row as (
    select *, as_of_date - (row_number() over (partition by held_because, segments order by as_of_date))::integer as run from days
)

select min(as_of_date), max(as_of_date), held_because, segments
from in_a_row group by held_because, segments, run order by min(as_of_date) desc, held_because
"""

#: Rows that broke a rule that refuses them.
REFUSED = """
select extract_date, source || '/' || table_name as table_id, expectation, coalesce(column_name, ''), unexpected_rows, rows
from metrics.input_quality
where not success and severity = 'critical' and unexpected_rows > 0 and extract_date <= $day
order by extract_date desc, table_id, expectation
"""


@dataclass(frozen=True)
class Extract:
    """An extract: its rows, those refused among them, and how many checks looked at it. ``failed`` names those that it failed."""

    table: str
    day: date
    rows: int
    refused: int
    checks: int
    failures: int
    failed: tuple[str, ...]
    state: str


@dataclass(frozen=True)
class Source:
    """A table, with its newest extract. ``usual_rows`` is the median of the extracts before it among those that are looked at, None without any;
    ``missing`` are the days without one of a table that has to come every day.
    """

    newest: Extract
    is_daily: bool
    extracts: int
    usual_rows: float | None
    missing: tuple[date, ...]


@dataclass(frozen=True)
class Result:
    """How an extract kept a check."""

    day: date
    is_kept: bool
    observed: str
    rows: int
    unexpected_rows: int


@dataclass(frozen=True)
class Check:
    """A check that an extract of the last weeks failed. ``since`` is the first of the extracts in a row, up to the table's newest, that failed it, at the
    earliest the first that is looked at; None where the newest keeps it. ``segments`` depend on the columns that it vouches for.
    """

    table: str
    expectation: str
    columns: str
    severity: str
    results: tuple[Result, ...]
    since: date | None
    segments: tuple[str, ...]
    to_do: str

    @property
    def failures(self) -> tuple[Result, ...]:
        return tuple(result for result in self.results if not result.is_kept)


@dataclass(frozen=True)
class Finding:
    """Something for which the columns of an extract are not believed; until ``held_until``, None as long as it stands."""

    table: str
    extract_date: date
    expectation: str
    columns: tuple[str, ...]
    because: str
    held_until: date | None
    is_left_out: bool
    is_released: bool
    segments: tuple[str, ...]
    to_do: str

    @property
    def is_open(self) -> bool:
        return self.held_until is None and not self.is_released


@dataclass(frozen=True)
class Hold:
    """Segments whose last good version stood from a day to a day, for the same reason."""

    since: date
    until: date
    because: str
    segments: tuple[str, ...]


@dataclass(frozen=True)
class Refusal:
    """Rows of an extract that broke a rule and went into quarantine."""

    day: date
    table: str
    expectation: str
    columns: str
    unexpected_rows: int
    rows: int


@dataclass(frozen=True)
class Quality:
    """What is known of a release's inputs. ``held`` are today's holds, ``holds`` all of them, newest first; ``verdict`` says in a sentence or two whether
    today's data is believed.
    """

    as_of_date: date
    since: date
    verdict: str
    is_good: bool
    sources: tuple[Source, ...]
    extracts: tuple[Extract, ...]
    checks: tuple[Check, ...]
    findings: tuple[Finding, ...]
    held: tuple[Hold, ...]
    holds: tuple[Hold, ...]
    released: tuple[tuple[str, str], ...]
    refused: tuple[Refusal, ...]


def quality(release: Release) -> Quality:
    day = release.as_of_date
    since = day - timedelta(DAYS_SHOWN - 1)
    depends = {
        segment: set(columns)
        for segment, columns in release.rows("select segment, raw_columns from catalog.segments order by segment")
    }
    findings = tuple(_finding(row, depends) for row in release.rows(FINDINGS))
    doubted = {(finding.table, finding.extract_date) for finding in findings}
    extracts = [
        Extract(
            table, on, rows, refused, checks, failures, tuple(failed), _state((table, on) in doubted, refused, failures)
        )
        for table, on, rows, refused, checks, failures, failed in release.rows(EXTRACTS, {"day": day})
    ]
    sources = tuple(_source(of_table, since, day) for of_table in _by_table(extracts).values())
    newest = {source.newest.table: source.newest.day for source in sources}
    checks = [_check(row, newest, depends) for row in release.rows(CHECKS, {"since": since, "day": day})]
    held = tuple(Hold(on, day, because, tuple(segments)) for on, because, segments in release.rows(HELD_NOW))
    verdict, is_good = _verdict(sources, findings, held, len(depends), day)
    return Quality(
        as_of_date=day,
        since=since,
        verdict=verdict,
        is_good=is_good,
        sources=sources,
        extracts=tuple(extract for extract in extracts if extract.day >= since),
        checks=tuple(sorted(checks, key=_gravity)),
        findings=findings,
        held=held,
        holds=tuple(
            Hold(first, last, because, tuple(segments)) for first, last, because, segments in release.rows(HELD_BEFORE)
        ),
        released=tuple((segment, by) for segment, by in release.rows(RELEASED)),
        refused=tuple(Refusal(*row) for row in release.rows(REFUSED, {"day": day})),
    )


def _state(is_doubted: bool, refused: int, failures: int) -> str:
    if is_doubted:
        return "not believed"
    if refused:
        return "rows refused"
    return "warnings" if failures else "as expected"


def _by_table(extracts: Iterable[Extract]) -> dict[str, list[Extract]]:
    found: dict[str, list[Extract]] = {}
    for extract in extracts:
        found.setdefault(extract.table, []).append(extract)
    return found


def _source(extracts: Sequence[Extract], since: date, last: date) -> Source:
    newest = extracts[-1]
    seen = [extract for extract in extracts if extract.day >= since]
    before = [extract.rows for extract in seen if extract is not newest]
    is_daily = newest.table in DAILY
    first = max(since, extracts[0].day)
    days = {extract.day for extract in seen}
    due = [first + timedelta(number) for number in range((last - first).days + 1)] if is_daily else []
    return Source(
        newest, is_daily, len(seen), median(before) if before else None, tuple(day for day in due if day not in days)
    )


def _finding(row: tuple[Any, ...], depends: Mapping[str, set[str]]) -> Finding:
    table, on, expectation, columns, because, until, is_left_out, is_released = row
    return Finding(
        table=table,
        extract_date=on,
        expectation=expectation,
        columns=tuple(columns),
        because=because,
        held_until=until,
        is_left_out=is_left_out,
        is_released=is_released,
        segments=_hang_on(table, columns, depends),
        to_do=_about_a_finding(table, on, until, is_released),
    )


def _check(row: tuple[Any, ...], newest: Mapping[str, date], depends: Mapping[str, set[str]]) -> Check:
    table, expectation, columns, severity, found = row
    results = tuple(
        Result(
            one["extract_date"], one["is_kept"], one["observed"] or "", one["rows"] or 0, one["unexpected_rows"] or 0
        )
        for one in found
    )
    since = None
    for result in reversed(results):
        if result.is_kept:
            break
        since = result.day
    if results[-1].day != newest[table]:
        since = None
    named = [column.strip() for column in columns.split(",") if column.strip()]
    failed = [result for result in results if not result.is_kept]
    refuses = severity == "critical" and failed[-1].unexpected_rows > 0
    return Check(
        table, expectation, columns, severity, results, since, _hang_on(table, named, depends),
        _about_a_check(table, failed[-1].day, severity, refuses),
    )  # fmt: skip


def _hang_on(table: str, columns: Iterable[str], depends: Mapping[str, set[str]]) -> tuple[str, ...]:
    """The segments that depend on one of the columns, or, where none is named, on any of the table."""
    wanted = {f"{table}.{column}" for column in columns}
    if wanted:
        return tuple(segment for segment, raw in depends.items() if raw & wanted)
    return tuple(segment for segment, raw in depends.items() if any(one.startswith(f"{table}.") for one in raw))


def _about_a_finding(table: str, on: date, until: date | None, is_released: bool) -> str:
    if is_released:
        return "Somebody released a segment that it held: the values are used as they came."
    if until is not None:
        return f"Nothing: believed again from {until} on."
    return (
        f"Deliver the corrected extract of {table} for {on} and refresh: the held days are made again. "
        'Where the figures are right after all: segments release-held NAME --reason "…".'
    )


def _about_a_check(table: str, on: date, severity: str, refuses: bool) -> str:
    if refuses:
        return f"The rows were refused and lie in quarantine/{table}/extract_date={on}: have them mended where they come from, and deliver the extract again."
    if severity == "critical":
        return "What it vouches for is not believed: see what speaks against the extracts."
    return "Nothing is refused or held for it. Ask whoever sends the extract whether it is meant."


def _gravity(check: Check) -> tuple[bool, bool, int, str, str]:
    return (
        check.since is None,
        check.severity != "critical",
        -check.failures[-1].day.toordinal(),
        check.table,
        check.expectation,
    )


def _verdict(
    sources: Sequence[Source], findings: Sequence[Finding], held: Sequence[Hold], segments: int, day: date
) -> tuple[str, bool]:
    if not sources:
        return "Nothing is known of what came in: no extract was checked.", False
    standing = sum(finding.is_open for finding in findings)
    names = {segment for hold in held for segment in hold.segments}
    late = [source.newest.table for source in sources if source.is_daily and source.newest.day != day]
    against = [
        *([f"of {' and '.join(late)} no extract of {day} came"] if late else []),
        *(
            [f"{standing:,} {'finding stands' if standing == 1 else 'findings stand'} against an extract"]
            if standing
            else []
        ),
        *([f"{len(names):,} of {segments:,} segments {'is' if len(names) == 1 else 'are'} held"] if names else []),
    ]
    tonight = [source.newest for source in sources if source.newest.day == day]
    failures = sum(extract.failures for extract in tonight)
    checks = sum(extract.checks for extract in tonight)
    failed = f"{failures:,}" if failures else "None"
    checked = f" {failed} of {checks:,} checks of the extracts of {day} failed." if tonight else ""
    if against:
        return f"Not all of it is believed: {'; '.join(against)}.{checked}", False
    return f"It is believed: nothing stands against an extract, and all {segments:,} segments are fresh.{checked}", True
