"""What is said of a campaign once it was measured, and what never is."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from orchestration.campaigns.receipts import receipt_folder
from orchestration.errors import ConfigurationError
from orchestration.measure.campaigns.figures import Range
from orchestration.settings import Home
from orchestration.target.business_case import CASE, business_case, case_text
from orchestration.target.outcome import Outcome, read_outcome
from tests.target.small_release import AS_OF, RELEASE, Shop, campaign, known, measured

NOT_RANDOMISED = {
    "evidence": "matched",
    "estimator": "difference_in_differences",
    "mean_treatment": 380.0,
    "mean_control": 128.0,
    "lift": -13.0,
    "lower": -27.4,
    "upper": 1.4,
    "verdict": "not_randomised",
} | dict.fromkeys(
    [
        "relative_lift",
        "relative_lower",
        "relative_upper",
        "lower_anytime",
        "upper_anytime",
        "alpha_now",
        "cuped_rho",
        "srm_p",
        "incremental_revenue",
        "incremental_revenue_lower",
        "incremental_revenue_upper",
        "net_return",
        "net_return_lower",
        "net_return_upper",
    ]
)


def outcome_of(home: Home, *rows: dict[str, Any], of: dict[str, Any] | None = None, **said: Any) -> Outcome:
    Shop(campaigns=[of or known()], impact=list(rows), **said).publish(home)
    (home.path / "settings.yml").write_text("currency: EUR\n")
    outcome = read_outcome(home, "spring")
    assert outcome is not None
    return outcome


def keep_case(home: Home, **said: Any) -> None:
    """A plan made when 2,000 were to be contacted or held out, in halves."""
    members = [f"c{number}" for number in range(2000)]
    with Shop(members).opened() as release:
        case = business_case(release, campaign(**said), "audience", [], RELEASE, AS_OF)
    folder = receipt_folder(home, "spring")
    folder.mkdir(parents=True)
    (folder / CASE).write_text(case_text(case))


def everything_said(outcome: Outcome) -> str:
    return " ".join([outcome.verdict, *outcome.sentences, *(one.what for one in outcome.beside)])


def test_a_win_is_said_with_its_interval_and_its_money(home: Home) -> None:
    outcome = outcome_of(home, measured())
    assert outcome.verdict == (
        "It worked: spend per customer +4.00 EUR against the holdout, +10 % (95 %: +5 % to +15 %). "
        "That is about 4,000 EUR of revenue; after goods and costs 400 EUR is left (95 %: -100 EUR to 900 EUR)."
    )
    assert "Its window is over (28 days, to 2024-03-28)" in " ".join(outcome.sentences)
    assert (
        "1,000 customers drawn to be contacted with 1,000 drawn to be held out (600 and 580 of them ordered)"
        in " ".join(outcome.sentences)
    )


def test_a_loss_is_called_harm(home: Home) -> None:
    outcome = outcome_of(
        home, measured(verdict="loss", lift=-4.0, relative_lift=-0.1, relative_lower=-0.15, relative_upper=-0.05)
    )
    assert outcome.verdict.startswith(
        "It did harm: spend per customer -4.00 EUR against the holdout, -10 % (95 %: -15 % to -5 %)."
    )


def test_no_evidence_is_not_called_no_effect(home: Home) -> None:
    outcome = outcome_of(
        home, measured(verdict="no_evidence", lift=1.0, relative_lift=0.025, relative_lower=-0.02, relative_upper=0.07)
    )
    assert outcome.verdict.startswith("Cannot tell: ")
    assert outcome.verdict.endswith(
        "no effect would look like this too. Only lifts above 7 % could be seen."
    )  # 2.8 / 40


def test_before_the_end_the_interval_is_the_one_under_which_one_may_look_every_day(home: Home) -> None:
    outcome = outcome_of(home, measured(verdict="too_early", day_index=7, information_fraction=0.25, alpha_now=0.0001))
    assert outcome.verdict.startswith("Too early to tell, day 7 of 28: ")
    assert "(95 %: +2.5 % to +18 %)" in outcome.verdict  # 1 / 40 and 7 / 40
    assert any("Today's look may use a level of 0.0001" in one for one in outcome.sentences)


def test_before_the_end_the_money_is_as_uncertain_as_the_effect(home: Home) -> None:
    outcome = outcome_of(home, measured(verdict="too_early", day_index=7, information_fraction=0.25))
    beside = {one.what: one.measured for one in outcome.beside}
    # 1 to 7 EUR each, 1,000 contacted, a margin of 25 %, 600 EUR of cost.
    assert beside["incremental revenue"] == Range(4000, 1000, 7000)
    assert beside["net return"] == Range(400, -350, 1150)


def test_a_holdout_with_too_few_buyers_is_told_that_no_figure_could(home: Home) -> None:
    outcome = outcome_of(home, measured(verdict="underpowered", buyers_control=12))
    assert outcome.verdict.startswith("Cannot tell, and no figure could: 12 buyers in the smaller group")


def test_arms_of_the_wrong_sizes_are_not_to_be_believed_whatever_the_effect(home: Home) -> None:
    outcome = outcome_of(home, measured(verdict="invalid_sample_ratio", srm_p=0.000407))
    assert outcome.verdict.startswith("Not to be believed: the arms have not the sizes with which they were drawn")
    assert "(p = 0.0004)" in outcome.verdict


@pytest.mark.parametrize("verdict", ["underpowered", "invalid_sample_ratio", "not_randomised"])
def test_where_nothing_may_be_claimed_neither_lift_nor_money_nor_a_segment_is_shown(home: Home, verdict: str) -> None:
    keep_case(home, assumed_lift=0.2)
    segment = measured(segment="active", is_primary=False, verdict="win")
    others = [measured(metric="orders", is_primary=False, verdict=verdict)]
    outcome = outcome_of(home, measured(verdict=verdict, srm_p=1e-5, buyers_control=12), segment, *others)
    assert outcome.segments == ()
    assert [one.what for one in outcome.beside] == [
        "drawn to be contacted",
        "in the holdout",
        "buyers in the holdout",
        "cost",
    ]
    assert not re.search(r"4\.00|10 %|p = 0\.0001|active|CUPED|taken out", everything_said(outcome))


def test_answers_are_counted_and_not_compared_for_who_is_held_out_cannot_answer(home: Home) -> None:
    answers = measured(
        metric="responded",
        verdict="underpowered",
        mean_treatment=0.048,
        mean_control=0.0,
        lift=0.048,
        buyers_control=48,
    )
    outcome = outcome_of(home, answers, measured(is_primary=False, verdict="no_evidence"))
    assert outcome.verdict == (
        "Nothing can be compared: 4.8 % of those drawn to be contacted answered, and who is held out cannot answer. "
        "Name spend or ordered as primary_metric next time."
    )
    assert "lift" not in {one.what for one in outcome.beside}
    assert any("named in advance: spend per customer +4.00 EUR" in one for one in outcome.sentences)


def test_of_answers_beside_the_metric_that_decides_only_the_contacted_are_told(home: Home) -> None:
    outcome = outcome_of(
        home, measured(), measured(metric="responded", is_primary=False, verdict="underpowered", mean_treatment=0.12)
    )
    assert (
        "Beside it, not the metric that was named in advance: 12 % of those drawn to be contacted answered."
        in outcome.sentences
    )


def test_of_a_campaign_that_nobody_planned_no_metric_was_named_in_advance(home: Home) -> None:
    outcome = outcome_of(
        home, measured(), measured(metric="orders", is_primary=False), of=known(assigned_by="sender", objective=None)
    )
    assert "in advance" not in everything_said(outcome)
    assert any(one.startswith("Beside it: orders per customer") for one in outcome.sentences)


def test_what_was_foreseen_stands_beside_what_was_measured(home: Home) -> None:
    keep_case(home, assumed_lift=0.2)
    outcome = outcome_of(home, measured())
    beside = {one.what: (one.foreseen, one.measured) for one in outcome.beside}
    assert beside["drawn to be contacted"] == (Range(1000), Range(1000))
    assert beside["lift"] == (Range(0.2), Range(0.1, 0.05, 0.15))
    assert beside["incremental revenue"][1] == Range(4000, 2000, 6000)
    assert beside["cost"] == (Range(600), Range(600))
    assert beside["net return"][1] == Range(400, -100, 900)
    assert beside["smallest lift seen"][1] == Range(pytest.approx(0.07))
    assert "The assumed lift of 20 % is above all that the figures allow." in outcome.sentences


def test_the_money_is_that_of_spend_where_another_metric_was_named(home: Home) -> None:
    nothing = dict.fromkeys(("incremental_revenue", "net_return"))
    outcome = outcome_of(
        home,
        measured(metric="ordered", lift=0.031, relative_lift=0.06, mean_control=0.5) | nothing,
        measured(is_primary=False),
    )
    assert "share of customers with an order +3.1 points against the holdout" in outcome.verdict
    assert "about 4,000 EUR of revenue" in outcome.verdict
    assert any(
        one.startswith("Beside it, not the metric that was named in advance: spend") for one in outcome.sentences
    )


def test_the_best_of_many_segments_comes_with_a_warning(home: Home) -> None:
    segments = [
        measured(segment=name, is_primary=False, relative_lift=lift, verdict=verdict)
        for name, lift, verdict in (
            ("active", 0.08, "no_evidence"),
            ("new", 0.31, "win"),
            ("lapsed", -0.2, "no_evidence"),
        )
    ]
    outcome = outcome_of(home, measured(), *segments)
    assert [row.segment for row in outcome.segments] == ["new", "active", "lapsed"]
    [said] = [one for one in outcome.sentences if "segments" in one]
    assert said.startswith(
        "Of 3 segments new has the most (+31 %) and lapsed the least (-20 %); 1 of them beyond chance"
    )
    assert "look better than they are" in said


def test_flags_are_said_in_words(home: Home) -> None:
    outcome = outcome_of(home, measured(flags=["controls_contacted: 3", "contacts_not_reported"]))
    assert outcome.sentences[-2:] == (
        "3 customers of the control group had contact all the same, so that the lift is measured too small.",
        "No contact was reported, so that costs are those of everybody assigned.",
    )


def test_without_a_holdout_nothing_is_called_a_lift_or_a_win(home: Home) -> None:
    segments = [measured(segment="active", is_primary=False) | NOT_RANDOMISED]
    outcome = outcome_of(
        home,
        measured(cost=1000.0, flags=["contacts_not_reported"]) | NOT_RANDOMISED,
        *segments,
        balance=[
            {"campaign_id": "spring", "attribute": "spend_before", "standardized_difference": 1.4, "standardized_difference_matched": 0.02}
        ],
        comparisons=[
            {"campaign_id": "spring", "starts_on": AS_OF - timedelta(30 * back), "estimator": "difference_in_differences", "is_placebo": back > 0,
             "difference": -9.0, "p_value": 0.01 if back == 1 else 0.5}
            for back in range(4)
        ],
    )  # fmt: skip
    said = everything_said(outcome)
    assert not re.search(r"\b(lifts?|wins?|won|worked|losse?s?|lost|harm)\b", said, re.IGNORECASE)
    assert outcome.verdict == "Nobody can tell what it did: nobody was held out."
    assert "was 252 EUR more than among the others. That misleads" in said
    assert "(by 1.4 standard deviations in spend_before)" in said
    assert "changed by -13.00 EUR against the others' (95 %: -27.40 EUR to +1.40 EUR)" in said
    assert "finds something on 1 of 3 dates on which nothing was sent" in said
    # 1,000 contacted at 1,000 EUR: 100 left out save 100 contacts of 0.50 EUR and forgo, at break-even, 100 EUR.
    assert "A holdout of 10 % would have left out 100 customers: 50.00 EUR of contacts saved" in said
    assert "about" not in said.split("margin forgone")[0][-30:]
    assert "100 EUR of margin forgone" in said
    assert {one.what for one in outcome.beside} == {"contacted", "cost"}


def test_a_campaign_that_can_be_compared_with_nobody_says_so_without_a_figure(home: Home) -> None:
    nothing = NOT_RANDOMISED | {"evidence": "none", "lift": None, "lower": None, "upper": None, "mean_control": None}
    outcome = outcome_of(home, measured() | nothing)
    assert outcome.verdict == "Nobody can tell what it did: nobody was held out."
    assert not any("changed by" in one for one in outcome.sentences)


def test_a_campaign_that_has_not_started_has_nothing_measured(home: Home) -> None:
    outcome = outcome_of(home, of=known(state="not launched"))
    assert (
        outcome.verdict
        == "Nothing is measured yet: the campaign is not launched. What is to be expected of it: segments campaign plan spring."
    )
    assert outcome.sentences == ()


def test_only_the_newest_day_is_told_and_all_days_are_drawn(home: Home) -> None:
    days = [
        measured(as_of_date=date(2024, 3, day), day_index=day, information_fraction=day / 28, lift=float(day))
        for day in range(1, 29)
    ]
    outcome = outcome_of(home, *days)
    assert outcome.primary is not None
    assert outcome.primary.lift == 28
    assert len(outcome.days) == 28


def test_what_was_learnt_after_the_end_is_drawn_on_the_last_day(home: Home) -> None:
    days = [
        measured(as_of_date=date(2024, 3, 27)),
        measured(lift=3.0),
        measured(as_of_date=date(2024, 3, 31), lift=3.5),
    ]
    outcome = outcome_of(home, *days)
    assert [(row.as_of_date.day, row.lift) for row in outcome.days] == [(27, 4.0), (28, 3.5)]


def test_an_unknown_campaign_is_told_the_nearest(home: Home) -> None:
    Shop(campaigns=[known()]).publish(home)
    with pytest.raises(ConfigurationError, match=r"There is no campaign sprin; did you mean spring\?"):
        read_outcome(home, "sprin")


def test_there_is_no_outcome_before_the_first_release(home: Home) -> None:
    assert read_outcome(home, "spring") is None


def page_of(home: Home, *arguments: str) -> str:
    command = [sys.executable, "-m", "orchestration.cli", "campaign", "show", "spring", "--home", str(home.path)]
    return subprocess.run([*command, *arguments], capture_output=True, text=True, check=True).stdout


def test_while_the_window_runs_segments_too_have_the_interval_under_which_one_may_look_every_day(home: Home) -> None:
    running = {"verdict": "too_early", "day_index": 7, "information_fraction": 0.25}
    outcome_of(home, measured(**running), measured(segment="active", is_primary=False, **running))
    page = page_of(home)
    assert "In its segments, intervals that hold however often one looks" in page
    [row] = [line for line in page.splitlines() if line.strip().startswith("active")]
    assert "10 % (2.5 % to 18 %)" in row  # 1 / 40 and 7 / 40


def test_one_customer_who_was_contacted_is_one(home: Home) -> None:
    outcome = outcome_of(home, measured(n_treatment=1) | NOT_RANDOMISED)
    assert "1 customer was contacted and nobody" in everything_said(outcome)


@pytest.mark.parametrize("said", [{"verdict": "underpowered", "buyers_control": 12}, NOT_RANDOMISED])
def test_what_nothing_may_be_claimed_of_is_drawn_and_not_called_an_effect(
    home: Home, tmp_path: Path, said: dict[str, Any]
) -> None:
    outcome_of(home, measured() | said)
    page = " ".join(page_of(home, "--picture", str(tmp_path / "few.svg")).split())
    assert f"The difference by day, which is not to be read as an effect, is in {tmp_path}/few.svg." in page


def test_where_there_is_nothing_to_draw_the_page_says_so(home: Home, tmp_path: Path) -> None:
    nothing = NOT_RANDOMISED | {"evidence": "none", "lift": None, "lower": None, "upper": None, "mean_control": None}
    outcome_of(home, measured() | nothing)
    page = page_of(home, "--picture", str(tmp_path / "effect.svg"))
    assert "Nobody can tell what it did" in page
    assert "effect.svg is not drawn: nothing could be compared on any day." in " ".join(page.split())
    assert json.loads(page_of(home, "--json", "--picture", str(tmp_path / "effect.svg")))["picture"] is None
    assert not (tmp_path / "effect.svg").exists()


def test_a_picture_of_a_campaign_without_a_holdout_is_not_called_one_of_its_effect(home: Home, tmp_path: Path) -> None:
    outcome_of(home, measured() | NOT_RANDOMISED)
    page = " ".join(page_of(home, "--picture", str(tmp_path / "effect.svg")).split())
    assert "The difference by day, which is not to be read as an effect, is in" in page


def test_the_command_prints_a_page_and_one_json_document(home: Home) -> None:
    outcome_of(home, measured())
    page = page_of(home)
    assert "It worked: spend per customer +4.00 EUR" in page
    assert "Measured" in page
    document = json.loads(page_of(home, "--json"))
    assert document["primary"]["verdict"] == "win"
    assert document["beside"][0] == {
        "what": "drawn to be contacted",
        "unit": "customers",
        "foreseen": None,
        "measured": {"expected": 1000.0, "lower": None, "upper": None},
    }
