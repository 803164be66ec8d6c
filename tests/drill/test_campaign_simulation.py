"""Campaigns of known effect: what is planted in a copy is found there, and the home is only read."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from orchestration.days import Days
from orchestration.drill.campaigns import days_to_simulate, planned_campaign, rows_of, simulate_one
from orchestration.errors import ConfigurationError, ExtractMissing
from orchestration.publish.releases import current_release
from orchestration.settings import Home, load_settings


def test_a_planted_effect_is_inside_the_interval_that_is_measured(year_of_the_demo: Home, tmp_path: Path) -> None:
    before = current_release(year_of_the_demo)
    kept = tmp_path / "kept"
    simulated = simulate_one(
        year_of_the_demo,
        load_settings(year_of_the_demo),
        segment="frequent_buyers",
        effect=0.3,
        holdout=0.5,
        days=14,
        channel="post",
        keep=kept,
    )
    assert simulated.planted > 10
    assert simulated.is_covered
    assert simulated.verdict == "win"
    assert abs(simulated.treatment - simulated.control) <= 1
    assert rows_of([simulated])[0]["holds it"] is True
    assert current_release(year_of_the_demo) == before
    assert not list(year_of_the_demo.campaigns.glob("simulated"))
    assert (kept / "home" / "campaigns" / "simulated" / "receipt.json").exists()
    with pytest.raises(ConfigurationError, match="is there already: name a new folder"):
        simulate_one(
            year_of_the_demo,
            load_settings(year_of_the_demo),
            segment="active",
            effect=0.0,
            holdout=0.5,
            days=14,
            channel="post",
            keep=kept,
        )


def test_it_is_played_on_the_last_days_of_the_record(year_of_the_demo: Home) -> None:
    assert days_to_simulate(year_of_the_demo, 28) == Days(date(2017, 12, 4), date(2017, 12, 31))
    with pytest.raises(ConfigurationError, match="365 days before 2017-12-31 there is nothing to launch from"):
        days_to_simulate(year_of_the_demo, 365)


def test_without_a_release_there_is_nothing_to_play_on(home: Home) -> None:
    with pytest.raises(ExtractMissing, match="make one with `segments refresh`"):
        days_to_simulate(home, 28)


def test_a_simulated_campaign_is_measured_for_as_many_days_as_were_asked_for() -> None:
    for days in (2, 7, 28):
        campaign = planned_campaign("aa", "A/A", "active", "email", date(2017, 12, 1), days, 0.5, "USD")
        assert campaign.measured_until - campaign.starts_on == timedelta(days - 1)
