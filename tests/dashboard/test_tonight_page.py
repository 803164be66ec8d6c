"""The page Tonight: what is held and why, the filters and the search, the table to take along."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

from playwright.sync_api import Page, expect

from orchestration.publish.releases import open_for_reading
from orchestration.read.tonight import Tonight, read_tonight
from orchestration.settings import Home
from tests.dashboard.conftest import Publish
from tests.dashboard.looking import cells, choose, opened, row_of


def tonight_of(home: Home) -> Tonight:
    release = open_for_reading(home)
    assert release is not None
    try:
        return read_tonight(release)
    finally:
        release.close()


def link(segment: str) -> str:
    """The cell of a segment's name leads to its page."""
    return f"segment?segment={segment}"


def test_every_segment_is_a_row_with_its_size(app: str, page: Page, shown: Home) -> None:
    opened(page, app)
    for segment in tonight_of(shown).segments:
        expect(cells(row_of(page, link(segment.segment)), str(segment.members)).first).to_be_attached()


def test_a_filter_leaves_those_that_match(app: str, page: Page, shown: Home) -> None:
    owners = {segment.segment: segment.owner for segment in tonight_of(shown).segments}
    crm = [segment for segment, owner in owners.items() if owner == "crm"]
    opened(page, app)
    choose(page, "Owner", "crm")
    expect(page.get_by_text(f"{len(crm)} segments of {len(owners)}")).to_be_visible()
    for segment in crm:
        expect(cells(page, link(segment))).to_be_attached()
    expect(cells(page, link("top_spenders"))).to_have_count(0)


def test_filters_and_the_search_hold_together_and_stand_in_the_address(app: str, page: Page) -> None:
    opened(page, app)
    choose(page, "Family", "demographics")
    page.get_by_role("textbox", name="Search").fill("18 MEN")
    page.keyboard.press("Enter")
    expect(cells(page, link("men_18_25"))).to_be_attached()
    expect(page.get_by_text("1 segment of")).to_be_visible()
    expect(page).to_have_url(re.compile("family=demographics"))
    opened(page, page.url)
    expect(page.get_by_text("1 segment of")).to_be_visible()


def test_where_nothing_matches_a_sentence_says_so(app: str, page: Page) -> None:
    opened(page, f"{app}?search=zebra")
    expect(page.get_by_text("No segment matches")).to_be_visible()


def test_held_segments_come_first_and_with_their_reason(app: str, page: Page, publish: Publish) -> None:
    publish(
        "update catalog.segments set state = 'held', held_since = date '2024-03-11', held_because = 'email_opt_in was empty in 93 % of 24 rows' "
        "where segment in ('unreachable', 'contactable_by_email')"
    )
    opened(page, app)
    note = page.get_by_role("note").filter(has_text="email_opt_in was empty in 93 % of 24 rows")
    expect(note).to_contain_text("Held since 2024-03-11: contactable_by_email, unreachable")
    first = page.locator("[role=row][aria-rowindex='2']")  # below the header
    expect(cells(first, link("contactable_by_email"))).to_be_attached()
    expect(cells(first, "held")).to_be_attached()


def test_a_reason_that_looks_like_a_page_is_read_as_text(app: str, page: Page, publish: Publish) -> None:
    because = "<b>bold</b> **stars** :red[red] [link](https://elsewhere.example) &amp;"
    publish(
        f"update catalog.segments set state = 'held', held_since = as_of_date, held_because = '{because}' where segment = 'new'"
    )
    opened(page, app)
    expect(page.get_by_role("note").filter(has_text="Held since")).to_contain_text(because)


def test_a_shift_of_the_day_is_told_in_its_sentence(app: str, page: Page, publish: Publish) -> None:
    publish(
        "insert into metrics.segment_shifts (as_of_date, segment, measure, kind, severity, state, message, opened_on) "
        "select as_of_date, segment, 'members', 'jump', 'critical', 'opened', '*top* spenders lost <b>12</b>', as_of_date "
        "from catalog.segments where segment = 'top_spenders'"
    )
    opened(page, app)
    expect(page.get_by_role("alert")).to_have_text(
        "Critical: top_spenders, jump since tonight, opened*top* spenders lost <b>12</b>.", use_inner_text=False
    )


def test_a_night_on_which_nothing_was_counted_is_named_and_left_out_of_the_lines(
    app: str, page: Page, publish: Publish
) -> None:
    publish("delete from metrics.segment_counts_daily where as_of_date = date '2024-03-10'")
    opened(page, app)
    expect(page.get_by_role("note").filter(has_text="Nothing was counted on 2024-03-10")).to_be_visible()
    expect(row_of(page, link("active")).locator("[aria-colindex='4']")).to_have_text(re.compile(r"^\d+,\d+,\d+$"))


def test_the_table_is_taken_along_without_formulas(app: str, page: Page, publish: Publish) -> None:
    publish("update catalog.segments set label = '=cmd|''/C calc''!A0' where segment = 'top_spenders'")
    opened(page, f"{app}?search=top_spenders")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download as CSV").click()
    text = Path(waiting.value.path()).read_text(encoding="utf-8")
    rows = {row["segment"]: row for row in csv.DictReader(io.StringIO(text))}
    assert rows["top_spenders"]["label"] == "'=cmd|'/C calc'!A0"
    assert waiting.value.suggested_filename == "segments_2024-03-12.csv"


def test_the_filters_are_reached_and_used_by_keyboard(app: str, page: Page) -> None:
    opened(page, app)
    owner = page.get_by_role("combobox", name="Owner")
    for _ in range(60):
        page.keyboard.press("Tab")
        if owner.evaluate("one => one === document.activeElement"):
            break
    expect(owner).to_be_focused()
    page.keyboard.type("crm")
    expect(page.get_by_role("option", name="crm", exact=True)).to_be_visible()
    page.keyboard.press("Enter")
    expect(cells(page, link("unreachable"))).to_be_attached()
    expect(cells(page, link("top_spenders"))).to_have_count(0)
