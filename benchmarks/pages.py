"""Times what each page of the web app asks of a release, beside the same release's customers read once from end to end, in one run.

``python -m benchmarks.pages HOME``: a home with a release; ``benchmarks.night --keep DIR`` leaves one of a million customers in ``DIR/pipeline``.
Each page is asked by itself, cold (first) and once more; what the app remembers of a release is not used.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table

from orchestration.publish.releases import open_for_reading
from orchestration.publish.report import report
from orchestration.read.campaigns import campaigns
from orchestration.read.change import condition_of, preview_change
from orchestration.read.customer import customer
from orchestration.read.drafts import read_draft
from orchestration.read.movement import movement, overlap, schemes
from orchestration.read.neighbours import passages, shared
from orchestration.read.opened import Release
from orchestration.read.outlook import outlook
from orchestration.read.people import people
from orchestration.read.personas import coverage, days_of_claim, persona_of, personas, personas_of, segments_of
from orchestration.read.portrait import words_of
from orchestration.read.quality import quality
from orchestration.read.reach import reach
from orchestration.read.series import daily_series, marks
from orchestration.read.tonight import read_tonight
from orchestration.read.trial import try_draft
from orchestration.read.waterfall import waterfall
from orchestration.settings import Home

#: What a page may take, in seconds; a draft may take two.
AIM, AIM_OF_A_DRAFT = 1.0, 2.0
TIMES = 5

DRAFT = "age between 30 and 50\n    and spend_last_365_days > 500\n    and is_contactable_by_email"

#: Every attribute of every customer, which nothing about all of them can do without.
YARDSTICK = "select {columns} from customers.dim_customers"

Ask = Callable[[Release], object]


@dataclass(frozen=True)
class Timed:
    """Seconds of a page: the first time, and the median of ``TIMES`` more."""

    page: str
    first: float
    again: float
    aim: float

    @property
    def holds(self) -> bool:
        return self.again <= self.aim


def pages(release: Release) -> dict[str, tuple[Ask, float]]:
    """What each page asks, by its name, with its aim; of the largest segment, and of the customer in the most segments."""
    ((largest,),) = release.rows("select segment from catalog.segments order by members desc, segment limit 1")
    ((somebody,),) = release.rows(
        "select customer_id from metrics.segment_membership_history where exited_on is null group by 1 order by count(*) desc, 1 limit 1"
    )
    rule = condition_of(release, largest)
    edited = read_draft(release, f"{rule}\n    and age > 40", {})
    asked: dict[str, tuple[Ask, float]] = {
        "Tonight": (read_tonight, AIM),
        "Segment": (lambda one: [ask(one, largest) for ask in OF_A_SEGMENT], AIM),
        "Movement": (_movement, AIM),
        "Personas": (_personas, AIM),
        "Campaigns": (campaigns, AIM),
        "Try a segment": (lambda one: try_draft(one, read_draft(one, DRAFT, {})), AIM_OF_A_DRAFT),
        "Change preview": (lambda one: preview_change(one, largest, edited), AIM_OF_A_DRAFT),
        "Customer": (lambda one: customer(one, somebody), AIM),
        "Quality": (quality, AIM),
        "the nightly page": (report, AIM),
    }
    return asked


OF_A_SEGMENT = (words_of, daily_series, marks, waterfall, people, shared, passages, outlook, reach, personas_of)


def _personas(release: Release) -> object:
    found = personas(release)
    told = [persona_of(release, one.persona) for one in found[:1]]
    days = [days_of_claim(release, one.listed.persona, claim.claim) for one in told for claim in one.claims[:1]]
    return coverage(release), told, days, [segments_of(release, one.persona) for one in found[:1]]


def _movement(release: Release) -> object:
    days = release.as_of_date - timedelta(1), release.as_of_date
    scheme = next(one for one in schemes(release) if one.first_day <= days[0])
    return movement(release, scheme.name, *days), overlap(release)


def timed(release: Release, page: str, ask: Ask, aim: float, times: int = TIMES) -> Timed:
    seconds = []
    for _ in range(1 + times):
        started = time.perf_counter()
        ask(release)
        seconds.append(time.perf_counter() - started)
    return Timed(page, seconds[0], statistics.median(seconds[1:]), aim)


def yardstick(release: Release) -> Ask:
    columns = release.rows(
        "select column_name from duckdb_columns() where schema_name = 'customers' and table_name = 'dim_customers' and database_name = current_database()"
    )
    query = YARDSTICK.format(columns=", ".join(f"max({name}::varchar)" for (name,) in columns))
    return lambda one: one.rows(query)


def main() -> None:
    """Exits with 1 where a page takes longer than it may."""
    given = argparse.ArgumentParser(prog="python -m benchmarks.pages", description=__doc__)
    given.add_argument("home", type=Path)
    release = open_for_reading(Home(given.parse_args().home))
    if release is None:
        sys.exit(
            "There is no release in this home: make one with `segments refresh`, or `python -m benchmarks.night --keep DIR`."
        )
    ((customers, segments),) = release.rows(
        "select (select count(*) from customers.dim_customers), (select count(*) from catalog.segments)"
    )
    beside = timed(release, "every attribute of everybody, once", yardstick(release), float("inf"))
    found = [timed(release, page, ask, aim) for page, (ask, aim) in pages(release).items()]
    table = Table(title=f"What each page asks: {customers:,} customers, {segments:,} segments")
    for column in ("page", "first", "again", "of the yardstick", "aim"):
        table.add_column(column, justify="left" if column == "page" else "right")
    for one in (beside, *found):
        aim = "" if one is beside else f"{one.aim:.0f} s{'' if one.holds else ': missed'}"
        table.add_row(one.page, f"{one.first:.2f} s", f"{one.again:.2f} s", f"{one.again / beside.again:.2f}", aim)
    Console(width=120).print(table)
    release.close()
    sys.exit(not all(one.holds for one in found))


if __name__ == "__main__":
    main()
