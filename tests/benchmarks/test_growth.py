"""The benchmark of growth: each company is larger in one thing alone, and what its night costs is told beside the first one's."""

from __future__ import annotations

import io
from pathlib import Path

import duckdb
from rich.console import Console

from benchmarks.growth import Company, Growth, larger, run, table
from benchmarks.processes import Cost

BASE = Company(customers=300, lines=3_000, segments=33, days=2)


def test_each_company_is_larger_in_one_thing() -> None:
    assert list(larger(BASE, 4, 10))[1:] == [
        Company(1_200, 3_000, 33, 2),
        Company(300, 12_000, 33, 2),
        Company(300, 3_000, 132, 2),
        Company(300, 3_000, 33, 20),
    ]


def test_ratios_are_to_the_first_company_and_medians_of_its_nights() -> None:
    def grown(company: Company, *walls: float) -> Growth:
        return Growth(company, Cost(9, 9, 9), [Cost(wall, 2 * wall, 10**9) for wall in walls])

    printed = io.StringIO()
    found = [grown(BASE, 10, 14), grown(Company(1_200, 3_000, 33, 2), 30, 18)]
    Console(file=printed, width=160).print(table(found))
    first, larger_one = [line.split("|") for line in printed.getvalue().splitlines() if line.strip()][-2:]
    assert [cell.strip() for cell in first[5:9]] == ["12.0 s", "1.00", "24.0 s", "1.00"]
    assert [cell.strip() for cell in larger_one[5:9]] == ["24.0 s", "2.00", "48.0 s", "2.00"]


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
