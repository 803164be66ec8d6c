"""The four verdicts, whatever the figure: there is always one, a better figure is never worse, and at most mirrors at least."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.measure.personas.verdicts import CONTRADICTED, HOLDS, TOO_FEW, WEAKENED, WORSE, verdicts

NUMBER = st.integers(-1000, 1000).map(lambda whole: whole / 100)
LENGTH = st.integers(0, 1000).map(lambda whole: whole / 100)


def verdict(figure: float, down: float, up: float, limit: float, tolerance: float, *, is_least: bool = True) -> str:
    [said] = verdicts(
        *(np.array([number]) for number in (figure, figure - down, figure + up)), limit, tolerance, is_least=is_least
    )
    return str(said)


@given(NUMBER, LENGTH, LENGTH, NUMBER, LENGTH)
def test_every_figure_has_one_of_the_four_verdicts_and_each_means_what_it_says(
    figure: float, down: float, up: float, limit: float, tolerance: float
) -> None:
    said = verdict(figure, down, up, limit, tolerance)
    lower, upper, beyond, nearly = figure - down, figure + up, limit - tolerance, 1e-6
    assert said in WORSE
    if said == CONTRADICTED:
        assert upper < beyond
    if said == HOLDS:
        assert figure >= limit - nearly
        assert lower >= beyond - nearly
    if said == TOO_FEW:
        assert lower < beyond
        assert upper >= limit - nearly
    if said == WEAKENED:
        assert figure < limit or lower < beyond
        assert upper >= beyond - nearly


@given(NUMBER, LENGTH, LENGTH, NUMBER, LENGTH, LENGTH)
def test_a_better_figure_is_never_judged_worse(
    figure: float, down: float, up: float, limit: float, tolerance: float, better: float
) -> None:
    now, then = (verdict(one, down, up, limit, tolerance) for one in (figure, figure + better))
    if now == HOLDS:
        assert then == HOLDS
    if then == CONTRADICTED:
        assert now == CONTRADICTED
    if TOO_FEW not in (now, then):
        assert WORSE[then] <= WORSE[now]


@given(NUMBER, LENGTH, LENGTH, NUMBER, LENGTH)
def test_at_most_mirrors_at_least(figure: float, down: float, up: float, limit: float, tolerance: float) -> None:
    assert verdict(-figure, up, down, -limit, tolerance, is_least=False) == verdict(figure, down, up, limit, tolerance)


@given(NUMBER, NUMBER, LENGTH)
def test_a_figure_that_is_known_exactly_is_never_too_few_to_tell(figure: float, limit: float, tolerance: float) -> None:
    assert verdict(figure, 0, 0, limit, tolerance) != TOO_FEW


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_without_a_figure_or_an_end_nobody_can_tell(missing: int) -> None:
    numbers = [np.array([1.0]), np.array([0.9]), np.array([1.1])]
    numbers[missing] = np.array([np.nan])
    assert list(verdicts(*numbers, 1.0, 0.5, is_least=True)) == [TOO_FEW]


def test_an_end_without_bound_decides_nothing_by_itself() -> None:
    assert verdict(1.5, 0.2, np.inf, 1.0, 0.1) == HOLDS
    assert verdict(0.5, 0.2, np.inf, 1.0, 0.1) == TOO_FEW
