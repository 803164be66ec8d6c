"""What is said of all campaigns at once: what runs comes first, the verdict is that of the newest day, nothing is claimed without a holdout."""

from __future__ import annotations

from datetime import date
from typing import Any

import duckdb
import pytest

from orchestration.errors import ConfigurationError
from orchestration.read.campaigns import Campaign, campaigns
from orchestration.read.opened import DATABASE, Release
from orchestration.target.outcome import outcome_in
from tests.target.small_release import AS_OF, Shop, known, measured

#: What the catalogue has besides what an outcome reads.
FURTHER = """
alter table catalog.campaigns add primary_metric varchar default 'spend'; alter table catalog.campaigns add value_of_an_answer double;
alter table catalog.campaigns add treatment bigint; alter table catalog.campaigns add control bigint; alter table catalog.campaigns add release varchar;
update catalog.campaigns set treatment = 1000, control = 1000, release = 'r1' where assigned_by = 'us'
"""


def release_of(campaigns: list[dict[str, Any]], impact: list[dict[str, Any]]) -> Release:
    connection = duckdb.connect()
    connection.execute(f"attach ':memory:' as {DATABASE}; use {DATABASE}")
    Shop(campaigns=campaigns, impact=impact).write(connection)
    connection.execute(FURTHER)
    return Release(connection, "by hand", AS_OF, AS_OF, "2024-04-01T02:00:00+00:00")


def the_one(**said: Any) -> Campaign:
    [campaign] = campaigns(release_of([known()], [measured(**said)]))
    return campaign


def kept(campaign: Campaign) -> dict[str, bool | None]:
    return {check.claim.split(" ")[0]: check.is_kept for check in campaign.checks}


def test_what_runs_comes_first_and_of_the_others_the_newest() -> None:
    release = release_of(
        [
            known("old", starts_on=date(2024, 1, 1)),
            known("newer", starts_on=date(2024, 2, 1)),
            known("planned", state="planned", starts_on=date(2024, 4, 1)),
            known("running", state="running", starts_on=date(2023, 12, 1)),
        ],
        [],
    )
    assert [one.planned.campaign_id for one in campaigns(release)] == ["running", "planned", "newer", "old"]


def test_the_verdict_is_that_of_everybody_on_the_newest_day() -> None:
    [campaign] = campaigns(
        release_of(
            [known()],
            [
                measured(as_of_date=date(2024, 3, 27), verdict="too_early", information_fraction=0.96),
                measured(),
                measured(segment="regulars", is_primary=False, verdict="loss"),
                measured(metric="orders", is_primary=False, verdict="loss"),
            ],
        )
    )
    assert campaign.verdict == "It worked: spend per customer +4.00 against the holdout, +10 % (95 %: +5 % to +15 %)."


def test_without_a_holdout_nobody_can_tell_whatever_the_figures_are() -> None:
    campaign = the_one(evidence="matched", verdict="not_randomised", srm_p=None)
    assert campaign.verdict == "Nobody can tell what it did: nobody was held out."
    assert "lift" not in f"{campaign.evidence} {[check.seen for check in campaign.checks]}"
    assert kept(campaign)["The"] is None
    assert kept(campaign)["Nobody"] is None


def test_before_a_day_was_measured_there_is_neither_a_verdict_nor_a_check() -> None:
    [campaign] = campaigns(release_of([known(state="planned")], []))
    assert campaign.verdict == "Nothing is measured yet: the campaign is planned."
    assert campaign.checks == ()


def test_sound_arms_keep_every_check() -> None:
    assert kept(the_one()) == {"Everybody": True, "The": True, "Nobody": True, "All": True}


def test_what_speaks_against_the_figures_is_told_check_by_check() -> None:
    campaign = the_one(
        n_control=990,
        srm_p=0.0004,
        verdict="invalid_sample_ratio",
        flags=["controls_contacted: 3", "orders_missing: 2"],
    )
    assert kept(campaign) == {"Everybody": False, "The": False, "Nobody": False, "All": False}
    seen = [check.seen for check in campaign.checks]
    assert seen[0] == "1,000 and 1,000 on the receipt, 1,000 and 990 measured"
    assert seen[2].startswith("3 customers of the control group had contact all the same")


def test_where_no_contact_is_reported_nobody_knows_of_the_control_group() -> None:
    assert kept(the_one(flags=["contacts_not_reported"]))["Nobody"] is None


def test_an_outcome_is_told_from_a_release_alone_and_says_where_its_business_case_is() -> None:
    outcome = outcome_in(release_of([known()], [measured()]), "spring")
    assert outcome.verdict.startswith("It worked: spend per customer +4.00 against the holdout, +10 %")
    assert any("`segments campaign show spring`" in sentence for sentence in outcome.sentences)
    assert outcome.case is None


def test_a_campaign_that_the_release_does_not_know_is_refused_with_the_nearest() -> None:
    with pytest.raises(ConfigurationError, match="There is no campaign sprin; did you mean spring"):
        outcome_in(release_of([known()], []), "sprin")
