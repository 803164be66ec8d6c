"""Readers never wait for a refresh, a refresh never for readers, and nobody sees half a release."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import duckdb

from tests.builders import SHOP_DAYS, Refreshed, Stage, ask, corner_shop, refreshed

CLIENT = Path(__file__).with_name("client.py")
TODAY, TOMORROW = SHOP_DAYS[:2]


def test_clients_see_whole_releases_through_a_refresh_and_do_not_hold_it_up(stage: Stage) -> None:
    home = stage.home(corner_shop())
    (home.path / "settings.yml").write_text("business_timezone: America/New_York\nproduct_x: X\nkeep_releases: 1\n")
    refreshed(home, TODAY)
    current = home.releases / "current" / "segments.duckdb"

    with duckdb.connect(str(current), read_only=True) as holder:
        before = holder.execute("select count(*) from metrics.segment_counts_daily").fetchall()
        looking = subprocess.Popen(
            [sys.executable, str(CLIENT), str(home.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert looking.stdout is not None
        first_look = looking.stdout.readline()
        refreshed(home, TOMORROW)
        last_look, errors = looking.communicate("enough")
        assert holder.execute("select count(*) from metrics.segment_counts_daily").fetchall() == before

    looks = [json.loads(line) for line in [first_look, *last_look.splitlines()]]
    assert errors == ""
    assert looking.returncode == 0
    assert all(look["torn"] == [] for look in looks)
    assert all(look["counts"] == look["segments"] * (1 + (look["as_of"] == [str(TOMORROW)])) for look in looks)
    seen = [look["as_of"] for look in looks]
    assert seen == sorted(seen)
    assert seen[0] == [str(TODAY)]
    assert len(looks) > 20


def test_a_release_has_the_four_schemas_of_the_interface(stage: Stage, shop: Refreshed) -> None:
    home = stage.restore(shop.aside)
    assert {row[0] for row in ask(home, "select schema_name from duckdb_tables()")} == {
        "segments",
        "customers",
        "metrics",
        "catalog",
    }
