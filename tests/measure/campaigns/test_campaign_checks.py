"""The asset checks of the campaigns: arms of other sizes than drawn, controls who were contacted, and a decisive loss fail, with a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import dagster as dg
import duckdb
import pytest

from orchestration.measure.campaigns.troubles import TOLD, Trouble, troubles_of
from orchestration.settings import Home
from tests.builders import Refreshed, last_verdict

IMPACT = "metrics/campaign_impact"
DAY = date(2024, 3, 20)


@pytest.mark.parametrize(
    ("check", "severity", "named", "said"),
    [
        ("arms_have_the_planned_sizes", dg.AssetCheckSeverity.ERROR, ["uneven"], "not by chance"),
        ("controls_are_not_contacted", dg.AssetCheckSeverity.WARN, ["ours"], "2 customers of the control group"),
        ("no_campaign_does_harm", dg.AssetCheckSeverity.ERROR, ["harm", "ours"], "it did harm"),
    ],
)
def test_each_kind_of_trouble_fails_its_check_and_names_the_campaign(
    campaigns: Refreshed, check: str, severity: dg.AssetCheckSeverity, named: list[str], said: str
) -> None:
    found = last_verdict(Home(campaigns.aside), IMPACT, check)
    assert not found.passed
    assert found.severity == severity
    assert found.description is not None
    assert said in found.description
    found_named = [
        sentence.split(":")[0].removeprefix("campaign ") for sentence in found.description.split("; campaign ")
    ]
    assert found_named == named


# ---- which troubles are tonight's ----


def troubles(
    verdict: str = "no_evidence", flags: list[str] | None = None, day: date = DAY, **said: Any
) -> list[Trouble]:
    """Of one campaign measured until two days before DAY, but for what is said; the record's newest day is DAY."""
    row: Mapping[str, Any] = {
        "campaign_id": "spring",
        "as_of_date": day,
        "measured_until": DAY - timedelta(2),
        "is_primary": True,
        "verdict": verdict,
        "flags": flags or [],
        "message": "what the day says",
    } | said
    with duckdb.connect() as connection:
        connection.execute("create schema metrics")
        connection.execute("create table metrics.segment_counts_daily as select $day::date as as_of_date", {"day": DAY})
        connection.execute("create table metrics.campaigns (campaign_id varchar, segment varchar)")
        connection.execute("insert into metrics.campaigns values ('spring', 'at_risk')")
        connection.execute(
            "create table metrics.campaign_impact (campaign_id varchar, as_of_date date, measured_until date, is_primary boolean, verdict varchar, "
            "flags varchar[], message varchar)"
        )
        connection.execute("insert into metrics.campaign_impact values (?, ?, ?, ?, ?, ?, ?)", list(row.values()))
        return list(troubles_of(connection))


def test_a_campaign_in_order_is_no_trouble() -> None:
    for verdict in ("win", "no_evidence", "too_early", "underpowered", "not_randomised"):
        assert troubles(verdict, ["small_holdout", "not_contacted: 3"]) == []


@pytest.mark.parametrize(("verdict", "kind"), [("invalid_sample_ratio", "sample_ratio"), ("loss", "loss")])
def test_a_verdict_that_is_a_trouble_is_told_in_the_words_of_the_day(verdict: str, kind: str) -> None:
    assert troubles(verdict) == [Trouble("spring", DAY, "at_risk", kind, "campaign spring: what the day says")]


def test_contamination_is_told_with_its_number_beside_what_else_there_is() -> None:
    [loss, contamination] = troubles("loss", ["controls_contacted: 12", "in_both_arms: 3"])
    assert (loss.kind, contamination.kind) == ("loss", "contamination")
    assert "12 customers of the control group had contact all the same" in contamination.sentence


def test_a_loss_of_a_segment_or_of_another_metric_is_no_alarm() -> None:
    assert troubles("loss", is_primary=False) == []


def test_only_the_newest_day_is_tonight() -> None:
    assert troubles("loss", day=DAY - timedelta(1)) == []


@pytest.mark.parametrize(("days_ago", "is_told"), [(7, True), (8, False)])
def test_a_campaign_that_has_settled_is_history(days_ago: int, is_told: bool) -> None:
    assert bool(troubles("loss", measured_until=DAY - timedelta(days_ago))) is is_told


def test_a_campaign_without_an_end_is_never_history() -> None:
    assert [trouble.kind for trouble in troubles("loss", measured_until=None)] == ["loss"]


def test_every_kind_of_trouble_has_a_check_and_its_claim_is_a_sentence() -> None:
    assert [kind.name for kind in TOLD] == ["sample_ratio", "contamination", "loss"]
    assert all(kind.claim.endswith(".") for kind in TOLD)
