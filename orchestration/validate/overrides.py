"""What people had published although it was held: who, when and why. A fact, kept in the home and never derived."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from getpass import getuser

from orchestration.facts import add_facts, read_facts
from orchestration.settings import Home

FILE = "overrides.jsonl"


@dataclass(frozen=True)
class Doubt:
    """Columns of an extract that are not believed. The extract is known by its digest, so that a corrected one is judged anew."""

    table: str
    extract_date: date
    digest: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Override:
    """One segment released by hand: its sizes on the ``as_of_dates``, and the ``doubts`` about extracts that held it. ``at`` is UTC."""

    segment: str
    who: str
    at: str
    reason: str
    as_of_dates: tuple[date, ...]
    doubts: tuple[Doubt, ...] = ()

    @property
    def first_day(self) -> date:
        """The first day that comes out otherwise for it."""
        return min(*self.as_of_dates, *(doubt.extract_date for doubt in self.doubts), date.max)

    @classmethod
    def read(cls, line: str) -> Override:
        said = json.loads(line)
        doubts = (one | {"extract_date": date.fromisoformat(one["extract_date"])} for one in said.pop("doubts", []))
        days = tuple(map(date.fromisoformat, said.pop("as_of_dates")))
        return cls(
            **said, as_of_dates=days, doubts=tuple(Doubt(**one | {"columns": tuple(one["columns"])}) for one in doubts)
        )


def read_overrides(home: Home) -> list[Override]:
    """Every override of the home, the oldest first. Raises ConfigurationError where the file is not as it was written."""
    return read_facts(home.path / FILE, Override.read)


def add_overrides(home: Home, reason: str, released: Mapping[str, tuple[tuple[date, ...], tuple[Doubt, ...]]]) -> None:
    """Adds one per segment to the home's, all in one rename. To be called by who holds the home's lock."""
    read_overrides(home)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    add_facts(
        home.path / FILE,
        [Override(segment, getuser(), now, reason, days, doubts) for segment, (days, doubts) in released.items()],
    )


def released_doubts(overrides: Iterable[Override]) -> set[Doubt]:
    """What somebody had used although it is not as usual."""
    return {doubt for override in overrides for doubt in override.doubts}
