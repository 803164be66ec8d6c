"""The nightly page of a release: what Tonight says, as one file that needs no network and no script, small enough for an e-mail.

Its lines are drawn here, as points of an SVG: a plotting library's picture is some twenty times as long, and there is one per segment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from jinja2 import Environment, PackageLoader, StrictUndefined

from orchestration.read import palette
from orchestration.read.opened import Release
from orchestration.read.series import daily_series
from orchestration.read.tonight import DAYS_SHOWN, SegmentTonight, Shift, Tonight, read_tonight

REPORT = "report.html"

#: Mail is cut off by some readers above 102 kB, so that there is an end to what is told one by one.
SEGMENTS_TOLD, HOLDS_TOLD, SHIFTS_TOLD, SHIFTS_DRAWN, CAMPAIGNS_TOLD = 120, 20, 20, 6, 20
#: Characters of a name or a label, and of a sentence, from which on they are cut.
SHORT, LONG = 80, 400

#: Of the line beside a segment, and of the picture of a shift; in pixels.
SPARK, PICTURE = (96, 20), (600, 110)


@dataclass(frozen=True)
class Picture:
    """The days of a shift's segment, drawn: points of the line and of the band around what was expected, and the ends of both axes."""

    line: str
    band: str
    first: date
    last: date
    lowest: int
    highest: int


def report(release: Release) -> str:
    """The page as HTML, below 100 kB. The same release gives the same page to the byte."""
    tonight = read_tonight(release)
    segments = sorted(tonight.segments, key=_in_order)
    environment = Environment(
        loader=PackageLoader("orchestration.publish", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": lambda value: "–" if value is None else f"{value:,}",
        "share": lambda value: "–" if value is None else f"{value:.1%}",
        "short": lambda text: _cut(text, SHORT),
        "long": lambda text: _cut(text, LONG),
        "spark": lambda counts: points(counts, *SPARK),
    }
    return environment.get_template("report.html.j2").render(
        tonight=tonight,
        segments=segments[:SEGMENTS_TOLD],
        shifts=[
            (shift, _picture(release, tonight, shift) if number < SHIFTS_DRAWN else None)
            for number, shift in enumerate(tonight.shifts[:SHIFTS_TOLD])
        ],
        campaigns=tonight.campaigns[:CAMPAIGNS_TOLD],
        holds=tonight.holds[:HOLDS_TOLD],
        palette=palette,
        spark=SPARK,
        picture=PICTURE,
    )


def points(values: Sequence[float | None], width: int, height: int, ends: tuple[float, float] | None = None) -> str:
    """A line through the values from left to right, as the points of an SVG polyline; ``ends`` are what lies at the bottom and at the top.
    A day without a value keeps its place, and the line goes past it. Empty where there are not two values to join.
    """
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return ""
    lowest, highest = ends or (min(known), max(known))
    up = (height - 2) / (highest - lowest or 1)
    right = width / (len(values) - 1)
    return " ".join(
        f"{at * right:.0f},{height - 1 - (value - lowest) * up:.0f}"
        for at, value in enumerate(values)
        if value is not None
    )


def _picture(release: Release, tonight: Tonight, shift: Shift) -> Picture | None:
    """The last weeks of a shift's segment; None for what is not one segment's, or has no two days."""
    if shift.segment is None:
        return None
    since = tonight.as_of_date - timedelta(DAYS_SHOWN - 1)
    days = [day for day in daily_series(release, shift.segment) if day.as_of_date >= since]
    if len(days) < 2:
        return None
    lowest, highest = min(day.members for day in days), max(day.members for day in days)
    # A band that is wide for want of days would flatten the line.
    room = max(highest - lowest, 1)
    lower = [_within(day.lower, lowest - room, highest + room) for day in days]
    upper = [_within(day.upper, lowest - room, highest + room) for day in days]
    ends = (
        min([lowest, *(one for one in lower if one is not None)]),
        max([highest, *(one for one in upper if one is not None)]),
    )
    band = f"{points(upper, *PICTURE, ends)} {' '.join(reversed(points(lower, *PICTURE, ends).split()))}".strip()
    return Picture(
        line=points([day.members for day in days], *PICTURE, ends),
        band=band,
        first=days[0].as_of_date,
        last=days[-1].as_of_date,
        lowest=round(ends[0]),
        highest=round(ends[1]),
    )


def _within(value: float | None, lowest: float, highest: float) -> float | None:
    return None if value is None else min(max(value, lowest), highest)


def _in_order(segment: SegmentTonight) -> tuple[int, float, str]:
    """Those held first, then the new ones, then those of whose members the most changed."""
    changed = (segment.entered or 0) + (segment.exited or 0)
    return ("held", "new", "fresh").index(segment.standing), -changed / max(segment.members, 1), segment.segment


def _cut(text: str, characters: int) -> str:
    return text if len(text) <= characters else f"{text[: characters - 1].rstrip()}…"
