"""The benchmark of the shift detector at toy size: what is planted is planted, and the usual rule is the usual rule."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benchmarks.shifts import EVENTS, FIRST_DAY, MAKE, false_alarms, plant, score, usual_rule
from orchestration.measure.shifts import Kind, detect


@pytest.mark.parametrize("kind", ["flow", "stock"])
def test_made_up_figures_are_counts_and_the_same_each_time(kind: Kind) -> None:
    first, again = (MAKE[kind](np.random.default_rng(1), 5, 40) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert first.shape == (40, 5)
    assert (first >= 0).all()
    assert (first == first.round()).all()


def test_a_planted_level_takes_its_part_of_every_later_day() -> None:
    figures = np.full((160, 2), 10_000.0)
    plant(np.random.default_rng(1), figures, EVENTS[5], 120, 1)
    assert (figures[:120] == 10_000).all()
    assert (figures[:, 0] == 10_000).all()
    assert figures[120:, 1] == pytest.approx(np.full(40, 6_000), rel=0.05)


def test_alerts_at_most_three_days_apart_are_one_alarm() -> None:
    alerted = np.zeros((FIRST_DAY + 365, 1), bool)
    alerted[FIRST_DAY + np.array([10, 13, 14, 100, 104])] = True
    assert false_alarms(alerted) == pytest.approx(3.0)


def test_the_usual_rule_counts_the_tested_day_among_its_fourteen() -> None:
    counts = pd.DataFrame({"s0": [100.0, 101.0] * 10 + [300.0]}, pd.date_range("2025-01-01", periods=21))
    assert usual_rule(counts, "flow")["shift"].to_numpy().nonzero()[0].tolist() == [20]


def test_the_project_finds_more_than_the_usual_rule() -> None:
    ours, usual = (score(detector, "flow", segments=56, days=200, seeds=1) for detector in (detect, usual_rule))
    assert ours["F1"] > usual["F1"] + 0.2
