"""What a peer is given for a night and where it leaves what it is asked for. No tool is named here.

``release/`` holds the files of today's members (segment, customer_id, entered_on) and of the counts of every night
(as_of_date, segment, members, entered, exited, base_customers), each as Parquet or CSV.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

MODELS = {file.stem: file.read_text() for file in sorted((Path(__file__).parent / "sql").glob("*.sql"))}

#: What a tool keeps from night to night in its own way, beside the tables of ``sql/``.
STATE = ("customers", "order_lines", "lines_of_days", "category_days", "percentiles", "members", "history")


@dataclass(frozen=True)
class Night:
    """One night of a peer that keeps what it has to remember in its folder ``state``."""

    extracts: Path
    state: Path
    day: date
    conditions: dict[str, str]
    memory_limit: str

    @property
    def is_first(self) -> bool:
        return not (self.state / "archive").is_dir()

    @property
    def release(self) -> Path:
        return self.state / "release"

    def extract(self, table: str) -> Path:
        return self.extracts / ("crm" if table == "customers" else "shop") / table / f"{self.day}.parquet"

    def archive(self) -> None:
        """Keeps the extracts; done last, so that a first night that fails is still the first."""
        for table in ("customers", "order_lines", "products"):
            folder = self.state / "archive" / table
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(self.extract(table), folder)


def asked(what: str | None) -> Night:
    """The night that the command line asks for."""
    given = argparse.ArgumentParser(description=what)
    given.add_argument("--extracts", type=Path, required=True)
    given.add_argument("--state", type=Path, required=True)
    given.add_argument("--day", type=date.fromisoformat, required=True)
    given.add_argument("--segments", type=Path, required=True, help="JSON: what members fulfil, by segment")
    given.add_argument("--memory-limit", default="4GB")
    said = given.parse_args()
    (said.state / "release").mkdir(parents=True, exist_ok=True)
    return Night(said.extracts, said.state, said.day, json.loads(said.segments.read_text()), said.memory_limit)


def refer(sql: str, reference: str, segments: Iterable[str]) -> str:
    """The query with every table that it reads written as ``reference`` says (``{}`` is its name)."""
    names = "|".join({*STATE, *MODELS, *segments})
    return re.sub(
        rf'(?i)\b(from|join) "?\b({names})\b"?', lambda found: f"{found[1]} {reference.format(found[2])}", sql
    )


def views(conditions: dict[str, str]) -> dict[str, str]:
    """The query of each segment and, last, of the members of all."""
    of_each = {name: f"select customer_id from dim_customers where {rule}" for name, rule in conditions.items()}
    all_members = "\nunion all\n".join(f"select '{name}' as segment, customer_id from \"{name}\"" for name in of_each)
    return of_each | {"members": all_members}


def counts(segments: Iterable[str]) -> str:
    """The query of the night's counts, zeros included. Whether there was a night before is left to the tool, as ``:is_first``."""
    return MODELS["counts"].replace(":segments", ", ".join(f"('{name}')" for name in segments))
