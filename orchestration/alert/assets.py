"""The Dagster asset that tells people of a release once it is published, and the check that shows whether they were told."""

from collections.abc import Iterator

import dagster as dg

from orchestration.alert.delivery import Delivery, tell
from orchestration.alert.notices import notices_of
from orchestration.errors import ConfigurationError
from orchestration.target.assets import ASSIGNMENTS
from orchestration.warehouse import Warehouse

CHECK = "alerts_are_delivered"


def alerts_asset() -> dg.AssetsDefinition:
    """What was told of the release. A receiver that cannot be reached leaves the run green, for the release is published."""

    @dg.asset(
        key="alerts",
        group_name="alert",
        description="What the release gives reason to tell, sent to the receivers of alerts.yml: once each, retried for a week.",
        deps=["release", ASSIGNMENTS],
        check_specs=[dg.AssetCheckSpec(CHECK, asset="alerts", description="Every receiver was reached.")],
        required_resource_keys={"warehouse"},
    )
    def alerts(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        warehouse: Warehouse = context.resources.warehouse
        try:
            delivery, wrong = tell(warehouse.home, notices_of(warehouse.home)), None
        except ConfigurationError as problem:
            # It was right when the night began, or Dagster began it, who asks nobody.
            delivery, wrong = Delivery(), str(problem)
        for entry in delivery.failed:
            context.log.warning(f"{entry.receiver} was not told: {entry.title}: {entry.reason}")
        if wrong:
            context.log.warning(f"nobody was told: {wrong}")
        said = wrong or "; ".join(sorted({f"{entry.receiver}: {entry.reason}" for entry in delivery.failed}))
        yield dg.MaterializeResult(
            metadata={
                "sent": len(delivery.sent),
                "digested": len(delivery.digested),
                "failed": len(delivery.failed),
                "silenced": len(delivery.silenced),
            }
        )
        yield dg.AssetCheckResult(
            check_name=CHECK, passed=not said, severity=dg.AssetCheckSeverity.WARN, description=said or None
        )

    return alerts
