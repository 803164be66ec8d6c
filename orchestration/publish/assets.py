"""The Dagster asset that publishes a release once every table in it is made."""

import dagster as dg

from orchestration.measure.assets import COUNTS
from orchestration.publish.releases import publish
from orchestration.publish.tables import TABLES
from orchestration.transform.project import DbtProjectOfHome
from orchestration.warehouse import Warehouse


@dg.asset(
    key="release",
    group_name="publish",
    kinds={"duckdb"},
    description="The published release: one read-only DuckDB file that analysts open. Built aside, checked, published by one rename.",
    deps=[
        COUNTS,
        *(
            dg.AssetKey(table.name.split("."))
            for table in TABLES
            if table.name not in ("catalog.segments", "metrics.segment_counts_daily")
        ),
    ],
    required_resource_keys={"warehouse"},
)
def release(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
    """Publishes, and says which release is current."""
    warehouse: Warehouse = context.resources.warehouse
    with warehouse.connect() as connection:
        manifest = publish(
            connection, warehouse.home, DbtProjectOfHome(warehouse).manifest(), warehouse.settings.keep_releases
        )
    context.log.info(f"published {manifest.release}")
    return dg.MaterializeResult(
        metadata={"release": manifest.release, "as_of_date": str(manifest.as_of_date), "tables": len(manifest.tables)}
    )
