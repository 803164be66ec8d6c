"""The rule of verdicts, one claim per boundary."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chisquare
from statsmodels.stats.multitest import multipletests

from orchestration.measure.campaigns.verdicts import (
    VERDICTS,
    boundary_decisions,
    methods,
    q_values,
    sample_ratio_p,
    verdicts,
)

pytestmark = pytest.mark.filterwarnings("error")


def arms(n_treatment: int, n_control: int, buyers_treatment: int, buyers_control: int) -> pd.Series:
    row = {"n_treatment": n_treatment, "n_control": n_control}
    return methods(pd.DataFrame([row | {"buyers_treatment": buyers_treatment, "buyers_control": buyers_control}])).iloc[
        0
    ]


# Methods


@pytest.mark.parametrize(
    ("row", "method", "small", "underpowered"),
    [
        ((5_000, 5_000, 1_000, 1_000), "welch", False, False),
        ((5_000, 5_000, 1_000, 999), "permutation", False, False),
        ((5_000, 5_000, 900, 200), "permutation", False, False),
        ((5_000, 5_000, 900, 199), "permutation", True, False),
        ((7_000, 3_000, 4_000, 1_000), "welch", False, False),
        ((7_001, 2_999, 4_000, 1_000), "pooled", True, False),
        ((90_000, 10_000, 9_000, 1_000), "pooled", True, False),
        ((90_000, 10_000, 9_000, 999), "permutation", True, False),
        ((9_000, 1_000, 900, 25), "permutation", True, False),
        ((9_000, 1_000, 900, 24), "permutation", True, True),
        ((500, 9_500, 24, 900), "permutation", True, True),
        ((10_000, 90_000, 1_000, 9_000), "pooled", True, False),
        ((10, 0, 5, 0), "permutation", True, True),
        ((0, 0, 0, 0), "permutation", True, True),
    ],
)
def test_the_smaller_arm_decides_of_the_test(
    row: tuple[int, ...], method: str, small: bool, underpowered: bool
) -> None:
    found = arms(*row)
    assert found.to_dict() == {
        "p_method": method,
        "is_pooled": small,
        "small_holdout": small,
        "underpowered": underpowered,
    }


def test_seventy_to_thirty_is_no_small_holdout_whatever_the_rounding() -> None:
    sizes = np.arange(10, 20_000, 10)
    table = pd.DataFrame({"n_treatment": sizes * 7 // 10, "n_control": sizes * 3 // 10})
    assert not methods(table.assign(buyers_treatment=2_000, buyers_control=2_000))["small_holdout"].any()


def test_methods_keep_the_index_and_read_what_a_database_returns() -> None:
    table = pd.DataFrame(
        {"n_treatment": [90, 10], "n_control": [10, 10], "buyers_treatment": [9, 9], "buyers_control": [None, 1]},
        ["a", "b"],
    ).astype("Int64")
    assert methods(table).index.tolist() == ["a", "b"]
    assert methods(table.iloc[:0]).empty


# Sample ratio


@pytest.mark.parametrize(
    ("sizes", "planned", "p_value"),
    [
        ((10_000, 10_200), (50, 50), 0.159370),
        ((17_850, 2_150), (90, 10), 0.000406952),
        ((21_307, 21_387, 21_306), (1, 1, 1), 0.903693),
    ],
)
def test_known_sample_ratios_have_their_published_p_values(
    sizes: tuple[int, ...], planned: tuple[float, ...], p_value: float
) -> None:
    assert sample_ratio_p(sizes, planned) == pytest.approx(p_value, rel=1e-5)


def test_hillstroms_three_arms_are_even() -> None:
    assert chisquare([21_307, 21_387, 21_306]).statistic == pytest.approx(0.20253, abs=1e-5)


def test_few_customers_are_counted_exactly() -> None:
    assert sample_ratio_p((3, 7), (1, 1)) == pytest.approx(0.34375)
    assert sample_ratio_p((0, 20), (1, 1)) == pytest.approx(2 / 2**20)


def test_without_customers_there_is_no_sample_ratio() -> None:
    assert np.isnan(sample_ratio_p((0, 0), (1, 1)))


@pytest.mark.parametrize(("sizes", "planned"), [((1, 2), (1,)), ((1, 2), (1, 0))])
def test_a_plan_of_other_arms_is_refused(sizes: tuple[int, ...], planned: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="give each arm a positive share"):
        sample_ratio_p(sizes, planned)


# Many segments at once


def test_q_values_are_those_of_benjamini_and_hochberg_within_each_family() -> None:
    p_values = pd.Series(np.random.default_rng(1).beta(0.5, 3, 60), index=np.arange(60) * 3)
    family = pd.Series(["spend", "orders", "visits"] * 20, p_values.index)
    found = q_values(p_values, family)
    assert found.index.equals(p_values.index)
    for one in family.unique():
        expected = multipletests(p_values[family == one], method="fdr_bh")[1]
        assert found[family == one].tolist() == pytest.approx(expected.tolist())


def test_a_missing_p_value_is_none_of_the_family() -> None:
    found = q_values(pd.Series([0.01, np.nan, 0.04]), pd.Series(["a", "a", "a"]))
    assert found.tolist() == pytest.approx([0.02, np.nan, 0.04], nan_ok=True)
    assert q_values(pd.Series([np.nan]), pd.Series(["a"])).isna().all()
    assert q_values(pd.Series([], dtype=float), pd.Series([], dtype=str)).empty


def test_a_family_without_a_name_is_one_too() -> None:
    assert q_values(pd.Series([0.01, 0.04]), pd.Series([None, None])).tolist() == pytest.approx([0.02, 0.04])


# Verdicts

CLEAR = {
    "evidence": "randomised",
    "sample_ratio_p": 0.5,
    "buyers_treatment": 4_000,
    "buyers_control": 400,
    "evidence_p": 0.001,
    "alpha": 0.04,
    "information_fraction": 1.0,
    "lift": 2.0,
}


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({}, "win"),
        ({"lift": -2.0}, "loss"),
        ({"evidence_p": 0.04}, "win"),
        ({"evidence_p": 0.0401}, "no_evidence"),
        ({"evidence_p": 0.0401, "lift": -2.0}, "no_evidence"),
        ({"evidence_p": np.nan}, "no_evidence"),
        ({"evidence_p": np.nan, "lift": np.nan}, "no_evidence"),
        ({"lift": 0.0}, "no_evidence"),
        ({"information_fraction": 0.5}, "win"),
        ({"information_fraction": 0.5, "evidence_p": 0.5}, "too_early"),
        ({"buyers_control": 24}, "underpowered"),
        ({"buyers_control": 25}, "win"),
        ({"buyers_treatment": 24}, "underpowered"),
        ({"buyers_control": 24, "information_fraction": 0.5}, "too_early"),
        ({"sample_ratio_p": 0.000999}, "invalid_sample_ratio"),
        ({"sample_ratio_p": 0.001}, "win"),
        ({"sample_ratio_p": np.nan}, "win"),
        ({"sample_ratio_p": 0.0, "buyers_control": 3, "information_fraction": 0.5}, "invalid_sample_ratio"),
        ({"evidence": "matched"}, "not_randomised"),
        ({"evidence": "none", "sample_ratio_p": 0.0}, "not_randomised"),
        ({"evidence": None}, "not_randomised"),
    ],
)
def test_the_first_thing_that_holds_is_said(change: dict[str, object], verdict: str) -> None:
    assert verdict in VERDICTS
    assert verdicts(pd.DataFrame([CLEAR | change])).tolist() == [verdict]


def test_verdicts_keep_the_index() -> None:
    table = pd.DataFrame([CLEAR, CLEAR | {"lift": -1.0}], ["a", "b"])
    assert verdicts(table).to_dict() == {"a": "win", "b": "loss"}
    assert verdicts(table.iloc[:0]).empty


@pytest.mark.parametrize(
    ("verdict", "fraction", "decision"),
    [
        ("win", 0.5, "stop_for_win"),
        ("loss", 0.5, "stop_for_loss"),
        ("too_early", 0.5, "continue"),
        ("invalid_sample_ratio", 0.5, "continue"),
        ("not_randomised", 0.99, "continue"),
        ("win", 1.0, "final"),
        ("no_evidence", 1.0, "final"),
        ("not_randomised", 1.2, "final"),
    ],
)
def test_a_look_decides_whether_to_go_on(verdict: str, fraction: float, decision: str) -> None:
    table = pd.DataFrame({"verdict": [verdict], "information_fraction": [fraction]})
    assert boundary_decisions(table).tolist() == [decision]
