"""What the current release says of one segment, and which segments hang on a raw column; read from the release file, as
anybody could.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import duckdb

from expectations.contracts import EXTRACT_TABLES
from orchestration.errors import ConfigurationError, nearest
from orchestration.publish.releases import OPENED, Manifest, current_release
from orchestration.publish.status import SegmentStatus, read_segments
from orchestration.settings import Home

#: How many other segments a portrait shows.
TOP_OVERLAPS = 5


@dataclass(frozen=True)
class Overlap:
    """Another segment, the members in both, and jaccard, the share of both in either."""

    segment: str
    members_both: int
    jaccard: float | None


@dataclass(frozen=True)
class Portrait:
    """One segment in the current release; ``overlaps`` are the greatest, by members in both."""

    release: str
    as_of_date: date
    status: SegmentStatus
    description: str
    objective: str
    owner: str
    channel: str
    sql: str
    raw_columns: list[str]
    overlaps: list[Overlap]


@dataclass(frozen=True)
class Impact:
    """The segments of the current release whose members depend on each of some raw columns."""

    release: str
    as_of_date: date
    segments: dict[str, list[str]]


def read_portrait(home: Home, name: str) -> Portrait | None:
    """The portrait of a segment; None before the first release.

    Raises ConfigurationError, with the nearest name, where the release has no such segment.
    """
    manifest = current_release(home)
    if manifest is None:
        return None
    with _opened(home, manifest) as release:
        segments = {segment.segment: segment for segment in read_segments(release)}
        if name not in segments:
            raise ConfigurationError(
                f"There is no segment {name} in release {manifest.release}; {nearest(name, segments)}"
            )
        description, objective, owner, channel, sql, raw_columns = release.execute(
            "select description, objective, owner, channel, sql, raw_columns from catalog.segments where segment = $name",
            {"name": name},
        ).fetchall()[0]
        overlaps = release.execute(
            "select if(segment_a = $name, segment_b, segment_a) as other, members_both, jaccard from metrics.segment_overlap "
            "where $name in (segment_a, segment_b) and members_both > 0 order by members_both desc, other limit $top",
            {"name": name, "top": TOP_OVERLAPS},
        ).fetchall()
    return Portrait(
        release=manifest.release,
        as_of_date=manifest.as_of_date,
        status=segments[name],
        description=description,
        objective=objective,
        owner=owner,
        channel=channel,
        sql=sql,
        raw_columns=raw_columns,
        overlaps=[Overlap(*row) for row in overlaps],
    )


def read_impact(home: Home, asked: str) -> Impact | None:
    """The segments behind ``crm/customers.email_opt_in``, or behind each column of ``crm/customers``; None before the
    first release.

    Raises ConfigurationError, with the nearest name, where no extract table has such a column.
    """
    columns = _columns(asked)
    manifest = current_release(home)
    if manifest is None:
        return None
    with _opened(home, manifest) as release:
        hanging: dict[str, list[str]] = dict(
            release.execute(
                "select raw_column, list(segment order by segment) "
                "from (select unnest(raw_columns) as raw_column, segment from catalog.segments) group by raw_column"
            ).fetchall()
        )
    return Impact(manifest.release, manifest.as_of_date, {column: hanging.get(column, []) for column in columns})


def _columns(asked: str) -> list[str]:
    """The raw columns that a name of a column or of a table stands for."""
    known = {id_: [f"{id_}.{column}" for column in table.columns] for id_, table in EXTRACT_TABLES.items()}
    table, _, column = asked.partition(".")
    if table not in known:
        raise ConfigurationError(f"There is no extract table {table}; {nearest(table, known)}")
    if column and asked not in known[table]:
        raise ConfigurationError(f"The extract table {table} has no column {column}; {nearest(asked, known[table])}")
    return [asked] if column else known[table]


def _opened(home: Home, manifest: Manifest) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(home.releases / manifest.release / OPENED), read_only=True)
