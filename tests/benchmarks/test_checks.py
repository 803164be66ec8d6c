"""The benchmark of the checks at toy size: the process that is timed reads, judges, profiles and archives every row."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.checks import run
from expectations.contracts import EXTRACT_TABLES
from orchestration.ingest.archive import register_archive
from orchestration.settings import Settings, locate_home
from orchestration.warehouse import Warehouse


def test_every_row_is_archived_with_its_profile_and_the_cost_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cost = run(tmp_path, lines=5_000, customers=500, memory_limit="1GB")
    home = locate_home(tmp_path)
    with Warehouse(home, Settings()).connect() as connection:
        register_archive(connection, home.archive)
        found = connection.execute("select source || '/' || table_name, profile from quality.profiles").fetchall()
    profiles = {table_id: json.loads(profile) for table_id, profile in found}
    assert {table_id: profile["rows"] for table_id, profile in profiles.items()} == {
        "shop/order_lines": 5_000,
        "crm/customers": 500,
    }
    for table_id, profile in profiles.items():
        assert list(profile["columns"]) == list(EXTRACT_TABLES[table_id].columns)
    assert cost.wall > 0
    assert "5,000 rows archived" in capsys.readouterr().out
