"""Permutation p-values: those of all arrangements counted, honest under the null, and the same each time."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy.stats import hypergeom, norm

from orchestration.measure.campaigns.permutation import EXCEEDANCES, MOST_DRAWS, _arms, permutation_p_values

pytestmark = pytest.mark.filterwarnings("error")


def first(controls: int, customers: int) -> np.ndarray:
    return np.arange(customers) < controls


def all_arrangements(values: np.ndarray, controls: int) -> float:
    """The two-sided p-value of the first customers as controls, every arrangement counted."""
    total, customers = values.sum(), len(values)
    sums = np.array([values[list(chosen)].sum() for chosen in combinations(range(customers), controls)])
    differences = np.abs(sums / controls - (total - sums) / (customers - controls))
    return float((differences >= differences[0] - 1e-9).mean())


@pytest.mark.parametrize("share_who_buy", [1.0, 0.4])
@pytest.mark.parametrize("controls", [2, 3, 6, 9])
def test_it_is_the_share_of_all_arrangements_that_are_as_far_apart(controls: int, share_who_buy: float) -> None:
    rng = np.random.default_rng(controls)
    values = rng.lognormal(0, 1, (12, 6)).round(1) * (rng.random((12, 1)) < share_who_buy)
    exact = np.array([all_arrangements(column, controls) for column in values.T])
    drawn = np.mean([permutation_p_values(values, first(controls, 12), seed) for seed in range(60)], axis=0)
    assert drawn == pytest.approx(exact, abs=0.03)


def test_of_a_rare_difference_as_rare_as_many_draws_can_tell() -> None:
    customers, controls = 300, 60
    bought = np.zeros((customers, 1))
    bought[np.r_[60:175]] = 1.0
    spread = hypergeom(customers, 115, controls)
    exact = 2 * spread.cdf(0)
    assert exact < 1e-6
    assert permutation_p_values(bought, first(controls, customers), 1)[0] == pytest.approx(1 / (MOST_DRAWS + 1))


def test_in_the_tail_it_is_fishers() -> None:
    customers, controls, buyers = 400, 80, 100
    bought = np.zeros((customers, 1))
    bought[:12] = bought[80 : 80 + buyers - 12] = 1.0
    spread, counts = hypergeom(customers, buyers, controls), np.arange(81)
    exact = spread.pmf(counts[np.abs(counts - 20) >= 8]).sum()
    drawn = np.mean([permutation_p_values(bought, first(controls, customers), seed)[0] for seed in range(40)])
    assert 0.01 < exact < 0.05
    assert drawn == pytest.approx(exact, rel=0.12)


def test_every_customer_is_drawn_alike_and_every_pair() -> None:
    arms = _arms(np.random.default_rng(1), np.full(40_000, 4), 9)
    assert (arms.sum(axis=1) == 4).all()
    assert arms.mean(axis=0) == pytest.approx(np.full(9, 4 / 9), abs=0.01)
    together = arms.astype(float).T @ arms / len(arms)
    assert together[~np.eye(9, dtype=bool)] == pytest.approx(np.full(72, 4 * 3 / (9 * 8)), abs=0.01)


@pytest.mark.parametrize(("customers", "size"), [(1_000, 1), (1_000, 100), (1_001, 500), (70_000, 3_000)])
def test_drawn_arms_keep_their_size(customers: int, size: int) -> None:
    assert (_arms(np.random.default_rng(1), np.full(50, size), customers).sum(axis=1) == size).all()


def test_where_nothing_happened_a_p_value_of_five_percent_comes_in_five_of_a_hundred() -> None:
    rng = np.random.default_rng(4)
    found = []
    for seed in range(600):
        spend = rng.lognormal(0, 2, (120, 3)) * (rng.random((120, 3)) < 0.3)
        found.append(permutation_p_values(spend, first(12, 120), seed))
    assert np.mean(np.array(found) <= 0.05) == pytest.approx(0.05, abs=3 * np.sqrt(0.05 * 0.95 / 1_800))


def test_a_shift_of_a_normal_metric_has_the_p_value_of_the_t_test() -> None:
    rng = np.random.default_rng(5)
    values = rng.normal(0, 1, (2_000, 1))
    is_control = first(200, 2_000)
    values -= np.where(is_control, values[is_control].mean() + 2.0 * np.sqrt(1 / 200 + 1 / 1_800), values[200:].mean())[
        :, None
    ]
    drawn = np.mean([permutation_p_values(values, is_control, seed)[0] for seed in range(40)])
    assert drawn == pytest.approx(2 * norm.sf(2.0), rel=0.12)


def test_the_same_seed_gives_the_same_p_values() -> None:
    values = np.random.default_rng(6).normal(0, 1, (100, 2))
    once, again, other = (permutation_p_values(values, first(10, 100), seed) for seed in (1, 1, 2))
    assert once.tolist() == again.tolist() != other.tolist()


def test_a_known_seed_gives_known_p_values_on_any_machine() -> None:
    values = np.arange(40.0).reshape(20, 2) ** 2
    assert permutation_p_values(values, np.arange(20) % 5 == 0, 7).tolist() == [0.6896551724137931, 0.6666666666666666]


def test_which_arm_is_called_control_changes_nothing() -> None:
    values = np.random.default_rng(6).normal(0, 1, (101, 2))
    is_control = first(30, 101)
    assert permutation_p_values(values, is_control, 3).tolist() == permutation_p_values(values, ~is_control, 3).tolist()


def test_a_metric_that_never_varies_has_every_arrangement_on_its_side() -> None:
    values = np.column_stack([np.full(50, 3.3), np.zeros(50), np.arange(50.0)])
    assert permutation_p_values(values, first(10, 50), 1)[:2].tolist() == [1, 1]


def test_a_metric_ends_by_itself() -> None:
    rng = np.random.default_rng(8)
    values = rng.normal(0, 1, (200, 2))
    values[:20, 0] += 3
    far, near = permutation_p_values(values, first(20, 200), 1)
    assert far == pytest.approx(1 / (MOST_DRAWS + 1))
    assert (EXCEEDANCES / near) == pytest.approx(round(EXCEEDANCES / near))


@pytest.mark.parametrize("controls", [0, 5])
def test_without_another_arm_nothing_is_known(controls: int) -> None:
    assert np.isnan(permutation_p_values(np.ones((5, 2)), first(controls, 5), 1)).all()


def test_a_missing_value_costs_its_own_metric_only() -> None:
    values = np.random.default_rng(9).normal(0, 1, (50, 2))
    values[3, 0] = np.nan
    p_values = permutation_p_values(values, first(10, 50), 1)
    assert np.isnan(p_values).tolist() == [True, False]


@pytest.mark.parametrize("shape", [(0, 3), (4, 0)])
def test_no_customers_or_no_metrics_are_no_trouble(shape: tuple[int, int]) -> None:
    assert np.isnan(permutation_p_values(np.ones(shape), first(2, shape[0]), 1)).all()


def test_flags_of_other_customers_are_refused() -> None:
    with pytest.raises(ValueError, match="5 customers' values but 4 flags; bring one flag per customer"):
        permutation_p_values(np.ones((5, 2)), first(2, 4), 1)


def test_of_a_million_customers_only_those_who_bought_are_drawn() -> None:
    rng = np.random.default_rng(10)
    spend = rng.lognormal(0, 1, (1_000_000, 1)) * (rng.random((1_000_000, 1)) < 0.005)
    spend[:100_000] *= 1.5
    assert permutation_p_values(spend, first(100_000, 1_000_000), 1)[0] < 0.01
