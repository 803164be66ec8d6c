"""Times what a new segment's past costs: a company with a year on record is given each segment alone, beside the refresh of all segments over the year.

``python -m benchmarks.new_segment --customers 200000 --lines 4000000 --days 365``. Each is a whole process.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.company import Size, make_company
from benchmarks.pipeline import REPOSITORY, Pipeline
from benchmarks.processes import Cost

#: Of each kind one: of attributes, of a window of purchases, of ranks.
SEGMENTS = ("men_18_25", "bought_product_x_3m_over_500", "new_top_spenders")

LISTED = Path("dbt_project/models/metrics/segment_membership.sql")


@dataclass(frozen=True)
class Past:
    """What the year of all segments cost, and that of each new one alone."""

    of_all: Cost
    of_one: dict[str, Cost]


def run(
    folder: Path,
    size: Size,
    names: tuple[str, ...] = SEGMENTS,
    memory_limit: str = "6GB",
    console: Console | None = None,
) -> Past:
    """Makes the company in the folder, refreshes all its days without the segments, gives each its past, and prints the table."""
    company = folder / "company"
    days = make_company(company, size, memory_limit)
    pipeline = Pipeline(folder, company)
    for name in names:
        _take_out(pipeline.product, name)
    of_all = pipeline.refresh(days[0], days[-1])
    of_one = {}
    for name in names:
        _put_in(pipeline.product, name)
        of_one[name] = pipeline.give_past(name)
    past = Past(of_all, of_one)
    _print(console or Console(width=120), past, size)
    return past


def _take_out(product: Path, name: str) -> None:
    listed = product / LISTED
    listed.write_text(re.sub(rf"    '{name}',?\n", "", listed.read_text()))
    for file in _files(name):
        (product / file).unlink()


def _put_in(product: Path, name: str) -> None:
    listed = product / LISTED
    listed.write_text(re.sub(r"(segments = \[\n)", rf"\1    '{name}',\n", listed.read_text()))
    for file in _files(name):
        shutil.copy(REPOSITORY / file, product / file)


def _files(name: str) -> list[Path]:
    return [Path("dbt_project/models/segments") / f"{name}{suffix}" for suffix in (".sql", ".yml")]


def _print(console: Console, past: Past, size: Size) -> None:
    table = Table(title=f"{size.customers:,} customers, {size.lines:,} order lines, {len(size.days)} days")
    for column in ("", "seconds", "of all", "processor", "peak memory"):
        table.add_column(column, justify="left" if not column else "right")
    for name, cost in {"all segments but these": past.of_all, **past.of_one}.items():
        share = f"{cost.wall / past.of_all.wall:.2f}"
        memory = f"{cost.peak_memory / 1e9:.2f} GB"
        table.add_row(name, f"{cost.wall:.0f} s", share, f"{cost.processor:.0f} s", memory)
    console.print(table)


def main() -> None:
    """Prints the table of what each costs."""
    given = argparse.ArgumentParser(prog="python -m benchmarks.new_segment", description=__doc__)
    given.add_argument("--customers", type=int, default=200_000)
    given.add_argument("--lines", type=int, default=4_000_000)
    given.add_argument("--days", type=int, default=365)
    given.add_argument("--segments", nargs="+", default=SEGMENTS, metavar="NAME")
    given.add_argument("--memory-limit", default="6GB", help="DuckDB's")
    given.add_argument("--keep", type=Path, metavar="DIR", help="make everything here and keep it")
    said = given.parse_args()
    with contextlib.ExitStack() as stack:
        folder = said.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="nightly-segments-")))
        folder.mkdir(parents=True, exist_ok=True)
        size = Size(said.customers, said.lines, said.days - 1)
        run(folder, size, tuple(said.segments), said.memory_limit)


if __name__ == "__main__":
    main()
