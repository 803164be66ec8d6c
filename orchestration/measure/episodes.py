"""From alerts of days to episodes: opened once, silent while they last, told when they get worse and when they are over.

Pure: verdicts of days in, lines of the ledger out. One segment has one episode at a time, whichever of its figures moved.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from math import log
from typing import Literal

State = Literal["opened", "continuing", "worse", "recovered", "noted"]
Severity = Literal["info", "warning", "critical"]

#: An episode is over after so many days without an alert.
QUIET_DAYS = 3
#: A rare and large shift of who is in the segment is critical; everything else is a warning.
CRITICAL_CHANCE, CRITICAL_EFFECT = 1e-6, 0.25
CRITICAL_MEASURES = {"members", "share"}
#: Nobody is woken for a segment of fewer members.
CRITICAL_MEMBERS = 25
#: It got worse where the shift is so many times as large, on the logarithm, as it was when last told, and at least a fall by a quarter.
WORSE_BY, WORSE_AT_LEAST = 2.0, 0.29
#: A fall to nothing is as large as one to this share.
EVERYTHING_LEFT = 0.001
#: So many members are somebody: fewer come and go without a word.
SOMEBODY = 10

KINDS = {
    "1 day": "jump",
    "3 days": "level_shift",
    "7 days": "level_shift",
    "28 days": "slow_drift",
    "weekly pattern": "weekly_pattern_lost",
}


@dataclass(frozen=True)
class Verdict:
    """What was judged of one measure of a segment on one day; ``segment`` None stands for everything at once."""

    as_of_date: date
    segment: str | None
    measure: str
    observed: float
    expected: float
    lower: float
    upper: float
    p_value: float
    effect: float
    scale: str
    shift: bool
    is_sure: bool = True
    kind: str | None = None


@dataclass(frozen=True)
class Line:
    """One line of the ledger: the alert of an episode on a day."""

    verdict: Verdict
    kind: str
    severity: Severity
    state: State
    opened_on: date


def lines(days: Iterable[Sequence[Verdict]]) -> Iterator[Line]:
    """The ledger of one segment, from its judged days in order, each with the verdicts of its measures. A day that was not judged is left out.

    Of several figures that moved the members are told, else the rarest. On a quiet day of an open episode its figure stands as it came, or,
    where it is not judged any more, as it was when it moved last.
    """
    line: Line | None = None
    told, quiet = 0.0, 0
    for verdicts in days:
        alerts = [verdict for verdict in verdicts if verdict.shift]
        if alerts:
            alert = min(alerts, key=lambda verdict: (verdict.measure != "members", verdict.p_value))
            line = _alerted(alert, line, told)
            quiet = 0
            if line.state != "continuing":
                told = alert.effect
            yield line
        elif line is not None:
            quiet += 1
            day = verdicts[0].as_of_date
            moved = line.verdict
            seen = next((one for one in verdicts if one.measure == moved.measure), replace(moved, as_of_date=day))
            if quiet == QUIET_DAYS:
                yield replace(line, verdict=seen, severity="info", state="recovered")
                line = None
            else:
                yield replace(line, verdict=seen, state="continuing")


def _alerted(alert: Verdict, before: Line | None, told: float) -> Line:
    severity = _severity(alert)
    if before is None:
        return Line(alert, kind_of(alert), severity, "opened", alert.as_of_date)
    is_worse = (severity == "critical" and before.severity != "critical") or _size(alert.effect) >= max(
        WORSE_BY * _size(told), WORSE_AT_LEAST
    )
    worst: Severity = "critical" if "critical" in (before.severity, severity) else severity
    return Line(alert, kind_of(alert), worst, "worse" if is_worse else "continuing", before.opened_on)


def _size(effect: float) -> float:
    """How large a relative change is, a fall like the rise that undoes it: a half is as large as the double."""
    return abs(log(max(1 + effect, EVERYTHING_LEFT)))


def kind_of(verdict: Verdict) -> str:
    """What kind of shift an alert is."""
    if verdict.kind:
        return verdict.kind
    if verdict.segment is None:
        return "everything_at_once"
    if verdict.measure == "share":
        return "mix_shift"
    return KINDS[verdict.scale]


def came_or_went(verdict: Verdict, before: float) -> Verdict:
    """The verdict about members, which is a shift whatever the band says where somebody came to nobody, or everybody went."""
    if before == 0 and verdict.observed >= SOMEBODY:
        return replace(verdict, shift=True, kind="appeared", scale="1 day", effect=1.0, p_value=0.0)
    if before >= SOMEBODY and verdict.observed == 0:
        return replace(verdict, shift=True, kind="vanished", scale="1 day", effect=-1.0, p_value=0.0)
    return verdict


def _severity(alert: Verdict) -> Severity:
    if alert.kind == "vanished":
        return "critical"
    is_rare_and_large = alert.p_value < CRITICAL_CHANCE and abs(alert.effect) >= CRITICAL_EFFECT
    about_members = alert.measure in CRITICAL_MEASURES or alert.segment is None
    is_small = alert.measure == "members" and max(alert.observed, alert.expected) < CRITICAL_MEMBERS
    return "critical" if alert.is_sure and is_rare_and_large and about_members and not is_small else "warning"
