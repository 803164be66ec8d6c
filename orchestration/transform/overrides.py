"""What people had published although it was held: who, when and why. A fact, kept in the home and never derived."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from getpass import getuser

from orchestration.errors import ConfigurationError
from orchestration.settings import Home

FILE = "overrides.jsonl"


@dataclass(frozen=True)
class Override:
    """One segment released by hand, on the ``as_of_dates`` on which an output rule held it. ``at`` is UTC."""

    segment: str
    who: str
    at: str
    reason: str
    as_of_dates: tuple[date, ...]


def read_overrides(home: Home) -> list[Override]:
    """Every override of the home, the oldest first. Raises ConfigurationError where the file is not as it was written."""
    file = home.path / FILE
    if not file.exists():
        return []
    try:
        said = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        return [Override(**(one | {"as_of_dates": tuple(map(date.fromisoformat, one["as_of_dates"]))})) for one in said]
    except (ValueError, TypeError, KeyError) as broken:
        raise ConfigurationError(
            f"{file} cannot be read: put back its last version, one JSON object a line."
        ) from broken


def add_override(home: Home, segment: str, reason: str, as_of_dates: tuple[date, ...]) -> Override:
    """Adds one to the home's, in one rename. To be called by who holds the home's lock."""
    made = Override(segment, getuser(), datetime.now(UTC).isoformat(timespec="seconds"), reason, as_of_dates)
    lines = [json.dumps(asdict(one), default=str) for one in (*read_overrides(home), made)]
    unfinished = home.path / f"{FILE}.tmp"
    with unfinished.open("w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(home.path / FILE)
    return made
