"""Runs the drill: the clean nights, the same night without a fault, and that night again with each of the faults."""

from __future__ import annotations

import difflib
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb

from expectations.contracts import EXTRACT_TABLES
from orchestration.days import ONE_DAY, Days
from orchestration.drill.faults import FAULTS, Fault
from orchestration.drill.nights import Night, Rehearsal
from orchestration.drill.outcomes import Outcome, Summary, judge, summarise
from orchestration.drill.planting import Tonight
from orchestration.errors import ConfigurationError, ExtractMissing, SegmentsError
from orchestration.ingest.archive import archived_days
from orchestration.ingest.extracts import find_extracts
from orchestration.publish.releases import OPENED
from orchestration.settings import Home

#: Days of extracts that there must be before the night, so that the past can say what is usual.
DAYS_OF_HISTORY = 8
#: Days on record before the night, where the home has them and no more clean nights are asked for.
DAYS_ON_RECORD = 35

#: Told of each night as it begins: nights done, nights in all, and what comes.
Progress = Callable[[int, int, str], None]


class DrillFailed(SegmentsError):
    """A night without a fault did not end well, so that there is nothing to hold the others against."""


@dataclass(frozen=True)
class Control:
    """A night in which nothing is wrong; whatever is held is held falsely."""

    what: str
    held: list[str]
    said: list[str]


@dataclass(frozen=True)
class FalseHold:
    """Segments that were held in a clean night, and what was said of it."""

    as_of_date: date
    held: list[str]
    said: list[str]


@dataclass(frozen=True)
class CleanNights:
    """The nights before, as the home has them, and those of them in which any segment was held."""

    nights: int
    segment_nights: int
    segment_nights_held: int
    false_holds: list[FalseHold]


@dataclass(frozen=True)
class Drill:
    """All that was drilled on one night of a home."""

    as_of_date: date
    summary: Summary
    faults: list[Outcome]
    controls: list[Control]
    clean: CleanNights


def drill(
    home: Home,
    *,
    as_of: date | None = None,
    nights: int = 0,
    only: Sequence[str] = (),
    progress: Progress = lambda done, total, what: None,
) -> Drill:
    """Drills the faults on one night of a copy of the home, by default the newest that there is.

    Raises ConfigurationError where there is no such fault or no such night, ExtractMissing where the home has too little
    history, and DrillFailed where a night without a fault is not published.
    """
    faults = _faults(only)
    day = night_of(home, as_of)
    record = Days(day - timedelta(days=max(nights, DAYS_ON_RECORD)), day - ONE_DAY)
    with_whole_base = any(fault.everybody for fault in faults)
    total = len(faults) + 2 + with_whole_base
    with tempfile.TemporaryDirectory(prefix="segments-drill-") as folder:
        rehearsal, tonight = Rehearsal(Path(folder)), Tonight(home, day)
        progress(0, total, f"the nights before {day}")
        rehearsal.copy_facts(home, before=day)
        _demand_published(rehearsal.refresh(_on_record(home, record)), "the nights before")
        rehearsal.set_aside()
        clean = read_clean_nights(rehearsal.home, nights)

        progress(1, total, "the night as it is")
        tonight.drop(rehearsal.home)
        as_it_is = _demand_published(rehearsal.refresh(Days(day, day)), "the night as it is")
        controls = [_control("the night as it is", as_it_is)]
        whole_base = as_it_is
        if with_whole_base:
            progress(2, total, "the night with every customer")
            rehearsal.restore()
            tonight.drop_whole_base(rehearsal.home)
            whole_base = _demand_published(rehearsal.refresh(Days(day, day)), "the night with every customer")
            controls.append(_control("the CRM sends everybody, and nothing is wrong", whole_base))

        outcomes = []
        for done, fault in enumerate(faults, start=2 + with_whole_base):
            progress(done, total, fault.name)
            rehearsal.restore()
            tonight.plant(rehearsal.home, fault)
            night = rehearsal.refresh(Days(day, day))
            outcomes.append(judge(fault, night, whole_base if fault.everybody else as_it_is))
        progress(total, total, "done")
    return Drill(day, summarise(outcomes), outcomes, controls, clean)


def night_of(home: Home, as_of: date | None) -> date:
    """The day to drill: the one asked for, or the newest whose required extracts, and those of the day before, are there.

    Raises ExtractMissing where they are not, or where fewer than eight days with extracts come before it.
    """
    required = [table for table in EXTRACT_TABLES.values() if table.required]
    files = set.intersection(*(set(find_extracts(home.extracts, table)) for table in required))
    known = files | set.intersection(*(archived_days(home.archive, table) for table in required))
    possible = {day for day in files if day - ONE_DAY in files and as_of in (None, day)}
    if not possible:
        which = f"{as_of} and the day before" if as_of else "any two days in a row"
        raise ExtractMissing(
            f"There is no night to drill: {home.extracts} has not the extracts of {which} "
            f"of both {' and '.join(table.id for table in required)}. The demo's are written by `segments demo`."
        )
    day = max(possible)
    before = sum(one < day for one in known)
    if before < DAYS_OF_HISTORY:
        raise ExtractMissing(
            f"The home has extracts of {before} days before {day}, and {DAYS_OF_HISTORY} are needed to know what is usual. "
            "Drill a later night with --as-of, or wait until there are more."
        )
    return day


def read_clean_nights(home: Home, nights: int) -> CleanNights:
    """What was held in the last nights on record of a home."""
    if not nights:
        return CleanNights(0, 0, 0, [])
    with duckdb.connect(str(home.releases / "current" / OPENED), read_only=True) as release:
        release.execute(
            "create temp table counted as from metrics.segment_counts_daily where as_of_date > "
            "(select max(as_of_date) - $nights::integer from metrics.segment_counts_daily)",
            {"nights": nights},
        )
        counted, rows, held = release.execute(
            "select count(distinct as_of_date), count(*), count(*) filter (state = 'held') from counted"
        ).fetchall()[0]
        holds = release.execute(
            "select as_of_date, list(segment order by segment), list(distinct held_because order by held_because) "
            "from counted where state = 'held' group by as_of_date order by as_of_date"
        ).fetchall()
    return CleanNights(counted, rows, held, [FalseHold(*hold) for hold in holds])


def _faults(only: Sequence[str]) -> list[Fault]:
    for name in only:
        if name not in FAULTS:
            near = difflib.get_close_matches(name, FAULTS, n=1, cutoff=0.4)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(FAULTS)}."
            raise ConfigurationError(f"There is no fault {name}; {hint}")
    return [fault for name, fault in FAULTS.items() if not only or name in only]


def _on_record(home: Home, wished: Days) -> Days:
    """The days wished for, less those before the first extract of every required table."""
    firsts = (
        min({*find_extracts(home.extracts, table), *archived_days(home.archive, table)})
        for table in EXTRACT_TABLES.values()
        if table.required
    )
    return Days(max(wished.first, *firsts), wished.last)


def _demand_published(night: Night, what: str) -> Night:
    if not night.is_published:
        raise DrillFailed(f"The drill cannot begin, for {what} could not be refreshed without any fault: {night.said}")
    return night


def _control(what: str, night: Night) -> Control:
    reasons = {night.segments[name].held_because for name in night.held}
    return Control(what, sorted(night.held), sorted(reason for reason in reasons if reason))
