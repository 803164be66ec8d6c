"""What is new in a release: for people who ask in the morning what the night did. Read from the built release and the one before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb


@dataclass(frozen=True)
class HeldSegment:
    """A segment whose last good version is published, since when and why."""

    segment: str
    since: date
    because: str


@dataclass(frozen=True)
class ReleasedSegment:
    """A segment that somebody had published although it was held."""

    segment: str
    by: str


@dataclass(frozen=True)
class ExtractRows:
    """Rows of one extract of the release's day: all that came, and of these the refused ones, which are in quarantine."""

    table: str
    rows: int
    refused: int


@dataclass(frozen=True)
class FailedCheck:
    """An expectation that an extract of the release's day did not meet."""

    table: str
    expectation: str
    column: str
    severity: str
    observed: str


@dataclass(frozen=True)
class ReleaseNotes:
    """The segments that are fresh, held, released by hand, and ``redefined`` since the release before; what came in."""

    fresh: list[str]
    held: list[HeldSegment]
    released: list[ReleasedSegment]
    redefined: list[str]
    extracts: list[ExtractRows]
    failed_checks: list[FailedCheck]

    @classmethod
    def read(cls, said: dict[str, list[dict[str, object]]]) -> ReleaseNotes:
        """From a manifest's JSON."""
        held = [{**one, "since": date.fromisoformat(str(one["since"]))} for one in said["held"]]
        return cls(
            fresh=[str(segment) for segment in said["fresh"]],
            held=[HeldSegment(**one) for one in held],  # type: ignore[arg-type]
            released=[ReleasedSegment(**one) for one in said["released"]],  # type: ignore[arg-type]
            redefined=[str(segment) for segment in said["redefined"]],
            extracts=[ExtractRows(**one) for one in said["extracts"]],  # type: ignore[arg-type]
            failed_checks=[FailedCheck(**one) for one in said["failed_checks"]],  # type: ignore[arg-type]
        )


def notes_of(
    release: duckdb.DuckDBPyConnection, warehouse: duckdb.DuckDBPyConnection, before: Path | None
) -> ReleaseNotes:
    """The notes of an opened release, held against the file of the release before it, if there is one."""
    day = release.execute("select max(as_of_date) from metrics.segment_counts_daily").fetchall()[0][0]
    states = release.execute(
        "select segment, state, held_since, held_because, released_by, definition_hash from catalog.segments order by segment"
    ).fetchall()
    hashes: dict[str, str] = {}
    if before is not None:
        with duckdb.connect(str(before), read_only=True) as earlier:
            hashes = dict(earlier.execute("select segment, definition_hash from catalog.segments").fetchall())
    extracts = warehouse.execute(
        "select source || '/' || table_name, rows, refused from quality.extracts where extract_date = $day order by all",
        {"day": day},
    ).fetchall()
    failed = release.execute(
        "select source || '/' || table_name, expectation, column_name, severity, observed from metrics.input_quality "
        "where extract_date = $day and not success order by severity, 1, 2, 3",
        {"day": day},
    ).fetchall()
    return ReleaseNotes(
        fresh=[segment for segment, state, *_ in states if state == "fresh"],
        held=[
            HeldSegment(segment, since, because) for segment, state, since, because, *_ in states if state != "fresh"
        ],
        released=[ReleasedSegment(segment, by) for segment, _, _, _, by, _ in states if by is not None],
        redefined=[segment for segment, *_, now in states if hashes.get(segment, now) != now],
        extracts=[ExtractRows(*row) for row in extracts],
        failed_checks=[FailedCheck(*row) for row in failed],
    )
