"""The business case against figures worked out by hand: what it rests on, what a holdout shows, what it may bring, and what is said of it."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter
from statsmodels.stats.power import TTestIndPower

from orchestration.campaigns.receipts import Receipt, Step, receipt_folder
from orchestration.errors import ConfigurationError
from orchestration.measure.campaigns.figures import Range
from orchestration.settings import Home, load_settings
from orchestration.target.business_case import CASE, BusinessCase, business_case, case_text, read_case, smallest_holdout
from orchestration.target.holdouts import customers_to_see, holdout, smallest_control
from orchestration.target.like_campaigns import pooled
from orchestration.target.listing import all_campaigns
from orchestration.target.past import BaseRate, past_of_audience, past_of_segment
from orchestration.target.planning import read_plan
from tests.target.small_release import AS_OF, RELEASE, Bought, Shop, campaign, campaigns_file, known, measured

#: Four customers: what each spent in the last 10 days, and twice as much in the 10 before.
FOUR = {"a": 10, "b": 20, "c": 30, "d": 0}
OF_FOUR = [
    *(Bought(one, 3, spend) for one, spend in FOUR.items() if spend),
    *(Bought(one, 19, 2 * spend) for one, spend in FOUR.items() if spend),
]

METRICS = st.builds(BaseRate, st.just("spend"), st.floats(1, 500), st.floats(1, 2000), st.floats(0, 0.95))


def case_of(shop: Shop, **said: Any) -> BusinessCase:
    with shop.opened() as release:
        steps = [Step("members", 9999), Step("audience", len(list(shop.members)))]
        return business_case(release, campaign(**said), "audience", steps, RELEASE, AS_OF)


def a_town(customers: int = 2000) -> Shop:
    """Customers of whom every other one spent 20 or 60 in the last 10 days: 20 each on average. Who bought before says nothing of who did since."""
    names = [f"c{number}" for number in range(customers)]
    lately = [Bought(name, 2, 20 if number % 4 else 60) for number, name in enumerate(names) if number % 2 == 0]
    before = [Bought(name, 19, 30) for number, name in enumerate(names) if number % 3 == 0]
    return Shop(names, lately + before, names)


# ---- what it rests on ----


def test_base_rates_count_customers_without_an_order_as_nought() -> None:
    with Shop(FOUR, OF_FOUR).opened() as release:
        past = past_of_audience(release, "audience", AS_OF, 10)
    assert past is not None
    spend, ordered = past.rate("spend"), past.rate("ordered")
    assert spend is not None
    assert ordered is not None
    assert (past.customers, past.days, past.first_day, past.buyers) == (4, 10, date(2024, 3, 22), 0.75)
    assert spend.mean == 15
    assert spend.sd == pytest.approx(math.sqrt((25 + 25 + 225 + 225) / 3))
    assert spend.rho == pytest.approx(1)
    assert (ordered.mean, ordered.sd) == (0.75, pytest.approx(0.5))


def test_the_first_and_the_last_day_of_the_window_count_and_the_day_before_does_not() -> None:
    orders = [Bought("a", 0, 1), Bought("a", 9, 10), Bought("a", 10, 100), Bought("a", 25, 7)]
    with Shop("a", orders).opened() as release:
        past = past_of_audience(release, "audience", AS_OF, 10)
    assert past is not None
    assert past.rates[0].mean == 11


def test_a_window_longer_than_half_of_what_is_on_record_has_no_correlation() -> None:
    with Shop(FOUR, OF_FOUR).opened() as release:  # 20 days are on record
        assert [rate.rho for rate in past_of_audience(release, "audience", AS_OF, 11).rates] == [None] * 3  # type: ignore[union-attr]
        assert past_of_audience(release, "audience", AS_OF, 10).rates[0].rho is not None  # type: ignore[union-attr]


def test_a_window_longer_than_what_is_on_record_is_told_to_be_too_low() -> None:
    case = case_of(Shop(FOUR, OF_FOUR), measured_days=30)
    assert any("Only 20 days are on record for a window of 31" in one for one in case.sentences)


def test_the_past_of_a_segment_is_of_those_who_were_in_it_a_window_ago() -> None:
    before = [f"b{number}" for number in range(30)]
    shop = Shop(["new"], [Bought(one, 5, 8) for one in before[:15]], before)
    with shop.opened() as release:
        past = past_of_segment(release, "regulars", AS_OF, 5 + 1)
    assert past is not None
    assert (past.of, past.customers, past.buyers, past.rates[0].mean) == ("segment", 30, 0.5, 4)


def test_a_segment_that_had_too_few_members_says_nothing_of_the_future() -> None:
    with Shop(FOUR, OF_FOUR, ["a", "b"]).opened() as release:
        assert past_of_segment(release, "regulars", AS_OF, 5) is None


def test_a_segment_chosen_by_staying_away_is_not_planned_by_the_days_it_stayed_away() -> None:
    before = [f"b{number}" for number in range(100)]
    shop = Shop(["stays-away"], [Bought(one, 2, 50) for one in before] + [Bought("x", 40, 1)], before)
    case = case_of(shop)
    assert case.past is not None
    assert case.past.rates[0].mean == 50
    assert any("would mislead" in one and "0.00 EUR each" in one for one in case.sentences)


def test_a_late_start_is_planned_by_the_days_that_are_left() -> None:
    on_time, late = case_of(a_town()), case_of(a_town(), starts_on=AS_OF - timedelta(4))
    assert (late.starts_on, late.measured_until, late.planned_days) == (AS_OF + timedelta(1), AS_OF + timedelta(10), 10)
    assert (late.past, late.base, late.holdouts) == (on_time.past, on_time.base, on_time.holdouts)
    assert late.sentences[0].startswith("It starts 5 days late: 10 days of the 15 of its window are left")
    assert late.sentences[1:] == on_time.sentences


# ---- what a holdout shows ----


@pytest.mark.parametrize(("share", "times"), [(0.1, 2.78), (0.05, 5.26), (0.01, 25.25), (0.5, 1)])
def test_a_small_holdout_costs_as_much_variance_as_is_known(share: float, times: float) -> None:
    assert holdout(share, 100_000, BaseRate("spend", 10, 20), 0.5).variance == pytest.approx(times, abs=0.005)


def test_the_smallest_visible_lift_is_that_of_the_t_test() -> None:
    visible = holdout(0.2, 1000, BaseRate("spend", 10, 25), 0.5).visible
    expected = TTestIndPower().solve_power(nobs1=200, ratio=4, alpha=0.05, power=0.8) * 25
    assert visible == pytest.approx(expected, rel=1e-4)


def test_sixteen_variances_over_the_square_of_the_lift_is_the_size_of_an_arm() -> None:
    """The rule of thumb 16 sd² / lift²: for an sd of 30 and a lift of .1875 it is 409,600 customers in each arm."""
    assert holdout(0.5, 2 * 409_600, BaseRate("spend", 1, 30), 0.5).visible == pytest.approx(0.1875, rel=0.01)


def test_what_customers_did_before_narrows_by_one_less_rho_squared() -> None:
    plain, corrected = (holdout(0.5, 4000, BaseRate("spend", 10, 20, rho), 0.5).visible for rho in (None, 0.6))
    assert plain is not None
    assert corrected == pytest.approx(0.8 * plain)


@settings(max_examples=60)
@given(METRICS, st.integers(20, 50_000), st.integers(1, 50_000), st.sampled_from([0.05, 0.1, 0.5]))
def test_a_bigger_audience_sees_smaller_lifts(base: BaseRate, customers: int, more: int, share: float) -> None:
    small, large = (
        holdout(share, size, base, 0.5).visible for size in (customers, customers + math.ceil(more / share))
    )
    assert large is not None
    assert small is None or large < small


@settings(max_examples=60)
@given(METRICS, st.integers(60, 100_000), st.floats(0.01, 2), st.floats(0.05, 1))
def test_the_smallest_control_group_shows_the_lift_and_one_customer_fewer_does_not(
    base: BaseRate, customers: int, lift: float, buyers: float
) -> None:
    control = smallest_control(customers, base, buyers, lift)
    equal = holdout(0.5, customers, base, buyers)
    if control is None:
        assert equal.visible_relative is None or equal.visible_relative > lift or equal.control_buyers < 25.5
        return
    shown, fewer = (holdout(size / customers, customers, base, buyers) for size in (control, control - 1))
    assert shown.visible_relative is not None
    assert shown.visible_relative <= lift * (1 + 1e-9)
    assert shown.control_buyers >= 25 - 1e-6
    assert (fewer.visible_relative or math.inf) > lift or fewer.control_buyers < 25


def test_four_times_the_audience_is_needed_to_see_half_the_lift() -> None:
    base = BaseRate("spend", 10, 20)
    visible = holdout(0.5, 10_000, base, 0.5).visible_relative
    assert visible is not None
    assert customers_to_see(visible / 2, 0.5, base, 0.5, 10_000) == pytest.approx(40_000, abs=1)


@pytest.mark.parametrize(("share", "trust"), [(0.5, "good"), (0.25, "wide"), (0.15, "wide"), (0.02, "none")])
def test_a_holdout_with_few_buyers_is_not_trusted_as_one_with_many(share: float, trust: str) -> None:
    assert holdout(share, 1000, BaseRate("spend", 10, 20), 0.5).trust == trust


def test_a_launch_holds_out_the_smallest_share_that_answers() -> None:
    shop = a_town()
    said = campaign(holdout="smallest", lift_to_detect=0.25)
    with shop.opened() as release:
        share = smallest_holdout(release, said, "audience", AS_OF)
        case = business_case(release, said, "audience", [], RELEASE, AS_OF)
    assert share is not None
    assert share < 0.5
    own, smallest = case.own, case.smallest_control
    assert own is not None
    assert smallest is not None
    assert own.share == share
    assert 0 <= own.control - smallest <= 2  # rounded up to a thousandth of 2,000
    assert own.visible_relative is not None
    assert own.visible_relative <= 0.25
    assert case.answer == "answers"


def test_no_holdout_is_named_where_not_even_a_half_would_do() -> None:
    with Shop(FOUR, OF_FOUR).opened() as release:
        assert smallest_holdout(release, campaign(holdout="smallest", lift_to_detect=0.01), "audience", AS_OF) is None


# ---- what it may bring ----


def test_the_account_adds_up_and_is_the_one_worked_out_by_hand() -> None:
    case = case_of(a_town(), assumed_lift=0.1, holdout=0.25)
    *lines, net = (line.amount.expected for line in case.account.lines)
    # 20 EUR each x 10 % x 25 % margin = 0.50 EUR; 2,000 customers, 500 of them held out; 1,500 contacts at 0.50 EUR.
    assert lines == pytest.approx([1000, -250, -750, -100])
    assert net == pytest.approx(sum(lines)) == pytest.approx(-100)
    assert case.account.revenue == Range(pytest.approx(3000))
    assert case.account.break_even == pytest.approx(850 / (1500 * 20 * 0.25))
    assert case.account.holdout_cost == pytest.approx(0)
    own = case.own
    assert own is not None
    assert own.forgone == pytest.approx(250)
    assert case.worth == "not_worth_it"
    assert case.verdict.startswith("It is not worth doing: at the assumed lift of 10 % it loses about 100 EUR")


def test_measured_campaigns_go_before_an_assumption_and_lost_ones_count() -> None:
    shop = a_town()
    shop.campaigns = [known("won"), known("lost"), known("by-post", channel="post")]
    shop.impact = [
        measured("won", relative_lift=0.3, relative_lower=0.2, relative_upper=0.4),
        measured("lost", relative_lift=0.0, relative_lower=-0.1, relative_upper=0.1, verdict="no_evidence"),
        measured("by-post", relative_lift=0.9, relative_lower=0.8, relative_upper=1.0),
    ]
    case = case_of(shop, assumed_lift=0.5, fixed_cost=0, contact_cost=0)
    expected = case.expected
    assert (expected.source, expected.campaigns, expected.same_channel) == ("measured", ("lost", "won"), True)
    assert expected.relative is not None
    assert expected.relative.expected == pytest.approx(0.15)
    assert case.worth == "may_pay"
    assert [line.is_sum for line in case.account.lines] == [False, False, False, False, True]
    for end in ("lower", "expected", "upper"):
        *lines, net = (getattr(line.amount, end) for line in case.account.lines)
        assert net == pytest.approx(sum(lines))


@pytest.mark.parametrize(
    "unlike",
    [
        {"information_fraction": 0.9},
        {"evidence": "matched"},
        {"metric": "orders"},
        {"is_primary": False},
        {"segment": "men"},
        {"verdict": "invalid_sample_ratio"},
        {"campaign_id": "spring"},
    ],
)
def test_only_sound_and_finished_campaigns_on_the_same_metric_are_like_ones(unlike: dict[str, Any]) -> None:
    shop = a_town()
    shop.campaigns, shop.impact = [known("other")], [measured("other") | unlike]
    assert case_of(shop).expected.source == "unknown"


def test_campaigns_on_another_channel_stand_in_and_that_is_said() -> None:
    shop = a_town()
    shop.campaigns, shop.impact = [known("by-post", channel="post")], [measured("by-post")]
    case = case_of(shop)
    assert not case.expected.same_channel
    assert case.expected.relative == Range(0.1, 0.05, 0.15)
    assert any("on other channels, for none was measured on email" in one for one in case.sentences)


def test_two_campaigns_are_pooled_as_by_hand() -> None:
    """DerSimonian and Laird: with variances v = .0026 the weights are equal, q = (.3 - 0)² / 2v, tau² = (q - 1) v."""
    v = (0.2 / (2 * 1.959964)) ** 2
    q = 0.3**2 / (2 * v)
    tau2 = (q - 1) * v
    half = 1.959964 * math.sqrt((v + tau2) / 2 + tau2)
    together = pooled([Range(0.3, 0.2, 0.4), Range(0.0, -0.1, 0.1)])
    assert together.expected == pytest.approx(0.15)
    assert (together.lower, together.upper) == (
        pytest.approx(0.15 - half, rel=1e-4),
        pytest.approx(0.15 + half, rel=1e-4),
    )


# ---- what is said ----


def test_an_audience_that_answers_is_said_to() -> None:
    case = case_of(a_town(), lift_to_detect=0.2)
    assert case.answer == "answers"
    assert case.verdict.startswith("With 2,000 reachable it can be answered: a lift of ")


def test_an_audience_too_small_for_the_lift_may_wait_widen_or_accept() -> None:
    case = case_of(a_town(), lift_to_detect=0.01)
    own = case.own
    assert own is not None
    assert own.visible_relative is not None
    assert case.answer == "only_large"
    assert case.verdict.startswith(
        f"With 2,000 reachable you can only see lifts above {100 * own.visible_relative:.0f} %; wait, widen, or accept not knowing."
    )


def test_three_customers_can_never_answer() -> None:
    case = case_of(Shop("abc", OF_FOUR))
    assert case.answer == "too_small"
    assert "this can never be answered: even two equal halves would have about 2 buyers each" in case.verdict


def test_a_holdout_of_a_few_buyers_claims_nothing_and_the_least_that_would_is_named() -> None:
    case = case_of(a_town(), holdout=0.01)
    assert case.answer == "holdout_too_small"
    assert "about 10 buyers in it" in case.verdict
    assert "Hold out at least 3 %" in case.verdict


def test_customers_who_never_spent_leave_nothing_to_compare() -> None:
    case = case_of(Shop([f"c{number}" for number in range(500)], [Bought("other", 15, 5)]), assumed_lift=0.1)
    assert case.answer == "too_small"
    assert case.worth == "cannot_foresee"
    assert case.account.break_even is None
    assert json.loads(case_text(case))["account"]["revenue"] is None


def test_an_empty_audience_and_an_empty_release_have_a_sentence() -> None:
    case = case_of(Shop())
    assert (case.answer, case.audience, case.sentences) == ("nobody", 0, ())
    assert case.verdict == "There is nobody to contact: no member of regulars is left in the audience."


def test_without_a_margin_it_is_revenue_and_not_profit() -> None:
    case = case_of(a_town(), margin=None, assumed_lift=0.2)
    assert case.worth == "margin_missing"
    assert case.account.net_return is None
    assert "of revenue" in case.verdict
    assert any(one.startswith("Revenue is not profit: say margin") for one in case.sentences)


def test_a_huge_fixed_cost_is_not_worth_it_even_at_the_upper_end() -> None:
    shop = a_town()
    shop.campaigns, shop.impact = [known("other")], [measured("other")]
    case = case_of(shop, fixed_cost=1_000_000)
    assert case.worth == "not_worth_it"
    assert "even at the upper end of what like campaigns did it loses about 1,000,000 EUR" in case.verdict


def test_without_a_lift_to_expect_only_the_break_even_is_told() -> None:
    case = case_of(a_town())
    assert case.worth == "cannot_foresee"
    assert case.account.revenue is None
    assert "What it brings cannot be foreseen; it costs 600 EUR, and breaks even at a lift of 12 %." in case.verdict


@pytest.mark.parametrize("holdout", [0.5, "smallest"])
def test_answers_are_counted_and_no_holdout_says_anything_of_them(holdout: object) -> None:
    shop = a_town()
    shop.campaigns = [known("other")]
    shop.impact = [measured("other", metric="responded", is_primary=False, mean_treatment=0.2, mean_control=0.0)]
    case = case_of(shop, primary_metric="responded", assumed_lift=0.1, holdout=holdout)
    assert (case.base, case.answer, case.smallest_control, case.customers_needed) == (None, "no_comparison", None, None)
    assert {(one.trust, one.visible) for one in case.holdouts} == {("none", None)}
    assert case.account.revenue is None
    assert case.verdict.startswith("From answers nobody will know what it did: who is held out cannot answer")
    said = " ".join([case.verdict, *case.sentences])
    assert "In like campaigns 20 % of the contacted gave one: about 200 answers are to be expected." in said
    assert not re.search(r"buyers|25 nothing|[Hh]old out (at least|more)|smallest holdout", said)


def test_how_many_answer_is_not_known_where_no_like_campaign_was_measured() -> None:
    case = case_of(a_town(), primary_metric="responded")
    assert any("How many there will be is not known: no like campaign was measured." in one for one in case.sentences)


def of_whom_four_in_five_order(customers: int) -> Shop:
    names = [f"c{number}" for number in range(customers)]
    orders = [Bought(name, 2, 20) for name in names[: customers * 4 // 5]] + [Bought("other", 40, 1)]
    return Shop(names, orders, names)


def test_a_share_cannot_rise_above_everybody() -> None:
    case = case_of(of_whom_four_in_five_order(400), primary_metric="ordered", lift_to_detect=0.5)
    assert any("80 % do so anyway, which leaves room for 25 % more" in one for one in case.sentences)
    assert not any("smallest holdout" in one for one in case.sentences)


def test_what_shows_only_lifts_that_cannot_be_answers_nothing() -> None:
    said = {"primary_metric": "ordered", "lift_to_detect": 0.5}
    case = case_of(of_whom_four_in_five_order(400), holdout=0.08, **said)
    own = case.own
    assert own is not None
    assert own.trust == "wide"
    assert 0.25 < (own.visible_relative or 0) < 0.5
    assert case.answer == "holdout_too_small"
    assert case.verdict.startswith(
        "A holdout of 8 % answers nothing: only lifts from 26 % on would show, and 80 % do so anyway, which leaves room for 25 % more. Hold out more"
    )
    case = case_of(of_whom_four_in_five_order(70), holdout=0.5, **said)
    assert case.answer == "too_small"
    assert "can never be answered: even of two equal halves only lifts from 34 % on would show" in case.verdict


def test_an_answer_is_set_against_what_the_holdout_costs() -> None:
    case = case_of(a_town(), assumed_lift=0.4, lift_to_detect=0.4, value_of_an_answer=5000)
    # 20 EUR x 40 % x 25 % = 2 EUR of margin forgone less 0.50 EUR of contact saved, 1,000 held out.
    assert case.account.holdout_cost == pytest.approx(1500)
    assert any(
        "expected to cost 1,500 EUR" in one and "worth 5,000 EUR to you: keep it" in one for one in case.sentences
    )


def test_a_case_survives_its_file() -> None:
    case = case_of(a_town(), assumed_lift=0.1)
    assert TypeAdapter(BusinessCase).validate_json(case_text(case)) == case


# ---- as a marketer asks for it ----


def test_a_plan_is_read_from_its_file_and_the_current_release(home: Home) -> None:
    a_town(400).publish(home)
    campaigns_file(home, {"id": "spring"} | {k: v for k, v in campaign().said().items() if k not in ("id",)})
    plan = read_plan(home, load_settings(home), "spring")
    assert plan is not None
    assert not plan.launched
    assert (plan.case.audience, plan.case.release) == (400, RELEASE)
    assert plan.case.steps[-1] == Step("not_in_another_campaign", 400)


def test_a_campaign_that_started_shows_the_plan_it_started_with(home: Home, tmp_path: Path) -> None:
    case = case_of(a_town(), assumed_lift=0.1)
    folder = receipt_folder(home, "spring")
    folder.mkdir(parents=True)
    (folder / "receipt.json").write_text(Receipt(campaign().said(), "", RELEASE, AS_OF, AS_OF).text())
    (folder / CASE).write_text(case_text(case))
    campaigns_file(home, campaign(lift_to_detect=0.9).said())
    plan = read_plan(home, load_settings(home), "spring")
    assert plan is not None
    assert plan.launched
    assert plan.case == case == read_case(home, "spring")


def test_the_command_prints_a_page_that_adds_up_and_one_json_document(home: Home) -> None:
    a_town().publish(home)
    campaigns_file(home, campaign(assumed_lift=0.1, holdout=0.25).said())
    command = [sys.executable, "-m", "orchestration.cli", "campaign", "plan", "spring", "--home", str(home.path)]
    page = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "25 %, yours" in page
    amounts = [
        int(re.search(rf"{line} +(-?[\d,]+)", page)[1].replace(",", ""))  # type: ignore[index]
        for line in ("if all were contacted", "forgone in the holdout", "contacts by email", "fixed cost", "net return")
    ]
    assert sum(amounts[:-1]) == amounts[-1] == -100
    document = json.loads(subprocess.run([*command, "--json"], capture_output=True, text=True, check=True).stdout)
    assert (document["audience"], document["launched"], document["worth"]) == (2000, False, "not_worth_it")
    assert document["steps"][0] == {"step": "members", "customers": 2000}


def test_a_plan_of_an_unknown_campaign_or_segment_is_told_the_nearest(home: Home) -> None:
    a_town(10).publish(home)
    campaigns_file(home, campaign(segment="regular").said())
    with pytest.raises(ConfigurationError, match=r"no campaign sprng; did you mean spring\?"):
        read_plan(home, load_settings(home), "sprng")
    with pytest.raises(ConfigurationError, match=r"did you mean regulars\?"):
        read_plan(home, load_settings(home), "spring")


def test_of_a_campaign_that_ended_no_plan_for_the_past_is_made(home: Home) -> None:
    a_town(10).publish(home)
    past = {"starts_on": AS_OF - timedelta(8), "ends_on": AS_OF, "measured_days": 9}
    campaigns_file(home, campaign(**past).said())
    with pytest.raises(ConfigurationError) as never:
        read_plan(home, load_settings(home), "spring")
    assert str(never.value) == (
        "spring ended on 2024-03-31 and never started, so there is nothing left to plan: give it other days in spring.yml, or remove the file."
    )
    folder = receipt_folder(home, "spring")
    folder.mkdir(parents=True)
    sent = campaign(assigned_by="sender", **past)
    (folder / "receipt.json").write_text(Receipt(sent.said(), "", RELEASE, AS_OF, AS_OF).text())
    with pytest.raises(
        ConfigurationError, match=r"no plan of it was kept\. What it did: segments campaign show spring\."
    ):
        read_plan(home, load_settings(home), "spring")
    campaigns_file(home, campaign(ends_on=AS_OF + timedelta(1)).said())
    (folder / "receipt.json").unlink()
    folder.rmdir()
    assert read_plan(home, load_settings(home), "spring")


@pytest.fixture
def with_the_senders(home: Home) -> Home:
    """A home with a campaign file, and campaigns of which only the sender's extract tells."""
    shop = a_town(400)
    theirs = {"assigned_by": "sender", "objective": None, "segment": None}
    shop.campaigns = [
        known("8", **theirs, state="over"),
        known("10", **theirs, state="planned", starts_on=AS_OF + timedelta(5)),
        known("spring", state="planned"),
    ]
    shop.publish(home)
    campaigns_file(home, campaign(starts_on=AS_OF + timedelta(2), ends_on=AS_OF + timedelta(3)).said())
    return home


def test_the_list_has_the_campaigns_of_which_only_the_sender_tells(with_the_senders: Home) -> None:
    found = all_campaigns(with_the_senders, load_settings(with_the_senders))
    assert [(one.id, one.assigned_by, one.state) for one in found] == [
        ("spring", "us", "planned"),
        ("8", "sender", "over"),
        ("10", "sender", "planned"),
    ]


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (
            "8",
            "8 is run by another system, and nothing was planned of it here. What it did: segments campaign show 8.",
        ),
        ("10", "10 is run by another system, which says only that it starts on 2024-04-05. To plan it, say in a file"),
        ("88", "There is no campaign 88; did you mean 8?"),
    ],
)
def test_a_plan_of_a_campaign_of_the_sender_says_where_to_look(
    with_the_senders: Home, asked: str, sentence: str
) -> None:
    with pytest.raises(ConfigurationError) as told:
        read_plan(with_the_senders, load_settings(with_the_senders), asked)
    assert str(told.value).startswith(sentence)


def test_like_campaigns_whose_worst_pays_speak_for_it_and_promise_nothing() -> None:
    shop = a_town()
    shop.campaigns, shop.impact = [known("other")], [measured("other")]
    case = case_of(shop, fixed_cost=0, contact_cost="0.05")
    # 1,000 contacted x 20 EUR x 5, 10 or 15 % x 25 % of margin, less 50 EUR.
    assert case.account.net_return == Range(pytest.approx(450), pytest.approx(200), pytest.approx(700))
    assert case.worth == "may_pay"  # one campaign says nothing of how much they differ
    shop.campaigns, shop.impact = [known("other"), known("another")], [measured("other"), measured("another")]
    case = case_of(shop, fixed_cost=0, contact_cost="0.05")
    assert case.worth == "pays"
    assert "Like campaigns speak for it: about 450 EUR (95 %: " in case.verdict
