"""The Dagster asset that publishes a release once every table in it is made."""

import dagster as dg

from orchestration.measure.assets import (
    COUNTS,
    EXPECTATIONS,
    IMPACT,
    PERSONA_CLAIMS,
    PERSONA_COVERAGE,
    PERSONA_EVIDENCE,
    SHIFTS,
)
from orchestration.publish.releases import publish
from orchestration.publish.tables import TABLES
from orchestration.transform.plan import require_finished
from orchestration.transform.project import DbtProjectOfHome
from orchestration.warehouse import Warehouse


def release_asset(partitions: dg.DailyPartitionsDefinition) -> dg.AssetsDefinition:
    """The release; its partitions, one per as-of date, show which nights were published."""
    made_by_dbt = [table.name for table in TABLES if not table.columns]

    @dg.asset(
        key="release",
        group_name="publish",
        kinds={"duckdb"},
        description="One read-only DuckDB file that analysts open: built aside, checked, published by one rename.",
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        deps=[
            COUNTS,
            EXPECTATIONS,
            SHIFTS,
            IMPACT,
            PERSONA_CLAIMS,
            PERSONA_EVIDENCE,
            PERSONA_COVERAGE,
            *(dg.AssetKey(name.split(".")) for name in made_by_dbt),
        ],
        required_resource_keys={"warehouse"},
    )
    def release(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        warehouse: Warehouse = context.resources.warehouse
        dbt_manifest, keep = DbtProjectOfHome(warehouse).manifest(), warehouse.settings.keep_releases
        with warehouse.connect() as connection:
            require_finished(connection)
            manifest = publish(connection, warehouse.home, dbt_manifest, keep)
        context.log.info(f"published {manifest.release}")
        return dg.MaterializeResult(
            metadata={
                "release": manifest.release,
                "as_of_date": str(manifest.as_of_date),
                "tables": len(manifest.tables),
            }
        )

    return release
