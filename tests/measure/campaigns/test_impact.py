"""What each campaign did, on every day and in every segment, is what pandas and scipy find from the rows of the extracts."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from orchestration.measure.campaigns.figures import as_sentence
from orchestration.settings import Home
from orchestration.target.outcome import read_outcome
from tests.builders import Refreshed, Rows, ask, query
from tests.campaign_company import (
    ASSIGNED,
    CONTACTED,
    DELETED,
    HARM,
    IN_BOTH_ARMS,
    LAST,
    ONE_DAY,
    OUR_FILES,
    OURS,
    TOO_SOON,
    company,
    march,
)
from tests.measure.campaigns.impact_oracle import LEAST_COMPARED, ImpactOracle, q_values

IMPORTED = ["arms", "late_arms", "no_holdout", "open_ended", "few", "withdrawn", "moved", "over_before"]
ALL = [*IMPORTED, *ASSIGNED]
KEY = ["as_of_date", "segment", "metric"]


@pytest.fixture(scope="module")
def release(campaigns: Refreshed) -> Path:
    return Home(campaigns.aside).releases / "current"


@pytest.fixture(scope="module")
def impact(release: Path) -> pd.DataFrame:
    with duckdb.connect(str(release / "segments.duckdb"), read_only=True) as connection:
        found = connection.execute("select * from metrics.campaign_impact").df()
    return found.assign(as_of_date=found["as_of_date"].dt.date, segment=found["segment"].fillna(""))


@pytest.fixture(scope="module")
def oracle(release: Path) -> ImpactOracle:
    with duckdb.connect(str(release / "segments.duckdb"), read_only=True) as connection:
        members = connection.execute("select * from metrics.segment_membership_history").df()
    members["entered_on"] = members["entered_on"].dt.date
    members["exited_on"] = members["exited_on"].dt.date
    return ImpactOracle(company(), members)


@pytest.fixture(scope="module", params=ALL)
def both(request: pytest.FixtureRequest, impact: pd.DataFrame, oracle: ImpactOracle) -> pd.DataFrame:
    """The rows of a campaign beside those of the oracle (with _expected), row for row the same keys."""
    expected = oracle.rows(request.param)
    expected["segment"] = expected["segment"].fillna("")
    found = impact[impact["campaign_id"] == request.param]
    assert set(found[KEY].itertuples(index=False)) == set(expected[KEY].itertuples(index=False))
    assert not found.duplicated(KEY).any()
    return found.merge(expected, on=KEY, suffixes=("", "_expected"))


def same(both: pd.DataFrame, column: str, expected: str | None = None) -> None:
    wanted = both[expected or f"{column}_expected"]
    found = both[column].astype(float).to_numpy()
    np.testing.assert_allclose(found, wanted.astype(float).to_numpy(), rtol=1e-7, atol=1e-8, err_msg=column)


# ---- the daily series ----


def test_sizes_buyers_and_means_are_those_of_pandas_on_every_day_and_in_every_segment(both: pd.DataFrame) -> None:
    for column in ("n_treatment", "n_control", "buyers_treatment", "buyers_control", "day_index"):
        assert both[column].tolist() == both[f"{column}_expected"].tolist(), column
    same(both, "mean_treatment")
    same(both, "mean_control")


def test_evidence_is_of_arms_that_were_drawn_or_of_changes_or_there_is_none(both: pd.DataFrame) -> None:
    assert both["evidence"].tolist() == both["evidence_expected"].tolist()


def test_the_quoted_figure_and_its_interval_are_scipys(both: pd.DataFrame) -> None:
    """Of arms, adjusted with the slope of both together; without arms, of each customer's change."""
    for column in ("lift", "lower", "upper", "min_detectable"):
        if f"{column}_expected" in both:
            same(both, column)
        else:
            assert both[column].isna().all()


def test_the_raw_difference_is_shown_where_arms_were_drawn_and_nowhere_else(both: pd.DataFrame) -> None:
    for column in ("lift_raw", "lift_raw_lower", "lift_raw_upper"):
        if f"{column}_expected" in both:
            same(both, column)
        else:
            assert both[column].isna().all()


def test_without_arms_the_p_value_is_that_of_the_changes(both: pd.DataFrame) -> None:
    matched = both[both["evidence"] == "matched"]
    if len(matched):
        same(matched, "p_value")
    assert both[both["evidence"] == "none"]["p_value"].isna().all()


def test_a_small_holdout_is_flagged_and_no_other(both: pd.DataFrame) -> None:
    flagged = [any(flag == "small_holdout" for flag in flags) for flags in both["flags"]]
    assert flagged == both["small_holdout"].tolist()


def test_the_company_has_small_holdouts_and_large_ones(impact: pd.DataFrame) -> None:
    """The comparison above would be idle if all intervals were of one kind."""
    arms = impact[(impact["campaign_id"] == "arms") & impact["is_primary"]]
    assert {any(flag == "small_holdout" for flag in flags) for flags in arms["flags"]} == {True, False}
    assert (impact[impact["evidence"] == "randomised"]["estimator"] == "difference_of_means_cuped").any()


def test_with_few_buyers_the_chance_is_that_of_arms_drawn_anew(impact: pd.DataFrame, oracle: ImpactOracle) -> None:
    for campaign in ("arms", "late_arms", "ours"):
        _, everybody = oracle.outcomes(campaign, LAST)
        row = impact[(impact["campaign_id"] == campaign) & impact["is_primary"] & (impact["as_of_date"] == LAST)].iloc[
            0
        ]
        before = everybody["spend_before"]
        slope = np.cov(everybody["spend"], before)[0, 1] / before.var()
        adjusted = everybody["spend"] - slope * before
        arms = [adjusted[everybody["arm"] == arm].to_numpy() for arm in ("treatment", "control")]
        drawn = stats.permutation_test(
            arms, lambda a, b, axis: a.mean(axis) - b.mean(axis), vectorized=True, n_resamples=1_000, batch=100, rng=1
        )
        assert row["p_method"] == "permutation"
        # It stops drawing once the answer is clear enough: a fifth of the chance either way, more or less.
        assert row["p_value"] == pytest.approx(drawn.pvalue, rel=0.6, abs=0.02)


# ---- the rules, one by one ----


def value(release: Path, campaign: str, day: date, column: str, metric: str = "spend") -> Any:
    [(found,)] = query(
        release,
        f"select {column} from metrics.campaign_impact where campaign_id = '{campaign}' and as_of_date = '{day}' "
        f"and segment is null and metric = '{metric}'",
    )
    return found


def days_of(release: Path, campaign: str) -> list[date]:
    rows = query(
        release, f"select distinct as_of_date from metrics.campaign_impact where campaign_id = '{campaign}' order by 1"
    )
    return [day for (day,) in rows]


def sums(release: Path, day: date) -> float:
    """Net spend of all of the treatment of ``arms`` by the day."""
    return round(float(value(release, "arms", day, "mean_treatment * n_treatment")), 2)


@pytest.mark.parametrize(
    ("campaign", "days"),
    [
        pytest.param("arms", [*range(6, 18), 20], id="its-window-a-week-and-the-newest-day"),
        pytest.param("open_ended", [*range(6, 21)], id="every-day-without-an-end"),
        pytest.param("over_before", [3, 4, 5, 20], id="what-is-left-of-the-week-after-it"),
        pytest.param("withdrawn", [*range(6, 13)], id="until-the-list-is-without-it"),
        pytest.param("moved", [*range(6, 20), 20], id="to-the-week-after-its-new-end"),
        pytest.param("ours", [*range(12, 21)], id="from-the-launch-and-not-the-plan"),
    ],
)
def test_a_campaign_has_rows_on_the_days_of_its_window_and_a_week_and_on_the_newest(
    release: Path, campaign: str, days: list[int]
) -> None:
    assert days_of(release, campaign) == [march(day) for day in days]


def test_a_campaign_that_is_planned_has_no_rows_yet(release: Path) -> None:
    assert days_of(release, "planned") == []


def test_a_moved_end_counts_from_the_list_that_says_so(release: Path) -> None:
    assert [value(release, "moved", march(day), "measured_until") for day in (8, 9)] == [march(8), march(12)]


def test_orders_count_from_the_first_second_of_the_start_to_the_last_of_the_end_by_the_clock_of_the_shop(
    release: Path, oracle: ImpactOracle
) -> None:
    """One customer orders for 1,000 in the second before, 2,000 and 4,000 in the first and the last, 8,000 in the second after."""
    _, everybody = oracle.outcomes("arms", LAST)
    spent = everybody.loc["C001", "spend"]
    assert 6000 <= spent < 7000
    total = everybody[everybody["arm"] == "treatment"]["spend"].sum()
    assert sums(release, LAST) == pytest.approx(total)


def test_an_order_line_that_comes_late_counts_from_the_day_on_which_it_came(
    release: Path, oracle: ImpactOracle
) -> None:
    """The 700 and the 4,000 of the window that come on the 11th are in no figure of the 10th."""
    assert sums(release, march(11)) - sums(release, march(10)) == pytest.approx(700 + 4000)
    assert sums(release, march(11)) == sums(release, LAST)


def test_goods_that_come_back_in_the_window_lower_the_spend(oracle: ImpactOracle, release: Path) -> None:
    lines = company()["shop/order_lines"][march(9)]
    assert any(row["amount"] == "-250.00" and row["customer_id"] == "C015" for row in lines)
    bought = sum(
        float(row["amount"])
        for day, rows in company()["shop/order_lines"].items()
        for row in rows
        if day == march(9)
        and row["order_line_id"] != "returned"
        and oracle.arms("arms", day)[1].get(row["customer_id"]) == "treatment"
    )
    assert sums(release, march(9)) - sums(release, march(8)) == pytest.approx(bought - 250, abs=0.01)


def test_a_customer_counts_in_the_arm_assigned_whatever_happens_later(release: Path, oracle: ImpactOracle) -> None:
    """Deleted, reported in the other arm, never contacted: the arms keep their sizes and their customers."""
    sizes = {
        (value(release, "arms", day, "n_treatment"), value(release, "arms", day, "n_control"))
        for day in days_of(release, "arms")
    }
    assert sizes == {(242, 240)}
    arms = oracle.arms("arms", LAST)[1]
    assert [arms[one] for one in (DELETED, IN_BOTH_ARMS, TOO_SOON)] == ["treatment"] * 3


def test_arms_that_come_late_are_arms_from_the_day_on_which_both_are_known(release: Path) -> None:
    evidence = [value(release, "late_arms", march(day), "evidence") for day in (6, 7, 8, 9, 10)]
    assert evidence == ["none", "matched", "matched", "randomised", "randomised"]


def test_without_arms_the_others_are_who_ever_ordered_and_is_known(release: Path) -> None:
    """Of the 500, ten never ordered; the guest, whom the CRM knows from the ninth, is contacted by ``no_holdout`` alone."""
    assert [value(release, "open_ended", march(day), "n_control") for day in (8, 9)] == [430, 431]
    assert value(release, "no_holdout", LAST, "n_treatment") == len(CONTACTED) + 1
    assert value(release, "no_holdout", LAST, "n_control") == 490 - len(CONTACTED)


def test_a_contact_that_is_only_planned_is_none_before_its_day(release: Path) -> None:
    assert [value(release, "no_holdout", march(day), "contacted") for day in (6, 7, 8, 9)] == [40, 60, 60, 61]


def test_a_campaign_is_compared_while_there_is_twice_its_time_before(release: Path) -> None:
    """Orders are on record from 19 days before; from the eighteenth on, as those of January came, from 46."""
    evidence = [value(release, "open_ended", march(day), "evidence") for day in range(6, 21)]
    assert evidence == ["matched"] * 9 + ["none"] * 3 + ["matched"] * 3
    assert [value(release, "over_before", day, "evidence") for day in (march(5), LAST)] == ["none", "matched"]


def test_fewer_than_25_contacted_are_no_comparison(impact: pd.DataFrame) -> None:
    assert set(impact[impact["campaign_id"] == "few"]["evidence"]) == {"none"}
    matched = impact[impact["evidence"] == "matched"]
    assert (matched[["n_treatment", "n_control"]].min(axis=1) >= LEAST_COMPARED).all()


def test_who_answers_clicked_or_redeemed_in_the_window_and_it_counts_from_the_day_it_came(release: Path) -> None:
    answered = [
        round(float(value(release, "arms", march(day), "mean_treatment * n_treatment", "responded")))
        for day in (6, 7, 8, 11)
    ]
    # 40 click on the 6th; of the 60 who redeem on the 7th, 30 are others. An answer of the 11th is too late.
    assert answered == [40, 40, 70, 70]


def test_no_campaign_without_arms_is_ever_a_win_or_speaks_of_lift(impact: pd.DataFrame) -> None:
    without = impact[impact["evidence"] != "randomised"]
    assert set(without["verdict"]) == {"not_randomised"}
    assert not without["message"].str.contains("lift", case=False).any()
    assert without[without["is_primary"]]["message"].str.contains("nobody was held out").all()
    silent = [
        "relative_lift",
        "lift_raw",
        "lower_anytime",
        "alpha_now",
        "q_value",
        "srm_p",
        "incremental_revenue",
        "net_return",
    ]
    assert without[silent].isna().all(axis=None)


def test_a_night_says_of_a_campaign_what_is_shown_of_it(campaigns: Refreshed) -> None:
    home = Home(campaigns.aside)
    said = "select campaign_id, message from metrics.campaign_impact where is_primary qualify row_number() over (partition by campaign_id order by as_of_date desc) = 1"
    messages = dict(ask(home, said))
    assert len(messages) > 3
    for campaign_id, message in messages.items():
        outcome = read_outcome(home, campaign_id)
        assert outcome is not None
        assert outcome.verdict.startswith(as_sentence(message))


def test_only_the_metric_named_in_advance_of_everybody_has_a_message(impact: pd.DataFrame) -> None:
    assert ((impact["message"] != "") == impact["is_primary"]).all()
    primary = impact[impact["is_primary"]]
    assert (primary["segment"] == "").all()
    named = primary["campaign_id"].map(lambda one: OUR_FILES[one].primary_metric if one in OUR_FILES else "spend")
    assert (primary["metric"] == named).all()
    assert not primary.duplicated(["campaign_id", "as_of_date"]).any()


@pytest.mark.parametrize("campaign", ALL)
def test_every_trouble_is_counted_by_the_day_it_was_known(
    campaign: str, impact: pd.DataFrame, oracle: ImpactOracle
) -> None:
    rows = impact[(impact["campaign_id"] == campaign) & impact["is_primary"]]
    for day, flags in zip(rows["as_of_date"], rows["flags"], strict=True):
        found = dict(flag.split(": ") for flag in flags if ": " in flag and not flag.startswith("not_contacted"))
        assert {name: int(count) for name, count in found.items()} == oracle.flags(campaign, day), day


def test_the_troubles_planted_are_those_that_are_told(release: Path) -> None:
    assert value(release, "arms", march(6), "flags[:2]") == ["contacted_before_launch: 1", "contacts_of_others: 2"]
    told = set(value(release, "arms", march(10), "flags"))
    assert told >= {"controls_contacted: 1", "in_both_arms: 1", "contacts_of_others: 1"}
    # The CRM knows the guest from the ninth; she and another were never contacted.
    assert "not_contacted: 2" in value(release, "arms", LAST, "flags")


# ---- our own ----


def test_of_our_campaign_the_arms_drawn_count_and_those_reported_otherwise_are_flagged(release: Path) -> None:
    sizes = {
        (value(release, "ours", march(day), "n_treatment"), value(release, "ours", march(day), "n_control"))
        for day in range(12, 21)
    }
    assert sizes == {(150, 50)}
    flags = value(release, "ours", LAST, "flags")
    assert "arms_unlike_the_receipt: 2" in flags
    assert "contacts_not_reported" in value(release, "ours", march(12), "flags")


def test_our_campaign_is_measured_from_its_launch_to_the_end_of_its_measured_days(release: Path) -> None:
    assert value(release, "ours", LAST, "(measured_until, planned_days, day_index, information_fraction)") == (march(17), 6, 6, 1.0)  # fmt: skip
    assert value(release, "ours", march(12), "(day_index, information_fraction)") == (1, pytest.approx(1 / 6))


def test_the_sample_ratio_is_that_of_the_arms_that_the_sender_reports_once_all_contacts_are_made(release: Path) -> None:
    assert value(release, "uneven", march(12), "srm_p") == pytest.approx(1.0)
    assert value(release, "uneven", march(14), "srm_p") == pytest.approx(1.0)
    assert value(release, "uneven", march(15), "srm_p") == pytest.approx(stats.binomtest(50, 150, 0.5).pvalue)
    assert value(release, "ours", LAST, "srm_p") == pytest.approx(stats.binomtest(150, 200, 0.75).pvalue, rel=0.3)
    assert value(release, "arms", LAST, "srm_p") is None


def test_arms_that_cannot_be_chance_have_no_other_verdict(impact: pd.DataFrame) -> None:
    broken = impact[impact["srm_p"] < 0.001]
    assert set(broken["campaign_id"]) == {"uneven"}
    assert set(broken["verdict"]) == {"invalid_sample_ratio"}
    assert "invalid_sample_ratio" not in set(impact.drop(broken.index)["verdict"])


def test_a_decisive_loss_is_one_before_the_end_and_at_it(release: Path) -> None:
    verdicts = [value(release, "harm", march(day), "(verdict, boundary_decision)") for day in (12, 15, 17, 20)]
    assert verdicts == [
        ("too_early", "continue"),
        ("loss", "stop_for_loss"),
        ("loss", "final"),
        ("loss", "final"),
    ]
    assert len(HARM) == 400


def test_fewer_than_25_buyers_in_an_arm_prove_nothing(impact: pd.DataFrame) -> None:
    arms = impact[(impact["evidence"] == "randomised") & (impact["metric"] != "responded")]
    few = arms[arms[["buyers_treatment", "buyers_control"]].min(axis=1) < 25]
    assert len(few) > 0
    assert set(few["verdict"]) <= {"too_early", "underpowered", "invalid_sample_ratio"}
    assert set(few[few["information_fraction"] == 1]["verdict"]) <= {"underpowered", "invalid_sample_ratio"}


def test_discoveries_are_controlled_over_segments_and_the_primary_metric_is_none_of_them(impact: pd.DataFrame) -> None:
    randomised = impact[impact["evidence"] == "randomised"]
    assert randomised[randomised["is_primary"]]["q_value"].isna().all()
    others = randomised[~randomised["is_primary"]]
    of_segments = others[others["segment"] != ""].groupby(["campaign_id", "as_of_date", "metric"])
    # Of metrics that were not named beforehand nothing is claimed.
    is_named = ~others["campaign_id"].isin(["harm", "uneven"]) | (others["segment"] != "")
    assert others[~is_named]["q_value"].isna().all()
    assert not others[~is_named]["verdict"].isin(["win", "loss"]).any()
    of_everybody = others[(others["segment"] == "") & is_named].groupby(["campaign_id", "as_of_date"])
    for _, family in [*of_segments, *of_everybody]:
        np.testing.assert_allclose(family["q_value"], q_values(family["p_value"]), rtol=1e-9)


def test_the_level_of_a_day_grows_to_nearly_all_of_five_percent(impact: pd.DataFrame) -> None:
    levels = impact[(impact["campaign_id"] == "ours") & impact["is_primary"]].sort_values("as_of_date")["alpha_now"]
    assert levels.is_monotonic_increasing
    assert levels.iloc[0] < 0.001
    assert 0.03 < levels.iloc[-1] < 0.05


def test_the_interval_for_any_number_of_looks_is_the_wider_one(impact: pd.DataFrame) -> None:
    known = impact.dropna(subset=["lower_anytime", "lower"])
    known = known[known[["n_treatment", "n_control"]].min(axis=1) >= 30]
    assert len(known) > 0
    assert (known["lower_anytime"] < known["lower"]).all()
    assert (known["upper_anytime"] > known["upper"]).all()


def test_money_is_reckoned_from_the_lift_of_spend_and_what_the_contacts_cost(release: Path) -> None:
    [(lift, lower, upper, revenue, revenue_lower, revenue_upper, cost, net, net_lower, net_upper)] = query(
        release,
        "select lift, lower, upper, incremental_revenue, incremental_revenue_lower, incremental_revenue_upper, cost::double, net_return, net_return_lower, "
        "net_return_upper from metrics.campaign_impact where campaign_id = 'ours' and is_primary and as_of_date = '2024-03-20'",
    )
    # 150 are reported as contacted: 148 of them drawn to be, and two controls. What the sender's list says of costs is not asked.
    assert cost == pytest.approx(150 * 0.62 + 90)
    assert [revenue, revenue_lower, revenue_upper] == pytest.approx([150 * one for one in (lift, lower, upper)])
    assert [net, net_lower, net_upper] == pytest.approx([150 * one * 0.28 - cost for one in (lift, lower, upper)])


def test_before_contacts_are_reported_everybody_assigned_costs(release: Path) -> None:
    assert value(release, "ours", march(12), "cost::double") == pytest.approx(150 * 0.62 + 90)
    assert value(release, "ours", march(12), "contacted") == 0


def test_without_a_margin_nobody_knows_the_return(release: Path) -> None:
    assert value(release, "harm", LAST, "(incremental_revenue is null, cost::double, net_return)") == (False, 200 * 0.62, None)  # fmt: skip
    assert value(release, "few", LAST, "cost") is None


def test_what_an_imported_campaign_cost_is_known_and_what_it_brought_is_not(release: Path) -> None:
    assert value(release, "no_holdout", LAST, "(cost::double, incremental_revenue, net_return)") == (61 * 0.5 + 100, None, None)  # fmt: skip


# ---- what is seen where nobody was held out ----


@pytest.fixture(scope="module")
def comparisons(release: Path) -> Rows:
    return query(
        release,
        "select campaign_id, starts_on, difference, lower, upper, p_value, n_contacted, n_others::int, is_placebo from metrics.campaign_comparisons "
        "where estimator = 'difference_in_differences' order by campaign_id, starts_on desc",
    )


def test_each_comparison_is_recomputed_with_the_dates_on_which_nothing_was_sent(
    comparisons: Rows, oracle: ImpactOracle
) -> None:
    compared = [row for row in comparisons if row[0] in ("no_holdout", "moved")]
    assert {(row[0], row[8]) for row in compared} == {(one, is_so) for one in ("no_holdout", "moved") for is_so in (True, False)}  # fmt: skip
    for campaign, starts_on, difference, lower, upper, p_value, contacted, others, _ in compared:
        window = oracle.window(campaign, LAST)
        assert window is not None
        assert window.planned is not None
        _, arms = oracle.arms(campaign, LAST)
        length = window.planned * ONE_DAY
        since = oracle.figures(arms.index, LAST, starts_on, starts_on + length - ONE_DAY)["spend"]
        before = oracle.figures(arms.index, LAST, starts_on - length, starts_on - ONE_DAY)["spend"]
        change = (since - before).to_numpy()
        treated = (arms == "treatment").to_numpy()
        test = stats.ttest_ind(change[treated], change[~treated], equal_var=False)
        interval = test.confidence_interval(0.95)
        expected = [change[treated].mean() - change[~treated].mean(), interval.low, interval.high, test.pvalue]
        assert [difference, lower, upper, p_value] == pytest.approx(expected, rel=1e-6, abs=1e-9)
        assert (contacted, others) == (treated.sum(), (~treated).sum())


def test_the_comparison_from_the_start_is_the_figure_of_the_campaign(comparisons: Rows, release: Path) -> None:
    newest = [row for row in comparisons if not row[8]]
    assert newest
    for row in newest:
        assert value(release, row[0], LAST, "[lift, lower, upper, p_value]") == pytest.approx(list(row[2:6]), rel=1e-9)


def test_what_is_compared_is_matched_on_its_newest_day_and_the_other_way_round(
    comparisons: Rows, impact: pd.DataFrame, release: Path
) -> None:
    newest = impact[impact["is_primary"] & (impact["as_of_date"] == LAST)]
    matched = set(newest[newest["evidence"] == "matched"]["campaign_id"])
    assert {row[0] for row in comparisons} == matched
    assert {row[0] for row in query(release, "select campaign_id from metrics.campaign_balance")} == matched


def test_the_balance_table_shows_both_groups_before_and_after_they_are_made_alike(
    release: Path, oracle: ImpactOracle
) -> None:
    rows = query(
        release,
        "select attribute, mean_contacted, mean_others, standardized_difference, mean_matched, standardized_difference_matched "
        "from metrics.campaign_balance where campaign_id = 'no_holdout' order by attribute",
    )
    assert len(rows) == 4
    _, arms = oracle.arms("no_holdout", LAST)
    treated = (arms == "treatment").to_numpy()
    for attribute, contacted, others, apart, matched, left in rows:
        name, days = attribute.split(", days ")
        nearest, farthest = (int(one) for one in days.removesuffix(" before").split(" to "))
        values = oracle.figures(arms.index, LAST, march(6) - farthest * ONE_DAY, march(6) - nearest * ONE_DAY)[
            name
        ].to_numpy()
        spread = np.sqrt((values[treated].var(ddof=1) + values[~treated].var(ddof=1)) / 2)
        assert [contacted, others] == pytest.approx([values[treated].mean(), values[~treated].mean()])
        assert apart == pytest.approx((values[treated].mean() - values[~treated].mean()) / spread)
        assert matched == pytest.approx(contacted, abs=1e-4)
        assert left == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("table", ["campaign_impact", "campaign_comparisons", "campaign_balance"])
def test_what_nobody_knows_is_null_in_a_release_and_not_a_number_that_is_none(release: Path, table: str) -> None:
    columns = query(
        release,
        f"select column_name from duckdb_columns() where schema_name = 'metrics' and table_name = '{table}' and data_type = 'DOUBLE'",
    )
    asked = ", ".join(f"count(*) filter (where isnan({column}))" for (column,) in columns)
    assert set(query(release, f"select {asked} from metrics.{table}")[0]) == {0}


# ---- the catalogue ----


def test_the_catalogue_has_every_campaign_that_is_known_and_its_state(release: Path) -> None:
    rows = query(release, "select campaign_id, assigned_by, state, starts_on, measured_until from catalog.campaigns")
    assert {row[0]: row[1:] for row in rows} == {
        "arms": ("sender", "over", march(6), march(10)),
        "late_arms": ("sender", "over", march(6), march(10)),
        "no_holdout": ("sender", "over", march(6), march(10)),
        "open_ended": ("sender", "running", march(6), None),
        "few": ("sender", "over", march(6), march(10)),
        "withdrawn": ("sender", "withdrawn", march(6), march(16)),
        "moved": ("sender", "over", march(6), march(12)),
        "over_before": ("sender", "over", date(2024, 2, 22), date(2024, 2, 27)),
        "ours": ("us", "over", march(12), march(17)),
        "harm": ("us", "over", march(12), march(17)),
        "uneven": ("us", "over", march(12), march(17)),
        "planned": ("us", "planned", march(25), date(2024, 4, 2)),
    }


def test_the_catalogue_says_of_ours_what_was_drawn(release: Path) -> None:
    asked = (
        "select treatment, control, release, holdout, contact_cost::double from catalog.campaigns where campaign_id = "
    )
    assert query(release, f"{asked}'ours'") == [(150, 50, "2024-03-11-aaaa", 0.25, 0.62)]
    assert sum(arm == "control" for arm in OURS.values()) == 50
    assert query(release, f"{asked}'arms'") == [(None, None, None, None, 0.5)]
