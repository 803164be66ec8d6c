"""The Dagster assets that write the daily counts, downstream of the membership models, what was to be expected of them, and what campaigns did, and what
became of the claims of personas.
"""

from collections.abc import Iterator

import dagster as dg

from orchestration.campaigns.files import read_campaigns
from orchestration.known_days import read_known_days
from orchestration.measure.campaigns.impact import record_impact
from orchestration.measure.campaigns.running import record_campaigns
from orchestration.measure.counts import record_counts
from orchestration.measure.personas.recording import record_personas
from orchestration.measure.shift_ledger import record_shifts
from orchestration.partitions import days_of_run
from orchestration.personas.files import read_personas
from orchestration.transform.assets import CONDITIONS, MONTH_ENDS, OUTLOOK
from orchestration.transform.plan import built_days, finish, selected_segments
from orchestration.warehouse import Warehouse

COUNTS = dg.AssetKey(["metrics", "segment_counts_daily"])
EXPECTATIONS = dg.AssetKey(["metrics", "segment_expectations"])
IMPACT = dg.AssetKey(["metrics", "campaign_impact"])
PERSONA_CLAIMS = dg.AssetKey(["metrics", "persona_claims"])
PERSONA_EVIDENCE = dg.AssetKey(["metrics", "persona_evidence"])
PERSONA_COVERAGE = dg.AssetKey(["metrics", "persona_coverage"])
SHIFTS = dg.AssetKey(["metrics", "segment_shifts"])


def counts_asset(partitions: dg.DailyPartitionsDefinition) -> dg.AssetsDefinition:
    """Daily counts, one partition per as-of date."""

    @dg.asset(
        key=COUNTS,
        group_name="measure",
        kinds={"duckdb"},
        description="Members, entered and exited of every segment on every as-of date, zeros included.",
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        deps=[["metrics", "segment_sizes"], ["metrics", "segment_membership_changes"]],
        required_resource_keys={"warehouse"},
    )
    def segment_counts_daily(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        warehouse: Warehouse = context.resources.warehouse
        with warehouse.connect() as connection:
            rows = record_counts(connection, built_days(connection))
        for day in days_of_run(context.run) or ():
            context.add_asset_metadata(
                {"dagster/partition_row_count": rows.get(str(day), 0)}, asset_key=COUNTS, partition_key=str(day)
            )
        return dg.MaterializeResult(metadata={"rows": sum(rows.values())})

    return segment_counts_daily


def impact_asset() -> dg.AssetsDefinition:
    """What the campaigns did."""

    @dg.asset(
        key=IMPACT,
        group_name="measure",
        kinds={"duckdb"},
        description="What each campaign did to the customers assigned to it, by the end of each day: everybody, and segment by segment.",
        deps=[COUNTS],
        required_resource_keys={"warehouse"},
    )
    def campaign_impact(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        warehouse: Warehouse = context.resources.warehouse
        files = read_campaigns(warehouse.home, warehouse.settings)
        with warehouse.connect() as connection:
            days = built_days(connection)
            rows = record_impact(connection, warehouse.home, warehouse.settings, days)
            record_campaigns(connection, warehouse.home, files, days.last)
        return dg.MaterializeResult(metadata={"rows": rows})

    return campaign_impact


def personas_asset() -> dg.AssetsDefinition:
    """What the personas claim and what becomes of it; with it the record of the run's days is whole."""

    @dg.multi_asset(
        name="personas",
        group_name="measure",
        specs=[
            dg.AssetSpec(
                key, deps=[COUNTS, IMPACT, MONTH_ENDS, CONDITIONS, OUTLOOK], kinds={"duckdb"}, description=said
            )
            for key, said in (
                (
                    PERSONA_CLAIMS,
                    "What each persona claims, tested on the customers that she stands for, on every day.",
                ),
                (
                    PERSONA_EVIDENCE,
                    "Who the customers of each persona are and what they do, beside the rest of the base.",
                ),
                (PERSONA_COVERAGE, "Segments without a persona, personas without customers, and what is overdue."),
            )
        ],
        required_resource_keys={"warehouse"},
    )
    def personas(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        warehouse: Warehouse = context.resources.warehouse
        settings = warehouse.settings
        files = read_personas(warehouse.home, settings)
        for wrong in files.wrong.values():
            context.log.warning(f"a persona is held: {wrong}")
        with warehouse.connect() as connection:
            days = built_days(connection)
            selected = selected_segments(connection)
            rows = record_personas(connection, files, days, settings.currency, settings.business_timezone, selected)
            finish(connection)
        for key, count in (
            (PERSONA_CLAIMS, rows.claims),
            (PERSONA_EVIDENCE, rows.evidence),
            (PERSONA_COVERAGE, rows.coverage),
        ):
            yield dg.MaterializeResult(asset_key=key, metadata={"dagster/row_count": count})

    return personas


def shifts_asset() -> dg.AssetsDefinition:
    """What was to be expected of every day, and the ledger of what was not."""

    @dg.multi_asset(
        name="segment_shifts",
        group_name="measure",
        specs=[
            dg.AssetSpec(
                EXPECTATIONS,
                deps=[COUNTS],
                kinds={"duckdb"},
                description="What was to be expected of each segment on each day, with its band, and what came.",
            ),
            dg.AssetSpec(
                SHIFTS,
                deps=[COUNTS],
                kinds={"duckdb"},
                description="The ledger of unexpected shifts: opened once, silent while they last, told when they are over.",
            ),
        ],
        required_resource_keys={"warehouse"},
    )
    def segment_shifts(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        warehouse: Warehouse = context.resources.warehouse
        with warehouse.connect() as connection:
            recorded = record_shifts(connection, read_known_days(warehouse.home))
        yield dg.MaterializeResult(asset_key=EXPECTATIONS, metadata={"dagster/row_count": recorded.expectations})
        yield dg.MaterializeResult(asset_key=SHIFTS, metadata={"dagster/row_count": recorded.shifts})

    return segment_shifts
