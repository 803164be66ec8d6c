"""Three campaigns of which we know the truth, on the demo's customers: an A/A, one that works, and one that is too small to tell.

``python -m orchestration.drill.campaign_demo`` plays November 2017 in a copy of the home, which is made if need be, and leaves the copy beside it to be
looked at: their launch, their nights, ``segments campaign show``. The retailer's own campaigns, which held nobody out, are in the home itself.
"""

from __future__ import annotations

import shutil
import sys
from datetime import date
from pathlib import Path

from rich.console import Console

from orchestration.days import Days
from orchestration.drill.campaigns import FILES, Planned, planned_campaign, rows_of, simulate
from orchestration.drill.faults import CUSTOMERS
from orchestration.drill.planting import Tonight
from orchestration.errors import ConfigurationError, SegmentsError
from orchestration.settings import Home, load_settings, locate_home
from orchestration.terminal import listing

#: The campaigns are measured to their end.
DAYS = Days(date(2017, 11, 1), date(2017, 11, 28))


def campaigns_of_the_demo(currency: str) -> list[Planned]:
    """Half of each audience is held out; where nothing is planted, nothing is to be found."""
    said = [
        ("aa", "Nothing is sent to anybody (A/A)", "active", "email", 0.0),
        ("works", "Something that works", "frequent_buyers", "post", 0.2),
        ("too_small", "Something that works, for a few", "men_18_25", "email", 0.2),
    ]
    return [
        Planned(planned_campaign(campaign_id, name, segment, channel, DAYS.first, len(DAYS), 0.5, currency), effect)
        for campaign_id, name, segment, channel, effect in said
    ]


def copy_of(home: Home) -> Path:
    """The folder beside the home in which the campaigns are played."""
    return home.path.with_name(f"{home.path.name}-campaigns")


def main() -> int:
    from orchestration.demo import DemoSourceMissing, write_demo

    notes = Console(stderr=True, highlight=False)
    answers = Console(highlight=False, width=None if sys.stdout.isatty() else 200)
    home = locate_home()
    folder = copy_of(home)
    try:
        if Tonight(home, DAYS.last).extract(CUSTOMERS) is None:
            notes.print(f"Writing the demo's extracts into {home.path}")
            write_demo(home.path)
        if folder.exists() and not (folder / "home" / FILES).exists():
            raise ConfigurationError(f"{folder} is none of ours: move it away, for the campaigns are played there.")
        shutil.rmtree(folder, ignore_errors=True)
        planned = campaigns_of_the_demo(load_settings(home).currency)
        simulations = simulate(home, folder, planned, DAYS, lambda said: notes.print(said))
    except (SegmentsError, DemoSourceMissing) as problem:
        notes.print(str(problem), style="red", markup=False, soft_wrap=True)
        return 1
    answers.print(listing("Net spend per customer who was contacted", rows_of(simulations)))
    for one in simulations:
        answers.print(f"{one.campaign_id}: {one.message}", markup=False)
    answers.print(f"Look further: segments campaign show works --home {folder / 'home'}", markup=False)
    return 0 if all(one.is_covered for one in simulations) else 1


if __name__ == "__main__":
    sys.exit(main())
