"""The page Quality: what is not believed, which segments that touches and what to do, and every rule that was broken."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.builders import SHOP_DAYS
from tests.dashboard.conftest import Publish
from tests.dashboard.looking import cells, opened, row_of


def test_what_is_not_believed_names_its_segments_and_the_remedy(app: str, page: Page, publish: Publish) -> None:
    publish(
        f"insert into metrics.input_findings by name select date '{SHOP_DAYS[-1]}' as extract_date, 'crm' as source, 'customers' as table_name, "
        "'empty_share_is_as_usual' as expectation, ['gender'] as columns, 'gender was <b>empty</b>' as because, false as is_left_out, false as is_released",
        f"insert into metrics.input_quality by name select date '{SHOP_DAYS[-1]}' as extract_date, 'crm' as source, 'customers' as table_name, "
        "'is_as_never_before' as expectation, 'critical' as severity, false as success, '7 rows' as observed, 1234 as rows, 7 as unexpected_rows",
    )
    opened(page, f"{app}/quality?severity=critical")
    note = page.get_by_role("note").filter(has_text="gender was <b>empty</b>")
    expect(note).to_contain_text("men_18_25, women_25_34")
    expect(note).to_contain_text("segments release-held")
    expect(cells(row_of(page, "is_as_never_before"), "7").first).to_be_attached()
    expect(cells(page, "warning")).to_have_count(0)
