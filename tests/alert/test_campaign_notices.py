"""What is told of campaigns: that one cannot be believed, contacted its controls, does harm, or has its result; each once, to the owner of its segment."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.alert.campaign_notices import campaign_notices
from orchestration.alert.delivery import deliver
from orchestration.alert.notice import Notice
from orchestration.alert.routes import read_routes
from orchestration.publish.releases import FILE
from orchestration.settings import Home
from tests.alert.builders import AT_ONCE, DAY, NOW, Webhook, publish, write_alerts
from tests.builders import Refreshed
from tests.target.builders import campaign_file

#: Columns that notices read of metrics.campaign_impact, in order.
COLUMNS = {
    "campaign_id": "varchar",
    "as_of_date": "date",
    "measured_until": "date",
    "is_primary": "boolean",
    "evidence": "varchar",
    "verdict": "varchar",
    "flags": "varchar[]",
    "message": "varchar",
}


def measured(**said: Any) -> Mapping[str, Any]:
    """A campaign on DAY, still running and in order, but for what is said."""
    return {
        "campaign_id": "spring",
        "as_of_date": DAY,
        "measured_until": DAY + timedelta(3),
        "is_primary": True,
        "evidence": "randomised",
        "verdict": "too_early",
        "flags": [],
        "message": "too early to tell on day 4 of 7",
    } | said


def publish_campaigns(home: Home, *rows: Mapping[str, Any], day: date = DAY) -> None:
    """A release of the day with these rows of metrics.campaign_impact."""
    shutil.rmtree(home.releases, ignore_errors=True)
    publish(home, day)
    with duckdb.connect(str(home.releases / f"{day}-0000" / FILE)) as release:
        release.execute("create schema metrics")
        release.execute("create table metrics.segment_counts_daily as select $day::date as as_of_date", {"day": day})
        release.execute("create table catalog.campaigns (campaign_id varchar, segment varchar)")
        release.execute("insert into catalog.campaigns values ('spring', 'at_risk'), ('others', null)")
        release.execute(
            f"create table metrics.campaign_impact ({', '.join(f'{name} {kind}' for name, kind in COLUMNS.items())})"
        )
        for row in rows:
            release.execute("insert into metrics.campaign_impact values (?, ?, ?, ?, ?, ?, ?, ?)", list(row.values()))


def notices(home: Home, *rows: Mapping[str, Any]) -> list[Notice]:
    publish_campaigns(home, *rows)
    return campaign_notices(home)


def test_a_home_without_a_release_has_nothing_to_tell_of_campaigns(home: Home) -> None:
    assert campaign_notices(home) == []


def test_a_campaign_that_runs_in_order_is_not_told_of(home: Home) -> None:
    assert notices(home, measured(), measured(campaign_id="others", verdict="no_evidence")) == []


@pytest.mark.parametrize(
    ("said", "kind", "severity", "title"),
    [
        ({"verdict": "invalid_sample_ratio"}, "sample_ratio", "critical", "The campaign spring cannot be believed"),
        ({"verdict": "loss"}, "loss", "critical", "The campaign spring does harm"),
        (
            {"flags": ["controls_contacted: 3"]},
            "contamination",
            "warning",
            "The campaign spring contacted its control group",
        ),
    ],
)
def test_a_trouble_is_told_to_the_owner_of_the_segment(
    home: Home, said: Mapping[str, Any], kind: str, severity: str, title: str
) -> None:
    [told] = notices(home, measured(**said))
    assert (told.key, told.state) == (f"campaign/spring/{kind}", kind)
    assert (told.severity, told.title) == (severity, title)
    assert (told.segment, told.owner, told.as_of_date) == ("at_risk", "crm", DAY)
    assert told.message.startswith("Campaign spring: ")
    assert told.message.endswith(".")
    assert "segments campaign show spring" in told.details[0]


def test_a_campaign_whose_segment_nobody_knows_is_told_of_without_an_owner(home: Home) -> None:
    [told] = notices(home, measured(campaign_id="others", verdict="loss"))
    assert (told.segment, told.owner) == (None, None)


@pytest.mark.parametrize("days_ago", [0, 6])
def test_a_result_is_told_in_the_week_after_the_last_day(home: Home, days_ago: int) -> None:
    closed = DAY - timedelta(days_ago)
    [told] = notices(
        home, measured(as_of_date=closed, measured_until=closed, verdict="win", message="it worked: spend +3.00")
    )
    assert (told.key, told.severity, told.state) == ("campaign/spring/result", "info", "result")
    assert told.as_of_date == closed
    assert told.message == "It worked: spend +3.00."


def test_a_result_of_long_ago_is_not_told_any_more(home: Home) -> None:
    closed = DAY - timedelta(7)
    assert notices(home, measured(as_of_date=closed, measured_until=closed, verdict="win")) == []


def test_a_campaign_without_a_holdout_has_no_result(home: Home) -> None:
    for evidence in ("matched", "none"):
        assert notices(home, measured(measured_until=DAY, evidence=evidence, verdict="not_randomised")) == []


def test_a_win_or_a_loss_of_a_segment_is_no_news(home: Home) -> None:
    assert notices(home, measured(measured_until=DAY, is_primary=False, verdict="loss")) == []


def test_a_trouble_is_told_once_however_many_nights_it_lasts(home: Home, webhook: Webhook) -> None:
    write_alerts(home, f"receivers:\n  crm: {{url: '{webhook.url()}'}}\n")
    for night in range(3):
        day = DAY + timedelta(night)
        publish_campaigns(home, measured(as_of_date=day, verdict="loss", message="it did harm"), day=day)
        routes = read_routes(home)
        assert routes is not None
        deliver(home, campaign_notices(home), routes, NOW + timedelta(night), patience=AT_ONCE)
    assert webhook.titles().count("The campaign spring does harm") == 1


def test_a_launch_that_could_not_be_written_is_told(home: Home) -> None:
    home.path.mkdir(parents=True, exist_ok=True)
    (home.path / "settings.yml").write_text("campaigns: plans\ncurrency: USD\n")
    campaign_file(home, segment="at_risk", assigned_by="sender", starts_on=DAY, ends_on=DAY + timedelta(9))
    [told] = notices(home)
    assert (told.key, told.severity, told.segment) == ("campaign/spring/waiting", "warning", "at_risk")
    assert told.message.startswith("It could be drawn and has no receipt")


# ---- a release as a night publishes it ----


def test_the_night_of_the_company_of_campaigns_has_its_troubles_and_its_results(campaigns: Refreshed) -> None:
    told = {notice.key: notice for notice in campaign_notices(Home(campaigns.aside))}
    assert set(told) == {
        "campaign/harm/loss",
        "campaign/ours/loss",
        "campaign/ours/contamination",
        "campaign/uneven/sample_ratio",
        "campaign/harm/result",
        "campaign/ours/result",
        "campaign/uneven/result",
    }
    assert told["campaign/uneven/sample_ratio"].segment == "men_18_25"
    assert told["campaign/harm/loss"].owner is not None


def test_no_customer_is_in_a_notice(campaigns: Refreshed) -> None:
    said = str(campaign_notices(Home(campaigns.aside)))
    assert "C104" not in said
    assert "@" not in said


def test_releases_of_a_night_have_the_columns_that_these_tests_write(campaigns: Refreshed) -> None:
    file: Path = Home(campaigns.aside).releases / "current" / FILE
    with duckdb.connect(str(file), read_only=True) as release:
        kinds = dict(
            release.execute(
                "select column_name, lower(data_type) from duckdb_columns() where schema_name = 'metrics' and table_name = 'campaign_impact'"
            ).fetchall()
        )
    assert {name: kinds[name] for name in COLUMNS} == COLUMNS
