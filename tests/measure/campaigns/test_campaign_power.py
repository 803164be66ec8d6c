"""Planning figures: those that R and the textbooks print, and plans at their edges."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import ttest_ind
from statsmodels.stats.power import TTestIndPower

from orchestration.measure.campaigns.power import (
    detectable_errors,
    left_after_adjustment,
    power_to_see,
    rule_of_thumb_size,
    size_for_shares,
    size_for_shares_by_arcsine,
    size_of_each_arm,
    smallest_control,
    variance_inflation,
    visible_lift,
)

pytestmark = pytest.mark.filterwarnings("error")


# Published figures


def test_r_needs_twenty_two_in_each_arm_for_one_standard_deviation_at_ninety_percent() -> None:
    assert size_of_each_arm(1, 1, power=0.9) == pytest.approx(22.02110, abs=2e-5)


def test_r_has_this_power_with_twenty_in_each_arm() -> None:
    assert power_to_see(1, 1, 20, 20) == pytest.approx(0.8689528, abs=1e-6)


def test_half_against_three_quarters_needs_r_s_size_and_cohens_by_the_arcsine() -> None:
    assert size_for_shares(0.50, 0.75, power=0.9) == pytest.approx(76.707, abs=5e-4)
    assert size_for_shares_by_arcsine(0.50, 0.75, power=0.9) == pytest.approx(76.653, abs=5e-4)


def test_the_rule_of_thumb_of_thirty_and_three_sixteenths() -> None:
    assert rule_of_thumb_size(0.1875, 30) == pytest.approx(409_600)
    assert size_of_each_arm(0.1875, 30) == pytest.approx(409_600, rel=0.02)


@pytest.mark.parametrize(("share", "times"), [(0.5, 1), (0.1, 2.78), (0.05, 5.26), (0.01, 25.25)])
def test_a_small_holdout_costs_so_many_times_the_variance(share: float, times: float) -> None:
    assert variance_inflation(share) == pytest.approx(times, abs=0.005)


@pytest.mark.parametrize("sizes", [(20, 20), (900, 100), (5, 40), (100_000, 5_000)])
@pytest.mark.parametrize("errors", [0, 1, 2.8, 4])
def test_power_is_that_of_statsmodels(sizes: tuple[int, int], errors: float) -> None:
    lift = errors * np.sqrt(1 / sizes[0] + 1 / sizes[1])
    theirs = TTestIndPower().power(lift, sizes[1], 0.05, ratio=sizes[0] / sizes[1])
    assert power_to_see(lift, 1, *sizes) == pytest.approx(theirs, rel=1e-9)


# Plans agree with one another


@pytest.mark.parametrize("sizes", [(2, 2), (2, 1_000), (450, 50), (900_000, 100_000)])
def test_the_visible_lift_is_seen_with_the_power_that_was_asked_for(sizes: tuple[int, int]) -> None:
    assert power_to_see(visible_lift(3, *sizes), 3, *sizes) == pytest.approx(0.80)
    assert power_to_see(visible_lift(3, *sizes, power=0.95, alpha=0.01), 3, *sizes, alpha=0.01) == pytest.approx(0.95)


def test_the_smallest_control_sees_the_lift_and_one_fewer_does_not() -> None:
    size = smallest_control(10_000, 0.3, 3)
    assert size is not None
    assert power_to_see(0.3, 3, 10_000 - size, size) >= 0.80 > power_to_see(0.3, 3, 10_001 - size, size - 1)
    assert size == 859


def test_a_lift_that_half_of_the_audience_would_not_show_has_no_control() -> None:
    assert smallest_control(1_000, 0.1, 3) is None
    assert smallest_control(3, 0.1, 3) is None


def test_in_simulation_the_planned_size_sees_four_in_five() -> None:
    size = round(size_of_each_arm(2, 8))
    rng = np.random.default_rng(1)
    treatment, control = rng.gamma(0.25, 16, (2_000, size)) + 2, rng.gamma(0.25, 16, (2_000, size))
    assert (ttest_ind(treatment, control, axis=1).pvalue < 0.05).mean() == pytest.approx(0.80, abs=0.03)


def test_a_metric_with_a_past_needs_fewer_customers() -> None:
    adjusted = left_after_adjustment(30, np.sqrt(0.53))
    assert adjusted**2 / 30**2 == pytest.approx(0.47)
    assert size_of_each_arm(5, adjusted) == pytest.approx(0.47 * size_of_each_arm(5, 30), rel=0.01)


def test_two_point_eight_standard_errors_are_seen_by_large_arms() -> None:
    assert detectable_errors() == pytest.approx(2.8015853)
    assert visible_lift(1, 10**6, 10**6) * np.sqrt(10**6 / 2) == pytest.approx(detectable_errors(), rel=1e-4)


# Plans at their edges


@pytest.mark.parametrize(("spread", "sizes"), [(3, (1, 100)), (3, (100, 0)), (0, (50, 50))])
def test_without_two_customers_or_any_spread_nothing_can_be_said(spread: float, sizes: tuple[int, int]) -> None:
    assert np.isnan(power_to_see(1, spread, *sizes))
    assert np.isnan(visible_lift(spread, *sizes))


def test_a_loss_is_seen_like_a_gain_and_a_huge_lift_always() -> None:
    assert power_to_see(-1, 1, 20, 20) == power_to_see(1, 1, 20, 20)
    assert power_to_see(1e9, 1, 1_000, 1_000) == 1
    assert size_of_each_arm(1e9, 1) == 2


@pytest.mark.parametrize(
    "plan",
    [
        lambda: size_of_each_arm(0, 1),
        lambda: smallest_control(100, 0, 1),
        lambda: rule_of_thumb_size(0, 1),
        lambda: size_for_shares(0.5, 0.5),
        lambda: size_for_shares_by_arcsine(0.5, 0.5),
    ],
)
def test_a_lift_of_nothing_is_refused(plan: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match="name the smallest lift that matters"):
        plan()


@pytest.mark.parametrize("share", [0, 1, -0.1])
def test_an_allocation_without_two_arms_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="leaves an arm empty; use one between 0 and 1"):
        variance_inflation(share)
