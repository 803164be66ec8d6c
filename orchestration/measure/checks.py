"""The asset checks by which Dagster shows, segment by segment, whether the night was published or is held."""

from collections.abc import Iterator, Sequence

import dagster as dg

from orchestration.measure.assets import COUNTS
from orchestration.warehouse import Warehouse

CHECK = "is_refreshed"


def refreshed_checks(segments: Sequence[str]) -> dg.AssetChecksDefinition:
    """One check per segment, failed where its newest day is held, with the reason."""

    @dg.multi_asset_check(
        name="segments_are_refreshed",
        specs=[dg.AssetCheckSpec(CHECK, asset=["segments", segment], additional_deps=[COUNTS]) for segment in segments],
        required_resource_keys={"warehouse"},
    )
    def checks(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        warehouse: Warehouse = context.resources.warehouse
        with warehouse.connect() as connection:
            rows = connection.execute(
                "select segment, arg_max(held_because, as_of_date) filter (where state = 'held'), arg_max(state, as_of_date), "
                "arg_max(members, as_of_date) from metrics.segment_counts_daily group by segment"
            ).fetchall()
        newest = {segment: (because, state, members) for segment, because, state, members in rows}
        for segment in segments:
            because, state, members = newest.get(segment, (None, "fresh", 0))
            yield dg.AssetCheckResult(
                asset_key=["segments", segment],
                check_name=CHECK,
                passed=state == "fresh",
                severity=dg.AssetCheckSeverity.ERROR,
                description=f"held: {because}" if state != "fresh" else None,
                metadata={"members": members},
            )

    return checks
