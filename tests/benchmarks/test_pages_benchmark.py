"""The benchmark of the web app's pages at toy size: every page is asked, and each answers."""

from __future__ import annotations

from benchmarks.pages import pages, timed, yardstick
from dashboard.places import PLACES
from orchestration.publish.releases import open_for_reading
from orchestration.settings import Home
from tests.builders import Refreshed


def test_every_page_is_timed(shop: Refreshed) -> None:
    release = open_for_reading(Home(shop.aside))
    assert release is not None
    asked = pages(release)
    assert {place.title for place in PLACES} <= set(asked)
    for page, (ask, aim) in asked.items():
        assert timed(release, page, ask, aim, times=1).again > 0
    assert timed(release, "", yardstick(release), 1, times=1).first > 0
    release.close()
