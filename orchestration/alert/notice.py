"""What a notice is: one thing to tell. Which ones there are is in ``notices``, ``campaign_notices`` and ``persona_notices``; to whom they go, in ``routes``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

Severity = Literal["critical", "warning", "info"]


@dataclass(frozen=True)
class Series:
    """The days up to a notice's, with what was observed and, where the past could tell, what was expected between which bounds."""

    days: tuple[date, ...]
    observed: tuple[float | None, ...]
    expected: tuple[float | None, ...]
    lower: tuple[float | None, ...]
    upper: tuple[float | None, ...]


@dataclass(frozen=True)
class Notice:
    """One thing to tell.

    ``key`` is the identity of an episode's state, such as ``shift/at_risk/2017-11-14/opened``: a receiver hears of a key
    once, ever. The key of a recovery is the episode's with ``/recovered`` behind it. ``since`` is the first day of the
    episode, by which an acknowledgement knows what it acknowledges. ``segment`` None is about everything. Nothing in it is
    a customer's value.
    """

    key: str
    as_of_date: date
    segment: str | None
    owner: str | None
    severity: Severity
    state: str
    title: str
    message: str
    details: tuple[str, ...] = ()
    series: Series | None = None
    since: date | None = None
    measure: str | None = None

    @property
    def is_of_segments(self) -> bool:
        """Whether it is about a segment or about all: a campaign is more than the segment that it is played on, and a persona more than hers."""
        return not self.key.startswith(("campaign/", "persona/"))

    @classmethod
    def read(cls, said: dict[str, Any]) -> Notice:
        """From the JSON of one that has no series."""
        since = date.fromisoformat(said["since"]) if said["since"] else None
        day, details = date.fromisoformat(said["as_of_date"]), tuple(said["details"])
        return cls(**said | {"as_of_date": day, "details": details, "since": since})
