"""The page Try a segment: a draft's answer as the release gives it, refusals with their place, the files to commit."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from orchestration.settings import Home
from orchestration.transform.project import PROJECT_DIR
from tests.builders import ask
from tests.dashboard.looking import cells, drawn, opened, row_of

CONDITION = "gender = 'female'\nand age < 50"


def write(page: Page, text: str) -> None:
    page.get_by_role("textbox", name="Condition").fill(text)
    page.keyboard.press("Control+Enter")
    drawn(page)


def metric(page: Page, label: str) -> str:
    return page.get_by_test_id("stMetric").filter(has_text=label).get_by_test_id("stMetricValue").inner_text()


def count(home: Home, condition: str) -> int:
    return int(ask(home, f"select count(*) from customers.dim_customers where {condition}")[0][0])


def test_a_draft_is_answered_with_what_sql_counts(app: str, page: Page, shown: Home) -> None:
    opened(page, f"{app}/try")
    expect(page.get_by_text("Write a condition on the attributes")).to_be_visible()
    write(page, CONDITION)
    expect(page.get_by_role("heading", name="From everybody to the members")).to_be_visible()
    assert metric(page, "Members") == f"{count(shown, CONDITION):,}"
    for step, left in (("gender = 'female'", count(shown, "gender = 'female'")), ("age < 50", count(shown, CONDITION))):
        expect(cells(row_of(page, step), str(left)).first).to_be_attached()
    overlap = count(shown, f"{CONDITION} and customer_id in (select customer_id from segments.active)")
    expect(cells(row_of(page, "active"), str(overlap)).first).to_be_attached()


def test_a_broken_draft_is_told_with_its_place_and_mended_on_the_spot(app: str, page: Page) -> None:
    opened(page, f"{app}/try")
    write(page, "age > 3\nand gendr = 'male'")
    expect(page.get_by_role("alert").get_by_text('Referenced column "gendr" not found')).to_be_visible()
    expect(page.locator("pre")).to_contain_text("LINE 2: and gendr = 'male'\n            ^^^^^")
    write(page, "age > 3\nand gender = 'male'")
    expect(page.get_by_role("heading", name="From everybody to the members")).to_be_visible()


@pytest.mark.parametrize("written", ["copy customers.dim_customers to 'x.csv'", "age in (select 1 from read_csv('x'))"])
def test_a_draft_that_reaches_for_files_is_refused_in_a_sentence(app: str, page: Page, written: str) -> None:
    opened(page, f"{app}/try")
    write(page, written)
    expect(page.get_by_role("alert").get_by_text("A draft ")).to_be_visible()


def test_what_is_written_in_a_draft_is_shown_as_text(app: str, page: Page) -> None:
    opened(page, f"{app}/try")
    write(page, "gender <> '<img src=x onerror=\"window.broken = true\">' and region <> '**bold**'")
    expect(page.get_by_role("heading", name="From everybody to the members")).to_be_visible()
    write(page, '"<img src=x onerror=window.broken=true>" = 1')
    expect(page.get_by_role("alert")).to_be_visible()
    assert page.evaluate("window.broken") is None
    expect(page.locator("[onerror], main strong:text-is('bold')")).to_have_count(0)


def test_an_attribute_is_found_by_its_words_and_put_in_by_its_name(app: str, page: Page) -> None:
    opened(page, f"{app}/try")
    page.get_by_role("searchbox", name="Search what can be asked").or_(
        page.get_by_role("textbox", name="Search what can be asked")
    ).fill("completed years")
    page.keyboard.press("Enter")
    expect(cells(page, "age")).to_be_attached()
    expect(cells(page, "gender")).to_have_count(0)
    page.get_by_role("combobox", name="Put in").fill("household")
    page.get_by_role("option", name="household_size", exact=True).click()
    expect(page.get_by_role("textbox", name="Condition")).to_have_value("household_size ")


def test_saving_shows_the_two_files_and_the_list_and_writes_nothing_before_it_is_asked_to(app: str, page: Page) -> None:
    before = sorted(PROJECT_DIR.rglob("*"))
    opened(page, f"{app}/try")
    write(page, CONDITION)
    page.get_by_role("button", name="Show the files").click()
    expect(page.get_by_role("alert").get_by_text("cannot be a segment's name")).to_be_visible()
    page.get_by_role("textbox", name="Name", exact=True).fill("women_below_50")
    page.get_by_role("textbox", name="Label").fill("Women: <b>below</b> 50")
    page.get_by_role("textbox", name="Objective").fill("Tell them")
    page.get_by_role("textbox", name="Description").fill("Women who have not completed 50 years.")
    page.get_by_role("button", name="Show the files").click()
    shown = page.locator("pre")
    expect(shown.filter(has_text="from {{ ref('dim_customers') }}\nwhere gender = 'female'\nand age < 50")).to_be_visible()  # fmt: skip
    expect(shown.filter(has_text="label: 'Women: <b>below</b> 50'")).to_be_visible()
    expect(shown.filter(has_text="'women_below_50',")).to_be_visible()
    assert sorted(PROJECT_DIR.rglob("*")) == before
