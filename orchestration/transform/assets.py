"""The Dagster side of dbt: one asset that plans the run, one that runs dbt over the planned days. Order only; rules are
in SQL.
"""

from collections.abc import Callable, Iterator
from graphlib import TopologicalSorter
from typing import Any

import dagster as dg
from dagster_dbt import DbtCliResource, DbtProject, dbt_assets

from orchestration.days import Days
from orchestration.errors import SegmentsError
from orchestration.ingest.archive import register_archive
from orchestration.ingest.contracts import EXTRACT_TABLES
from orchestration.partitions import days_of_run
from orchestration.transform.catalogue import definitions, foundation_of, segments
from orchestration.transform.plan import Plan, has_chunks, make_plan, next_chunk, write_definitions, write_segments
from orchestration.transform.project import DbtProjectOfHome
from orchestration.warehouse import Warehouse

#: The days that the current release has; None before the first.
PublishedDays = Callable[[], Days | None]

#: The sources of the dbt project that describe the run itself.
PLAN_KEYS = [dg.AssetKey(["refresh", name]) for name in ("run", "as_of_dates", "segments")]


class TransformFailed(SegmentsError):
    """dbt could not build the models."""


def plan_asset(published_days: PublishedDays) -> dg.AssetsDefinition:
    """Decides which as-of dates the run evaluates, once every extract is in the archive."""

    @dg.multi_asset(
        name="plan",
        group_name="transform",
        specs=[
            dg.AssetSpec(key, deps=[[table.source, table.name] for table in EXTRACT_TABLES.values()], kinds={"duckdb"})
            for key in (*PLAN_KEYS, dg.AssetKey(["quality", "results"]))
        ],
        required_resource_keys={"warehouse"},
    )
    def plan(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        made = _plan(context.resources.warehouse, days_of_run(context.run), published_days)
        context.log.info(f"evaluating {made.days}, in {len(made.chunks)} part(s)")
        for key in context.selected_asset_keys:
            yield dg.MaterializeResult(asset_key=key, metadata={"as_of_dates": str(made.days)})

    return plan


def dbt_models(project: DbtProjectOfHome, published_days: PublishedDays) -> dg.AssetsDefinition:
    """Every dbt model, in one dbt invocation per chunk of the plan."""
    manifest_path = project.prepare()
    dbt_project = DbtProject(project.project_dir, target_path=project.target_dir, profiles_dir=project.profiles_dir)
    dbt = DbtCliResource(
        project_dir=dbt_project, profiles_dir=str(project.profiles_dir), dbt_executable=project.executable
    )

    @dbt_assets(manifest=manifest_path, project=dbt_project, required_resource_keys={"warehouse"})
    def models(context: dg.AssetExecutionContext) -> Iterator[Any]:
        warehouse: Warehouse = context.resources.warehouse
        with warehouse.connect() as connection:
            is_planned = has_chunks(connection)
        if not is_planned:
            _plan(warehouse, days_of_run(context.run), published_days)
        is_last = False
        while not is_last:
            with warehouse.connect() as connection:
                chunk, is_last = next_chunk(connection)
            context.log.info(f"dbt: {chunk}")
            invocation = dbt.cli(
                project.arguments("build", "--exclude-resource-type", "unit_test"),
                context=context if is_last and not context.is_subset else None,
                manifest=manifest_path,
                target_path=project.target_dir,
                raise_on_error=False,
            )
            if is_last and not context.is_subset:
                yield from invocation.stream()
            invocation.wait()
            if not invocation.is_successful():
                raise TransformFailed(_what_failed(invocation.get_artifact("run_results.json")))
        if context.is_subset:
            yield from _all_of(context)
        compiled = {
            result["unique_id"].split(".")[-1]: result["compiled_code"]
            for result in invocation.get_artifact("run_results.json")["results"]
            if result.get("compiled_code")
        }
        with warehouse.connect() as connection:
            write_definitions(connection, segments(project.manifest()), definitions(project.manifest(), compiled))

    return models


def _plan(warehouse: Warehouse, days: Days | None, published_days: PublishedDays) -> Plan:
    manifest = DbtProjectOfHome(warehouse).manifest()
    with warehouse.connect() as connection:
        register_archive(connection, warehouse.home.archive)
        foundation = foundation_of(manifest, warehouse.settings.business_timezone)
        write_segments(connection, segments(manifest))
        return make_plan(connection, warehouse.home.archive, days, published_days(), foundation)


def _all_of(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    """Results for the part of the models that was asked for.

    Dagster's asset backfill runs the models in several parts; each part builds them all, for a model reads what the others
    made of the same days.
    """
    for key in TopologicalSorter(context.assets_def.asset_deps).static_order():
        if key in context.selected_asset_keys:
            yield dg.MaterializeResult(asset_key=key)
    for check in context.selected_asset_check_keys:
        yield dg.AssetCheckResult(asset_key=check.asset_key, check_name=check.name, passed=True)


def _what_failed(run_results: dict[str, Any]) -> str:
    failed = [result for result in run_results["results"] if result["status"] in ("error", "fail")]
    said = "; ".join(
        f"{result['unique_id'].split('.')[2]}: {' '.join(str(result['message']).split())}" for result in failed[:3]
    )
    return f"dbt could not build {len(failed)} model(s) or test(s): {said}. Nothing was published; mend them and refresh again."
