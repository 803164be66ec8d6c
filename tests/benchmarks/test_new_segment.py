"""The benchmark of a new segment's past at toy size: the segment was not there, and has all its days afterwards."""

from __future__ import annotations

import io
from pathlib import Path

import duckdb
from rich.console import Console

from benchmarks.company import Size
from benchmarks.new_segment import run


def test_a_segment_that_was_not_there_is_given_all_its_days(tmp_path: Path) -> None:
    printed = io.StringIO()
    past = run(tmp_path, Size(500, 10_000, nights=2), ("men_18_25",), "1GB", Console(file=printed, width=120))
    assert past.of_one["men_18_25"].processor > 0
    assert "men_18_25" in printed.getvalue()
    assert "evaluating 2026-06-30 to 2026-07-02" in (tmp_path / "pipeline.log").read_text()
    with duckdb.connect(
        str(tmp_path / "pipeline" / "releases" / "current" / "segments.duckdb"), read_only=True
    ) as release:
        days = "select count(*) from metrics.segment_counts_daily where segment = 'men_18_25' and members > 0"
        assert release.execute(days).fetchall() == [(3,)]
