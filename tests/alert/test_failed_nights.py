"""A night that failed is told in one sentence, once, from the command line and under Dagster alike."""

from __future__ import annotations

from datetime import timedelta

import dagster as dg
import pytest

from orchestration.alert.delivery import deliver, tell, tell_failure
from orchestration.alert.ledger import Ledger
from orchestration.alert.routes import read_routes
from orchestration.alert.sensors import failure_sensor
from orchestration.days import Days
from orchestration.errors import ExtractMissing
from orchestration.partitions import range_tags
from orchestration.settings import Home, Settings
from tests.alert.builders import AT_ONCE, DAY, NIGHT, NOW, Webhook, write_alerts
from tests.builders import MARKER

SETTINGS = Settings(business_timezone="America/New_York")
NIGHTS = Days(DAY, DAY)
SENTENCE = "crm/customers of 2017-11-14 has not arrived: deliver it and refresh."


@pytest.fixture
def told(published: Home, webhook: Webhook) -> Home:
    write_alerts(
        published,
        f"receivers:\n  all: {{url: '{webhook.url('all')}'}}\n  crm: {{url: '{webhook.url('crm')}', owners: [crm]}}\n",
    )
    return published


def nightly_refresh(problem: Exception) -> dg.JobDefinition:
    """The nightly job, whose one step raises the problem."""

    @dg.asset
    def extracts() -> None:
        raise problem

    definitions = dg.Definitions(assets=[extracts], jobs=[dg.define_asset_job("nightly_refresh")])
    return definitions.resolve_job_def("nightly_refresh")


def failed_run(instance: dg.DagsterInstance, problem: Exception) -> tuple[str, dg.DagsterEvent]:
    """The id of a run of the job, and the event by which Dagster says that it failed."""
    result = nightly_refresh(problem).execute_in_process(
        instance=instance, raise_on_error=False, tags=range_tags(NIGHTS)
    )
    [failure] = [event for event in result.all_events if event.event_type == dg.DagsterEventType.RUN_FAILURE]
    return result.run_id, failure


def sense(home: Home, instance: dg.DagsterInstance, run_id: str, failure: dg.DagsterEvent) -> object:
    sensor = failure_sensor(dg.define_asset_job("nightly_refresh"), home, SETTINGS)
    run = instance.get_run_by_id(run_id)
    assert run is not None
    context = dg.build_run_status_sensor_context("failed_nights", failure, instance, run)
    return sensor(context.for_run_failure())


def test_a_failure_is_told_to_who_hears_of_everything_and_once_a_day(told: Home, webhook: Webhook) -> None:
    for minutes in (0, 10, 20):
        tell_failure(told, SETTINGS, NIGHTS, SENTENCE, NOW + timedelta(minutes=minutes), AT_ONCE)
    assert webhook.titles("all") == ["The refresh of 2017-11-14 failed"]
    assert SENTENCE in webhook.got["all"][0]["message"]
    assert webhook.titles("crm") == []
    tell_failure(told, SETTINGS, NIGHTS, SENTENCE, NOW + NIGHT, AT_ONCE)
    assert len(webhook.titles("all")) == 2


def test_a_failure_that_reached_nobody_is_told_by_the_next_run(told: Home, webhook: Webhook) -> None:
    webhook.broken.add("all")
    [failed] = tell_failure(told, SETTINGS, NIGHTS, SENTENCE, NOW, AT_ONCE).failed
    assert [entry.title for entry in Ledger.read(told).undelivered(NOW)] == [failed.title]
    webhook.broken.clear()
    [sent] = tell(told, [], NOW + NIGHT, AT_ONCE).sent
    assert sent.key == "failed/2017-11-14/2017-11-14"
    assert SENTENCE in webhook.got["all"][-1]["message"]


def test_a_failure_that_reached_nobody_for_a_week_is_let_go(told: Home, webhook: Webhook) -> None:
    webhook.broken.add("all")
    tell_failure(told, SETTINGS, NIGHTS, SENTENCE, NOW, AT_ONCE)
    webhook.broken.clear()
    routes = read_routes(told)
    assert routes is not None
    assert deliver(told, [], routes, NOW + 8 * NIGHT, (), AT_ONCE).entries == ()
    assert Ledger.read(told).undelivered(NOW + 8 * NIGHT) == []


def test_telling_of_a_failure_fails_nothing_itself(told: Home) -> None:
    write_alerts(told, "receivers: [")
    assert tell_failure(told, SETTINGS, NIGHTS, SENTENCE, NOW, AT_ONCE).entries == ()


def test_under_dagster_our_own_sentence_is_told_and_no_traceback(told: Home, webhook: Webhook) -> None:
    with dg.instance_for_test() as instance:
        sense(told, instance, *failed_run(instance, ExtractMissing(SENTENCE)))
    [message] = webhook.got["all"]
    assert message["title"] == "The refresh of 2017-11-14 failed"
    assert message["message"].splitlines()[0] == SENTENCE
    assert "Traceback" not in message["message"]


def test_of_any_other_error_no_word_is_told_for_it_may_quote_a_customer(told: Home, webhook: Webhook) -> None:
    with dg.instance_for_test() as instance:
        sense(told, instance, *failed_run(instance, ValueError(f"cannot cast {MARKER}")))
    [message] = webhook.got["all"]
    assert "Something unforeseen went wrong (ValueError)" in message["message"]
    assert MARKER not in str(message)


def test_a_run_that_dagster_tries_once_more_is_not_told_yet(told: Home, webhook: Webhook) -> None:
    with dg.instance_for_test() as instance:
        run_id, failure = failed_run(instance, ExtractMissing(SENTENCE))
        instance.add_run_tags(run_id, {"dagster/will_retry": "true"})
        assert isinstance(sense(told, instance, run_id, failure), dg.SkipReason)
    assert webhook.got == {}


def test_a_run_that_was_killed_is_told_when_it_is_buried(told: Home, webhook: Webhook) -> None:
    with dg.instance_for_test() as instance:
        run = instance.create_run_for_job(nightly_refresh(ValueError()), tags=range_tags(NIGHTS))
        failure = instance.report_run_failed(run, "The process of this run ended without a word.")
        sense(told, instance, run.run_id, failure)
    [message] = webhook.got["all"]
    assert message["title"] == "The refresh of 2017-11-14 failed"
    assert "the process ended without a word" in message["message"]


def test_command_line_and_dagster_tell_of_one_failure_once(told: Home, webhook: Webhook) -> None:
    with dg.instance_for_test() as instance:
        run_id, failure = failed_run(instance, ExtractMissing(SENTENCE))
        tell_failure(told, SETTINGS, NIGHTS, SENTENCE, patience=AT_ONCE)
        sense(told, instance, run_id, failure)
    assert len(webhook.got["all"]) == 1
