"""A release that is not as new as it should be is told by one sentence and an exit code, also when nothing runs any more."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from orchestration.alert.freshness import freshness
from orchestration.settings import Home, Settings
from tests.alert.builders import publish

NEW_YORK = ZoneInfo("America/New_York")
SETTINGS = Settings(business_timezone="America/New_York")


def segments(*arguments: str, home: Home) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "orchestration.cli", "check-freshness", *arguments, "--home", str(home.path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("now", "is_fresh"),
    [
        ("2017-11-15T02:30", True),
        ("2017-11-15T23:59", True),
        ("2017-11-16T02:30", True),
        ("2017-11-16T07:59", True),
        ("2017-11-16T08:00", False),
        ("2017-11-20T03:00", False),
    ],
)
def test_yesterday_has_to_be_published_six_hours_after_the_night_began(
    now: str, is_fresh: bool, published: Home
) -> None:
    """The newest day published is the 14th, and the clock is that of the business."""
    clock = datetime.fromisoformat(now).replace(tzinfo=NEW_YORK)
    assert freshness(published, SETTINGS, clock).is_fresh is is_fresh


def test_the_day_of_the_business_counts_and_not_that_of_the_machine(published: Home) -> None:
    clock = datetime(2017, 11, 16, 9, tzinfo=ZoneInfo("UTC"))
    assert freshness(published, SETTINGS, clock).is_fresh
    assert not freshness(published, Settings(), clock).is_fresh


def test_a_release_of_a_day_to_come_is_not_fresh_for_ever(home: Home) -> None:
    """An extract with a wrong date in its name would hide that nobody runs the nights any more."""
    publish(home, datetime(2099, 1, 1).date())
    manifest = home.releases / "current" / "manifest.json"
    manifest.write_text(manifest.read_text().replace("2099-01-02T07:05", "2017-11-15T07:05"))
    clock = datetime(2017, 11, 18, 9, tzinfo=NEW_YORK)
    found = freshness(home, SETTINGS, clock)
    assert found.said.startswith("Nothing was published since 2017-11-15 02:05")


def test_another_age_may_be_asked_for(published: Home) -> None:
    clock = datetime(2017, 11, 20, 12, tzinfo=NEW_YORK)
    assert freshness(published, SETTINGS, clock, timedelta(days=7)).is_fresh
    assert not freshness(published, SETTINGS, clock, timedelta(days=5)).is_fresh


def test_the_command_says_one_sentence_and_ends_with_one(published: Home) -> None:
    fresh = segments("--now", "2017-11-15T03:00+00:00", home=published)
    assert (fresh.returncode, fresh.stderr) == (0, "")
    assert "Release 2017-11-14-0000 is fresh" in fresh.stdout
    stale = segments(home=published)
    assert (stale.returncode, stale.stdout) == (1, "")
    assert "The newest day published is 2017-11-14, and" in stale.stderr
    assert len(stale.stderr.strip().splitlines()) == 1
    again = segments("--max-age-hours", "72", "--now", "2017-11-17T03:00+00:00", home=published)
    assert again.returncode == 0


def test_the_command_answers_in_json(published: Home) -> None:
    told = segments("--json", "--now", "2017-11-18T03:00+00:00", home=published)
    assert told.returncode == 1
    assert json.loads(told.stdout) | {"said": ""} == {
        "is_fresh": False,
        "said": "",
        "release": "2017-11-14-0000",
        "as_of_date": "2017-11-14",
        "expected_as_of_date": "2017-11-16",
    }


def test_without_a_release_it_is_not_fresh(home: Home) -> None:
    told = segments(home=home)
    assert told.returncode == 1
    assert "There is no release" in told.stderr
