"""The whole pipeline for Dagster: assets, checks, the job, its schedule and its sensor. Nothing is decided here."""

from __future__ import annotations

from functools import partial

import dagster as dg

from expectations.contracts import EXTRACT_TABLES
from orchestration.alert.assets import alerts_asset
from orchestration.alert.sensors import failure_sensor
from orchestration.ingest.assets import Judge, extract_asset
from orchestration.instance import first_and_newest_day, warehouse_resource
from orchestration.measure.assets import counts_asset, impact_asset, personas_asset, shifts_asset
from orchestration.measure.checks import campaign_checks, persona_checks, refreshed_checks, shift_checks
from orchestration.partitions import daily_partitions
from orchestration.personas.files import persona_names
from orchestration.progress import console
from orchestration.publish.assets import release_asset
from orchestration.publish.releases import days_on_record
from orchestration.schedule import nightly_refresh, nightly_schedule
from orchestration.settings import Home, Settings, load_settings, locate_home
from orchestration.target.assets import campaigns_asset
from orchestration.transform.assets import dbt_models, other_days_asset, plan_asset
from orchestration.transform.catalogue import segments
from orchestration.transform.project import DbtProjectOfHome
from orchestration.validate.assets import verdicts_asset
from orchestration.validate.gate import judge_with, rule_names
from orchestration.warehouse import Warehouse


def build_definitions(
    home: Home | None = None, settings: Settings | None = None, judge: Judge | None = None
) -> dg.Definitions:
    """The pipeline of one home; tests hand in their own."""
    home = home or locate_home()
    settings = settings or load_settings(home)
    warehouse = Warehouse(home, settings)
    partitions = daily_partitions(*first_and_newest_day(home), settings.business_timezone)
    judge = judge or judge_with(home, settings)
    published = partial(days_on_record, home)
    project = DbtProjectOfHome(warehouse)
    names = [segment.name for segment in segments(project.manifest())]
    personas = persona_names(home, settings)
    job = nightly_refresh(partitions)
    return dg.Definitions(
        assets=[
            *(extract_asset(table, partitions, judge, rule_names(table)) for table in EXTRACT_TABLES.values()),
            verdicts_asset(),
            plan_asset(published),
            dbt_models(project, published),
            other_days_asset(project),
            counts_asset(partitions),
            shifts_asset(),
            impact_asset(),
            personas_asset(),
            release_asset(partitions),
            campaigns_asset(),
            alerts_asset(),
        ],
        asset_checks=[
            refreshed_checks(names),
            shift_checks(names),
            campaign_checks(),
            *([persona_checks(personas)] if personas else []),
        ],
        jobs=[job],
        schedules=[nightly_schedule(job, settings.business_timezone)],
        sensors=[failure_sensor(job, home, settings)],
        resources={"warehouse": warehouse_resource(warehouse)},
        executor=dg.in_process_executor,
        loggers={"console": console},
    )


@dg.definitions
def defs() -> dg.Definitions:
    """What Dagster's own tools load: the home of ``SEGMENTS_HOME``."""
    return build_definitions()
