"""From alerts of days to episodes: opened once, silent while they last, told when they get worse and when they are over.

Pure: verdicts of days in, lines of the ledger out. One segment has one episode at a time, whichever of its figures moved.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

State = Literal["opened", "continuing", "worse", "recovered", "noted"]
Severity = Literal["info", "warning", "critical"]

#: An episode is over after so many days without an alert.
QUIET_DAYS = 3
#: A rare and large shift of who is in the segment is critical; everything else is a warning.
CRITICAL_CHANCE, CRITICAL_EFFECT = 1e-6, 0.25
CRITICAL_MEASURES = {"members", "share"}
#: It got worse where the shift is so many times as large as it was when last told, and larger by so much at least.
WORSE_BY, WORSE_BY_AT_LEAST = 2.0, 0.25
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

    Of several figures that moved the members are told, else the rarest.
    """
    line: Line | None = None
    told, quiet = 0.0, 0
    for verdicts in days:
        alerts = [verdict for verdict in verdicts if verdict.shift]
        if alerts:
            alert = min(alerts, key=lambda verdict: (verdict.measure != "members", verdict.p_value))
            severity = _severity(alert)
            if line is None:
                state: State = "opened"
            else:
                is_worse = severity == "critical" and line.severity != "critical"
                grew = abs(alert.effect) >= max(WORSE_BY * told, told + WORSE_BY_AT_LEAST)
                state = "worse" if is_worse or grew else "continuing"
                severity = "critical" if "critical" in (line.severity, severity) else severity
            if state != "continuing":
                told = abs(alert.effect)
            line = Line(alert, kind_of(alert), severity, state, line.opened_on if line else alert.as_of_date)
            quiet = 0
            yield line
        elif line is not None:
            quiet += 1
            if quiet == QUIET_DAYS:
                same = next(verdict for verdict in verdicts if verdict.measure == line.verdict.measure)
                yield replace(line, verdict=same, severity="info", state="recovered")
                line = None


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
    return "critical" if alert.is_sure and is_rare_and_large and about_members else "warning"
