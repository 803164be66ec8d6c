"""The asset graph as a whole: an accidental change of a key, a group, a check or the schedule shows as a difference here."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from orchestration.definitions import build_definitions
from orchestration.settings import Settings
from tests.builders import Refreshed, Stage

SNAPSHOT = Path(__file__).with_name("asset_graph.json")


@pytest.fixture(scope="module")
def definitions(stage: Stage, shop: Refreshed) -> dg.Definitions:
    return build_definitions(stage.restore(shop.aside), Settings(business_timezone="America/New_York", product_x="X"))


def test_the_asset_graph_is_the_one_that_was_reviewed(definitions: dg.Definitions) -> None:
    """After a change on purpose: delete asset_graph.json, run the test once, and review the difference."""
    graph = definitions.resolve_asset_graph()
    found = {
        key.to_user_string(): {
            "group": node.group_name,
            "partitioned": node.partitions_def is not None,
            "upstream": sorted(parent.to_user_string() for parent in node.parent_keys),
            "checks": sorted(check.name for check in graph.get_check_keys_for_assets({key})),
        }
        for key in sorted(graph.get_all_asset_keys())
        for node in [graph.get(key)]
    }
    if not SNAPSHOT.exists():
        SNAPSHOT.write_text(json.dumps(found, indent=1) + "\n")
    assert found == json.loads(SNAPSHOT.read_text())


def test_a_partition_is_an_extract_date_from_the_first_extract_on(definitions: dg.Definitions) -> None:
    partitions = definitions.resolve_asset_graph().get(dg.AssetKey(["shop", "order_lines"])).partitions_def
    assert partitions is not None
    assert partitions.get_first_partition_key() == "2024-03-09"


def test_the_night_runs_at_two_for_the_day_that_has_ended_and_is_tried_once_more(definitions: dg.Definitions) -> None:
    schedule = definitions.resolve_schedule_def("nightly")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 2 * * *", "America/New_York")
    with dg.instance_for_test() as instance:
        context = dg.build_schedule_context(
            instance=instance,
            scheduled_execution_time=datetime(2024, 3, 13, 2, tzinfo=ZoneInfo("America/New_York")),
            repository_def=definitions.get_repository_def(),
        )
        [request] = schedule.evaluate_tick(context).run_requests or []
    assert request.partition_key == "2024-03-12"
    assert request.tags["dagster/max_retries"] == "1"


def test_a_failed_night_is_watched_for_wherever_the_daemon_runs(definitions: dg.Definitions) -> None:
    sensor = definitions.resolve_sensor_def("failed_nights")
    assert sensor.default_status == dg.DefaultSensorStatus.RUNNING


def test_the_whole_job_can_be_started_for_one_partition(definitions: dg.Definitions) -> None:
    job = definitions.resolve_job_def("nightly_refresh")
    assert job.partitions_def is not None
    assert set(definitions.resolve_asset_graph().materializable_asset_keys) == set(job.asset_layer.selected_asset_keys)
