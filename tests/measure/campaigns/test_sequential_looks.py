"""Levels of planned looks: the published constants, what a Brownian motion does in simulation, and what a caller may ask."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from orchestration.measure.campaigns.sequential import (
    OBRIEN_FLEMING,
    POCOCK,
    STEEPNESS,
    alpha_at,
    alphas_at,
    anytime_factor,
    anytime_factors,
    boundary,
)

pytestmark = pytest.mark.filterwarnings("error")


def motions(looks: int, paths: int = 40_000, drift: float = 0.0, seed: int = 1) -> np.ndarray:
    """z values of each look (paths by looks) of motions whose last z value is ``drift`` on average."""
    steps = np.random.default_rng(seed).normal(drift / np.sqrt(looks), 1, (paths, looks))
    return np.cumsum(steps, axis=1) / np.sqrt(np.arange(1, looks + 1))


# Planned looks


@pytest.mark.parametrize(
    ("looks", "alpha", "constant"),
    [
        (1, 0.05, 1.960),
        (2, 0.05, 1.977),
        (3, 0.05, 2.004),
        (4, 0.05, 2.024),
        (5, 0.05, 2.040),
        (10, 0.05, 2.087),
        (5, 0.01, 2.621),
        (5, 0.10, 1.751),
    ],
)
def test_obrien_and_flemings_constants_are_those_of_jennison_and_turnbull(
    looks: int, alpha: float, constant: float
) -> None:
    assert boundary(looks, alpha, OBRIEN_FLEMING)[-1] == pytest.approx(constant, abs=5.1e-4)


@pytest.mark.parametrize(("looks", "constant"), [(2, 2.178), (3, 2.289), (5, 2.413), (10, 2.555)])
def test_pococks_constants_are_those_of_jennison_and_turnbull(looks: int, constant: float) -> None:
    assert boundary(looks, steepness=POCOCK).tolist() == pytest.approx([constant] * looks, abs=6e-4)


def test_five_looks_of_obrien_and_fleming_have_the_published_boundaries_and_levels() -> None:
    assert boundary(5, steepness=OBRIEN_FLEMING).tolist() == pytest.approx(
        [4.562, 3.226, 2.634, 2.281, 2.040], abs=1e-3
    )
    published = [5.1e-6, 0.00126, 0.00845, 0.02256, 0.04134]
    assert alphas_at(5, steepness=OBRIEN_FLEMING).tolist() == pytest.approx(published, rel=0.01)


@pytest.mark.parametrize("steepness", [POCOCK, OBRIEN_FLEMING, STEEPNESS])
@pytest.mark.parametrize(("looks", "alpha"), [(5, 0.05), (28, 0.05), (28, 0.2), (3, 0.01)])
def test_a_motion_without_drift_crosses_as_often_as_it_may(looks: int, alpha: float, steepness: float) -> None:
    crosses = (np.abs(motions(looks)) >= boundary(looks, alpha, steepness)).any(axis=1).mean()
    assert crosses == pytest.approx(alpha, abs=4 * np.sqrt(alpha / 40_000))


def test_looking_naively_every_day_of_four_weeks_deceives_one_in_four() -> None:
    assert (np.abs(motions(28)) >= norm.isf(0.025)).any(axis=1).mean() == pytest.approx(0.27, abs=0.03)


@pytest.mark.parametrize(("steepness", "kept"), [(OBRIEN_FLEMING, 0.976), (STEEPNESS, 0.986)])
def test_four_weeks_of_looks_cost_little_power(steepness: float, kept: float) -> None:
    z_values = np.abs(motions(28, paths=100_000, drift=2.8))
    single = (z_values[:, -1] >= norm.isf(0.025)).mean()
    assert (z_values >= boundary(28, steepness=steepness)).any(axis=1).mean() / single == pytest.approx(kept, abs=0.002)


def test_levels_grow_from_look_to_look_and_end_below_the_whole() -> None:
    levels = alphas_at(28)
    assert (np.diff(levels) > 0).all()
    assert levels[0] < 1e-20
    assert 0.03 < levels[-1] < 0.05
    assert [alpha_at(look, 28) for look in (1, 14, 28)] == levels[[0, 13, 27]].tolist()


def test_a_plan_of_many_weeks_has_levels_too() -> None:
    assert 0.03 < alpha_at(90, 90) < alpha_at(28, 28) < alpha_at(7, 7) < alpha_at(1, 1) == pytest.approx(0.05)


# Looking without a plan's end


def test_a_confidence_sequence_holds_the_truth_at_all_looks_and_beyond() -> None:
    z_values = np.abs(motions(84))
    within = z_values <= anytime_factors(np.arange(1, 85), 28)
    assert within[:, :28].all(axis=1).mean() >= 0.95
    assert within.all(axis=1).mean() >= 0.95


def test_the_sequence_is_tightest_for_the_planned_horizon() -> None:
    others = [anytime_factor(28, horizon) for horizon in (7, 14, 21, 42, 56, 112)]
    assert anytime_factor(28, 28) < min(others)
    assert anytime_factor(28, 28) == pytest.approx(3.035, abs=0.001)


def test_an_endless_look_is_wider_than_a_planned_one() -> None:
    assert (anytime_factors(np.arange(7, 29), 28) > norm.isf(alphas_at(28)[-1] / 2)).all()
    assert anytime_factor(56, 28) > anytime_factor(28, 28)


@pytest.mark.parametrize(
    ("look", "looks", "alpha", "said"),
    [
        (0, 5, 0.05, "Look 0 of 5 is not planned"),
        (6, 5, 0.05, "Look 6 of 5 is not planned"),
        (1, 0, 0.05, "Look 1 of 0 is not planned"),
        (1, 5, 0.0, "A level of 0.0 is none"),
        (1, 5, 1.0, "use one between 0 and 1"),
    ],
)
def test_a_look_outside_of_the_plan_is_refused(look: int, looks: int, alpha: float, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        alpha_at(look, looks, alpha)


def test_a_look_before_the_first_has_no_sequence() -> None:
    with pytest.raises(ValueError, match="Look 0 of 28 is not planned"):
        anytime_factor(0, 28)
