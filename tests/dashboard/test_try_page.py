"""The page Try a segment: a draft's answer as the release gives it, refusals with their place, the files to commit."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from orchestration.settings import Home
from orchestration.transform.project import PROJECT_DIR
from tests.builders import ask
from tests.dashboard.looking import cells, choose, drawn, metric, opened, row_of

CLAUSES = (
    "gender = 'female'",
    "age < 50",
    "favourite_category is distinct from '<img src=x onerror=\"window.broken = true\">**bold**'",
)


def write(page: Page, text: str) -> None:
    page.get_by_role("textbox", name="Condition").fill(text)
    page.keyboard.press("Control+Enter")
    drawn(page)


def count(home: Home, condition: str) -> int:
    return int(ask(home, f"select count(*) from customers.dim_customers where {condition}")[0][0])


def refused(page: Page, draft: str, said: str) -> None:
    write(page, draft)
    expect(page.get_by_role("alert").get_by_text(said)).to_be_visible()
    expect(page.get_by_test_id("stMetric")).to_have_count(0)


def test_a_draft_is_answered_with_what_sql_counts_and_shown_as_text(app: str, page: Page, shown: Home) -> None:
    opened(page, f"{app}/try")
    expect(page.get_by_text("Write a condition on the attributes")).to_be_visible()
    write(page, " and ".join(CLAUSES))
    expect(page.get_by_role("heading", name="From everybody to the members")).to_be_visible()
    everybody, figures = count(shown, "true"), []
    for place, clause in enumerate(CLAUSES, start=1):
        left = count(shown, " and ".join(CLAUSES[:place]))
        alone = everybody - count(shown, clause)
        figures.append([str(left), str(count(shown, " and ".join(["true", *CLAUSES[: place - 1]])) - left), str(alone)])
    waterfall = page.get_by_role("region", name="Criteria waterfall").locator("[role=row]")
    for place, (left, dropped_here, alone) in enumerate(figures, start=2):  # below the header, and everybody
        row = waterfall.nth(place).locator("[role=gridcell]")
        expect(row).to_have_text([re.compile(".*"), left, dropped_here, alone, re.compile(r"\d+")])
    members = count(shown, " and ".join(CLAUSES))
    assert 0 < members < everybody
    expect(metric(page, "Members")).to_have_text(f"{members:,}")
    both = count(
        shown,
        f"{' and '.join(CLAUSES)} and customer_id in (select customer_id from segments.contactable_by_any_channel)",
    )
    assert both
    expect(cells(row_of(page, "contactable_by_any_channel"), str(both)).first).to_be_attached()
    assert page.evaluate("window.broken") is None
    expect(page.locator("[onerror], main strong:text-is('bold')")).to_have_count(0)


def test_what_is_no_plain_question_is_refused_in_a_sentence_and_mended_on_the_spot(app: str, page: Page) -> None:
    opened(page, f"{app}/try")
    refused(page, "age > 3\nand gendr = 'male'", 'Referenced column "gendr" not found')
    expect(page.locator("pre")).to_contain_text("LINE 2: and gendr = 'male'\n            ^^^^^")
    refused(page, "copy customers.dim_customers to 'x.csv'", "a draft writes nothing and reads no file")
    refused(page, "attach 'x.duckdb'", "a draft writes nothing and reads no file")
    refused(page, "age in (select 1 from read_csv('x'))", "A draft reads the release's tables and no others")
    refused(page, "age > 3; drop table x", "these are 2 statements")
    write(page, "age > 3\nand gender = 'male'")
    expect(page.get_by_role("heading", name="From everybody to the members")).to_be_visible()


def test_an_attribute_is_found_by_its_words_and_a_draft_outlives_a_look_at_another_page(app: str, page: Page) -> None:
    opened(page, f"{app}/try")
    listed = page.get_by_role("table", name="What can be asked")
    expect(listed.get_by_text("gender", exact=True)).to_be_attached()
    page.get_by_role("searchbox", name="Search what can be asked").fill("completed years")
    page.keyboard.press("Enter")
    expect(listed.get_by_text("gender", exact=True)).to_have_count(0)
    expect(listed.get_by_text("age", exact=True)).to_be_visible()
    choose(page, "Put in", "household_size: ", typed="people in the household")
    draft = page.get_by_role("textbox", name="Condition")
    expect(draft).to_have_value("household_size ")
    page.get_by_role("link", name="Customer").click()
    expect(page.get_by_role("heading", name="Customer", level=1)).to_be_visible()
    page.get_by_role("link", name="Try a segment").click()
    expect(draft).to_have_value("household_size ")


def test_saving_shows_the_two_files_and_the_list_and_writes_nothing_before_it_is_asked_to(app: str, page: Page) -> None:
    models = PROJECT_DIR / "models"
    before = {file: file.read_bytes() for file in models.rglob("*.*")}
    opened(page, f"{app}/try")
    write(page, "gender = 'female'\nand age < 50")
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
    expect(page.get_by_text("dbt_project/models/segments/women_below_50.sql")).to_be_visible()
    assert {file: file.read_bytes() for file in models.rglob("*.*")} == before
