"""The page Personas: what one claims and what the figures say of it, who her customers are, who is spoken of by none; and that there is none."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.dashboard.conftest import Publish
from tests.dashboard.looking import cells, choose, drawn, fits_its_window, opened, row_of
from tests.dashboard.test_every_page import HOSTILE, PHONE
from tests.personas_by_hand import (
    ALL_CLAIMS,
    TABLES,
    claim,
    contradicted,
    evidence,
    finding,
    persona,
    said,
    statements,
)

EVIDENCE = [
    evidence("size", "customers", 1200, rest=8000, unit="customers"),
    evidence("gender", "female", 0.7, position=1),
    evidence("gender", "male", 0.3, position=2),
    evidence("gender", "other", None, position=3, customers=4, rest=None, is_shown=False),
    evidence("age", "under 20", None, customers=3, rest=None, is_shown=False),
]
FINDINGS = [
    finding("segment_without_persona", "top_spenders is addressed by spring, and no persona says what to tell it.", other="top_spenders"),
    finding("persona_without_segment", "Nobody in the segments of planner can be reached by any channel.", persona="planner"),
]  # fmt: skip


@pytest.fixture
def planner(publish: Publish) -> None:
    """A release of one persona with all that there can be of her."""
    days = [claim(day=date(2024, 3, day), figure=1.1 + day / 100) for day in (9, 10, 11)]
    publish(*statements([persona()], [*ALL_CLAIMS, *days], EVIDENCE, FINDINGS))


def line_of(page: Page, table: str, text: str) -> Locator:
    """The line of a table that is read which begins with the text."""
    return page.get_by_role("table", name=table).get_by_role("row").filter(has_text=text)


@pytest.mark.usefixtures("planner")
def test_every_persona_is_a_row_with_what_her_claims_came_to(app: str, page: Page) -> None:
    page.set_viewport_size({"width": 1900, "height": 900})  # a grid has no more columns than fit
    opened(page, f"{app}/personas")
    row = row_of(page, "personas?persona=planner")
    for cell in ("Petra the planner", "Plans the week's meals on Sunday", "1200", "2024-09-01", "active"):
        expect(cells(row, cell).first).to_be_attached()


@pytest.mark.usefixtures("planner")
def test_a_persona_is_told_in_words(app: str, page: Page) -> None:
    opened(page, f"{app}/personas?persona=planner")
    expect(page.get_by_role("heading", name="Petra the planner")).to_be_visible()
    expect(page.get_by_role("note").filter(has_text="Value proposition")).to_contain_text(
        "The whole week in one basket"
    )
    why, what = page.get_by_role("table", name="Why"), page.get_by_role("table", name="What", exact=True)
    expect(why).to_contain_text("Half of the list is sold out (on Saturday noon; high)")
    expect(why).to_contain_text("Delivery costs more than it saves")
    expect(what).to_contain_text("“I shop once, or not at all.” Interview 12, 2024-01-15")
    expect(page.get_by_role("table", name="Her journey")).to_contain_text("Order it again")
    expect(cells(row_of(page, "segment?segment=active"), "evidence").first).to_be_attached()


@pytest.mark.usefixtures("planner")
def test_each_claim_has_its_verdict_in_words_since_when_and_its_figure_against_what_was_claimed(
    app: str, page: Page
) -> None:
    opened(page, f"{app}/personas?persona=planner")
    holds = line_of(page, "Her claims", "She spends more than the others")
    for said_ in ("holds", "2024-03-09", "1.50 times the rest (95 %: 1.40 to 1.60)", "at least 1.20 times the rest"):
        expect(holds).to_contain_text(said_)
    against = line_of(page, "Her claims", "Discounts leave her cold")
    for said_ in ("contradicted", "2024-03-10", "20 % (95 %: 18 % to 22 %)", "at most 10 %"):
        expect(against).to_contain_text(said_)
    inferred = line_of(page, "Her claims", "She shops by a list")
    expect(inferred).to_contain_text("inferred, not tested")
    expect(inferred).to_contain_text("Her baskets are alike from week to week")
    assumed = line_of(page, "Her claims", "She has children")
    expect(assumed).to_contain_text("it would be settled by: A question in the next survey")


@pytest.mark.usefixtures("planner")
def test_a_claim_is_drawn_day_by_day_and_another_can_be_chosen(app: str, page: Page) -> None:
    opened(page, f"{app}/personas?persona=planner")
    expect(page.get_by_label("She spends more than the others: its figure by day, with its band").first).to_be_visible()
    choose(page, "Claim", "Discounts leave her cold")
    drawn(page)
    expect(page.get_by_label("Discounts leave her cold: its figure by day, with its band").first).to_be_visible()


def test_of_a_claim_without_a_figure_nothing_is_drawn(app: str, page: Page, publish: Publish) -> None:
    few = claim(figure=None, lower=None, upper=None, value=None, verdict="too_few_to_tell")
    publish(*statements([persona()], [few]))
    opened(page, f"{app}/personas?persona=planner")
    expect(line_of(page, "Her claims", "She spends more")).to_contain_text("too few to tell")
    expect(page.get_by_text("There is no figure of it yet")).to_be_visible()


@pytest.mark.usefixtures("planner")
def test_the_evidence_is_drawn_beside_the_rest_and_of_few_customers_it_is_not(app: str, page: Page) -> None:
    opened(page, f"{app}/personas?persona=planner")
    expect(page.get_by_label("Gender: her customers and the rest of the base").first).to_be_visible()
    expect(page.get_by_text("Not shown, for fewer than 20 customers: other.")).to_be_visible()
    expect(page.get_by_text("Not shown: fewer than 20 customers.")).to_have_count(1)
    expect(page.get_by_text("Nothing is on record.").first).to_be_visible()
    expect(line_of(page, "How many", "customers").last).to_contain_text("1,200")


@pytest.mark.usefixtures("planner")
def test_coverage_is_told_both_ways(app: str, page: Page) -> None:
    opened(page, f"{app}/personas")
    expect(line_of(page, "Coverage", "Segments without a persona")).to_contain_text(
        "top_spenders is addressed by spring"
    )
    expect(line_of(page, "Coverage", "Personas without a segment")).to_contain_text("Nobody in the segments of planner")
    expect(page.get_by_role("table", name="What is up with her")).to_contain_text("Nobody in the segments of planner")


def test_a_held_persona_says_why_and_keeps_what_was_good(app: str, page: Page, publish: Publish) -> None:
    held = {
        "state": "held",
        "held_since": date(2024, 3, 10),
        "held_because": "personas/planner.yml: unknown field `nead`",
    }
    publish(*statements([persona(**held), persona(said("unread", name="Unread"), said=None, customers=None, **held)]))
    opened(page, f"{app}/personas?persona=planner")
    expect(page.get_by_role("note").filter(has_text="Held since 2024-03-10")).to_contain_text("unknown field `nead`")
    expect(page.get_by_role("table", name="Her claims")).to_be_visible()
    opened(page, f"{app}/personas?persona=unread")
    expect(page.get_by_text("Nothing of her could ever be read")).to_be_visible()
    expect(page.get_by_role("table", name="Her claims")).to_have_count(0)


@pytest.mark.usefixtures("planner")
def test_a_persona_that_there_is_not_is_told(app: str, page: Page) -> None:
    opened(page, f"{app}/personas?persona=<b>nope</b>")
    expect(page.get_by_text("There is no persona <b>nope</b>").first).to_be_visible()


@pytest.mark.parametrize("tables", [(TABLES,), ("drop table if exists catalog.personas",)], ids=["none", "no table"])
def test_without_personas_the_page_says_so(app: str, page: Page, publish: Publish, tables: tuple[str, ...]) -> None:
    publish(*tables)
    opened(page, f"{app}/personas")
    expect(page.get_by_text(re.compile("No persona is known|before there were personas"))).to_be_visible()


def _hostile(value: Any) -> Any:
    """The same, with hostile words in the place of all free text."""
    words = ("text", "moment", "source", "stage", "friction", "service_idea", "because", "settled_by")
    if isinstance(value, dict):
        return {name: HOSTILE if name in words else _hostile(one) for name, one in value.items()}
    return [HOSTILE if isinstance(one, str) else _hostile(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("path", ["personas?persona=planner", "segment?segment=active"])
def test_what_a_persona_says_is_shown_as_text_and_fits_a_phone(
    app: str, page: Page, publish: Publish, path: str
) -> None:
    plain = said()
    words = ("needs", "motivations", "expectations", "jobs_to_be_done", "objections", "alternatives_tried", "proof_points", "pain_points", "quotes", "journey", "claims")  # fmt: skip
    file = said(
        **{name: _hostile(plain[name]) for name in words},
        **dict.fromkeys(("name", "archetype", "owner", "tone", "value_proposition"), HOSTILE),
    )
    publish(
        *statements(
            [persona(file, state="held", held_since=date(2024, 3, 10), held_because=HOSTILE)],
            [claim(text=HOSTILE, message=HOSTILE, measure=HOSTILE), contradicted(text=HOSTILE, message=HOSTILE)],
            [evidence("interests", HOSTILE, 0.5), evidence("category", HOSTILE, None, is_shown=False), evidence("campaign", HOSTILE, 0.1)],
            [finding("past_review", HOSTILE, persona="planner")],
        )
    )  # fmt: skip
    page.set_viewport_size(PHONE)
    opened(page, f"{app}/{path}")
    expect(page.get_by_test_id("stMain")).to_contain_text("<script>window.broken = true</script>")
    assert page.evaluate("window.broken") is None
    expect(page.locator("[onerror], a[href^='javascript'], main script, main strong:text-is('bold')")).to_have_count(0)
    fits_its_window(page)


def test_a_segment_names_the_personas_that_speak_of_it(app: str, page: Page, publish: Publish) -> None:
    publish(*statements([persona()]))
    opened(page, f"{app}/segment?segment=active")
    row = row_of(page, "personas?persona=planner")
    for cell in ("Petra the planner", "evidence"):
        expect(cells(row, cell).first).to_be_attached()
    opened(page, f"{app}/segment?segment=top_spenders")
    expect(page.get_by_text("No persona speaks of it.").first).to_be_visible()


def test_a_task_in_words_is_told_whether_it_wants_a_segment_or_a_persona(app: str, page: Page) -> None:
    opened(page, f"{app}/personas")
    field = page.get_by_role("textbox", name="Which do I need?")
    for task, answer in (
        ("Who gets the spring letter?", "A segment"),
        ("Find the tone of the letter", "A persona"),
        ("<b>zzz</b>", "Not known"),
    ):
        field.fill(task)
        field.press("Enter")
        expect(page.get_by_role("note").filter(has_text=re.compile(f"^{answer}"))).to_be_visible()
    expect(page.get_by_text("<b>zzz</b>").first).to_be_visible()


def test_a_brief_is_shown_as_it_reads_with_the_words_of_others_as_text_and_can_be_taken_along(
    app: str, page: Page, publish: Publish, tmp_path: Path
) -> None:
    file = said(tone="**bold** <b>tag</b> [link](javascript:alert(1)) $x^2$", value_proposition="# All | in one")
    publish(*statements([persona(file)]))
    page.set_viewport_size(PHONE)
    opened(page, f"{app}/segment?segment=active")
    expect(page.get_by_role("heading", name="Brief: Active")).to_have_count(0)
    page.get_by_text("The brief of this segment").click()
    expect(page.get_by_role("heading", name="What to tell them, and why").last).to_be_visible()
    drawn(page)
    shown = page.get_by_test_id("stExpander").filter(has_text="The brief of this segment")
    expect(shown).to_contain_text("**bold** <b>tag</b> [link](javascript:alert(1)) $x^2$")
    expect(shown).to_contain_text("# All | in one")
    expect(shown.get_by_text("Do not write this:")).to_be_visible()
    expect(shown.locator("a[href^='javascript'], .katex, strong:text-is('bold')")).to_have_count(0)
    fits_its_window(page)
    with page.expect_download() as begun:
        page.get_by_role("button", name="Download as Markdown").click()
    assert begun.value.suggested_filename == "brief_active.md"
    begun.value.save_as(tmp_path / "brief.md")
    assert (tmp_path / "brief.md").read_text().startswith("# Brief: Active")
