"""A release without a night: a file with just what a test reads, and its manifest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import duckdb

from orchestration.publish.releases import FILE, OPENED, Manifest
from orchestration.settings import Home


@contextmanager
def release_by_hand(
    home: Home, name: str, day: date, first_day: date | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A release of the day with whatever is written into it, which becomes the current one."""
    folder = home.releases / name
    folder.mkdir(parents=True)
    with duckdb.connect(str(folder / FILE)) as release:
        yield release
    (folder / OPENED).symlink_to(FILE)
    published_at = datetime(day.year, day.month, day.day, 7, 5, tzinfo=UTC) + timedelta(1)
    sha256 = hashlib.sha256((folder / FILE).read_bytes()).hexdigest()
    Manifest(name, day, first_day or day, published_at.isoformat(), "duckdb", sha256, {}).write(folder)
    (home.releases / "current").unlink(missing_ok=True)
    (home.releases / "current").symlink_to(name)
