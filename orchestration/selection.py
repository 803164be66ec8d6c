"""Some segments, and the days that they are asked for: what ``segments refresh --select`` evaluates and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from orchestration.days import Days


@dataclass(frozen=True)
class Selection:
    """The names of the segments, and the days; without days all that are on record."""

    segments: tuple[str, ...]
    days: Days | None = None
