"""The page Change preview: the rule to be edited, who enters and leaves, and who uses the segment."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from orchestration.settings import Home
from tests.builders import ask
from tests.dashboard.conftest import Publish
from tests.dashboard.looking import cells, opened, row_of
from tests.dashboard.test_try_page import metric, write


def test_the_rule_is_there_to_be_edited_and_unedited_nothing_changes(app: str, page: Page, shown: Home) -> None:
    opened(page, f"{app}/change?segment=men_18_25")
    expect(page.get_by_role("textbox", name="Condition")).to_have_value("gender = 'male'\nand age BETWEEN 18 AND 25")
    expect(page.get_by_text("Nothing changes")).to_be_visible()
    members = ask(shown, "select count(*) from segments.men_18_25")[0][0]
    assert (metric(page, "Members now"), metric(page, "Members then")) == (str(members), str(members))


def test_who_enters_and_leaves_is_what_sql_counts(app: str, page: Page, shown: Home) -> None:
    opened(page, f"{app}/change?segment=men_18_25")
    write(page, "gender = 'male'\nand age between 21 and 60")
    enters, leaves, stays = ask(
        shown,
        "select count(*) filter (age between 26 and 60), count(*) filter (age between 18 and 20), count(*) filter (age between 21 and 25) "
        "from customers.dim_customers where gender = 'male'",
    )[0]
    for who, customers in (("enter", enters), ("leave", leaves), ("stay", stays)):
        expect(cells(row_of(page, who), str(customers)).first).to_be_attached()
    assert metric(page, "Members then") == str(enters + stays)
    expect(cells(row_of(page, "age BETWEEN 18 AND 25"), "gone")).to_be_attached()


def test_segments_and_campaigns_that_use_it_are_named(app: str, page: Page, publish: Publish) -> None:
    publish(
        "insert into catalog.campaigns by name select 'c1' as campaign_id, 'Spring **sale**' as campaign_name, 'top_spenders' as segment, "
        "'running' as state, date '2024-03-01' as starts_on, date '2024-04-01' as ends_on"
    )
    opened(page, f"{app}/change?segment=top_spenders")
    expect(cells(page, "vips_at_full_price").first).to_be_attached()
    expect(cells(row_of(page, "c1"), "Spring **sale**")).to_be_attached()
