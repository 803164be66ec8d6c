"""How a page is looked at: opened and waited for, by what stands on it."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

#: On a busy machine a page takes its time.
PATIENCE = 30_000
expect.set_options(timeout=PATIENCE)


def opened(page: Page, address: str) -> None:
    """Opens the address and waits until everything is drawn."""
    page.goto(address)
    drawn(page)


def drawn(page: Page) -> None:
    expect(page.get_by_role("heading", level=1).first).to_be_visible()
    expect(page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]')).to_be_visible()
    expect(page.get_by_test_id("stException")).to_have_count(0)


def cells(place: Page | Locator, text: str) -> Locator:
    """The cells of grids with exactly this value. A grid draws on a canvas, and keeps a table of the values as they are for who cannot see."""
    return place.locator("[role=gridcell]").filter(has_text=re.compile(f"^{re.escape(text)}$"))


def row_of(page: Page, text: str) -> Locator:
    """The row of a grid that has such a cell."""
    return page.locator("[role=row]").filter(has=cells(page, text))
