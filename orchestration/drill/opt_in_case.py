"""The case for which the gate exists, played on a copy of the demo: an opt-in column goes missing overnight.

The CRM exports everybody, and email_opt_in is empty in 93 % of the rows. A day later the corrected extract arrives.
``python -m orchestration.drill.opt_in_case`` plays it on the home, which is made if need be, and tells it.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from orchestration.days import ONE_DAY, Days
from orchestration.drill.faults import CUSTOMERS, Fault
from orchestration.drill.nights import Night, Rehearsal
from orchestration.drill.planting import Tonight
from orchestration.errors import SegmentsError
from orchestration.settings import Home, locate_home

FIRST_NIGHT, BAD_NIGHT = date(2017, 10, 1), date(2017, 11, 14)
NEXT_NIGHT = BAD_NIGHT + ONE_DAY
COLUMN = "crm/customers.email_opt_in"

OPT_IN_GOES_MISSING = Fault(
    "opt_in_goes_missing",
    "The CRM exports everybody, with email_opt_in empty in 93 % of the rows.",
    CUSTOMERS,
    ("email_opt_in",),
    "select * replace (if(row_number() over (order by md5(customer_id)) <= 0.93 * count(*) over (), null, email_opt_in) "
    "as email_opt_in) from extract order by customer_id",
    everybody=True,
)


@dataclass(frozen=True)
class OptInCase:
    """The three nights of the case: before it, with the column missing, and with the corrected extract beside the next."""

    before: Night
    bad: Night
    corrected: Night


def play(home: Home, folder: Path, progress: Callable[[str], None] = lambda night: None) -> OptInCase:
    """Plays the case in a folder, on a copy of a home that has the demo's extracts."""
    rehearsal = Rehearsal(folder)
    progress(f"refreshing {Days(FIRST_NIGHT, BAD_NIGHT - ONE_DAY)}")
    rehearsal.copy_facts(home, before=BAD_NIGHT)
    before = rehearsal.refresh(Days(FIRST_NIGHT, BAD_NIGHT - ONE_DAY))

    progress(f"refreshing {BAD_NIGHT}, with email_opt_in empty in 93 % of the rows")
    Tonight(home, BAD_NIGHT).plant(rehearsal.home, OPT_IN_GOES_MISSING)
    bad = rehearsal.refresh(Days(BAD_NIGHT, BAD_NIGHT))

    progress(f"refreshing {NEXT_NIGHT}, with the corrected extract of {BAD_NIGHT}")
    deliver_without_fault(rehearsal.home, home)
    corrected = rehearsal.refresh(Days(NEXT_NIGHT, NEXT_NIGHT))
    return OptInCase(before, bad, corrected)


def deliver_without_fault(copy: Home, home: Home) -> None:
    """Drops the export of everybody as it should have been, and the extracts of the next day."""
    Tonight(home, BAD_NIGHT).drop_whole_base(copy)
    Tonight(home, NEXT_NIGHT).drop(copy)


def tell(case: OptInCase, console: Console) -> bool:
    """Prints the case, and gives whether it went as it must."""
    depends = {name for name, segment in case.bad.segments.items() if COLUMN in segment.raw_columns}
    shown = Table(title=f"{BAD_NIGHT}: {OPT_IN_GOES_MISSING.sentence}", title_justify="left", box=box.SIMPLE_HEAD)
    for column in ("segment", "depends on it", "members before", "that night", "a day later"):
        shown.add_column(column, justify="left" if column in ("segment", "depends on it") else "right", no_wrap=True)
    for name in sorted(case.bad.segments, key=lambda one: (one not in depends, one)):
        nights = (night.segments.get(name) for night in (case.before, case.bad, case.corrected))
        cells = [f"{one.members:,}{' held' if one.state == 'held' else ''}" if one else "-" for one in nights]
        shown.add_row(name, "yes" if name in depends else "", *cells)
    console.print(shown)
    for night in (case.bad, case.corrected):
        console.print(f"{night.day}: exit code {night.exit_code}, {len(night.held)} segments held")
        if not night.is_published:
            console.print(f"  {night.said}", markup=False)
        for because in dict.fromkeys(night.segments[name].held_because for name in sorted(night.held)):
            console.print(f"  {because}", markup=False)
    went_well = case.bad.exit_code == 3 and case.bad.held == depends and case.corrected.exit_code == 0
    console.print(
        "Exactly the segments that depend on the column were held, and the corrected extract healed them."
        if went_well
        else "This is not what should have happened: exactly the segments that depend on the column should have been "
        "held that night, and none a day later."
    )
    return went_well


def main() -> int:
    from orchestration.demo import DemoSourceMissing, write_demo

    notes = Console(stderr=True, highlight=False)
    answers = Console(highlight=False, width=None if sys.stdout.isatty() else 200)
    home = locate_home()
    try:
        if Tonight(home, NEXT_NIGHT).extract(CUSTOMERS) is None:
            notes.print(f"Writing the demo's extracts into {home.path}")
            write_demo(home.path)
        with tempfile.TemporaryDirectory(prefix="segments-opt-in-case-") as folder:
            case = play(home, Path(folder), lambda night: notes.print(night))
    except (SegmentsError, DemoSourceMissing) as problem:
        notes.print(str(problem), style="red", markup=False, soft_wrap=True)
        return 1
    return 0 if tell(case, answers) else 1


if __name__ == "__main__":
    sys.exit(main())
