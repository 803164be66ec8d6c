"""Times the night of every peer beside the script by hand, on the same made-up company, and checks that all have the same members.

``python -m benchmarks.peers --customers 200000 --lines 4000000 --segments 100``. Each night is a whole process; they take turns at
going first.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
from rich import box
from rich.console import Console
from rich.status import Status
from rich.table import Table

from benchmarks.company import PRODUCT_X, Size, make_company
from benchmarks.peers.rules import compiled, conditions
from benchmarks.pipeline import REPOSITORY, Pipeline
from benchmarks.processes import CommandFailed, Cost, measured

BY_HAND, PIPELINE = "hand_written", "this pipeline"
OUT_OF_MEMORY = ("MemoryError", "ended with -9", "Out of Memory", "out of memory", "memory allocation of")


@dataclass(frozen=True)
class Peer:
    """A tool: what it needs of the interpreter and of the machine, and patterns of the files that someone wrote for it."""

    name: str
    packages: tuple[str, ...]
    files: tuple[str, ...]
    programs: tuple[str, ...] = ()

    @property
    def lines(self) -> int:
        files = (file for pattern in self.files for file in REPOSITORY.glob(pattern))
        lines = [line.strip() for file in files for line in file.read_text().splitlines()]
        return sum(bool(line) and not line.startswith(("#", "--")) for line in lines)

    def is_missing(self, python: str) -> str | None:
        """Why it cannot run here, in a sentence."""
        for program in self.programs:
            if not shutil.which(program):
                return f"{self.name} is left out: there is no {program} on the PATH."
        for package in self.packages:
            if subprocess.run([python, "-c", f"import {package}"], capture_output=True).returncode:
                return f"{self.name} is left out: {python} has no {package}; install it there, or name another with --python {self.name}=…"
        if "postgres" in self.programs and os.geteuid() == 0 and "POSTGRES_USER" not in os.environ:
            return f"{self.name} is left out: root cannot run a server; say who does in POSTGRES_USER."
        return None


SQL, MASKS = "benchmarks/peers/sql/*.sql", "benchmarks/peers/masks.py"
PEERS = (
    Peer(BY_HAND, ("duckdb",), ("benchmarks/hand_written.py",)),
    Peer("sqlmesh", ("sqlmesh",), ("benchmarks/peers/with_sqlmesh.py", SQL)),
    Peer("dbt", ("dbt.adapters.duckdb",), ("benchmarks/peers/with_dbt.py", SQL)),
    Peer("pandas", ("pandas", "pyarrow", "sqlglot"), ("benchmarks/peers/with_pandas.py", MASKS)),
    Peer("polars", ("polars", "sqlglot"), ("benchmarks/peers/with_polars.py", MASKS)),
    Peer(
        "postgres",
        ("psycopg", "pyarrow", "sqlglot"),
        ("benchmarks/peers/with_postgres.py", SQL),
        ("initdb", "postgres"),
    ),
    Peer(PIPELINE, ("dagster",), ("orchestration/**/*.py", "expectations/**/*.py", "dbt_project/m*/**/*.sql")),
)


@dataclass
class Measured:
    """What the nights of a peer cost, and what went wrong."""

    costs: list[Cost] = field(default_factory=list)
    out_of_memory_on: date | None = None
    disagreements: list[str] = field(default_factory=list)


class Comparison:
    """One company in a folder and a state of its own for every peer."""

    def __init__(self, folder: Path, size: Size, segments: int, memory_limit: str, pythons: dict[str, str]) -> None:
        self.folder, self.memory_limit, self.pythons = folder.absolute(), memory_limit, pythons
        self.days = make_company(self.folder / "company", size, memory_limit)
        self.pipeline = Pipeline(self.folder, self.folder / "company", segments)
        self.segments, project = self.pipeline.segments, self.pipeline.product / "dbt_project"
        (self.folder / "compiled.json").write_text(json.dumps(compiled(project, PRODUCT_X)))
        (self.folder / "conditions.json").write_text(json.dumps(conditions(project, PRODUCT_X)))

    def run(self, peers: list[Peer], status: Status) -> dict[str, Measured]:
        """Every night of every peer, from the beginning."""
        results = {peer.name: Measured() for peer in peers}
        for peer in peers:
            shutil.rmtree(self.folder / peer.name, ignore_errors=True)
        self.pipeline.begin_anew()
        for n, day in enumerate(self.days):
            turn = n % len(peers)
            for peer in peers[turn:] + peers[:turn]:
                status.update(f"{day} {peer.name}")
                if not results[peer.name].out_of_memory_on:
                    self._measure(peer, day, results[peer.name])
            expected = self._figures(BY_HAND)
            for name, result in results.items():
                if not result.out_of_memory_on:
                    result.disagreements += differences(day, expected, self._figures(name))
        return results

    def _figures(self, peer: str) -> dict[str, tuple[Any, ...]]:
        return figures(self.pipeline.release) if peer == PIPELINE else figures_of_state(self.folder / peer)

    def _measure(self, peer: Peer, day: date, result: Measured) -> None:
        try:
            result.costs.append(self.pipeline.refresh(day) if peer.name == PIPELINE else self._cost(peer, day))
        except CommandFailed as failure:
            if peer.name == BY_HAND or not any(sign in str(failure) for sign in OUT_OF_MEMORY):
                raise
            result.out_of_memory_on = day

    def _cost(self, peer: Peer, day: date) -> Cost:
        is_by_hand = peer.name == BY_HAND
        module = "benchmarks.hand_written" if is_by_hand else f"benchmarks.peers.with_{peer.name}"
        rules = self.folder / ("compiled.json" if is_by_hand else "conditions.json")
        command = [self.pythons.get(peer.name, sys.executable), "-m", module]
        command += ["--extracts", str(self.folder / "company" / "extracts"), "--state", str(self.folder / peer.name)]
        command += ["--day", str(day), "--segments", str(rules), "--memory-limit", self.memory_limit]
        cost, _ = measured(command, REPOSITORY, self.folder / f"{peer.name}.log")
        return cost


def figures_of_state(state: Path) -> dict[str, tuple[Any, ...]]:
    """The figures of a peer that keeps its state, and its release, in this folder."""
    if (state / "release.duckdb").exists():
        return figures(state / "release.duckdb")
    members, counts = (next((state / "release").glob(f"{table}.*")) for table in ("members", "counts"))
    return figures(":memory:", f"'{members}'", f"'{counts}'")


def figures(
    database: Path | str,
    members: str = "metrics.segment_membership_history where exited_on is null",
    counts: str = "metrics.segment_counts_daily",
) -> dict[str, tuple[Any, ...]]:
    """Per segment: members in the release and a checksum over them and the day each entered, and the night's counts."""
    with duckdb.connect(str(database), read_only=database != ":memory:") as connection:
        rows = connection.execute(
            f"""
            select segment, members, entered, exited, base_customers, coalesce(in_release, 0), coalesce(checksum, 0)
            from (select * from {counts} where as_of_date = (select max(as_of_date) from {counts})) as counts
            left join (
                select segment, count(*) as in_release, sum(hash(customer_id, entered_on::date)::hugeint) as checksum
                from {members} group by segment
            ) using (segment)
            """
        ).fetchall()
    return {segment: tuple(numbers) for segment, *numbers in rows}


def differences(day: date, expected: dict[str, Any], found: dict[str, Any]) -> list[str]:
    """The segments that are not the same, in words."""
    differing = sorted(name for name in {*expected, *found} if expected.get(name) != found.get(name))
    return [f"{day} {name}: {found.get(name)}, by hand {expected.get(name)}" for name in differing]


def table(results: dict[str, Measured], days: list[date]) -> Table:
    """Nights are medians; processor time and memory are those of the first load and of a night."""
    drawn = Table(box=box.MARKDOWN)
    for column in ("peer", "first load", "ratio", "one more night", "ratio", "CPU", "peak memory", "lines of code"):
        drawn.add_column(column, justify="left" if column == "peer" else "right", no_wrap=True)
    yardstick = results[BY_HAND].costs
    for peer in PEERS:
        if peer.name not in results:
            continue
        result = results[peer.name]
        first, nights = result.costs[:1], result.costs[1:]
        failed = result.out_of_memory_on
        no_night = f"out of memory on {failed}" if failed and failed != days[0] else ""
        drawn.add_row(
            peer.name,
            f"{first[0].wall:.1f} s" if first else "out of memory",
            f"{first[0].wall / yardstick[0].wall:.1f}" if first else "",
            f"{_night(nights, 'wall'):.1f} s" if nights and not failed else no_night,
            f"{_night(nights, 'wall') / _night(yardstick[1:], 'wall'):.1f}" if nights and not failed else "",
            " / ".join(f"{seconds:.1f} s" for seconds in _of_both(first, nights, "processor")),
            " / ".join(f"{size / 1e9:.2f} GB" for size in _of_both(first, nights, "peak_memory")),
            str(peer.lines),
        )
    return drawn


def _night(nights: list[Cost], what: str) -> float:
    return statistics.median(getattr(night, what) for night in nights)


def _of_both(first: list[Cost], nights: list[Cost], what: str) -> list[float]:
    return [_night(costs, what) for costs in (first, nights) if costs]


def chosen(names: str | None, pythons: dict[str, str], console: Console) -> list[Peer]:
    """The peers that were asked for and can run; the yardstick is always among them."""
    wanted = {BY_HAND, *(names.split(",") if names else (peer.name for peer in PEERS))}
    if unknown := wanted - {peer.name for peer in PEERS}:
        raise SystemExit(
            f"No such peer: {', '.join(sorted(unknown))}. There are {', '.join(peer.name for peer in PEERS)}."
        )
    missing = {
        peer.name: peer.is_missing(pythons.get(peer.name, sys.executable)) for peer in PEERS if peer.name in wanted
    }
    for sentence in filter(None, missing.values()):
        console.print(sentence)
    return [peer for peer in PEERS if peer.name in wanted and not missing[peer.name]]


def main() -> None:
    """Exits with 1 where a peer disagrees about any segment."""
    given = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    given.add_argument("--customers", type=int, default=200_000)
    given.add_argument("--lines", type=int, default=4_000_000)
    given.add_argument("--segments", type=int, default=100)
    given.add_argument("--nights", type=int, default=2)
    given.add_argument("--memory-limit", default="4GB", help="DuckDB's, the same for all that use it")
    given.add_argument(
        "--only", metavar="NAME,…", help=f"these peers alone, of {', '.join(peer.name for peer in PEERS)}"
    )
    given.add_argument("--python", action="append", default=[], metavar="NAME=FILE", help="the interpreter of a peer")
    given.add_argument("--keep", type=Path, metavar="DIR", help="make everything here and keep it")
    said = given.parse_args()
    console = Console(width=200)
    pythons = dict(name_and_file.split("=", 1) for name_and_file in said.python)
    if PIPELINE in pythons:
        raise SystemExit(f"{PIPELINE} runs with the interpreter of this command.")
    peers = chosen(said.only, pythons, console)
    with contextlib.ExitStack() as stack:
        folder = said.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="nightly-segments-")))
        folder.mkdir(parents=True, exist_ok=True)
        if not said.keep:
            folder.chmod(0o755)  # PostgreSQL runs as somebody else
        size = Size(said.customers, said.lines, said.nights)
        with console.status("making the company") as status:
            comparison = Comparison(folder, size, said.segments, said.memory_limit, pythons)
            results = comparison.run(peers, status)
    console.print(f"{size.customers:,} customers, {size.lines:,} order lines, {comparison.segments} segments\n")
    console.print(table(results, comparison.days))
    disagreements = [(name, words) for name, result in results.items() for words in result.disagreements]
    for name, words in disagreements:
        console.print(f"{name} {words}")
    sys.exit(bool(disagreements))


if __name__ == "__main__":
    main()
