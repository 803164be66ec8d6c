"""The page Customer: segments and since when, the answer to each clause, and nothing by which somebody is reached."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from orchestration.settings import Home
from tests.builders import ask
from tests.dashboard.conftest import Publish
from tests.dashboard.looking import drawn, opened, row_of


def lines(page: Page, table: str, *texts: str) -> Locator:
    """The lines of a table that is read, with all these texts."""
    found = page.get_by_role("table", name=table).get_by_role("row")
    for text in texts:
        found = found.filter(has_text=text)
    return found


def test_the_customer_in_the_address_is_told_segment_by_segment_and_clause_by_clause(
    app: str, page: Page, shown: Home
) -> None:
    [(gender, age)] = ask(shown, "select gender, age from customers.dim_customers where customer_id = 'C8'")
    opened(page, f"{app}/customer?customer=C8")
    for segment, since in ask(
        shown, "select segment, entered_on from metrics.segment_membership_history where customer_id = 'C8' and exited_on is null"
    ):  # fmt: skip
        expect(row_of(page, segment).get_by_text(str(since)).first).to_be_attached()
    page.get_by_text("With the clauses that are met").click()
    drawn(page)
    for clause, is_met, known in (
        ("gender is 'male'", gender == "male", gender),
        ("age is at least 65", age >= 65, age),
    ):
        line = lines(page, "Clause by clause", clause).first
        expect(line.get_by_role("cell")).to_have_text(
            [clause, "yes" if is_met else "no", str(known)], use_inner_text=True
        )
    expect(lines(page, "Clause by clause", "is not a member of discount_seekers")).to_be_visible()


def test_nothing_by_which_somebody_is_reached_is_on_the_page_and_what_others_wrote_is_text(
    app: str, page: Page, publish: Publish
) -> None:
    hostile = '<img src=x onerror="window.broken = true"> **bold**'
    publish(f"update customers.dim_customers set favourite_category = '{hostile}' where customer_id = 'C8'")
    opened(page, f"{app}/customer?customer=C8")
    expect(lines(page, "What is known", "favourite_category")).to_contain_text(hostile)
    expect(page.locator("[onerror], main strong:text-is('bold')")).to_have_count(0)
    assert page.evaluate("window.broken") is None
    expect(page.get_by_role("table", name="What is known")).to_contain_text("has_email")
    known = page.get_by_role("table", name="What is known").locator("th[scope=row] span").all_inner_texts()
    assert "has_email" in known
    reached = re.compile("(e_?mail|phone|mobile|.*name|post_?code|zip|street|address).*")
    assert [name for name in known if reached.fullmatch(name)] == ["email_opt_in"]
    assert not re.search(r"\w@\w", page.content())


def test_somebody_unknown_is_said_to_be_unknown(app: str, page: Page) -> None:
    opened(page, f"{app}/customer?customer=nobody")
    expect(page.get_by_role("alert").get_by_text("There is no customer nobody in the base")).to_be_visible()
