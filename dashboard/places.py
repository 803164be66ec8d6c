"""The pages in the order of the navigation. A new page is a module in ``pages``, and its line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dashboard.pages import segment, tonight
from orchestration.read.opened import Release


@dataclass(frozen=True)
class Place:
    """A page, what the navigation calls it, and the end of its address; the first page stands at the root too."""

    title: str
    path: str
    page: Callable[[Release], None]


PLACES = (Place("Tonight", "tonight", tonight.page), Place("Segment", "segment", segment.page))
