"""Episodes: opened once, silent while they last, told when they get worse and when they are over."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta

import pytest

from orchestration.measure.episodes import QUIET_DAYS, Line, Verdict, came_or_went, kind_of, lines

FIRST = date(2024, 3, 1)
USUAL = Verdict(FIRST, "at_risk", "members", 100, 100, 90, 110, 0.5, 0.0, "1 day", shift=False)


def days(effects: Iterable[float | None], p_value: float = 1e-4) -> Iterable[list[Verdict]]:
    """A day for each effect; None is a day on which nothing moved."""
    for passed, effect in enumerate(effects):
        day = replace(USUAL, as_of_date=FIRST + timedelta(passed))
        yield [day if effect is None else replace(day, effect=effect, p_value=p_value, shift=True)]


def told(ledger: Iterable[Line]) -> list[tuple[int, str]]:
    return [((line.verdict.as_of_date - FIRST).days, line.state) for line in ledger]


def test_an_episode_is_opened_once_continues_and_is_over_after_three_quiet_days() -> None:
    assert told(lines(days([None, -0.2, -0.2, -0.2, None, None, None, None]))) == [
        (1, "opened"),
        (2, "continuing"),
        (3, "continuing"),
        (4, "continuing"),
        (5, "continuing"),
        (3 + QUIET_DAYS, "recovered"),
    ]


def test_a_quiet_day_between_does_not_open_it_again() -> None:
    assert told(lines(days([-0.2, None, None, -0.2, None]))) == [
        (day, "continuing" if day else "opened") for day in range(5)
    ]


def test_what_comes_after_the_recovery_is_another_episode() -> None:
    ledger = [line for line in lines(days([-0.2, None, None, None, -0.2])) if line.state != "continuing"]
    assert told(ledger) == [(0, "opened"), (3, "recovered"), (4, "opened")]
    assert [line.opened_on for line in ledger] == [FIRST, FIRST, FIRST + timedelta(4)]


def test_an_episode_of_a_figure_that_is_not_judged_any_more_ends_all_the_same() -> None:
    share = replace(USUAL, measure="share", shift=True, effect=-0.3)
    quiet = [[replace(USUAL, as_of_date=FIRST + timedelta(passed))] for passed in (1, 2, 3)]
    *_, last = lines([[share, USUAL], *quiet])
    assert (last.state, last.verdict.measure, last.verdict.as_of_date) == ("recovered", "share", FIRST + timedelta(3))


def test_it_gets_worse_where_it_is_twice_as_large_and_a_quarter_at_least() -> None:
    assert told(lines(days([-0.3, -0.45, -0.55, -0.6]))) == [
        (0, "opened"),
        (1, "continuing"),
        (2, "worse"),
        (3, "continuing"),
    ]
    assert told(lines(days([-0.1, -0.2]))) == [(0, "opened"), (1, "continuing")]
    assert told(lines(days([-0.55, -0.99]))) == [(0, "opened"), (1, "worse")]


def test_it_gets_worse_where_it_becomes_critical() -> None:
    first, second = days([-0.26, -0.27])
    ledger = list(lines([first, [replace(second[0], p_value=1e-9)]]))
    assert [(line.state, line.severity) for line in ledger] == [("opened", "warning"), ("worse", "critical")]


@pytest.mark.parametrize(
    ("changed", "severity"),
    [
        ({}, "critical"),
        ({"p_value": 1e-5}, "warning"),
        ({"effect": -0.2}, "warning"),
        ({"measure": "entered"}, "warning"),
        ({"is_sure": False}, "warning"),
        ({"observed": 10.0, "expected": 7.0}, "warning"),
        ({"kind": "vanished", "is_sure": False}, "critical"),
    ],
)
def test_critical_is_rare_and_large_and_about_who_is_in_the_segment(changed: dict[str, object], severity: str) -> None:
    alert = replace(USUAL, shift=True, p_value=1e-9, effect=-0.5)
    assert [line.severity for line in lines([[replace(alert, **changed)]])] == [severity]  # type: ignore[arg-type]


def test_of_several_measures_the_members_are_told_and_else_the_rarest() -> None:
    entered, exited = (
        replace(USUAL, measure=measure, shift=True, p_value=p_value, effect=2.0)
        for measure, p_value in (("entered", 1e-9), ("exited", 1e-6))
    )
    members = replace(USUAL, shift=True, p_value=1e-4, effect=0.1)
    assert [line.verdict.measure for line in lines([[exited, entered, members]])] == ["members"]
    assert [line.verdict.measure for line in lines([[exited, entered, USUAL]])] == ["entered"]


def test_somebody_in_an_empty_segment_appeared_and_nobody_in_a_full_one_vanished() -> None:
    empty, full = replace(USUAL, observed=0.0), replace(USUAL, observed=40.0)
    assert kind_of(came_or_went(full, before=0)) == "appeared"
    assert kind_of(came_or_went(empty, before=40)) == "vanished"
    assert came_or_went(empty, before=9) == empty
    assert came_or_went(replace(USUAL, observed=9.0), before=0) == replace(USUAL, observed=9.0)
    assert came_or_went(full, before=float("nan")) == full


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({}, "jump"),
        ({"scale": "7 days"}, "level_shift"),
        ({"scale": "28 days"}, "slow_drift"),
        ({"scale": "weekly pattern"}, "weekly_pattern_lost"),
        ({"measure": "share", "scale": "28 days"}, "mix_shift"),
        ({"segment": None, "scale": "3 days"}, "everything_at_once"),
    ],
)
def test_a_shift_has_the_kind_of_its_window_and_figure(changed: dict[str, object], kind: str) -> None:
    assert kind_of(replace(USUAL, **changed)) == kind  # type: ignore[arg-type]
