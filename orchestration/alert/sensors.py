"""The sensor by which a night that failed under Dagster is told. A refresh from the command line tells of itself."""

from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition
from dagster._core.storage.tags import WILL_RETRY_TAG
from dagster_shared.error import SerializableErrorInfo

from orchestration.alert.delivery import tell_failure
from orchestration.errors import SegmentsError, unforeseen
from orchestration.partitions import days_of_run
from orchestration.settings import Home, Settings


def failure_sensor(job: UnresolvedAssetJobDefinition, home: Home, settings: Settings) -> dg.SensorDefinition:
    """Tells the receivers of each run of the job that failed, unless Dagster tries it once more."""

    @dg.run_failure_sensor(
        name="failed_nights",
        monitored_jobs=[job],
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Tells the receivers of alerts.yml of a night that failed, in one sentence.",
    )
    def failed_nights(context: dg.RunFailureSensorContext) -> dg.SkipReason | None:
        run = context.dagster_run
        if run.tags.get(WILL_RETRY_TAG) == "true":
            return dg.SkipReason("Dagster tries it once more.")
        errors = [
            error for event in (*context.get_step_failure_events(), context.failure_event) for error in _of(event)
        ]
        record = context.instance.get_run_record_by_id(run.run_id)
        ended = record.end_time if record and record.end_time else datetime.now(UTC).timestamp()
        tell_failure(home, settings, days_of_run(run), sentence_of(errors), datetime.fromtimestamp(ended, UTC))
        return None

    return failed_nights


def sentence_of(errors: list[SerializableErrorInfo]) -> str:
    """Our own sentence, where one of the errors is ours; of another its kind alone: its words may quote a customer."""
    ours = {kind.__name__ for kind in _kinds(SegmentsError)}
    chain = [cause for error in errors for cause in _chain(error)]
    for error in chain:
        if error.cls_name in ours:
            return error.message.partition(": ")[2].strip()
    return unforeseen(chain[-1].cls_name or "an error without a name" if chain else "the process ended without a word")


def _of(event: dg.DagsterEvent) -> Iterator[SerializableErrorInfo]:
    if error := getattr(event.event_specific_data, "error", None):
        yield error


def _chain(error: SerializableErrorInfo) -> Iterator[SerializableErrorInfo]:
    yield error
    for further in (error.cause, error.context):
        if further:
            yield from _chain(further)


def _kinds(kind: type[SegmentsError]) -> Iterator[type[SegmentsError]]:
    yield kind
    for further in kind.__subclasses__():
        yield from _kinds(further)
