"""Comparisons from sufficient statistics: equal to tea-tasting, to the published figures, and to nothing where nothing is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import tea_tasting as tt
from scipy.stats import t as student
from scipy.stats import ttest_ind
from tea_tasting.aggr import Aggregates

from orchestration.measure.campaigns.comparison import ARMS, STATISTICS, compare

pytestmark = pytest.mark.filterwarnings("error")

UNCERTAIN = ["lower", "upper", "standard_error", "degrees_of_freedom", "p_value", "min_detectable"]


def statistics(
    metric_t: np.ndarray, metric_c: np.ndarray, before_t: np.ndarray | None = None, before_c: np.ndarray | None = None
) -> dict[str, float]:
    """One row of sufficient statistics of two samples; without a before it is NaN."""
    row: dict[str, float] = {}
    for arm, metric, before in (("treatment", metric_t, before_t), ("control", metric_c, before_c)):
        row |= {f"n_{arm}": len(metric), f"mean_{arm}": metric.mean(), f"var_{arm}": metric.var(ddof=1)}
        both = np.full((2, 2), np.nan) if before is None else np.cov(metric, before)
        row |= {f"before_mean_{arm}": np.nan if before is None else before.mean()}
        row |= {f"before_var_{arm}": both[1, 1], f"cov_{arm}": both[0, 1]}
    return row


def samples(
    rng: np.random.Generator, n_t: int, n_c: int, lift: float = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Spend of both arms, and spend before: many zeros, a long tail, one customer's two figures alike."""
    size = rng.lognormal(3, 1, n_t + n_c)
    now, before = (size * rng.gamma(1, 1, n_t + n_c) * (rng.random(n_t + n_c) < 0.6) for _ in range(2))
    now[:n_t] += lift
    return now[:n_t], now[n_t:], before[:n_t], before[n_t:]


def many(rows: int, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(5, 400, (rows, 2))
    return pd.DataFrame([statistics(*samples(rng, *pair, lift=rng.normal(0, 3))) for pair in sizes])


def aggregates(row: pd.Series, arm: str) -> Aggregates:
    return Aggregates(
        int(row[f"n_{arm}"]),
        {"y": row[f"mean_{arm}"], "x": row[f"before_mean_{arm}"]},
        {"y": row[f"var_{arm}"], "x": row[f"before_var_{arm}"]},
        {("x", "y"): row[f"cov_{arm}"]},
    )


# Equal to others


@pytest.mark.parametrize("is_pooled", [False, True])
def test_every_figure_is_that_of_tea_tasting(is_pooled: bool) -> None:
    table = many(300)
    ours = compare(table, np.full(len(table), is_pooled))
    for (_, row), (_, found) in zip(table.iterrows(), ours.iterrows(), strict=True):
        arms = {"control": aggregates(row, "control"), "treatment": aggregates(row, "treatment")}
        theirs = tt.Mean("y", "x", equal_var=is_pooled).analyze_aggregates(**arms)
        plain = tt.Mean("y", equal_var=is_pooled).analyze_aggregates(**arms)
        assert found[["lift", "lower", "upper", "p_value"]].tolist() == pytest.approx(
            [theirs.effect_size, theirs.effect_size_ci_lower, theirs.effect_size_ci_upper, theirs.pvalue], rel=1e-9
        )
        assert found[["relative_lift", "relative_lower", "relative_upper"]].tolist() == pytest.approx(
            [theirs.rel_effect_size, theirs.rel_effect_size_ci_lower, theirs.rel_effect_size_ci_upper], rel=1e-9
        )
        assert found["lift"] / found["standard_error"] == pytest.approx(theirs.statistic, rel=1e-9)
        assert found[["lift_raw", "lift_raw_lower", "lift_raw_upper"]].tolist() == pytest.approx(
            [plain.effect_size, plain.effect_size_ci_lower, plain.effect_size_ci_upper], rel=1e-9
        )


@pytest.mark.parametrize("is_pooled", [False, True])
def test_without_a_before_it_is_the_t_test_of_scipy(is_pooled: bool) -> None:
    treatment, control, _, _ = samples(np.random.default_rng(2), 80, 30)
    found = compare(pd.DataFrame([statistics(treatment, control)]), np.array([is_pooled])).iloc[0]
    theirs = ttest_ind(treatment, control, equal_var=is_pooled)
    interval = theirs.confidence_interval()
    assert found[["p_value", "lower", "upper", "degrees_of_freedom"]].tolist() == pytest.approx(
        [theirs.pvalue, interval.low, interval.high, theirs.df], rel=1e-9
    )
    assert (
        found[["lift_raw", "lift_raw_lower", "lift_raw_upper"]].tolist() == found[["lift", "lower", "upper"]].tolist()
    )


# Hillstrom's e-mail test (64,000 customers): n, mean of visit, conversion and spend

MEN, WOMEN, NONE = (
    (21_307, 0.182757, 0.012531, 1.422617),
    (21_387, 0.151400, 0.008837, 1.077202),
    (21_306, 0.106167, 0.005726, 0.652789),
)
PUBLISHED = {
    "men's visit": (MEN, 1, 0.076590, 0.069953, 0.083226),
    "men's conversion": (MEN, 2, 0.006805, 0.005000, 0.008610),
    "men's spend": (MEN, 3, 0.769827, 0.485140, 1.054515),
    "women's visit": (WOMEN, 1, 0.045233, 0.038893, 0.051573),
    "women's conversion": (WOMEN, 2, 0.003111, 0.001499, 0.004724),
    "women's spend": (WOMEN, 3, 0.424412, 0.168957, 0.679868),
}
#: The variances of spend are not published, the standard errors are: they leave one figure open, the mean square of a buyer's spend.
STANDARD_ERRORS = {"men's spend": 0.145247, "women's spend": (0.679868 - 0.168957) / 2 / student.ppf(0.975, 40_000)}


def hillstrom(name: str) -> tuple[pd.DataFrame, tuple[float, float, float]]:
    arm, column, lift, lower, upper = PUBLISHED[name]
    row: dict[str, float] = {}
    if column == 3:
        spread = squares_of_a_buyer(arm, STANDARD_ERRORS[name])
    for label, figures in (("treatment", arm), ("control", NONE)):
        n, mean = figures[0], figures[column]
        square = mean if column < 3 else figures[2] * spread
        row |= {f"n_{label}": n, f"mean_{label}": mean, f"var_{label}": (square - mean**2) * n / (n - 1)}
        row |= {f"before_mean_{label}": np.nan, f"before_var_{label}": np.nan, f"cov_{label}": np.nan}
    return pd.DataFrame([row]), (lift, lower, upper)


def squares_of_a_buyer(arm: tuple[float, ...], standard_error: float) -> float:
    """The mean square of one buyer's spend that gives the difference this standard error."""
    subtracted = arm[3] ** 2 / (arm[0] - 1) + NONE[3] ** 2 / (NONE[0] - 1)
    return (standard_error**2 + subtracted) / (arm[2] / (arm[0] - 1) + NONE[2] / (NONE[0] - 1))


@pytest.mark.parametrize("name", PUBLISHED)
def test_hillstroms_lifts_have_the_published_intervals(name: str) -> None:
    table, published = hillstrom(name)
    found = compare(table, np.array([False])).iloc[0]
    assert found[["lift", "lower", "upper"]].tolist() == pytest.approx(published, abs=3e-6)
    assert found["p_value"] < 0.002


def test_both_of_hillstroms_spend_intervals_come_from_buyers_who_spend_alike() -> None:
    found = [
        squares_of_a_buyer(arm, STANDARD_ERRORS[name]) for name, arm in (("men's spend", MEN), ("women's spend", WOMEN))
    ]
    assert found[0] == pytest.approx(found[1], rel=0.1)


# What the adjustment does


def test_a_metric_that_repeats_itself_has_less_variance_by_rho_squared() -> None:
    rng = np.random.default_rng(3)
    before = rng.gamma(2, 10, 40_000)
    now = before + rng.gamma(2, 10, 40_000)
    row = statistics(now[:20_000], now[20_000:], before[:20_000], before[20_000:])
    plain = compare(pd.DataFrame([row]).assign(cov_control=np.nan), np.array([False])).iloc[0]
    found = compare(pd.DataFrame([row]), np.array([False])).iloc[0]
    assert found["cuped_theta"] == pytest.approx(1, abs=0.03)
    assert found["cuped_rho"] ** 2 == pytest.approx(0.5, abs=0.03)
    ratio = (found["standard_error"] / plain["standard_error"]) ** 2
    assert ratio == pytest.approx(1 - found["cuped_rho"] ** 2, abs=0.001)


def test_the_smallest_lift_to_be_seen_is_two_point_eight_standard_errors() -> None:
    found = compare(many(20), np.full(20, False))
    assert (found["min_detectable"] / found["standard_error"]).tolist() == pytest.approx([2.8015853] * 20)


def test_the_interval_leaves_out_zero_where_the_p_value_is_below_five_percent() -> None:
    found = compare(many(300, seed=5), np.random.default_rng(5).random(300) < 0.5)
    assert ((found["lower"] > 0) | (found["upper"] < 0)).tolist() == (found["p_value"] < 0.05).tolist()
    assert found["p_value"].between(0, 1).all()
    half = student.ppf(0.975, found["degrees_of_freedom"]) * found["standard_error"]
    assert (found["upper"] - found["lift"]).tolist() == pytest.approx(half.tolist())


# Tables that a caller may bring


@pytest.mark.parametrize(
    ("change", "unknown"),
    [
        (dict.fromkeys(("n_control", "mean_control", "var_control"), np.nan), ["lift_raw", "lift", *UNCERTAIN]),
        ({"n_control": 0, "mean_control": np.nan, "var_control": np.nan}, ["lift_raw", "lift", *UNCERTAIN]),
        ({"n_control": 1, "var_control": np.nan, "before_var_control": np.nan, "cov_control": np.nan}, UNCERTAIN),
        ({"n_treatment": 1, "n_control": 1}, UNCERTAIN),
        (dict.fromkeys(("var_control", "var_treatment", "cov_control", "cov_treatment"), 0.0), UNCERTAIN),
        (dict.fromkeys(("var_control", "var_treatment"), 1e-15) | {"cov_control": np.nan}, UNCERTAIN),
    ],
    ids=[
        "no control",
        "none in control",
        "one in control",
        "one in each",
        "nothing varies",
        "nothing but rounding varies",
    ],
)
@pytest.mark.parametrize("is_pooled", [False, True])
def test_what_cannot_be_known_is_said_to_be_unknown(
    change: dict[str, float], unknown: list[str], is_pooled: bool
) -> None:
    row = many(1).assign(before_mean_control=1.0, before_mean_treatment=1.0).assign(**change)
    found = compare(row, np.array([is_pooled])).iloc[0]
    assert found[unknown].isna().all(), found
    assert not np.isinf(found).any()


@pytest.mark.parametrize(
    "change",
    [
        {"before_mean_control": np.nan},
        {"before_var_treatment": np.nan},
        {"cov_control": np.nan},
        {
            "before_mean_control": 4.0,
            "before_mean_treatment": 4.0,
            "before_var_control": 0.0,
            "before_var_treatment": 0.0,
        }
        | {"cov_control": 0.0, "cov_treatment": 0.0},
        {
            "before_mean_control": 4.0,
            "before_mean_treatment": 5.0,
            "before_var_control": 1e-15,
            "before_var_treatment": 1e-15,
        },
    ],
    ids=["no mean", "no variance", "no covariance", "never varied", "varied by rounding only"],
)
def test_without_figures_from_before_nothing_is_adjusted(change: dict[str, float]) -> None:
    found = compare(many(1).assign(**change), np.array([False])).iloc[0]
    assert (
        found[["lift", "lower", "upper"]].tolist() == found[["lift_raw", "lift_raw_lower", "lift_raw_upper"]].tolist()
    )
    assert found[["cuped_theta", "cuped_rho"]].tolist() == [0, 0]
    assert found["p_value"] > 0


def test_a_metric_that_is_its_own_past_leaves_no_evidence() -> None:
    now = np.random.default_rng(6).gamma(2, 10, 60)
    found = compare(pd.DataFrame([statistics(now[:30], now[30:], now[:30], now[30:])]), np.array([False])).iloc[0]
    assert found[["cuped_theta", "cuped_rho"]].tolist() == pytest.approx([1, 1])
    assert found["lift"] == pytest.approx(0, abs=1e-9)
    assert np.isnan(found["p_value"])


@pytest.mark.parametrize(("mean_control", "lift"), [(0.0, np.nan), (-2.0, np.nan), (2.0, 0.5)])
def test_a_relative_lift_needs_something_to_be_relative_to(mean_control: float, lift: float) -> None:
    row = many(1).assign(mean_control=mean_control, mean_treatment=3.0, cov_control=np.nan)
    found = compare(row, np.array([False])).iloc[0]
    assert found["relative_lift"] == pytest.approx(lift, nan_ok=True)
    assert np.isnan(found["relative_lower"]) == np.isnan(lift)


def test_a_treatment_that_sold_nothing_lost_everything_and_has_no_logarithm() -> None:
    found = compare(many(1).assign(mean_treatment=0.0, var_treatment=0.0, cov_control=np.nan), np.array([False])).iloc[
        0
    ]
    assert found["relative_lift"] == -1
    assert found[["relative_lower", "relative_upper"]].isna().all()
    assert found["p_value"] > 0


def test_an_interval_too_wide_for_numbers_has_no_upper_end() -> None:
    row = many(1).assign(mean_control=1e-9, var_control=1e4, n_control=3, cov_control=np.nan)
    found = compare(row, np.array([False])).iloc[0]
    assert found["relative_lower"] == -1
    assert np.isnan(found["relative_upper"])


@pytest.mark.parametrize("make", [lambda: many(3).iloc[:0], lambda: many(3).set_index(pd.Index(["a", "b", "c"]))])
def test_rows_come_back_under_their_own_index(make: Callable[[], pd.DataFrame]) -> None:
    table = make()
    found = compare(table, np.full(len(table), False))
    assert found.index.equals(table.index)
    assert set(found.dtypes.astype(str)) == {"float64"}


def test_integers_and_missing_values_of_a_database_are_read() -> None:
    table = many(3).astype({"n_control": "Int64", "n_treatment": "Int64"}).astype({"cov_control": "Float64"})
    table.loc[1, "cov_control"] = pd.NA
    found = compare(table, np.full(3, False))
    assert found["cuped_theta"].iloc[1] == 0
    assert found["p_value"].notna().all()


def test_a_missing_statistic_is_named() -> None:
    with pytest.raises(ValueError, match="lacks cov_control; bring each arm's sufficient statistics"):
        compare(many(1).drop(columns="cov_control"), np.array([False]))
    assert set(many(1)) == {f"{one}_{arm}" for one in STATISTICS for arm in ARMS}
