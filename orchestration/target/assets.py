"""The Dagster asset that launches campaigns once the release is published, and the check that tells which of them could not be."""

from collections import Counter
from collections.abc import Iterator

import dagster as dg

from orchestration.publish.releases import current_release
from orchestration.target.launching import in_trouble, launch
from orchestration.warehouse import Warehouse

ASSIGNMENTS = dg.AssetKey(["campaigns", "assignments"])
CHECK = "campaigns_are_launched"


def campaigns_asset() -> dg.AssetsDefinition:
    """Who was drawn for which campaign, frozen. A campaign that cannot start leaves the run green, for the release is published."""

    @dg.asset(
        key=ASSIGNMENTS,
        group_name="target",
        description="Whom each campaign gets, drawn from the release on the morning on which it starts and frozen with a receipt.",
        deps=["release"],
        check_specs=[
            dg.AssetCheckSpec(CHECK, asset=ASSIGNMENTS, description="Every campaign that should have started has.")
        ],
        required_resource_keys={"warehouse"},
    )
    def assignments(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        warehouse: Warehouse = context.resources.warehouse
        found = launch(warehouse.home, warehouse.settings)
        manifest = current_release(warehouse.home)
        assert manifest is not None
        trouble = [f"{one.id} is {one.state}: {one.because}" for one in in_trouble(found, manifest.as_of_date)]
        for sentence in trouble:
            context.log.warning(sentence)
        yield dg.MaterializeResult(metadata=dict(Counter(one.state for one in found)))
        yield dg.AssetCheckResult(
            check_name=CHECK,
            passed=not trouble,
            severity=dg.AssetCheckSeverity.WARN,
            description="\n".join(trouble) or None,
        )

    return assignments
