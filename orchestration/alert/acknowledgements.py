"""What somebody knows already, or does not want to hear of for a while: ``acknowledgements.jsonl`` in the home. Facts, by whom
and why. They silence messages and nothing else: what happened stays in the release.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from getpass import getuser
from typing import Literal

from orchestration.alert.notice import Notice
from orchestration.errors import ConfigurationError, ExtractMissing, nearest
from orchestration.facts import add_facts, plain_reason, read_facts
from orchestration.publish.releases import current_release, open_release
from orchestration.settings import Home

FILE = "acknowledgements.jsonl"


@dataclass(frozen=True)
class Acknowledgement:
    """One segment, or one ``measure`` of it, of which nobody need be told. ``at`` is UTC; the days are as-of dates.

    ``ack``: what began until ``first_day``, the newest day of the release it was made on, is known; of these episodes only
    the recovery is told. ``snooze``: of the segment nothing is told at all. What is up with a campaign on it is told all the same. Both end after the day ``until``, an ack
    without one with its episodes.
    """

    segment: str
    kind: Literal["ack", "snooze"]
    who: str
    at: str
    reason: str
    first_day: date
    until: date | None = None
    measure: str | None = None

    @classmethod
    def read(cls, line: str) -> Acknowledgement:
        said = json.loads(line)
        said["first_day"] = date.fromisoformat(said["first_day"])
        said["until"] = date.fromisoformat(said["until"]) if said["until"] else None
        return cls(**said)

    def silences(self, notice: Notice) -> bool:
        if not notice.is_of_segments or self.segment != notice.segment or self.measure not in (None, notice.measure):
            return False
        if self.until is not None and notice.as_of_date > self.until:
            return False
        began = notice.since or notice.as_of_date
        return self.kind == "snooze" or (notice.state != "recovered" and began <= self.first_day)


def read_acknowledgements(home: Home) -> list[Acknowledgement]:
    """Every one of the home, the oldest first. Raises ConfigurationError where the file is not as it was written."""
    return read_facts(home.path / FILE, Acknowledgement.read)


def acknowledge(
    home: Home,
    segment: str,
    kind: Literal["ack", "snooze"],
    reason: str,
    until: date | None = None,
    measure: str | None = None,
) -> Acknowledgement:
    """Keeps one. Raises ConfigurationError, with nothing kept, where there is no such segment, its end is past or no reason
    is given.
    """
    reason = plain_reason(reason)
    manifest = current_release(home)
    if manifest is None:
        raise ExtractMissing(f"There is no release in {home.releases} yet: make one with `segments refresh`.")
    with open_release(home, manifest) as release:
        known = [name for (name,) in release.execute("select segment from catalog.segments order by 1").fetchall()]
    if segment not in known:
        raise ConfigurationError(
            f"There is no segment {segment} in release {manifest.release}; {nearest(segment, known)}"
        )
    if until is not None and until < manifest.as_of_date:
        raise ConfigurationError(
            f"{until} is past: the newest day of the release is {manifest.as_of_date}; say that day or a later one."
        )
    read_acknowledgements(home)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    made = Acknowledgement(segment, kind, getuser(), now, reason, manifest.as_of_date, until, measure)
    add_facts(home.path / FILE, [made])
    return made


def silenced(acknowledgements: Iterable[Acknowledgement], notice: Notice) -> str | None:
    """Why nobody is told of the notice; None where it is told."""
    for made in acknowledgements:
        if made.silences(notice):
            what = "acknowledged" if made.kind == "ack" else "snoozed"
            end = f" until {made.until}" if made.until else ""
            return f"{what}{end} by {made.who}: {made.reason}"
    return None
