"""Dagster's own home inside ours, and the lock under which a run works."""

from collections.abc import Iterator
from datetime import date, datetime

import dagster as dg
import yaml
from dagster import DagsterRunStatus

from expectations.contracts import EXTRACT_TABLES
from orchestration.ingest.archive import archived_days
from orchestration.ingest.extracts import days_named
from orchestration.settings import Home
from orchestration.warehouse import Warehouse, only_one_refresh

INSTANCE = {
    "telemetry": {"enabled": False},
    "nux": {"enabled": False},
    # What a run has to say is in its events; nothing is written to its stdout.
    "compute_logs": {
        "module": "dagster._core.storage.noop_compute_log_manager",
        "class": "NoOpComputeLogManager",
    },
    # Never two refreshes at a time: there is one warehouse, and one process may write it.
    "concurrency": {"runs": {"max_concurrent_runs": 1}},
    # Off unless a run asks for it; the schedule asks for one retry.
    "run_retries": {"enabled": True, "max_retries": 0},
    "run_monitoring": {"enabled": True},
}


def open_instance(home: Home) -> dg.DagsterInstance:
    """The Dagster instance kept in ``<home>/dagster``."""
    home.dagster.mkdir(parents=True, exist_ok=True)
    log = {
        "module": "orchestration.event_log",
        "class": "HeldOpenEventLog",
        "config": {"base_dir": str(home.dagster / "history" / "runs")},
    }
    text = yaml.safe_dump(INSTANCE | {"event_log_storage": log})
    (home.dagster / "dagster.yaml").write_text(text, encoding="utf-8")
    return dg.DagsterInstance.from_config(str(home.dagster))


def warehouse_resource(warehouse: Warehouse) -> dg.ResourceDefinition:
    """The warehouse, for the length of a run, under the home's lock."""

    @dg.resource(description="The private DuckDB file, held by one run at a time.")
    def resource(context: dg.InitResourceContext) -> Iterator[Warehouse]:
        with only_one_refresh(warehouse.home), warehouse.held_open():
            _bury_the_dead(context)
            yield warehouse

    return resource


def first_and_newest_day(home: Home) -> tuple[date, date]:
    """The first and the newest day with an extract or an archived partition; today for both in a home that has none."""
    days: set[date] = set()
    for table in EXTRACT_TABLES.values():
        days |= days_named(home.extracts, table) | archived_days(home.archive, table)
    today = datetime.now().date()
    return (min(days), max(days)) if days else (today, today)


def _bury_the_dead(context: dg.InitResourceContext) -> None:
    """A run that was killed is still "started" for Dagster and would hold the queue for ever; we have the lock, so it
    is dead.
    """
    instance = context.instance
    if instance is None or context.run is None:
        return
    for run in instance.get_runs(dg.RunsFilter(statuses=[DagsterRunStatus.STARTED, DagsterRunStatus.STARTING])):
        if run.run_id != context.run.run_id:
            instance.report_run_failed(run, "The process of this run ended without a word.")
