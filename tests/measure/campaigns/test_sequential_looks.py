"""Levels of planned looks: the published constants, what a Brownian motion does in simulation, and what a caller may ask."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from orchestration.measure.campaigns.sequential import alpha_at, alphas_at, anytime_factor, anytime_factors, boundary

pytestmark = pytest.mark.filterwarnings("error")


def motions(looks: int, paths: int = 40_000, drift: float = 0.0, seed: int = 1) -> np.ndarray:
    """z values of each look (paths by looks) of motions whose last z value is ``drift`` on average."""
    steps = np.random.default_rng(seed).normal(drift / np.sqrt(looks), 1, (paths, looks))
    return np.cumsum(steps, axis=1) / np.sqrt(np.arange(1, looks + 1))


# O'Brien and Fleming


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
def test_the_last_boundary_is_the_constant_of_jennison_and_turnbull(looks: int, alpha: float, constant: float) -> None:
    assert boundary(looks, alpha)[-1] == pytest.approx(constant, abs=5.1e-4)


def test_five_looks_have_the_published_boundaries() -> None:
    assert boundary(5).tolist() == pytest.approx([4.562, 3.226, 2.634, 2.281, 2.040], abs=1e-3)
    assert alphas_at(5).tolist() == pytest.approx([5.1e-6, 0.00126, 0.00845, 0.02256, 0.04134], rel=0.01)


@pytest.mark.parametrize(("looks", "alpha"), [(5, 0.05), (28, 0.05), (28, 0.2), (3, 0.01)])
def test_a_motion_without_drift_crosses_as_often_as_it_may(looks: int, alpha: float) -> None:
    crosses = (np.abs(motions(looks)) >= boundary(looks, alpha)).any(axis=1).mean()
    assert crosses == pytest.approx(alpha, abs=4 * np.sqrt(alpha / 40_000))


def test_looking_naively_every_day_of_four_weeks_deceives_one_in_four() -> None:
    assert (np.abs(motions(28)) >= norm.isf(0.025)).any(axis=1).mean() == pytest.approx(0.27, abs=0.03)


def test_four_weeks_of_looks_cost_little_power() -> None:
    single = norm.sf(norm.isf(0.025) - 2.8)
    seen = (np.abs(motions(28, drift=2.8)) >= boundary(28)).any(axis=1).mean()
    assert 0.97 * single <= seen <= single


def test_levels_grow_from_look_to_look_and_end_below_the_whole() -> None:
    levels = alphas_at(28)
    assert (np.diff(levels) > 0).all()
    assert levels[0] < 1e-20
    assert 0.03 < levels[-1] < 0.05
    assert [alpha_at(look, 28) for look in (1, 14, 28)] == levels[[0, 13, 27]].tolist()


@pytest.mark.parametrize("looks", [90, 365, 730])
def test_a_long_plan_has_levels_too(looks: int) -> None:
    assert 0.02 < alpha_at(looks, looks) < alpha_at(28, 28)


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
