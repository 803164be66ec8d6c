"""The benchmark of growth at toy size: each company is larger in one thing alone, and has its nights."""

from __future__ import annotations

import io
from pathlib import Path

import duckdb
from rich.console import Console

from benchmarks.growth import Company, larger, run

BASE = Company(customers=300, lines=3_000, segments=33, days=2)


def test_each_company_is_larger_in_one_thing() -> None:
    assert list(larger(BASE, 4, 10))[1:] == [
        Company(1_200, 3_000, 33, 2),
        Company(300, 12_000, 33, 2),
        Company(300, 3_000, 132, 2),
        Company(300, 3_000, 33, 20),
    ]


def test_two_nights_follow_the_days_on_record(tmp_path: Path) -> None:
    printed = io.StringIO()
    (growth,) = run(tmp_path, [BASE], "1GB", Console(file=printed, width=160))
    assert [night.processor > 0 for night in growth.nights] == [True, True]
    assert " 1.00 |" in printed.getvalue()
    release = tmp_path / "0" / "pipeline" / "releases" / "current" / "segments.duckdb"
    with duckdb.connect(str(release), read_only=True) as opened:
        counted = opened.execute("select segment, count(*) from metrics.segment_counts_daily group by 1").fetchall()
    assert {days for _, days in counted} == {4}
    assert len(counted) == BASE.segments
