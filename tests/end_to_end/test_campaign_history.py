"""The days of a campaign at once, one after the other, shuffled, twice, or from a warehouse that was thrown away: the same impact, row for row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

import pytest

from orchestration.days import Days
from orchestration.measure.campaigns.impact import record_impact
from orchestration.settings import Home, load_settings
from orchestration.warehouse import Warehouse
from tests.builders import Refreshed, Rows, Stage, ask, current_contents, refreshed
from tests.campaign_company import DAYS, FIRST, LAST, drop_campaigns, march

TABLES = ["campaign_impact", "campaign_comparisons", "campaign_balance"]
#: Some of them cut a campaign's window, the arms that came late, and the days before the time before was known.
PIECES = [(march(3), march(6)), (march(7), march(7)), (march(8), march(17)), (march(18), march(18)), (march(20), LAST)]
SHUFFLED = [(march(10), march(12)), (march(3), march(8)), (march(20), march(20))]


@pytest.mark.parametrize("pieces", [pytest.param(PIECES, id="in-pieces"), pytest.param(SHUFFLED, id="shuffled")])
def test_days_refreshed_in_any_pieces_give_the_release_of_the_days_at_once(
    stage: Stage, campaigns: Refreshed, pieces: Sequence[tuple[date, date]]
) -> None:
    home = stage.home()
    drop_campaigns(home)
    for first, last in pieces:
        release = refreshed(home, first, last).release
    found = current_contents(home)
    for table in ("metrics.campaign_impact", "metrics.campaign_comparisons", "catalog.campaigns"):
        assert found[table] == campaigns.contents[table], table
    assert found == campaigns.contents
    assert release == campaigns.manifest.release


def test_a_night_that_runs_twice_and_a_warehouse_thrown_away_give_the_same_release(
    stage: Stage, campaigns: Refreshed
) -> None:
    home = stage.restore(campaigns.aside)
    assert refreshed(home, LAST).release == campaigns.manifest.release
    home.warehouse.unlink()
    assert refreshed(home, LAST).release == campaigns.manifest.release
    assert current_contents(home) == campaigns.contents


Measure = Callable[[Sequence[Days]], dict[str, Rows]]


@pytest.fixture(scope="module")
def measured(stage: Stage, campaigns: Refreshed) -> Measure:
    """What the tables of campaigns hold once the days are measured so, by a warehouse that knows already what will come after them."""
    home = stage.restore(campaigns.aside)

    def measure(runs: Sequence[Days]) -> dict[str, Rows]:
        with Warehouse(home, load_settings(home)).connect() as connection:
            connection.execute("drop table metrics.campaign_impact")
            for days in runs:
                record_impact(connection, home, load_settings(home), days)
            return {
                table: connection.execute(f"select * from metrics.{table} order by all").fetchall() for table in TABLES
            }

    return measure


@pytest.fixture(scope="module")
def at_once(measured: Measure) -> dict[str, Rows]:
    return measured([Days(FIRST, LAST)])


def test_a_day_says_nothing_of_what_came_after_it(measured: Measure, at_once: dict[str, Rows]) -> None:
    one_by_one = measured([Days(day, day) for day in DAYS])
    for table in TABLES:
        assert one_by_one[table] == at_once[table], table


def test_a_day_measured_twice_is_measured_the_same(measured: Measure, at_once: dict[str, Rows]) -> None:
    assert measured([Days(march(16), LAST), Days(FIRST, LAST), Days(LAST, LAST)]) == at_once


# ---- the demo company ----


def newest(home: Home, columns: str, where: str = "true") -> Rows:
    return ask(
        home,
        f"select {columns} from metrics.campaign_impact where is_primary and as_of_date = '2017-12-31' and {where} "
        "order by campaign_id::int",
    )


def test_all_campaigns_of_the_demo_are_measured_and_none_is_a_win_or_a_lift(year_of_the_demo: Home) -> None:
    rows = newest(year_of_the_demo, "campaign_id, evidence, verdict, message")
    assert [int(campaign) for campaign, *_ in rows] == list(range(1, 28))
    assert {evidence for _, evidence, _, _ in rows} == {"matched", "none"}
    assert {verdict for _, _, verdict, _ in rows} == {"not_randomised"}
    assert not [message for *_, message in rows if not message or "lift" in message.lower()]
    assert ask(year_of_the_demo, "select count(*) from catalog.campaigns where assigned_by = 'sender'") == [(27,)]
    assert ask(year_of_the_demo, "select count(*) from metrics.campaign_impact where verdict = 'win'") == [(0,)]


def test_a_campaign_of_the_demo_that_went_to_the_best_customers_did_not_earn_what_they_spend(
    year_of_the_demo: Home,
) -> None:
    """The published figures: what the contacted spend more is no doing of the campaign."""
    rows = newest(
        year_of_the_demo,
        "campaign_id, round(mean_treatment - mean_control)::int, lift, estimator, evidence",
        "campaign_id in ('8', '13', '18')",
    )
    assert [(row[0], row[1]) for row in rows] == [("8", 252), ("13", 264), ("18", 307)]
    assert [row[2] for row in rows] == pytest.approx([-13.0, -8.1, 14.5], abs=0.1)
    assert {row[3:] for row in rows} == {("difference_in_differences", "matched")}


def test_whatever_is_compared_in_the_demo_has_a_balance_table_and_dates_on_which_nothing_was_sent(
    year_of_the_demo: Home,
) -> None:
    matched = {campaign for (campaign,) in newest(year_of_the_demo, "campaign_id", "evidence = 'matched'")}
    assert matched >= {"8", "13", "18"}
    placebos = ask(year_of_the_demo, "select distinct campaign_id from metrics.campaign_comparisons where is_placebo")
    balanced = ask(
        year_of_the_demo,
        "select campaign_id, max(abs(standardized_difference)), max(abs(standardized_difference_matched)) from metrics.campaign_balance group by all",
    )
    assert {campaign for (campaign,) in placebos} == matched
    assert {campaign for campaign, _, _ in balanced} == matched
    apart = {campaign: before for campaign, before, _ in balanced}
    # Who was contacted was anybody but average.
    assert min(apart[campaign] for campaign in ("8", "13", "18")) > 0.5


def test_no_segment_of_a_campaign_of_the_demo_is_without_anybody_contacted(year_of_the_demo: Home) -> None:
    assert ask(
        year_of_the_demo, "select count(*) from metrics.campaign_impact where segment is not null and n_treatment = 0"
    ) == [(0,)]
