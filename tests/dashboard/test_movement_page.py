"""The page Movement: the days that the address names, the moves between the stages, and what is said where there is nothing to draw."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from orchestration.publish.releases import open_for_reading
from orchestration.read.movement import movement
from orchestration.settings import Home
from tests.builders import SHOP_DAYS
from tests.dashboard.conftest import Publish
from tests.dashboard.looking import cells, opened, row_of


def test_the_moves_between_the_days_in_the_address_are_those_of_the_history(app: str, page: Page, shown: Home) -> None:
    since, until = SHOP_DAYS[1], SHOP_DAYS[3]
    release = open_for_reading(shown)
    assert release is not None
    told = movement(release, "lifecycle", since, until)
    release.close()
    opened(page, f"{app}/movement?scheme=lifecycle&since={since}&until={until}")
    expect(page.get_by_test_id("stMetric").filter(has_text="Moved")).to_contain_text(str(told.moved))
    for flow in told.flows:
        if flow.is_move and flow.from_stage and flow.to_stage:
            row = row_of(page, flow.from_stage).filter(has=cells(page, flow.to_stage))
            expect(cells(row, str(flow.customers)).first).to_be_attached()
    expect(page.locator(".js-plotly-plot")).to_be_visible()


def test_without_schemes_and_without_pairs_the_page_says_so(app: str, page: Page, publish: Publish) -> None:
    publish("update catalog.segments set scheme = null", "delete from metrics.segment_overlap")
    opened(page, f"{app}/movement")
    expect(page.get_by_text("No segment of this release belongs to an exclusive scheme")).to_be_visible()
    expect(page.get_by_text("There are no two segments in this release")).to_be_visible()
