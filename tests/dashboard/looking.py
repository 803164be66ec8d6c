"""How a page is looked at: opened and waited for, by what stands on it."""

from __future__ import annotations

import contextlib
import re

from playwright.sync_api import Locator, Page, TimeoutError, expect

#: On a busy machine a page takes its time.
PATIENCE = 60_000
ATTEMPTS = 6
expect.set_options(timeout=PATIENCE)


def opened(page: Page, address: str) -> None:
    """Opens the address and waits until everything is drawn."""
    page.goto(address)
    drawn(page)


def drawn(page: Page) -> None:
    """Waits until the page is drawn. A click is answered a moment later: what is looked at after one has to be waited for by itself."""
    expect(page.get_by_role("heading", level=1).first).to_be_visible()
    expect(page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]')).to_be_visible()
    expect(page.get_by_test_id("stException")).to_have_count(0)


def choose(page: Page, label: str, value: str, typed: str = "") -> None:
    """Chooses a value of a list, looked for by what is typed. While charts above or below it take their places a list that was opened is closed: it is opened again."""
    listed = page.get_by_role("combobox", name=label)
    option = page.get_by_role("option", name=value, exact=not typed)
    for _ in range(ATTEMPTS):
        with contextlib.suppress(AssertionError, TimeoutError):
            listed.click()
            listed.fill(typed)
            option.click(timeout=PATIENCE / ATTEMPTS)
            return
    raise AssertionError(f"{value} could not be chosen from {label}.")


def metric(page: Page, label: str) -> Locator:
    """The figure under a label."""
    return page.get_by_test_id("stMetric").filter(has_text=label).get_by_test_id("stMetricValue")


def fits_its_window(page: Page) -> None:
    """Waits until nothing is wider than the window."""
    page.wait_for_function(
        "['html', '[data-testid=stMain]'].map(at => document.querySelector(at)).every(one => one.scrollWidth <= one.clientWidth)",
        timeout=PATIENCE,
    )


def cells(place: Page | Locator, text: str) -> Locator:
    """The cells of grids with exactly this value. A grid draws on a canvas, and keeps a table of the values as they are for who cannot see."""
    return place.locator("[role=gridcell]").filter(has_text=re.compile(f"^{re.escape(text)}$"))


def row_of(page: Page, text: str) -> Locator:
    """The row of a grid that has such a cell."""
    return page.locator("[role=row]").filter(has=cells(page, text))
