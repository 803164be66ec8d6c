"""What people had published although it was held: who, when and why. A fact, kept in the home and never derived."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from getpass import getuser

from orchestration.errors import ConfigurationError
from orchestration.settings import Home

FILE = "overrides.jsonl"


@dataclass(frozen=True)
class Override:
    """One segment released by hand: its sizes on the ``as_of_dates``, and the ``extracts`` that were not believed, each by table, day
    and digest, so that a corrected one is judged anew. ``at`` is UTC.
    """

    segment: str
    who: str
    at: str
    reason: str
    as_of_dates: tuple[date, ...]
    extracts: tuple[tuple[str, date, str], ...] = ()

    @property
    def first_day(self) -> date:
        """The first day that comes out otherwise for it."""
        return min(*self.as_of_dates, *(day for _, day, _ in self.extracts), date.max)

    @classmethod
    def read(cls, line: str) -> Override:
        said = json.loads(line)
        extracts = tuple((table, date.fromisoformat(day), digest) for table, day, digest in said.pop("extracts", []))
        days = tuple(map(date.fromisoformat, said.pop("as_of_dates")))
        return cls(**said, as_of_dates=days, extracts=extracts)


def read_overrides(home: Home) -> list[Override]:
    """Every override of the home, the oldest first. Raises ConfigurationError where the file is not as it was written."""
    file = home.path / FILE
    if not file.exists():
        return []
    try:
        return [Override.read(line) for line in file.read_text(encoding="utf-8").splitlines()]
    except (ValueError, TypeError, KeyError) as broken:
        raise ConfigurationError(
            f"{file} cannot be read: put back its last version, one JSON object a line."
        ) from broken


def add_override(
    home: Home, segment: str, reason: str, as_of_dates: tuple[date, ...], extracts: tuple[tuple[str, date, str], ...]
) -> Override:
    """Adds one to the home's, in one rename. To be called by who holds the home's lock."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    made = Override(segment, getuser(), now, reason, as_of_dates, extracts)
    lines = [json.dumps(asdict(one), default=str) for one in (*read_overrides(home), made)]
    unfinished = home.path / f"{FILE}.tmp"
    with unfinished.open("w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(home.path / FILE)
    return made


def released_extracts(overrides: Iterable[Override]) -> set[tuple[str, date, str]]:
    """The extracts that somebody had used although they are not as usual, by table, day and digest."""
    return {extract for override in overrides for extract in override.extracts}
