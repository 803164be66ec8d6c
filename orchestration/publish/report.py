"""The nightly page of a release: what Tonight says, as one file that needs no network and no script, small enough for an e-mail.

Its lines are drawn here, as points of an SVG: a plotting library's picture is some twenty times as long, and there is one per segment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from orchestration.read import palette
from orchestration.read.figures import number, share
from orchestration.read.opened import Release
from orchestration.read.series import daily_series
from orchestration.read.tonight import DAYS_SHOWN, NO_CAMPAIGNS, STANDINGS, SegmentTonight, Shift, Tonight, read_tonight

REPORT = "report.html"

#: Bytes; some readers of mail cut off what is longer than 102 kB.
LARGEST = 100_000
#: How many segments, shifts, pictures of shifts, campaigns and reasons of holds are told one by one: fewer, until the page is small enough.
TOLD = (
    (120, 20, 6, 20, 20),
    (100, 20, 4, 15, 15),
    (80, 15, 3, 10, 10),
    (60, 10, 2, 8, 8),
    (40, 8, 1, 5, 5),
    (20, 5, 0, 3, 3),
    (5, 3, 0, 2, 2),
)
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
    """The page as HTML, at most ``LARGEST`` bytes. The same release gives the same page to the byte."""
    tonight = read_tonight(release)
    segments = sorted(tonight.segments, key=_in_order)
    pictures = [_picture(release, tonight, shift) for shift in tonight.shifts[: TOLD[0][2]]]
    template = _template()

    def page(segments_told: int, shifts: int, drawn: int, campaigns: int, holds: int) -> str:
        shown = [*pictures[:drawn], *[None] * len(tonight.shifts)]
        return template.render(
            tonight=tonight,
            segments=segments[:segments_told],
            shifts=list(zip(tonight.shifts[:shifts], shown, strict=False)),
            campaigns=tonight.campaigns[:campaigns],
            holds=tonight.holds[:holds],
            no_campaigns=NO_CAMPAIGNS,
            palette=palette,
            spark=SPARK,
            picture=PICTURE,
        )

    pages = (page(*told) for told in TOLD)
    return next(one for one in pages if len(one.encode()) <= LARGEST)


def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("orchestration.publish", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": number,
        "share": share,
        "short": lambda text: _cut(text, SHORT),
        "long": lambda text: _cut(text, LONG),
        "spark": lambda counts: points(counts, *SPARK),
    }
    return environment.get_template("report.html.j2")


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
    return STANDINGS.index(segment.standing), -changed / max(segment.members, 1), segment.segment


def _cut(text: str, characters: int) -> str:
    return text if len(text) <= characters else f"{text[: characters - 1].rstrip()}…"
