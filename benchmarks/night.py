"""Times one night of the pipeline beside the same night written by hand, on the same made-up company, and checks that they agree.

``python -m benchmarks.night --customers 1000000 --lines 20000000 --segments 100``. Each night is a whole process; who goes
first alternates.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
from rich.console import Console
from rich.table import Table

from benchmarks.company import Size, make_company
from benchmarks.pipeline import REPOSITORY, Pipeline
from benchmarks.processes import Cost, measured


@dataclass(frozen=True)
class Night:
    """What one night cost both, where the pipeline's seconds went, and the segments on which the two disagree."""

    day: date
    pipeline: Cost
    by_hand: Cost
    steps: dict[str, float]
    models: dict[str, float]
    stages_by_hand: dict[str, float]
    members: int
    changes: int
    disagreements: list[str]

    @property
    def ratio(self) -> float:
        return self.pipeline.wall / self.by_hand.wall


class Benchmark:
    """One company in a folder, the product with its segments, and the two that refresh it night by night."""

    def __init__(self, folder: Path, size: Size, segments: int, memory_limit: str) -> None:
        self.folder, self.size, self.memory_limit = folder.absolute(), size, memory_limit
        self.company, self.state, self.rules = (self.folder / made for made in ("company", "by_hand", "rules.json"))
        self.days = make_company(self.company, size, memory_limit)
        self.pipeline = Pipeline(self.folder, self.company, segments)
        self.segments, self.home = self.pipeline.segments, self.pipeline.home
        shutil.rmtree(self.state, ignore_errors=True)

    def nights(self) -> Iterator[Night]:
        """The first load, then each night."""
        for n, day in enumerate(self.days):
            if n % 2:
                by_hand, pipeline = self._by_hand(day), self._pipeline(day)
            else:
                pipeline, by_hand = self._pipeline(day), self._by_hand(day)
            cost_by_hand, said = by_hand
            members, changes, disagreements = self._compare()
            yield Night(
                day=day,
                pipeline=pipeline,
                by_hand=cost_by_hand,
                steps=_seconds_of_steps(self.home),
                models=_seconds_of_models(self.home),
                stages_by_hand=json.loads(said),
                members=members,
                changes=changes,
                disagreements=disagreements,
            )

    def explained(self) -> tuple[str, int, Cost]:
        """The segment in which most moved last night, how many, and what explaining it costs, the command's start included."""
        with duckdb.connect(str(self.pipeline.release), read_only=True) as release:
            ((segment, moved),) = release.execute(
                "select segment, entered + exited from metrics.segment_counts_daily where as_of_date = $day order by 2 desc limit 1",
                {"day": self.days[-1]},
            ).fetchall()
        return segment, moved, self.pipeline.explain(segment)

    def _pipeline(self, day: date) -> Cost:
        cost = self.pipeline.refresh(day)
        # The script by hand has exactly the same rules.
        self.rules.write_text(json.dumps(self.pipeline.rules(), indent=1))
        return cost

    def _by_hand(self, day: date) -> tuple[Cost, str]:
        script = str(REPOSITORY / "benchmarks" / "hand_written.py")
        command = [sys.executable, script, "--extracts", str(self.company / "extracts"), "--state", str(self.state)]
        command += ["--day", str(day), "--segments", str(self.rules), "--memory-limit", self.memory_limit]
        return measured(command, self.folder, self.folder / "by_hand.log")

    def _compare(self) -> tuple[int, int, list[str]]:
        """All members, all entries and exits, and the segments whose members or counts are not the same in both releases."""
        releases = self.pipeline.release, self.state / "release.duckdb"
        ours, theirs = (_figures(release) for release in releases)
        differing = sorted(name for name in {*ours, *theirs} if ours.get(name) != theirs.get(name))
        members = sum(figures["members"] for figures in ours.values())
        changes = sum((figures["entered"] or 0) + (figures["exited"] or 0) for figures in ours.values())
        return members, changes, [f"{name}: {ours.get(name)} and by hand {theirs.get(name)}" for name in differing]


def _figures(release: Path) -> dict[str, dict[str, Any]]:
    """Per segment: members and a checksum over them and the day each entered, and last night's counts."""
    with duckdb.connect(str(release), read_only=True) as connection:
        rows = connection.execute(
            "select segment, members, entered, exited, base_customers from metrics.segment_counts_daily "
            "where as_of_date = (select max(as_of_date) from metrics.segment_counts_daily)"
        ).fetchall()
        figures = {}
        for segment, members, entered, exited, base in rows:
            count, checksum = connection.execute(
                f'select count(*), coalesce(sum(hash(customer_id, entered_on)::hugeint), 0) from segments."{segment}"'
            ).fetchall()[0]
            figures[segment] = {
                "members": members,
                "entered": entered,
                "exited": exited,
                "base": base,
                "in_table": count,
            }
            figures[segment]["checksum"] = f"{checksum:x}"
        return figures


def _seconds_of_steps(home: Path) -> dict[str, float]:
    """Seconds of each Dagster step of the last run, in order."""
    with dg.DagsterInstance.from_config(str(home / "dagster")) as instance:
        run = instance.get_runs(limit=1)[0]
        steps = instance.get_run_step_stats(run.run_id)
    timed = [step for step in steps if step.start_time and step.end_time]
    return {
        step.step_key: round((step.end_time or 0) - (step.start_time or 0), 2)
        for step in sorted(timed, key=lambda step: step.start_time or 0)
    }


def _seconds_of_models(home: Path) -> dict[str, float]:
    """Seconds of each dbt model of the last run, the slowest first."""
    with dg.DagsterInstance.from_config(str(home / "dagster")) as instance:
        records = instance.get_records_for_run(instance.get_runs(limit=1)[0].run_id, limit=10_000).records
    made = (record.asset_materialization for record in records)
    seconds = {
        one.asset_key.path[-1]: float(one.metadata["seconds"].value)  # type: ignore[arg-type]
        for one in made
        if one and "seconds" in one.metadata
    }
    return dict(sorted(seconds.items(), key=lambda model: -model[1]))


def _print(console: Console, nights: list[Night], size: Size, segments: int) -> None:
    table = Table(title=f"{size.customers:,} customers, {size.lines:,} order lines, {segments} segments")
    for column in (
        "",
        "pipeline",
        "by hand",
        "ratio",
        "CPU",
        "CPU by hand",
        "memory",
        "memory by hand",
        "members",
        "moved",
        "agree",
    ):
        table.add_column(column, justify="left" if not column else "right")
    for night in nights:
        table.add_row(
            f"{'first load' if night is nights[0] else 'night'} {night.day}",
            *(f"{night.pipeline.wall:.1f} s", f"{night.by_hand.wall:.1f} s", f"{night.ratio:.2f}"),
            *(f"{night.pipeline.processor:.1f} s", f"{night.by_hand.processor:.1f} s"),
            *(f"{night.pipeline.peak_memory / 1e9:.2f} GB", f"{night.by_hand.peak_memory / 1e9:.2f} GB"),
            *(f"{night.members:,}", f"{night.changes:,}", "no" if night.disagreements else "yes"),
        )
    console.print(table)
    last = nights[-1]
    stages = Table(title=f"Where the seconds of {last.day} went")
    for column in ("step of the pipeline", "s", "slowest models", "s", "stage by hand", "s"):
        stages.add_column(column, justify="right" if column == "s" else "left")
    outside = last.pipeline.wall - sum(last.steps.values())
    columns = [
        [*last.steps.items(), ("outside the steps", round(outside, 2))],
        [*list(last.models.items())[:12], ("others", round(sum(list(last.models.values())[12:]), 2))],
        list(last.stages_by_hand.items()),
    ]
    for row in range(max(map(len, columns))):
        cells = (column[row] if row < len(column) else ("", "") for column in columns)
        stages.add_row(*(str(cell) for pair in cells for cell in pair))
    console.print(stages)
    if len(nights) > 1:
        console.print(f"Ratio of the nights, median: {statistics.median(night.ratio for night in nights[1:]):.2f}")
    for night in nights:
        for disagreement in night.disagreements:
            console.print(f"[red]{night.day} {disagreement}")


def run(
    folder: Path, size: Size, segments: int, memory_limit: str = "4GB", console: Console | None = None
) -> list[Night]:
    """Makes the company in the folder unless it is there, runs every night on both sides, and prints the tables."""
    console = console or Console(width=160)
    with console.status("making the company"):
        benchmark = Benchmark(folder, size, segments, memory_limit)
    nights = []
    with console.status("first load") as status:
        for night in benchmark.nights():
            nights.append(night)
            status.update(f"after {night.day}")
    _print(console, nights, size, benchmark.segments)
    if len(nights) > 1:
        segment, moved, cost = benchmark.explained()
        console.print(f"Explaining {segment}, in which {moved:,} customers moved: {cost.wall:.1f} s")
    return nights


def main() -> None:
    """Exits with 1 where the two disagree about any segment."""
    given = argparse.ArgumentParser(prog="python -m benchmarks.night", description=__doc__)
    given.add_argument("--customers", type=int, default=1_000_000)
    given.add_argument("--lines", type=int, default=20_000_000)
    given.add_argument("--segments", type=int, default=100)
    given.add_argument("--nights", type=int, default=2)
    given.add_argument("--memory-limit", default="4GB", help="DuckDB's, the same for both")
    given.add_argument(
        "--keep",
        type=Path,
        metavar="DIR",
        help="make everything here and keep it; a company that is there is used again",
    )
    given.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    said = given.parse_args()
    size = Size(said.customers, said.lines, said.nights)
    with contextlib.ExitStack() as stack:
        folder = said.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="nightly-segments-")))
        folder.mkdir(parents=True, exist_ok=True)
        nights = run(folder, size, said.segments, said.memory_limit)
    if said.json:
        said.json.write_text(json.dumps([asdict(night) for night in nights], indent=2, default=str) + "\n")
    sys.exit(any(night.disagreements for night in nights))


if __name__ == "__main__":
    main()
