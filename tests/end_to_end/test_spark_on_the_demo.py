"""The demo's last sixty days on both engines: the same members, changes and counts, row for row."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from orchestration.demo import write_demo
from orchestration.settings import Home
from tests.builders import current_contents, refreshed
from tests.on_spark import needs_spark, on_spark

FIRST, LAST = date(2017, 11, 2), date(2017, 12, 31)


@needs_spark
def test_spark_and_duckdb_give_the_same_members_changes_and_counts(tmp_path: Path) -> None:
    releases = []
    for name in ("duckdb", "spark"):
        home = Home(tmp_path / name)
        write_demo(home.path)
        releases.append(refreshed(on_spark(home) if name == "spark" else home, FIRST, LAST).release)
        releases.append(current_contents(home))
    by_duckdb, by_spark = releases[1], releases[3]
    assert by_spark.keys() == by_duckdb.keys()
    for table, rows in by_duckdb.items():
        assert by_spark[table] == rows, table
    assert releases[2] == releases[0]
