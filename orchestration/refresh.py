"""Runs the Dagster job for a range of days in this process; what the command line, the tests and the benchmarks call."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

from orchestration.days import Days
from orchestration.errors import ExtractMissing
from orchestration.instance import first_and_newest_day, open_instance
from orchestration.partitions import range_tags
from orchestration.progress import QUIET
from orchestration.publish.releases import Manifest, current_release
from orchestration.settings import Home, Settings
from orchestration.warehouse import only_one_refresh


def refresh(home: Home, settings: Settings, days: Days) -> Manifest:
    """Ingests, validates, transforms, measures and publishes the days; gives the manifest of the current release.

    Raises a SegmentsError, with the last release untouched, where anything goes wrong.
    """
    from orchestration.definitions import build_definitions
    from orchestration.schedule import JOB

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
        job = build_definitions(home, settings).resolve_job_def(JOB)
        job.execute_in_process(instance=instance, run_config=QUIET, tags=range_tags(days), raise_on_error=True)
        manifest = current_release(home)
    assert manifest is not None
    return manifest


def rebuild(home: Home, settings: Settings, days: Days) -> Manifest:
    """Throws the warehouse away and derives it, and a release, again from the archive; extracts need not be there any
    more.
    """
    with only_one_refresh(home):
        for file in home.path.glob("warehouse.duckdb*"):
            shutil.rmtree(file) if file.is_dir() else file.unlink()
        # The plan finds the release's days missing from the empty warehouse and evaluates them all.
        return refresh(home, settings, Days(days.last, days.last))
