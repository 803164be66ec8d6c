"""A disk that is full in the middle and a memory limit too small to work with: one sentence with the remedy, and the last release untouched."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from orchestration.cli import main
from orchestration.publish.releases import current_release
from orchestration.settings import Home
from tests.builders import CUSTOMERS, ORDER_LINES, SHOP_DAYS, Refreshed, current_contents, drop_rows, refreshed

#: So much is free when the night begins: it is written full before it comes to an end, early or late, by SQLite, dbt or DuckDB.
ROOM = (500_000, 2_000_000, 6_000_000)
NEXT = SHOP_DAYS[-1] + timedelta(1)


def with_a_next_day(home: Home) -> Home:
    for table in (CUSTOMERS, ORDER_LINES):
        drop_rows(home, table, NEXT, [])
    return home


def refused(home: Home) -> str:
    """What the command says of a night that fails."""
    done = CliRunner().invoke(main, ["refresh", "--as-of", str(NEXT), "--home", str(home.path)])
    assert done.exit_code == 1, done.output
    return done.stderr.strip().splitlines()[-1]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of a hundred megabytes."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if (
        shutil.which("mount") is None
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=100m", "tmpfs", str(disk)], stderr=subprocess.DEVNULL
        ).returncode
    ):
        pytest.skip("only who may mount a file system can fill one without filling the machine's")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


@pytest.mark.parametrize("room", ROOM)
def test_a_full_disk_is_told_with_its_remedy_and_touches_no_release(
    small_disk: Path, shop: Refreshed, room: int
) -> None:
    home = with_a_next_day(Home(Path(shutil.copytree(shop.aside, small_disk / "home", symlinks=True))))
    filler = small_disk / "filler"
    filler.write_bytes(bytes(shutil.disk_usage(small_disk).free - room))
    assert refused(home) == (
        "The disk with the home on it is full: free some space and refresh again. "
        "Nothing was published, and the last release is untouched."
    )
    assert current_release(home) == shop.manifest
    assert current_contents(home) == shop.contents
    filler.unlink()
    assert refreshed(home, NEXT).as_of_date == NEXT


def test_too_small_a_memory_limit_is_told_with_its_remedy_and_touches_no_release(
    tmp_path: Path, shop: Refreshed
) -> None:
    home = with_a_next_day(Home(Path(shutil.copytree(shop.aside, tmp_path / "home", symlinks=True))))
    with (home.path / "settings.yml").open("a") as settings:
        settings.write("memory_limit: 8MB\n")
    assert refused(home) == (
        "DuckDB needs more memory than it may use: raise memory_limit in settings.yml, or lower threads, and refresh again. "
        "Nothing was published, and the last release is untouched."
    )
    assert current_release(home) == shop.manifest
    assert current_contents(home) == shop.contents
