"""What the current release says of each segment today; read from the release file, as anybody could."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from orchestration.publish.notes import ReleaseNotes
from orchestration.publish.releases import OPENED, current_release, open_release
from orchestration.settings import Home


@dataclass(frozen=True)
class SegmentStatus:
    """One segment on the release's day; ``entered`` and ``exited`` are None on its first day on record."""

    segment: str
    label: str
    members: int
    entered: int | None
    exited: int | None
    share_of_base: float
    state: str
    held_since: date | None
    held_because: str | None

    @property
    def state_in_words(self) -> str:
        return "fresh" if self.state == "fresh" else f"held since {self.held_since}: {self.held_because}"


@dataclass(frozen=True)
class Status:
    """The current release, and its segments by name."""

    release: str
    as_of_date: date
    first_as_of_date: date
    published_at: str
    file: Path
    base_customers: int
    segments: list[SegmentStatus]
    notes: ReleaseNotes | None


def read_status(home: Home) -> Status | None:
    """The status of the current release; None before the first."""
    manifest = current_release(home)
    if manifest is None:
        return None
    with open_release(home, manifest) as release:
        segments = read_segments(release)
        base = release.execute("select count(*) from customers.dim_customers").fetchall()[0][0]
    return Status(
        release=manifest.release,
        as_of_date=manifest.as_of_date,
        first_as_of_date=manifest.first_as_of_date,
        published_at=manifest.published_at,
        file=home.releases / "current" / OPENED,
        base_customers=base,
        segments=segments,
        notes=manifest.notes,
    )


def read_segments(release: duckdb.DuckDBPyConnection) -> list[SegmentStatus]:
    """Every segment of an opened release, by name."""
    rows = release.execute(
        "select s.segment, s.label, s.members, c.entered, c.exited, coalesce(c.share_of_base, 0), s.state, s.held_since, "
        "s.held_because from catalog.segments as s inner join metrics.segment_counts_daily as c using (segment, as_of_date) "
        "order by s.segment"
    ).fetchall()
    return [SegmentStatus(*row) for row in rows]
