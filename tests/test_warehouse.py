"""The warehouse is held open for the length of a block, however the block ends, and no longer."""

from __future__ import annotations

import subprocess
import sys

import pytest

from orchestration.settings import Home, load_settings
from orchestration.warehouse import Warehouse

OPENS = "import duckdb, sys; duckdb.connect(sys.argv[1]).close()"


def another_process_can_open(warehouse: Warehouse) -> bool:
    return subprocess.run([sys.executable, "-c", OPENS, str(warehouse.path)], capture_output=True).returncode == 0


def test_the_file_stays_open_between_connections_of_the_block_and_not_after_it(home: Home) -> None:
    warehouse = Warehouse(home, load_settings(home))
    with warehouse.held_open():
        with warehouse.connect() as connection:
            connection.execute("create table kept (number integer)")
        assert not another_process_can_open(warehouse)
        with warehouse.connect() as connection:
            assert connection.execute("from kept").fetchall() == []
    assert another_process_can_open(warehouse)


def test_a_block_that_fails_before_its_first_use_holds_nothing_open_later(home: Home) -> None:
    warehouse = Warehouse(home, load_settings(home))
    with pytest.raises(RuntimeError, match="too early"), warehouse.held_open():
        raise RuntimeError("too early")
    with warehouse.connect() as connection:
        connection.execute("create table kept (number integer)")
    assert another_process_can_open(warehouse)
