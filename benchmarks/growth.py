"""Times one more night of companies of which one thing is larger than of another: customers, order lines, segments, days on record.

``python -m benchmarks.growth --customers 100000 --lines 2000000 --segments 50 --days 10``. Each night is a whole process, all in one run; the
ratios are to the company that is given.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.company import Size, make_company
from benchmarks.pipeline import Pipeline
from benchmarks.processes import Cost

#: Nights after the days on record.
NIGHTS = 2


@dataclass(frozen=True)
class Company:
    """What a night's cost may hang on; ``days`` are those on record before it."""

    customers: int
    lines: int
    segments: int
    days: int


@dataclass(frozen=True)
class Growth:
    """What one more night of a company costs: medians of two, and the first load of its days."""

    company: Company
    first: Cost
    nights: list[Cost]

    def of_a_night(self, what: str) -> float:
        return statistics.median(getattr(night, what) for night in self.nights)


def larger(base: Company, times: int, days_times: int) -> Iterator[Company]:
    """The company, and each that is so many times as large in one thing."""
    yield base
    for thing in ("customers", "lines", "segments"):
        yield replace(base, **{thing: times * getattr(base, thing)})
    yield replace(base, days=days_times * base.days)


def run(folder: Path, companies: Iterable[Company], memory_limit: str, console: Console) -> list[Growth]:
    """Makes every company in a folder of its own, refreshes all its days at once and then night by night, and prints the table.

    Ratios are to the first of them.
    """
    found = []
    with console.status("") as status:
        for number, company in enumerate(companies):
            status.update(str(company))
            place = folder / str(number)
            size = Size(company.customers, company.lines, company.days + NIGHTS - 1)
            days = make_company(place / "company", size, memory_limit)
            pipeline = Pipeline(place, place / "company", company.segments)
            first = pipeline.refresh(days[0], days[company.days - 1])
            nights = [pipeline.refresh(day) for day in days[company.days :]]
            found.append(Growth(replace(company, segments=pipeline.segments), first, nights))
    console.print(table(found))
    return found


def table(found: list[Growth]) -> Table:
    drawn = Table(box=box.MARKDOWN)
    for column in (
        "customers",
        "lines",
        "segments",
        "days",
        "a night",
        "ratio",
        "CPU",
        "ratio",
        "peak memory",
        "first load",
    ):
        drawn.add_column(column, justify="right", no_wrap=True)
    base = found[0]
    for growth in found:
        company = growth.company
        wall, processor = growth.of_a_night("wall"), growth.of_a_night("processor")
        drawn.add_row(
            *(f"{number:,}" for number in (company.customers, company.lines, company.segments, company.days)),
            *(f"{wall:.1f} s", f"{wall / base.of_a_night('wall'):.2f}"),
            *(f"{processor:.1f} s", f"{processor / base.of_a_night('processor'):.2f}"),
            *(f"{growth.of_a_night('peak_memory') / 1e9:.2f} GB", f"{growth.first.wall:.0f} s"),
        )
    return drawn


def main() -> None:
    """Prints the table."""
    given = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    given.add_argument("--customers", type=int, default=100_000)
    given.add_argument("--lines", type=int, default=2_000_000)
    given.add_argument("--segments", type=int, default=50)
    given.add_argument("--days", type=int, default=10, help="on record before the night")
    given.add_argument("--times", type=int, default=4, help="how many times as many customers, lines and segments")
    given.add_argument("--days-times", type=int, default=10, help="how many times as many days")
    given.add_argument("--memory-limit", default="4GB", help="DuckDB's")
    given.add_argument("--keep", type=Path, metavar="DIR", help="make everything here and keep it")
    said = given.parse_args()
    with contextlib.ExitStack() as stack:
        folder = said.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="nightly-segments-")))
        base = Company(said.customers, said.lines, said.segments, said.days)
        run(folder, larger(base, said.times, said.days_times), said.memory_limit, Console(width=160))


if __name__ == "__main__":
    main()
