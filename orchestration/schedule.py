"""The one job, and when it runs."""

from datetime import timedelta

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from orchestration.progress import QUIET
from orchestration.settings import NIGHTLY_HOUR

JOB = "nightly_refresh"


def nightly_refresh(partitions: dg.DailyPartitionsDefinition) -> UnresolvedAssetJobDefinition:
    """Everything, for a day or a range of days in one run."""
    return dg.define_asset_job(
        JOB,
        selection=dg.AssetSelection.all(),
        partitions_def=partitions,
        config=QUIET,
        description="Extracts in, checks, models, daily counts, release. A range of days is one run.",
    )


def nightly_schedule(job: UnresolvedAssetJobDefinition, timezone: str) -> dg.ScheduleDefinition:
    """At 02:00 in the business time zone, for the day that has just ended.

    A failed night is tried once more and at once, for Dagster's run retries do not wait: that helps against a passing
    trouble of the machine, and not against an extract that comes late. For that one refresh again when it is there.
    """

    @dg.schedule(
        name="nightly",
        job=job,
        cron_schedule=f"0 {NIGHTLY_HOUR} * * *",
        execution_timezone=timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
    def nightly(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        day = (context.scheduled_execution_time - timedelta(days=1)).date()
        return dg.RunRequest(run_key=str(day), partition_key=str(day), tags={"dagster/max_retries": "1"})

    return nightly
