"""The demo's last sixty days on both engines: the same members, changes and counts, row for row."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

from orchestration.demo import write_demo
from orchestration.settings import Home
from tests.builders import current_contents, refreshed
from tests.on_spark import needs_spark, on_spark

FIRST, LAST = date(2017, 11, 2), date(2017, 12, 31)


@needs_spark
def test_spark_and_duckdb_give_the_same_members_changes_and_counts(tmp_path: Path) -> None:
    by_duckdb, by_spark = Home(tmp_path / "duckdb"), Home(tmp_path / "spark")
    write_demo(by_duckdb.path)
    shutil.copytree(by_duckdb.path, by_spark.path)
    release = refreshed(by_duckdb, FIRST, LAST).release
    assert refreshed(on_spark(by_spark), FIRST, LAST).release == release
    expected, found = current_contents(by_duckdb), current_contents(by_spark)
    assert found.keys() == expected.keys()
    assert [table for table, rows in expected.items() if found[table] != rows] == []
