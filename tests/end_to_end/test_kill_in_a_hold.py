"""Killed in the middle of a hold, a recovery and an override: the next run understands what was left, and ends as if undisturbed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from orchestration.settings import Home
from tests.builders import (
    CUSTOMERS,
    SHOP_DAYS,
    Rows,
    Stage,
    ask,
    corner_shop,
    current_contents,
    drop_company,
    refreshed,
)
from tests.end_to_end.test_holds import with_genders_missing

SECOND, THIRD, FOURTH = SHOP_DAYS[1:]
#: Shares of the time that an undisturbed run takes.
MOMENTS = (0.45, 0.7, 0.9)

HOLD = ("refresh", "--from", str(THIRD), "--to", str(FOURTH))
RELEASE = ("release-held", "women_25_34", "--reason", "the CRM asks for no gender any more")


def start(home: Home, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "orchestration.cli", *arguments, "--home", str(home.path)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)


def undisturbed(home: Home, arguments: Sequence[str]) -> float:
    """Runs the command to its end; gives its seconds."""
    started = time.monotonic()
    assert start(home, arguments).wait() in (0, 3)
    return time.monotonic() - started


def killed(home: Home, arguments: Sequence[str], seconds: float) -> None:
    running = start(home, arguments)
    try:
        running.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()


def what_counts(home: Home) -> dict[str, Rows]:
    """All of a release but who released a segment, and when."""
    contents = current_contents(home)
    contents["catalog.segments"] = ask(
        home, "select * exclude (released_by), released_by is null from catalog.segments order by all"
    )
    return contents


@pytest.fixture(scope="module")
def two_days(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = stage.home(with_genders_missing(THIRD))
    refreshed(home, SHOP_DAYS[0], SECOND)
    return stage.set_aside(tmp_path_factory.mktemp("two_days") / "home")


@pytest.fixture(scope="module")
def held(stage: Stage, two_days: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = stage.restore(two_days)
    refreshed(home, THIRD, FOURTH)
    return stage.set_aside(tmp_path_factory.mktemp("held") / "home")


def test_killed_in_a_hold(stage: Stage, two_days: Path, held: Path) -> None:
    home = stage.restore(two_days)
    seconds = undisturbed(home, HOLD)
    expected = what_counts(home)
    home = stage.restore(two_days)
    before = what_counts(home)
    for moment in MOMENTS:
        killed(home, HOLD, seconds * moment)
        assert what_counts(home) in (before, expected)
    undisturbed(home, HOLD)
    assert what_counts(home) == expected
    assert ask(home, "select state from catalog.segments where segment = 'women_25_34'") == [("held",)]


def test_killed_in_a_recovery(stage: Stage, held: Path) -> None:
    def corrected() -> Home:
        home = stage.restore(held)
        drop_company(home, {CUSTOMERS: {THIRD: corner_shop()[CUSTOMERS][THIRD]}})
        return home

    home = corrected()
    seconds = undisturbed(home, ("refresh",))
    expected = what_counts(home)
    home = corrected()
    for moment in MOMENTS:
        killed(home, ("refresh",), seconds * moment)
    undisturbed(home, ("refresh",))
    assert what_counts(home) == expected
    assert ask(home, "select count(*) from catalog.segments where state = 'held'") == [(0,)]


def test_killed_in_an_override(stage: Stage, held: Path) -> None:
    home = stage.restore(held)
    seconds = undisturbed(home, RELEASE)
    expected = what_counts(home)
    assert ask(home, "select state from catalog.segments where segment = 'women_25_34'") == [("fresh",)]
    for moment in MOMENTS:
        home = stage.restore(held)
        before = what_counts(home)
        killed(home, RELEASE, seconds * moment)
        assert what_counts(home) in (before, expected)
        is_kept = (home.path / "overrides.jsonl").exists()
        undisturbed(home, ("refresh",) if is_kept else RELEASE)
        assert what_counts(home) == expected
