"""A Dagster partition is an extract date; a run covers a range of them. Translates between Dagster's words and
``days``.
"""

from __future__ import annotations

import warnings
from datetime import date, datetime
from zoneinfo import ZoneInfo

import dagster as dg
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
)

from orchestration.days import Days
from orchestration.selection import Selection

# A run of a range rests on BackfillPolicy, which Dagster has called beta for years; saying so each night helps nobody.
warnings.filterwarnings("ignore", category=dg.BetaWarning)


def daily_partitions(first_day: date, newest_day: date, timezone: str) -> dg.DailyPartitionsDefinition:
    """One partition per day, from the first extract date up to today, or the newest extract where that is later."""
    ahead = max(0, (newest_day - datetime.now(ZoneInfo(timezone)).date()).days)
    return dg.DailyPartitionsDefinition(start_date=str(first_day), timezone=timezone, end_offset=1 + ahead)


def range_tags(days: Days) -> dict[str, str]:
    """The run tags with which Dagster runs a range of partitions in one run."""
    return {ASSET_PARTITION_RANGE_START_TAG: str(days.first), ASSET_PARTITION_RANGE_END_TAG: str(days.last)}


#: The tags of a run that gives some segments their past: which, and from which day to which.
SELECTED_TAG, SELECTED_DAYS_TAG = "segments/selected", "segments/selected_days"


def selection_tags(selection: Selection) -> dict[str, str]:
    """The run tags of a run that evaluates some segments and no other."""
    days = {SELECTED_DAYS_TAG: f"{selection.days.first}/{selection.days.last}"} if selection.days else {}
    return {SELECTED_TAG: ",".join(selection.segments)} | days


def selection_of_run(run: dg.DagsterRun) -> Selection | None:
    """The segments that a run evaluates and the days on which it does; None where it evaluates them all."""
    if SELECTED_TAG not in run.tags:
        return None
    days = run.tags.get(SELECTED_DAYS_TAG)
    return Selection(
        tuple(run.tags[SELECTED_TAG].split(",")), Days(*map(date.fromisoformat, days.split("/"))) if days else None
    )


def days_of_run(run: dg.DagsterRun) -> Days | None:
    """The days that a run covers, started for one partition or for a range.

    None where it was started without: an asset backfill from Dagster's UI runs the assets that have no partitions apart.
    """
    single = run.tags.get(PARTITION_NAME_TAG)
    first, last = (
        run.tags.get(ASSET_PARTITION_RANGE_START_TAG, single),
        run.tags.get(ASSET_PARTITION_RANGE_END_TAG, single),
    )
    if first is None or last is None:
        return None
    return Days(date.fromisoformat(first), date.fromisoformat(last))
