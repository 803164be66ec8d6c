"""The page Quality: whether tonight's data is believed, and if not, what stands against it, whom it touches and what to do."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.dashboard.conftest import Publish
from tests.dashboard.looking import cells, opened, row_of

HELD = (
    "update catalog.segments set state = 'held', held_since = as_of_date, held_because = 'gender was empty' where segment = 'men_18_25'",
    "insert into metrics.input_findings values ('2024-03-12', 'crm', 'customers', 'empty_share_is_as_usual', ['gender'], 'gender was empty', null, true, false)",
)


def test_data_that_is_believed_is_said_to_be(app: str, page: Page, publish: Publish) -> None:
    publish("delete from metrics.input_findings")
    opened(page, f"{app}/quality")
    expect(page.get_by_role("note").get_by_text("It is believed: nothing stands against an extract")).to_be_visible()


def test_what_stands_against_an_extract_is_told_with_its_segments_and_the_remedy(
    app: str, page: Page, publish: Publish
) -> None:
    publish("delete from metrics.input_findings", *HELD)
    opened(page, f"{app}/quality")
    expect(page.get_by_text("Not all of it is believed: 1 finding stands against an extract; 1 of")).to_be_visible()
    expect(page.get_by_text("Held since 2024-03-12: men_18_25")).to_be_visible()
    expect(page.get_by_text("Deliver the corrected extract of crm/customers for 2024-03-12")).to_be_visible()
    expect(cells(row_of(page, "crm/customers"), "not believed").first).to_be_attached()


def test_a_release_without_checks_says_so(app: str, page: Page, publish: Publish) -> None:
    publish("delete from metrics.input_quality", "delete from metrics.input_findings")
    opened(page, f"{app}/quality")
    expect(page.get_by_text("Nothing is known of what came in")).to_be_visible()
