"""Whole nights, run by the command: what is held is told once it is published, and no receiver can spoil the night."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from filelock import FileLock
from pytest_httpserver import HTTPServer

from orchestration.settings import Home
from tests.alert.builders import Webhook, free_port, write_alerts
from tests.builders import CUSTOMERS, ORDER_LINES, SHOP_DAYS, Company, Row, Stage, corner_shop, last_verdict

FIRST, *_, LAST = SHOP_DAYS
REFRESH = ("refresh", "--from", str(FIRST), "--to", str(LAST))
FAILED_TITLE = f"The refresh of {FIRST} to {LAST} failed"


def start(*arguments: str, home: Home) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "orchestration.cli", *arguments, "--home", str(home.path)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)


def segments(*arguments: str, home: Home) -> tuple[int, str, str]:
    running = start(*arguments, home=home)
    out, err = running.communicate()
    return running.returncode, out, err


def genderless() -> Company:
    """The corner shop, whose CRM sends everybody again on the last day, without a gender: two segments are held."""
    company = corner_shop()
    everybody: dict[str, Row] = {
        row["customer_id"]: row | {"gender": ""} for day in SHOP_DAYS for row in company[CUSTOMERS].get(day, [])
    }
    return company | {CUSTOMERS: company[CUSTOMERS] | {LAST: list(everybody.values())}}


def receivers(home: Home, webhook: Webhook, **others: str) -> None:
    urls = {"crm": webhook.url(), **others}
    write_alerts(home, "receivers:\n" + "".join(f"  {name}: {{url: '{url}'}}\n" for name, url in urls.items()))


def wait_for(path: Path, running: subprocess.Popen[str]) -> None:
    while not path.exists():
        assert running.poll() is None, running.communicate()
        time.sleep(0.01)


@pytest.fixture
def webhook(httpserver: HTTPServer) -> Webhook:
    return Webhook.listening(httpserver)


@pytest.fixture(scope="module")
def published(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a night that was killed between publishing and sending; it was held up there by the lock of deliveries."""
    home = stage.home(genderless())
    write_alerts(home, f"receivers:\n  nobody: {{url: 'json://127.0.0.1:{free_port()}'}}\n")
    with FileLock(home.path / "deliveries.lock"):
        running = start(*REFRESH, home=home)
        wait_for(home.releases / "current", running)
        os.killpg(running.pid, signal.SIGKILL)
        running.communicate()
    return stage.set_aside(tmp_path_factory.mktemp("killed") / "home")


def test_killed_between_publishing_and_sending_the_same_night_again_tells_it(
    published: Path, stage: Stage, webhook: Webhook
) -> None:
    home = stage.restore(published)
    assert not (home.path / "deliveries.jsonl").exists()
    receivers(home, webhook, gone=f"json://127.0.0.1:{free_port()}")
    code, out, err = segments(*REFRESH, "--json", home=home)
    assert code == 3, err
    [title] = webhook.titles()
    assert title == f"2 segments are held on {LAST}"
    assert "Traceback" not in err
    assert [alert["receiver"] for alert in json.loads(out)["alerts"]] == ["gone", "gone"]
    verdict = last_verdict(home, "alerts", "alerts_are_delivered")
    assert (verdict.passed, verdict.severity.value) == (False, "WARN")
    assert verdict.description == "gone: it cannot be reached, or does not let us in"
    assert "Alerts not delivered" in segments("status", home=home)[1]

    receivers(home, webhook, gone=webhook.url("back"))
    code, out, _ = segments(*REFRESH, "--json", home=home)
    assert (code, json.loads(out)["alerts"]) == (3, [])
    assert (len(webhook.titles()), len(webhook.titles("back"))) == (1, 1)
    assert last_verdict(home, "alerts", "alerts_are_delivered").passed


def test_a_night_that_failed_is_told_in_its_sentence_and_once(stage: Stage, webhook: Webhook) -> None:
    company = corner_shop()
    home = stage.home(company | {ORDER_LINES: {FIRST: company[ORDER_LINES][FIRST]}})
    receivers(home, webhook)
    for _ in range(2):
        code, _, err = segments(*REFRESH, home=home)
        assert code == 1
    assert webhook.titles() == [FAILED_TITLE]
    assert webhook.got["crm"][0]["message"].splitlines()[0] == err.strip().splitlines()[-1]
    assert "has not arrived" in webhook.got["crm"][0]["message"]


def test_a_slip_in_the_alerts_is_told_before_the_night_and_nothing_is_done(stage: Stage) -> None:
    home = stage.home(corner_shop())
    write_alerts(home, "receivers:\n  crm: {url: json://h, owner: [crm]}\n")
    code, _, err = segments(*REFRESH, home=home)
    assert code == 2
    assert "did you mean owners?" in err
    assert not home.releases.exists()
