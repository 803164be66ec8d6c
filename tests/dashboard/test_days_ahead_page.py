"""On the page Segment, of the days ahead nobody is listed where nothing is told."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.dashboard.looking import opened


def test_of_a_rank_alone_it_is_said_why_nothing_is_told_and_nobody_is_listed(app: str, page: Page) -> None:
    opened(page, f"{app}/segment?segment=top_spenders")
    because = (
        "Because it compares customers (spend_percentile), and how customers will compare hangs on what all of them do"
    )
    expect(page.get_by_text(because)).to_be_visible()
    expect(page.get_by_test_id("stExpander").get_by_text("Who", exact=True)).to_have_count(0)


def test_where_a_rank_is_taken_as_tonight_it_is_said_and_who_leaves_and_enters_is_listed(app: str, page: Page) -> None:
    opened(page, f"{app}/segment?segment=at_risk_but_valuable")
    expect(page.get_by_text("Because spend_percentile >= 75 is taken as it is tonight")).to_be_visible()
    page.get_by_test_id("stExpander").get_by_text("Who", exact=True).click()
    listed = page.get_by_role("radiogroup", name="Customers who").get_by_role("radio")
    expect(listed).to_have_count(2)
