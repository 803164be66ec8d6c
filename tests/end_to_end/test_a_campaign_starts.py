"""Campaigns through the nights: one starts on its morning, one waits while its segment is held, and both come out again when asked."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from orchestration.campaigns.receipts import assignment_file, read_receipt, receipt_folder
from orchestration.settings import Home
from tests.builders import (
    CUSTOMERS,
    MARKER,
    SETTINGS,
    SHOP_DAYS,
    Company,
    Stage,
    ask,
    corner_shop,
    drop_company,
    last_verdict,
    query,
    refreshed,
)
from tests.target.builders import campaign_file, rows

FIRST, SECOND, THIRD, FOURTH = SHOP_DAYS


def with_consent_missing(day: date) -> Company:
    """The corner shop, whose CRM sends everybody again on the day, without consent to e-mail."""
    company = corner_shop()
    everybody = {
        row["customer_id"]: row for at in sorted(company[CUSTOMERS]) if at <= day for row in company[CUSTOMERS][at]
    }
    silent = [row | {"email_opt_in": ""} for row in everybody.values()]
    return company | {CUSTOMERS: company[CUSTOMERS] | {day: silent}}


def states(home: Home) -> dict[str, dict[str, Any]]:
    return {one["id"]: one for one in json.loads(segments("list", "--json", home=home).stdout)["campaigns"]}


def segments(*arguments: str, home: Home) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "orchestration.cli", "campaign", *arguments, "--home", str(home.path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def aside(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four nights, one at a time, of which only the last release is kept: but for the one that a campaign was drawn from."""
    home = stage.home(with_consent_missing(THIRD))
    (home.path / "settings.yml").write_text(f"{SETTINGS}campaigns: plans\nkeep_releases: 1\n")
    campaign_file(home, "early", channel="email", starts_on=SECOND, ends_on=THIRD, holdout=0.5)
    campaign_file(
        home,
        "late",
        segment="contactable_by_email",
        channel="email",
        starts_on=FOURTH,
        ends_on=FOURTH + timedelta(3),
        holdout=0.5,
        exclusive=False,
    )
    for day in SHOP_DAYS:
        refreshed(home, day)
    return stage.set_aside(tmp_path_factory.mktemp("campaigns") / "home")


@pytest.fixture
def shop_of_campaigns(stage: Stage, aside: Path) -> Home:
    return stage.restore(aside)


def test_a_campaign_starts_on_its_morning_from_the_release_of_the_night(shop_of_campaigns: Home) -> None:
    receipt = read_receipt(shop_of_campaigns, "early")
    assert receipt is not None
    assert (receipt.as_of_date, receipt.launched_on) == (FIRST, SECOND)
    release = shop_of_campaigns.releases / receipt.release
    audience = query(
        release,
        "select customer_id from segments.active inner join customers.dim_customers using (customer_id) "
        "where email_opt_in and has_email order by all",
    )
    drawn = rows(assignment_file(shop_of_campaigns, "early"))
    assert [(customer,) for customer, _, _ in drawn] == audience
    treated = [(customer, MARKER) for customer, arm, _ in drawn if arm == "treatment"]
    assert rows(receipt_folder(shop_of_campaigns, "early") / "target_list.parquet") == treated
    assert 2 <= len(treated) < len(audience)


def test_the_release_it_was_drawn_from_is_kept_and_the_receipt_comes_out_again(shop_of_campaigns: Home) -> None:
    kept = {path.name[:10] for path in shop_of_campaigns.releases.iterdir()} - {"current"}
    assert kept == {str(FIRST), str(FOURTH)}
    told = segments("verify", "early", "--json", home=shop_of_campaigns)
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout)["holds"] is True
    for release in shop_of_campaigns.releases.glob(f"{FIRST}*"):
        release.rename(shop_of_campaigns.path / "elsewhere")
    told = segments("verify", "early", home=shop_of_campaigns)
    assert told.returncode == 1
    assert "is gone from" in " ".join(told.stdout.split())


def test_while_its_segment_is_held_a_campaign_waits_and_dagster_shows_it(shop_of_campaigns: Home) -> None:
    assert ask(shop_of_campaigns, "select state from catalog.segments where segment = 'contactable_by_email'") == [
        ("held",)
    ]
    late = states(shop_of_campaigns)["late"]
    assert late["state"] == "waiting"
    assert late["because"].startswith(f"contactable_by_email is held since {THIRD}: ")
    verdict = last_verdict(shop_of_campaigns, "campaigns/assignments", "campaigns_are_launched")
    assert (verdict.passed, verdict.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert verdict.description == f"late is waiting: {late['because']}"
    assert MARKER not in verdict.description


def test_once_the_segment_is_fresh_again_it_starts(shop_of_campaigns: Home) -> None:
    early = read_receipt(shop_of_campaigns, "early")
    drop_company(shop_of_campaigns, {CUSTOMERS: {THIRD: corner_shop()[CUSTOMERS][THIRD]}})
    (shop_of_campaigns.path / "settings.yml").write_text(f"{SETTINGS}campaigns: plans\n")
    refreshed(shop_of_campaigns, FOURTH)
    found = states(shop_of_campaigns)
    assert {one["id"]: one["state"] for one in found.values()} == {"early": "launched", "late": "launched"}
    assert found["late"]["launched_on"] == str(FOURTH + timedelta(1))
    assert last_verdict(shop_of_campaigns, "campaigns/assignments", "campaigns_are_launched").passed
    assert read_receipt(shop_of_campaigns, "early") == early
    assert [segments("verify", one, home=shop_of_campaigns).returncode for one in ("early", "late")] == [0, 0]


def test_the_list_for_people_says_why_a_campaign_waits(shop_of_campaigns: Home) -> None:
    told = segments("list", home=shop_of_campaigns)
    assert told.returncode == 0
    assert f"late: contactable_by_email is held since {THIRD}" in told.stdout
    assert "early" in told.stdout


def test_a_campaign_without_a_receipt_cannot_be_verified(shop_of_campaigns: Home) -> None:
    told = segments("verify", "late", home=shop_of_campaigns)
    assert told.returncode == 2
    assert "it has not started, see `segments campaign list`" in told.stderr
