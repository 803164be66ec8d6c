"""What a night made of a fault, by comparison with the same night without it. Pure: knows no file and runs nothing.

A fault is caught where something was said of it and no segment was published that differs from the truth.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from orchestration.drill.faults import Fault
from orchestration.drill.nights import Failure, Night

#: harmless: every segment is as it should be, and nothing was said.
Verdict = Literal["caught", "missed", "harmless"]

HOURS_OF_A_NIGHT = 24
#: The rule that speaks where a segment is held and no expectation failed.
OUTPUT_RULE = "output rule"


@dataclass(frozen=True)
class Outcome:
    """How a drilled fault ended.

    ``rules`` failed on this night and not on the night without the fault. ``held`` likewise; ``needless`` are those of
    them that depend on no wrong column. ``published_wrong`` are fresh segments whose members are not the true ones.
    ``stopped``: nothing was published; ``a_part_would_do``: and yet some segment depends on no wrong column.
    ``hours_lost`` is how far the segment that is furthest behind is behind.
    """

    fault: str
    sentence: str
    table: str
    verdict: Verdict
    rules: list[str]
    held: list[str]
    needless: list[str]
    published_wrong: list[str]
    stopped: bool
    a_part_would_do: bool
    hours_lost: int
    said: list[str]


def judge(fault: Fault, night: Night, control: Night) -> Outcome:
    """Holds the night with the fault against the same night without it.

    A segment that is held even without the fault has no true members to compare with, and is left out.
    """
    stopped = not night.is_published
    failures = [] if stopped else _news(night, control)
    held = [] if stopped else sorted(night.held - control.held)
    wrong = [] if stopped else sorted(_published_wrong(night, control))
    reasons = list(dict.fromkeys(because for name in held if (because := night.segments[name].held_because)))
    touched = {name: bool(segment.raw_columns & fault.raw_columns) for name, segment in control.segments.items()}
    is_named = night.exit_code == 1 and fault.table.id in night.said
    spoken = is_named if stopped else bool(held or any(failure.table == fault.table.id for failure in failures))
    rules = [_spelled(failure) for failure in failures] or ([OUTPUT_RULE] if held else [])
    return Outcome(
        fault=fault.name,
        sentence=fault.sentence,
        table=fault.table.id,
        verdict=("caught" if spoken and not wrong else "missed" if wrong or stopped else "harmless"),
        rules=rules,
        held=held,
        needless=[name for name in held if not touched[name]],
        published_wrong=wrong,
        stopped=stopped,
        a_part_would_do=stopped and not all(touched.values()),
        hours_lost=HOURS_OF_A_NIGHT if stopped else _hours_behind(night, held),
        said=[night.said] if stopped else reasons,
    )


@dataclass(frozen=True)
class Summary:
    """The drill in numbers; ``needless`` counts segments over all faults."""

    faults: int
    caught: int
    missed: int
    harmless: int
    stopped: int
    stopped_where_a_part_would_do: int
    needless: int
    hours_lost: int


def summarise(outcomes: Iterable[Outcome]) -> Summary:
    outcomes = list(outcomes)
    verdicts = [outcome.verdict for outcome in outcomes]
    return Summary(
        faults=len(outcomes),
        caught=verdicts.count("caught"),
        missed=verdicts.count("missed"),
        harmless=verdicts.count("harmless"),
        stopped=sum(outcome.stopped for outcome in outcomes),
        stopped_where_a_part_would_do=sum(outcome.a_part_would_do for outcome in outcomes),
        needless=sum(len(outcome.needless) for outcome in outcomes),
        hours_lost=sum(outcome.hours_lost for outcome in outcomes),
    )


def _news(night: Night, control: Night) -> list[Failure]:
    """The expectations that fail because of the fault, critical ones first."""
    usual = {(failure.table, failure.column, failure.expectation) for failure in control.failures}
    news = [one for one in night.failures if (one.table, one.column, one.expectation) not in usual]
    return sorted(news, key=lambda one: (one.severity != "critical", one))


def _published_wrong(night: Night, control: Night) -> Iterable[str]:
    for name, true in control.segments.items():
        segment = night.segments.get(name)
        if true.state == "held" or (segment and segment.state == "held"):
            continue
        if segment is None or (segment.members, segment.checksum) != (true.members, true.checksum):
            yield name


def _hours_behind(night: Night, held: Iterable[str]) -> int:
    since = [day for name in held if (day := night.segments[name].held_since)]
    return HOURS_OF_A_NIGHT * ((night.day - min(since)).days + 1) if since else 0


def _spelled(failure: Failure) -> str:
    return f"{failure.expectation} ({failure.column})" if failure.column else failure.expectation
