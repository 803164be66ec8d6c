"""A counter where other systems hand in files, and what ingest made of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from expectations.contracts import EXTRACT_TABLES
from orchestration.days import Days
from orchestration.ingest.archive import Quality, partition, quality_of
from orchestration.ingest.assets import Ingested, ingest
from orchestration.settings import Home, Settings
from orchestration.validate.gate import judge_with
from orchestration.warehouse import Warehouse
from tests.builders import drop

DAY = date(2024, 3, 9)
NEXT_DAY = date(2024, 3, 10)


@dataclass
class Counter:
    """Takes files in, one table at a time, under a limit of refused rows that small files do not break by accident."""

    home: Home
    connection: duckdb.DuckDBPyConnection
    settings: Settings = field(default_factory=lambda: Settings(refused_share_limit=0.5))

    def take(self, table_id: str, name: str, content: str | bytes, days: Days | None = None) -> Ingested:
        """Drops the file and ingests the day, or days, of it."""
        drop(self.home, table_id, name, content)
        return self.ingest(table_id, days or Days(*[date.fromisoformat(name[:10])] * 2))

    def ingest(self, table_id: str, days: Days) -> Ingested:
        return ingest(self.connection, self.home, EXTRACT_TABLES[table_id], days, judge_with(self.home, self.settings))

    def accepted(self, table_id: str, day: date = DAY) -> list[dict[str, Any]]:
        return self._rows(partition(self.home.archive, EXTRACT_TABLES[table_id], day))

    def set_aside(self, table_id: str, day: date = DAY) -> list[dict[str, Any]]:
        """The rows in quarantine: those refused, and those accepted without some of their values."""
        return self._rows(partition(self.home.quarantine, EXTRACT_TABLES[table_id], day))

    def refused(self, table_id: str, day: date = DAY) -> list[dict[str, Any]]:
        return [row for row in self.set_aside(table_id, day) if row["is_refused"]]

    def quality(self, table_id: str, day: date = DAY) -> list[Quality]:
        return quality_of(self.connection, self.home.archive, EXTRACT_TABLES[table_id], [day])[day]

    def failed(self, table_id: str, day: date = DAY) -> dict[str, str]:
        """The expectations that the day's file did not meet, with what was observed."""
        return {found.expectation: found.observed for found in self.quality(table_id, day) if not found.success}

    def _rows(self, path: Path) -> list[dict[str, Any]]:
        if not path.exists():
            return []
        with duckdb.connect() as connection:
            rows = connection.execute("from read_parquet($path, hive_partitioning = false)", {"path": str(path)})
            names = [column[0] for column in rows.description or []]
            return [dict(zip(names, row, strict=True)) for row in rows.fetchall()]


@pytest.fixture
def counter(home: Home) -> Iterator[Counter]:
    settings = Settings(business_timezone="America/New_York", refused_share_limit=0.5)
    with Warehouse(home, settings).connect() as connection:
        yield Counter(home, connection, settings)
