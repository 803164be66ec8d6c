"""The Dagster asset that writes the daily counts, downstream of the membership models."""

import dagster as dg

from orchestration.measure.counts import record_counts
from orchestration.partitions import days_of_run
from orchestration.transform.plan import built_days, finish
from orchestration.warehouse import Warehouse

COUNTS = dg.AssetKey(["metrics", "segment_counts_daily"])


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
            finish(connection)
        for day in days_of_run(context.run) or ():
            context.add_asset_metadata(
                {"dagster/partition_row_count": rows.get(str(day), 0)}, asset_key=COUNTS, partition_key=str(day)
            )
        return dg.MaterializeResult(metadata={"rows": sum(rows.values())})

    return segment_counts_daily
