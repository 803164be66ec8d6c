"""The app's entry: navigation, the release that is shown, and trouble as a sentence. Started by `segments app`; run anew for each look at a page.

It stands in a folder of its own: beside ``pages`` Streamlit would take their modules for pages of its own making.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from dashboard.following import current_release, follow
from dashboard.places import PLACES, Place
from dashboard.saying import empty, notice
from orchestration.errors import SegmentsError
from orchestration.read.figures import day
from orchestration.read.opened import Release
from orchestration.settings import Home, locate_home


def main(home: Home) -> None:
    st.set_page_config(page_title="Segments", layout="wide")
    try:
        release = current_release(home)
    except SegmentsError as problem:
        notice("critical", str(problem))
        return follow(home, None)
    name = release.name if release else None
    place = st.navigation(
        [
            st.Page(_shown(place, release, home), title=place.title, url_path=place.path, default=not place.path)
            for place in PLACES
        ]
    )
    if release:
        st.sidebar.caption(f"As of {day(release.as_of_date)}, release {release.name}")
    place.run()
    follow(home, name)


def _shown(place: Place, release: Release | None, home: Home) -> Callable[[], None]:
    def show() -> None:
        if release is None:
            st.title(place.title)
            return empty(
                f"There is no release in {home.releases} yet. Make one with `segments refresh`: it appears here by itself."
            )
        try:
            place.page(release)
        except SegmentsError as problem:
            notice("critical", str(problem))

    return show


main(locate_home())
