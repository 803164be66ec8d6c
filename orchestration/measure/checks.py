"""The asset checks by which Dagster shows, segment by segment, whether the night was published or is held, and whether it moved as expected; and
whether the campaigns can be believed, and what the personas claim holds.

They warn or fail, and never stop a night.
"""

from collections.abc import Iterator, Sequence

import dagster as dg

from orchestration.measure.assets import COUNTS, IMPACT, PERSONA_CLAIMS, SHIFTS
from orchestration.measure.campaigns.troubles import TOLD, troubles_of
from orchestration.measure.personas.news import lost_ground
from orchestration.warehouse import Warehouse

CHECK = "is_refreshed"
#: The check of all segments together: nothing moved everything at once.
EVERYTHING = "everything"

#: What each open episode was last told with.
OPEN_SHIFTS = """
select
    coalesce(segment, $everything),
    arg_max(severity, as_of_date),
    arg_max(message, as_of_date) filter (where message <> ''),
    arg_max(opened_on, as_of_date)
from metrics.segment_shifts
where state <> 'noted' and coalesce(segment in (select segment from refresh.definitions), true)
group by coalesce(segment, $everything)
having arg_max(state, as_of_date) <> 'recovered'
"""


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


def shift_checks(segments: Sequence[str]) -> dg.AssetChecksDefinition:
    """One check of the daily counts per segment, and one of all together, failed while an episode is open, with its sentence."""
    names = {segment: f"{segment}_moves_as_expected" for segment in (*segments, EVERYTHING)}

    @dg.multi_asset_check(
        name="segments_move_as_expected",
        specs=[dg.AssetCheckSpec(name, asset=COUNTS, additional_deps=[SHIFTS]) for name in names.values()],
        required_resource_keys={"warehouse"},
    )
    def checks(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        warehouse: Warehouse = context.resources.warehouse
        with warehouse.connect() as connection:
            rows = connection.execute(OPEN_SHIFTS, {"everything": EVERYTHING}).fetchall()
        open_now = {segment: (severity, message, since) for segment, severity, message, since in rows}
        for segment, name in names.items():
            severity, message, since = open_now.get(segment, (None, None, None))
            yield dg.AssetCheckResult(
                asset_key=COUNTS,
                check_name=name,
                passed=severity is None,
                severity=dg.AssetCheckSeverity.ERROR if severity == "critical" else dg.AssetCheckSeverity.WARN,
                description=f"since {since}: {message}" if since else None,
            )

    return checks


def campaign_checks() -> dg.AssetChecksDefinition:
    """One check of the campaigns' impact per kind of trouble, failed while a campaign has it, with its sentence."""

    @dg.multi_asset_check(
        name="campaigns_can_be_believed",
        specs=[dg.AssetCheckSpec(kind.check, asset=IMPACT, description=kind.claim) for kind in TOLD],
        required_resource_keys={"warehouse"},
    )
    def checks(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        warehouse: Warehouse = context.resources.warehouse
        with warehouse.connect() as connection:
            found = list(troubles_of(connection))
        for kind in TOLD:
            sentences = [trouble.sentence for trouble in found if trouble.kind == kind.name]
            yield dg.AssetCheckResult(
                asset_key=IMPACT,
                check_name=kind.check,
                passed=not sentences,
                severity=dg.AssetCheckSeverity.ERROR if kind.is_critical else dg.AssetCheckSeverity.WARN,
                description="; ".join(sentences) or None,
            )

    return checks


def persona_checks(personas: Sequence[str]) -> dg.AssetChecksDefinition:
    """One check per persona, failed on the night on which one of her claims loses ground, and while she is held; silent about what was told already."""
    names = {persona: f"{persona}_claims_lose_no_ground" for persona in personas}

    @dg.multi_asset_check(
        name="personas_claims_lose_no_ground",
        specs=[dg.AssetCheckSpec(name, asset=PERSONA_CLAIMS) for name in names.values()],
        required_resource_keys={"warehouse"},
    )
    def checks(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        warehouse: Warehouse = context.resources.warehouse
        with warehouse.connect() as connection:
            lost = lost_ground(connection)
            held = dict(
                connection.execute(
                    "select persona, held_because from metrics.personas where held_because is not null"
                ).fetchall()
            )
        for persona, name in names.items():
            sentences = [one.sentence for one in lost if one.persona == persona]
            sentences += [f"held: {held[persona]}"] if persona in held else []
            yield dg.AssetCheckResult(
                asset_key=PERSONA_CLAIMS,
                check_name=name,
                passed=not sentences,
                severity=dg.AssetCheckSeverity.WARN,
                description="; ".join(sentences) or None,
            )

    return checks
