"""Builds the models for the as-of dates that the plan has put before dbt, on the engine of the settings. The one place that knows that there
are two.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from dbt.artifacts.schemas.run import RunExecutionResult
from dbt.cli.main import dbtRunnerResult
from dbt_common.invocation import get_invocation_id

from orchestration.errors import SegmentsError, condition_of, without_values
from orchestration.transform.project import FORMS, SPARK, DbtProjectOfHome
from orchestration.transform.spark import session_of
from orchestration.transform.spark_tables import forget_what_spark_built, hand_over, make_ready_for_forms, take_back

WITHOUT_UNIT_TESTS = ("--exclude-resource-type", "unit_test")
#: What is made of the archive's own notes, which DuckDB alone reads.
OF_NOTES = ("input_quality", "input_profile", "input_findings")


class TransformFailed(SegmentsError):
    """dbt could not build the models."""


def forget_the_other_engine(project: DbtProjectOfHome) -> None:
    """To be called before a run builds anything: tables that DuckDB is about to write are none of Spark's any more. Spark keeps nothing in DuckDB."""
    if project.warehouse.settings.target != SPARK:
        with project.warehouse.connect() as connection:
            forget_what_spark_built(connection, project.warehouse.home)


def build(project: DbtProjectOfHome) -> Sequence[dbtRunnerResult]:
    """What each dbt command said, in order; of all but the last it is known that it succeeded."""
    if project.warehouse.settings.target != SPARK:
        return [project.run("build", *WITHOUT_UNIT_TESTS)]
    built = _build_on_spark(project)
    if not built.success:
        return [built]
    # The tests are put to what will be published.
    return [built, project.run("build", *WITHOUT_UNIT_TESTS, "--select", *OF_NOTES, "resource_type:test")]


def _build_on_spark(project: DbtProjectOfHome) -> dbtRunnerResult:
    warehouse, manifest = project.warehouse, project.manifest()
    session = session_of(warehouse.settings)
    _note_forms(project)
    with warehouse.connect() as connection:
        statements = hand_over(connection, warehouse.home, manifest)
    for statement in statements:
        session.sql(statement)
    built = project.run("run", "--exclude", *OF_NOTES, output=SPARK)
    if built.success:
        with warehouse.connect() as connection:
            take_back(connection, warehouse.home, manifest, project.forms, get_invocation_id(), OF_NOTES)
    return built


def _note_forms(project: DbtProjectOfHome) -> None:
    """Has DuckDB build the models of nothing, once for a project: what Spark builds takes the types of its columns from there."""
    noted = project.forms.with_suffix(".json")
    if noted.exists() and json.loads(noted.read_text()) == project.fingerprint:
        return
    with project.warehouse.connect() as connection:
        make_ready_for_forms(connection, project.manifest(), project.forms)
    made = project.run("run", output=FORMS)
    if not made.success:
        raise TransformFailed(what_failed(made))
    noted.write_text(json.dumps(project.fingerprint))


def what_failed(built: dbtRunnerResult) -> str:
    if not isinstance(built.result, RunExecutionResult):
        return f"dbt could not start: {without_values(str(built.exception))}. Nothing was published."
    failed = [result for result in built.result.results if result.status in ("error", "fail")]
    said = "; ".join(
        f"{result.node.name}: {_in_safe_words(str(result.message), result.node.database)}" for result in failed[:3]
    )
    return f"dbt could not build {len(failed)} model(s) or test(s): {said}. Nothing was published; mend them and refresh again."


def _in_safe_words(message: str, database: str | None) -> str:
    """What a node's failure may be told with; on Spark there is no database, and only dbt's own words are known to be safe."""
    is_of_spark = not database and not message.lstrip().startswith("Compilation Error")
    return condition_of(message) if is_of_spark else without_values(message)
