"""`segments check` finds a slip before the night does, and tells whether the receivers can be reached."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from orchestration.settings import Home
from tests.alert.builders import Webhook, free_port, publish, write_alerts
from tests.builders import Stage

SECRET = "s3cr3t-t0ken"
FILES = [
    "settings.yml",
    "calendar.yml",
    "alerts.yml",
    "acknowledgements.jsonl",
    "deliveries.jsonl",
    "overrides.jsonl",
    "campaigns",
    "personas",
    "dbt_project",
]


def segments(*arguments: str, home: Home) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "orchestration.cli", "check", *arguments, "--home", str(home.path)]
    environment = {**os.environ, "HOOK_TOKEN": SECRET}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


@pytest.fixture
def checked(stage: Stage) -> Home:
    """A home with a release, and neither campaigns nor personas, in the folder where dbt has parsed before."""
    home = stage.home()
    publish(home)
    (home.path / "plans").mkdir()
    (home.path / "people").mkdir()
    (home.path / "settings.yml").write_text("campaigns: plans\npersonas: people\n")
    return home


def test_each_file_is_said_to_be_right(checked: Home, webhook: Webhook) -> None:
    write_alerts(checked, f"receivers:\n  crm: {{url: '{webhook.url()}', owners: [crm], segments: ['rfm_*']}}\n")
    told = segments(home=checked)
    assert told.returncode == 0, told.stdout
    assert told.stdout.splitlines() == [f"{file}: ok" for file in FILES]
    assert webhook.got == {}


def test_each_file_that_is_wrong_is_told_by_its_own_sentence(checked: Home) -> None:
    (checked.path / "settings.yml").write_text("curency: USD\n")
    (checked.path / "calendar.yml").write_text("country: Utopia\n")
    write_alerts(checked, "receivers:\n  crm: {url: json://h, segments: [at_rosk]}\n")
    (checked.path / "acknowledgements.jsonl").write_text("known\n")
    told = segments("--json", "--send-test", home=checked)
    assert told.returncode == 2
    wrong = {one["what"]: one["wrong"] for one in json.loads(told.stdout)["checked"]}
    assert list(wrong) == FILES
    assert "did you mean `currency`?" in wrong["settings.yml"]
    assert "no holidays are known of 'Utopia'" in wrong["calendar.yml"]
    assert "did you mean at_risk?" in wrong["alerts.yml"]
    assert "put back its last version" in wrong["acknowledgements.jsonl"]
    assert wrong["overrides.jsonl"] is None
    assert "No test was sent" in told.stderr


def test_a_test_message_goes_to_each_receiver_and_none_is_noted(checked: Home, webhook: Webhook) -> None:
    write_alerts(
        checked,
        f"receivers:\n  crm: {{url: '{webhook.url()}'}}\n"
        f"  gone: {{url: 'json://crm:${{HOOK_TOKEN}}@127.0.0.1:{free_port()}'}}\n",
    )
    told = segments("--send-test", home=checked)
    assert told.returncode == 1
    assert "test to crm: sent" in told.stdout
    assert "test to gone: it cannot be reached, or does not let us in" in told.stdout
    assert webhook.titles() == ["Test of the segments' alerts"]
    assert SECRET not in told.stdout + told.stderr
    assert not (checked.path / "deliveries.jsonl").exists()


def test_without_receivers_there_is_no_test_to_send(checked: Home) -> None:
    told = segments("--send-test", home=checked)
    assert told.returncode == 0
    assert "No test was sent: there is no alerts.yml" in told.stderr


def test_an_event_of_a_segment_that_there_is_not_is_told(checked: Home) -> None:
    (checked.path / "calendar.yml").write_text(
        "events: [{name: a letter, from: 2024-01-05, to: 2024-01-06, segments: [at_rosk]}]\n"
    )
    told = segments("--json", home=checked)
    wrong = {one["what"]: one["wrong"] for one in json.loads(told.stdout)["checked"]}
    assert told.returncode == 2
    assert "'a letter' is of the segment at_rosk, which there is not" in wrong["calendar.yml"]


def test_each_campaign_file_that_is_wrong_is_a_line(checked: Home) -> None:
    (checked.path / "plans" / "spring.yml").write_text("nmae: Spring\n")
    (checked.path / "plans" / "summer.yml").write_text("- a list\n")
    told = segments("--json", home=checked)
    wrong = {one["what"]: one["wrong"] for one in json.loads(told.stdout)["checked"] if one["wrong"]}
    assert told.returncode == 2
    assert list(wrong) == ["campaigns/spring.yml", "campaigns/summer.yml"]
    assert "unknown field `nmae`; did you mean name?" in wrong["campaigns/spring.yml"]
    assert "must have lines of the form" in wrong["campaigns/summer.yml"]


def test_a_folder_of_campaigns_that_there_is_not_is_told(checked: Home) -> None:
    (checked.path / "settings.yml").write_text("campaigns: plnas\npersonas: people\n")
    told = segments("--json", home=checked)
    [wrong] = [one["wrong"] for one in json.loads(told.stdout)["checked"] if one["wrong"]]
    assert "settings.yml: `campaigns` is plnas, and there is no folder" in wrong
