"""The page Customer: segments and since when, the answer to each clause, and nothing by which somebody is reached."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from orchestration.settings import Home
from tests.builders import ask
from tests.dashboard.looking import cells, drawn, opened, row_of


def test_the_segments_of_the_customer_in_the_address_are_shown_with_since_when(app: str, page: Page, shown: Home) -> None:  # fmt: skip
    opened(page, f"{app}/customer?customer=C8")
    [(since,)] = ask(shown, "select entered_on from segments.active where customer_id = 'C8'")
    expect(cells(row_of(page, "active"), str(since)).first).to_be_attached()


def test_each_clause_has_an_answer_and_those_that_are_met_are_asked_for(app: str, page: Page, shown: Home) -> None:
    [(gender, age)] = ask(shown, "select gender, age from customers.dim_customers where customer_id = 'C8'")
    opened(page, f"{app}/customer?customer=C8")
    page.get_by_text("With the clauses that are met").click()
    drawn(page)
    expect(cells(row_of(page, "gender = 'male'"), "yes" if gender == "male" else "no").first).to_be_attached()
    expect(cells(row_of(page, "age >= 65"), "yes" if age >= 65 else "no").first).to_be_attached()


def test_somebody_unknown_is_said_to_be_unknown(app: str, page: Page) -> None:
    opened(page, f"{app}/customer?customer=nobody")
    expect(page.get_by_role("alert").get_by_text("There is no customer nobody in the base")).to_be_visible()


def test_no_contact_data_is_on_the_page(app: str, page: Page) -> None:
    opened(page, f"{app}/customer?customer=C8")
    expect(cells(page, "has_email")).to_be_attached()
    assert not re.search(r"\w@\w", page.content())
