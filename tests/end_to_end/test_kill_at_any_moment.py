"""Killed at ten moments of a refresh: the last release stays readable, and the next run needs no cleaning."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from expectations.contracts import EXTRACT_TABLES
from orchestration.ingest.archive import partition
from orchestration.publish.releases import list_releases, verify
from orchestration.settings import Home
from tests.builders import ORDER_LINES, SHOP_DAYS, Refreshed, Stage, ask, corner_shop, current_contents, refreshed

PROJECT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).with_name("refresh_days.py")
KILLS, KILLS_IN_A_ROW = 10, 5
SEED = 20170101


def start_refresh(home: Home) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), str(home.path), str(SHOP_DAYS[2]), str(SHOP_DAYS[3])],
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def kill_after(seconds: float, home: Home) -> None:
    """Starts a refresh and kills it, and every process that it started, after so many seconds."""
    running = start_refresh(home)
    try:
        running.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()


@pytest.fixture(scope="module")
def two_days(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Refreshed:
    """The corner shop on the evening of its second day."""
    home = stage.home(corner_shop())
    manifest = refreshed(home, SHOP_DAYS[0], SHOP_DAYS[1])
    return Refreshed(stage.set_aside(tmp_path_factory.mktemp("two_days") / "home"), manifest, current_contents(home))


@pytest.fixture(scope="module")
def seconds(stage: Stage, two_days: Refreshed, shop: Refreshed) -> float:
    """How long an undisturbed refresh takes, in a process of its own."""
    home = stage.restore(two_days.aside)
    started = time.monotonic()
    assert start_refresh(home).wait() == 0
    assert current_contents(home) == shop.contents
    return time.monotonic() - started


def moments(seconds: float) -> list[float]:
    """Ten moments at random, one in each tenth of the run, in a random order."""
    dice = random.Random(SEED)
    spread = [seconds * (tenth + dice.random()) / KILLS for tenth in range(KILLS)]
    return dice.sample(spread, KILLS)


@pytest.mark.parametrize("round_", range(KILLS // KILLS_IN_A_ROW))
def test_a_killed_refresh_leaves_a_good_release_and_the_next_run_ends_as_if_nothing_had_happened(
    stage: Stage, shop: Refreshed, two_days: Refreshed, seconds: float, round_: int
) -> None:
    home = stage.restore(two_days.aside)
    for moment in moments(seconds)[round_ * KILLS_IN_A_ROW : (round_ + 1) * KILLS_IN_A_ROW]:
        kill_after(moment, home)
        assert current_contents(home) in (two_days.contents, shop.contents), f"after {moment:.1f} of {seconds:.1f} s"
        for release in list_releases(home):
            verify(home.releases / release.release, release)

    assert refreshed(home, SHOP_DAYS[2], SHOP_DAYS[3]).release == shop.manifest.release
    assert current_contents(home) == shop.contents
    kept = {path.name for path in home.releases.iterdir()}
    assert kept == {"current", two_days.manifest.release, shop.manifest.release}
    assert [path for path in home.archive.rglob("*") if path.suffix == ".tmp"] == []


def test_a_refresh_killed_alone_is_repeated_at_once(stage: Stage, shop: Refreshed, two_days: Refreshed) -> None:
    """`kill -9 <pid>`, of that one process: no child of it is left that could hold the warehouse."""
    home = stage.restore(two_days.aside)
    running = start_refresh(home)
    try:
        while (
            not partition(home.archive, EXTRACT_TABLES[ORDER_LINES], SHOP_DAYS[3]).exists() and running.poll() is None
        ):
            time.sleep(0.05)
        time.sleep(2)
        running.kill()
        running.wait()
        assert ask(home, "select max(as_of_date) from metrics.segment_counts_daily") == [(SHOP_DAYS[1],)]
        assert refreshed(home, SHOP_DAYS[2], SHOP_DAYS[3]).release == shop.manifest.release
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
    assert current_contents(home) == shop.contents
