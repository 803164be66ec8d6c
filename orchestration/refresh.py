"""Runs the Dagster job for a range of days in this process; what the command line, the tests and the benchmarks call."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from orchestration.days import Days
from orchestration.disk import is_full
from orchestration.errors import ConfigurationError, ExtractMissing, disk_full, in_a_sentence, nearest
from orchestration.facts import plain_reason
from orchestration.instance import first_and_newest_day, open_instance
from orchestration.known_days import read_known_days
from orchestration.partitions import range_tags, selection_tags
from orchestration.progress import QUIET
from orchestration.publish.releases import Manifest, current_release, days_on_record
from orchestration.selection import Selection
from orchestration.settings import Home, Settings
from orchestration.warehouse import Warehouse, only_one_refresh


def refresh(home: Home, settings: Settings, days: Days, selection: Selection | None = None) -> Manifest:
    """Ingests, validates, transforms, measures and publishes the days; gives the manifest of the current release.

    With a ``selection`` it evaluates those segments alone, on the days that it names; ``days`` are then the newest on record.

    Raises a SegmentsError, with the last release untouched, where anything goes wrong; the receivers of alerts are told of a run that failed.
    """
    from orchestration.alert.delivery import check_alerts, tell_failure
    from orchestration.definitions import build_definitions
    from orchestration.schedule import JOB
    from orchestration.transform.spark import check_requirements

    check_requirements(settings)
    read_known_days(home)  # a slip in the calendar is told before anything is done, and so is one in the alerts
    check_alerts(home)
    first, _ = first_and_newest_day(home)
    if days.first < first:
        raise ExtractMissing(f"Nothing is known of {days.first}: the first extracts in {home.extracts} are of {first}.")
    os.environ["DAGSTER_HOME"] = str(home.dagster)
    with (
        only_one_refresh(home),
        # Stdout is for the answer, and not for dbt's words.
        Path(os.devnull).open("w") as nowhere,
        contextlib.redirect_stdout(nowhere),
        open_instance(home) as instance,
    ):
        try:
            job = build_definitions(home, settings).resolve_job_def(JOB)
            tags = range_tags(days) | (selection_tags(selection) if selection else {})
            job.execute_in_process(instance=instance, run_config=QUIET, tags=tags, raise_on_error=True)
        except Exception as failure:
            problem = disk_full() if is_full(home.path) else failure
            if selection is None:  # who asks for some segments is there to read what is wrong
                tell_failure(home, settings, days, in_a_sentence(problem))
            if problem is failure:
                raise
            raise problem from failure
        manifest = current_release(home)
    assert manifest is not None
    return manifest


def rebuild(home: Home, settings: Settings, days: Days) -> Manifest:
    """Throws the warehouse away and derives it, and a release, again from the archive; extracts need not be there any
    more.
    """
    with only_one_refresh(home):
        for file in [*home.path.glob("warehouse.duckdb*"), *home.path.glob("spark")]:
            shutil.rmtree(file) if file.is_dir() else file.unlink()
        # The plan finds the release's days missing from the empty warehouse and evaluates them all.
        return refresh(home, settings, Days(days.last, days.last))


def give_past(home: Home, settings: Settings, selection: Selection) -> Manifest:
    """Evaluates the segments of the selection, and no other, on days that are on record, and publishes them with the rest as it is.

    Raises ConfigurationError, with nothing changed, where there is no such segment or the days are not all on record.
    """
    from orchestration.transform.project import SPARK
    from orchestration.transform.scaffold import rules_written

    known = rules_written()
    for name in selection.segments:
        if name not in known:
            raise ConfigurationError(f"There is no segment {name}; {nearest(name, known)}")
    if settings.target == SPARK:
        raise ConfigurationError("Segments are given their past on DuckDB alone: refresh the days as a whole on Spark.")
    days = days_on_record(home)
    if days is None:
        raise ExtractMissing(f"Nothing was ever published in {home.path}: use `segments refresh`.")
    return refresh(home, settings, Days(days.last, days.last), selection)


def release_held(home: Home, settings: Settings, segments: Sequence[str], reason: str) -> Manifest:
    """Has held segments published all the same, and keeps who, when and why as a fact.

    Each is released on the days on which it is held now and from the doubts that hold it now; another day and a corrected extract are
    judged anew. A run that is killed after the fact was kept is made good by the next one. Raises ConfigurationError, with nothing
    changed, where there is no such segment, it is not held, or no reason is given.
    """
    from orchestration.publish.status import read_status
    from orchestration.transform.holds import hold_of
    from orchestration.validate.overrides import add_overrides

    reason = plain_reason(reason)
    with only_one_refresh(home):
        status = read_status(home)
        if status is None:
            raise ExtractMissing(f"There is no release in {home.releases} yet: make one with `segments refresh`.")
        known = {one.segment: one for one in status.segments}
        holds = {}
        for segment in segments:
            if segment not in known:
                raise ConfigurationError(f"There is no segment {segment}; {nearest(segment, known)}")
            since = known[segment].held_since
            if since is None:
                raise ConfigurationError(
                    f"{segment} is not held in release {status.release}: there is nothing to release."
                )
            holds[segment] = hold_of(Warehouse(home, settings), segment, since)
        add_overrides(home, reason, {segment: (hold.as_of_dates, hold.doubts) for segment, hold in holds.items()})
        return refresh(home, settings, Days(status.as_of_date, status.as_of_date))
