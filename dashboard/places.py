"""The pages in the order of the navigation. A new page is a module in ``pages``, and its line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dashboard.pages import (
    campaigns,
    change_preview,
    customer,
    movement,
    personas,
    quality,
    segment,
    tonight,
    try_a_segment,
)
from orchestration.read.opened import Release


@dataclass(frozen=True)
class Place:
    """A page, what the navigation calls it, and its address below the app's own; the first has none."""

    title: str
    path: str
    page: Callable[[Release], None]


PLACES = (
    Place("Tonight", "", tonight.page),
    Place("Segment", "segment", segment.page),
    Place("Movement", "movement", movement.page),
    Place("Personas", "personas", personas.page),
    Place("Campaigns", "campaigns", campaigns.page),
    Place("Try a segment", "try", try_a_segment.page),
    Place("Change preview", "change", change_preview.page),
    Place("Customer", "customer", customer.page),
    Place("Quality", "quality", quality.page),
)
