"""The Dagster side of dbt: one asset that plans the run, one that runs dbt over the planned days. Order only; rules are
in SQL.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from graphlib import TopologicalSorter
from typing import Any

import dagster as dg
import duckdb
from dagster_dbt import dbt_assets
from dbt.artifacts.schemas.run import RunExecutionResult, RunResult
from dbt.cli.main import dbtRunnerResult

from expectations.contracts import EXTRACT_TABLES
from orchestration.days import Days
from orchestration.ingest.archive import register_archive
from orchestration.known_days import read_known_days
from orchestration.partitions import days_of_run, selection_of_run
from orchestration.selection import Selection
from orchestration.transform.belief import write_findings, write_held_segments, write_left_out
from orchestration.transform.building import TransformFailed, build, forget_the_other_engine, what_failed
from orchestration.transform.catalogue import definitions, segments
from orchestration.transform.given_past import (
    demand_that_others_are_as_recorded,
    evaluate_past,
    with_all_that_goes_with_it,
)
from orchestration.transform.lineage import lineage_of_segments
from orchestration.transform.meaning import foundation_of
from orchestration.transform.moves import record_moves
from orchestration.transform.other_days import record_month_ends
from orchestration.transform.outlook import record_outlook
from orchestration.transform.plan import (
    Plan,
    chunk_built,
    first_day_anew,
    is_planned,
    make_plan,
    next_chunk,
    row_counts,
    write_definitions,
    write_overrides,
    write_segments,
)
from orchestration.transform.project import DbtProjectOfHome
from orchestration.transform.rules import Rules, rules_of
from orchestration.transform.states import keep_the_day_before
from orchestration.validate.assets import VERDICTS
from orchestration.validate.findings import find
from orchestration.validate.overrides import read_overrides, released_doubts
from orchestration.validate.record import digests_of
from orchestration.warehouse import Warehouse

#: The days that the current release has; None before the first.
PublishedDays = Callable[[], Days | None]

#: The step in which a run is planned.
PLAN = "plan"
#: The sources of the dbt project that describe the run itself.
PLAN_KEYS = [
    dg.AssetKey(["refresh", name])
    for name in (
        "run",
        "as_of_dates",
        "segments",
        "left_alone",
        "released_segments",
        "findings",
        "left_out",
        "held_segments",
    )
]
#: Those that describe the extracts, each a view over what the archive's files say of themselves.
QUALITY_KEYS = [dg.AssetKey(["quality", name]) for name in ("results", "profiles")]

#: The customers on other days than the run's.
MONTH_ENDS = dg.AssetKey(["customers", "dim_customers_month_ends"])
CONDITIONS = dg.AssetKey(["customers", "conditions_on_order_lines"])
OUTLOOK = dg.AssetKey(["metrics", "segment_outlook"])


def plan_asset(published_days: PublishedDays) -> dg.AssetsDefinition:
    """Decides which as-of dates the run evaluates, once every extract is in the archive."""

    @dg.multi_asset(
        name=PLAN,
        group_name="transform",
        specs=[dg.AssetSpec(key, deps=[VERDICTS], kinds={"duckdb"}) for key in PLAN_KEYS]
        + [
            dg.AssetSpec(key, deps=[[table.source, table.name] for table in EXTRACT_TABLES.values()], kinds={"duckdb"})
            for key in QUALITY_KEYS
        ],
        required_resource_keys={"warehouse"},
    )
    def plan(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        made = _plan(context.resources.warehouse, context.run, published_days)
        context.log.info(f"evaluating {made.days}, in {len(made.chunks)} part(s)")
        for key in context.selected_asset_keys:
            yield dg.MaterializeResult(asset_key=key, metadata={"as_of_dates": str(made.days)})

    return plan


def dbt_models(project: DbtProjectOfHome, published_days: PublishedDays) -> dg.AssetsDefinition:
    """Every dbt model, in one dbt invocation per chunk of the plan."""

    @dbt_assets(manifest=project.prepare(), required_resource_keys={"warehouse"})
    def models(context: dg.AssetExecutionContext) -> Iterator[Any]:
        warehouse: Warehouse = context.resources.warehouse
        # A retry begins here, and must not go on half-way.
        if PLAN not in (context.run.step_keys_to_execute or ()):
            _plan(warehouse, context.run, published_days)
        manifest, compiled = project.manifest(), project.compiled()
        words = definitions(manifest, project.variables, compiled, lineage_of_segments(project))
        forget_the_other_engine(project)
        results: list[RunResult] = []

        def rules(connection: duckdb.DuckDBPyConnection) -> Rules:
            return rules_of(connection, manifest, compiled, words)

        if selection_of_run(context.run):
            for built in evaluate_past(project, rules):
                results += _results(built)
                if not built.success:
                    raise TransformFailed(what_failed(built))
        while (chunk := _next_chunk(warehouse)) is not None:
            context.log.info(f"dbt: {chunk}")
            with warehouse.connect() as connection:
                keep_the_day_before(connection, rules(connection))
            done = build(project)
            results += [result for built in done for result in _results(built)]
            if not done[-1].success:
                yield from _verdicts(context, results)
                raise TransformFailed(what_failed(done[-1]))
            with warehouse.connect() as connection:
                record_moves(connection, rules(connection))
                chunk_built(connection)
        with warehouse.connect() as connection:
            write_definitions(connection, segments(manifest), words)
            rows = row_counts(connection)
        yield from _materialized(context, results, rows)
        yield from _verdicts(context, results)

    return models


def other_days_asset(project: DbtProjectOfHome) -> dg.AssetsDefinition:
    """The customers at the ends of the months before, and who will leave and enter each segment in the days ahead."""

    @dg.multi_asset(
        name="other_days",
        group_name="transform",
        specs=[
            dg.AssetSpec(
                key,
                deps=[["customers", "dim_customers"], ["metrics", "segment_sizes"]],
                kinds={"duckdb"},
                description=said,
            )
            for key, said in (
                (MONTH_ENDS, "Every attribute of every customer on the last days of the twelve months before."),
                (
                    CONDITIONS,
                    "Who meets the conditions of rules that look into order lines, which a release does not have, or who does not.",
                ),
                (
                    OUTLOOK,
                    "Who will leave and enter each segment in the next thirty days if nothing comes in and customers compare as tonight, and who is one order away.",
                ),
            )
        ],
        required_resource_keys={"warehouse"},
    )
    def other_days(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        warehouse: Warehouse = context.resources.warehouse
        manifest, compiled = project.manifest(), project.compiled()
        words = definitions(manifest, project.variables, compiled, lineage_of_segments(project))
        with warehouse.connect() as connection:
            rules = rules_of(connection, manifest, compiled, words)
            first_day = first_day_anew(connection)
            rows = {
                MONTH_ENDS: record_month_ends(connection, rules, words, first_day),
                OUTLOOK: record_outlook(connection, rules, first_day),
            }
        for key in (MONTH_ENDS, CONDITIONS, OUTLOOK):
            metadata = {"dagster/row_count": rows[key]} if key in rows else {}
            yield dg.MaterializeResult(asset_key=key, metadata=metadata)

    return other_days


def _plan(warehouse: Warehouse, run: dg.DagsterRun, published_days: PublishedDays) -> Plan:
    project = DbtProjectOfHome(warehouse)
    manifest, archive, overrides = project.manifest(), warehouse.home.archive, read_overrides(warehouse.home)
    released, selection = released_doubts(overrides), _selection(project, run)
    with warehouse.connect() as connection:
        register_archive(connection, archive)
        found = find(connection, warehouse.settings, read_known_days(warehouse.home), released)
        write_segments(connection, segments(manifest), selection)
        write_overrides(connection, overrides, digests_of(connection))
        write_findings(connection, found, released)
        write_left_out(connection, found, released)
        foundation = foundation_of(manifest, project.variables)
        made = make_plan(
            connection, archive, days_of_run(run), published_days(), foundation, overrides, found, selection
        )
    lineage = lineage_of_segments(project)
    with warehouse.connect() as connection:
        write_held_segments(connection, found, overrides, lineage)
    return made


def _selection(project: DbtProjectOfHome, run: dg.DagsterRun) -> Selection | None:
    """The segments that the run evaluates, where they are not all; nothing speaks against leaving the others alone."""
    asked = selection_of_run(run)
    if asked is None:
        return None
    manifest = project.manifest()
    with project.warehouse.connect() as connection:
        selection = with_all_that_goes_with_it(connection, asked, segments(manifest))
        has_plan = is_planned(connection)
    if has_plan:
        compiled = project.compiled()
        words = definitions(manifest, project.variables, compiled, lineage_of_segments(project))
        with project.warehouse.connect() as connection:
            demand_that_others_are_as_recorded(connection, selection, words)
    return selection


def _next_chunk(warehouse: Warehouse) -> Days | None:
    with warehouse.connect() as connection:
        return next_chunk(connection)


def _materialized(
    context: dg.AssetExecutionContext, results: Sequence[RunResult], rows: Mapping[str, int]
) -> Iterator[dg.MaterializeResult[None]]:
    """The models that Dagster asked for, which in its own backfills is a part of them.

    They were built all the same: a model reads what the others made of the same days.
    """
    seconds: defaultdict[str, float] = defaultdict(float)
    for result in results:
        seconds[result.node.name] += result.execution_time
    for key in TopologicalSorter(context.assets_def.asset_deps).static_order():
        if key in context.selected_asset_keys:
            metadata: dict[str, Any] = {"seconds": round(seconds[key.path[-1]], 3)}
            if (count := rows.get(".".join(key.path))) is not None:
                metadata["dagster/row_count"] = count
            yield dg.MaterializeResult(asset_key=key, metadata=metadata)


def _verdicts(context: dg.AssetExecutionContext, results: Sequence[RunResult]) -> Iterator[dg.AssetCheckResult]:
    """What dbt's data tests said of all chunks together. A test that dbt did not come to has no verdict."""
    for check in context.selected_asset_check_keys:
        said = [result for result in results if result.node.name == check.name and result.status != "skipped"]
        if said:
            only_warned = all(result.status in ("pass", "warn") for result in said)
            yield dg.AssetCheckResult(
                asset_key=check.asset_key,
                check_name=check.name,
                passed=all(result.status == "pass" for result in said),
                severity=dg.AssetCheckSeverity.WARN if only_warned else dg.AssetCheckSeverity.ERROR,
                metadata={"rows": sum(result.failures or 0 for result in said)},
            )


def _results(built: dbtRunnerResult) -> list[RunResult]:
    return list(built.result.results) if isinstance(built.result, RunExecutionResult) else []
