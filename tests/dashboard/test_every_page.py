"""What is so of every page, whatever it shows. A page is tested from the moment on which its line is in ``dashboard.places``."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from dashboard.places import PLACES
from orchestration.settings import Home
from tests.dashboard.conftest import Publish, serving
from tests.dashboard.looking import drawn, fits_its_window, opened

OF_EVERY_PAGE = pytest.mark.parametrize("path", [pytest.param(place.path, id=place.title) for place in PLACES])

HOSTILE = (
    '<script>window.broken = true</script><img src=x onerror="window.broken = true"> \'quoted\' "too" '
    "**bold** [link](javascript:alert(1)) :red[red] $x^2$ | `code` " + "very long " * 490
)
#: Pages that draw the words of others outside of a grid, without being asked anything.
DRAWS_WORDS = ("", "segment", "personas", "campaigns", "quality")
PHONE = {"width": 390, "height": 844}


@OF_EVERY_PAGE
def test_a_page_opens_without_an_error_and_asks_nobody_else(app: str, page: Page, path: str) -> None:
    opened(page, f"{app}/{path}")  # what the fixture of the page saw it judges itself


@OF_EVERY_PAGE
def test_a_page_fits_a_phone(app: str, page: Page, path: str) -> None:
    page.set_viewport_size(PHONE)
    opened(page, f"{app}/{path}")
    fits_its_window(page)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("segment?segment=nope", "There is no segment nope"),
        ("change?segment=<b>nope</b>", "There is no segment <b>nope</b>"),
        ("personas?persona=nope", "There is no persona nope"),
        ("movement?scheme=nope", "There is no scheme nope"),
        ("movement?since=2030-01-01", "2030-01-01 is no day of the record"),
        ("movement?until=banana", "banana is no day of the record"),
        ("customer?customer=nope", "There is no customer nope"),
    ],
)
def test_what_an_address_asks_for_and_there_is_not_is_told(app: str, page: Page, address: str, said: str) -> None:
    opened(page, f"{app}/{address}")
    expect(page.get_by_text(said).first).to_be_visible()


@OF_EVERY_PAGE
def test_what_others_wrote_is_shown_as_text(app: str, page: Page, path: str, publish: Publish) -> None:
    text = HOSTILE.replace("'", "''")
    publish(
        f"insert into catalog.campaigns by name select 'c1' as campaign_id, '{text}' as campaign_name, '{text}' as objective, 'email' as channel, "
        "'running' as state, 'us' as assigned_by, 'spend' as primary_metric, as_of_date as starts_on from catalog.segments limit 1",
        f"insert into metrics.input_findings by name select as_of_date as extract_date, 'crm' as source, 'customers' as table_name, 'is_odd' as expectation, "
        f"['gender'] as columns, '{text}' as because, false as is_left_out, false as is_released from catalog.segments limit 1",
        f"update catalog.personas set name = '{text}', archetype = '{text}', owner = '{text}', state = 'held', held_because = '{text}'",
        f"update catalog.segments set label = '{text}', description = '{text}', objective = '{text}', owner = '{text}'",
        f"update catalog.segments set state = 'held', held_since = as_of_date, held_because = '{text}' where segment = 'top_spenders'",
    )
    page.set_viewport_size(PHONE)
    opened(page, f"{app}/{path}?segment=top_spenders")
    assert page.evaluate("window.broken") is None
    if path in DRAWS_WORDS:
        expect(page.get_by_test_id("stMain")).to_contain_text("<script>window.broken = true</script>")
    expect(page.locator("[onerror], a[href^='javascript'], main script, main strong:text-is('bold')")).to_have_count(0)
    fits_its_window(page)


@OF_EVERY_PAGE
def test_a_release_published_meanwhile_appears_by_itself(app: str, page: Page, path: str, publish: Publish) -> None:
    opened(page, f"{app}/{path}")
    name = publish()
    expect(page.get_by_test_id("stSidebar").get_by_text(name)).to_be_attached()
    drawn(page)


def test_before_the_first_release_a_page_says_how_to_make_one_and_shows_it_then(
    page: Page, shown: Home, tmp_path_factory: pytest.TempPathFactory
) -> None:
    home = Home(tmp_path_factory.mktemp("new") / "home")
    home.path.mkdir()
    with serving(home) as address:
        opened(page, address)
        expect(page.get_by_text("segments refresh")).to_be_visible()
        home.releases.symlink_to(shown.releases)
        expect(page.get_by_role("heading", name="Segments")).to_be_visible()
        page.goto("about:blank")  # before its server goes


def test_a_release_that_cannot_be_opened_is_told_in_a_sentence(
    app: str, page: Page, shown: Home, publish: Publish
) -> None:
    opened(page, app)
    name = publish()
    expect(page.get_by_test_id("stSidebar").get_by_text(name)).to_be_attached()
    broken = publish()
    (shown.releases / broken / "manifest.json").write_text("{")
    expect(page.get_by_role("alert").get_by_text("cannot be opened")).to_be_visible()


def test_the_navigation_is_reached_by_the_tab_key(app: str, page: Page) -> None:
    opened(page, app)
    reached = _reached_by_tab(page, 60)
    for place in PLACES:
        assert any(place.title in one for one in reached), f"{place.title} is not among {reached}"


def _reached_by_tab(page: Page, times: int) -> list[str]:
    reached = []
    for _ in range(times):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate("(document.activeElement.ariaLabel || '') + ' ' + document.activeElement.innerText")
        )
    return reached
