"""Tonight: what the release says in the morning. What is held and why, what moved, every segment with its last weeks, the campaigns that run."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

import pandas as pd
import streamlit as st

from dashboard.following import remembered
from dashboard.saying import Tone, empty, notice
from dashboard.tables import download
from orchestration.read import palette
from orchestration.read.figures import counted, day, moment, number
from orchestration.read.opened import Release
from orchestration.read.tonight import NO_CAMPAIGNS, STANDINGS, Hold, SegmentTonight, Shift, Tonight, read_tonight

read = remembered(read_tonight)

ALL = "all"
#: What a segment can be told apart by, and what the filter is called.
FILTERS = {"family": "Family", "owner": "Owner", "channel": "Channel", "standing": "State"}
DOWNLOADED = (
    "segment", "label", "description", "family", "owner", "channel", "scheme", "members", "share_of_base", "entered",
    "exited", "state", "held_since", "held_because", "is_new",
)  # fmt: skip


def page(release: Release) -> None:
    tonight = read(release)
    st.title("Tonight")
    st.caption(
        f"The end of {day(tonight.as_of_date)}, as release {tonight.release} has it, published {moment(tonight.published_at)}."
    )
    _figures(tonight)
    _held(tonight.holds)
    if tonight.new:
        notice("info", ", ".join(segment.segment for segment in tonight.new), "New tonight")
    _shifts(tonight)
    _segments(tonight)
    _campaigns(tonight)


def _figures(tonight: Tonight) -> None:
    fresh = len(tonight.segments) - len(tonight.held)
    with st.container(horizontal=True):
        for label, value in (
            ("Customers", tonight.base_customers),
            ("Segments fresh", fresh),
            ("Held", len(tonight.held)),
            ("New", len(tonight.new)),
        ):
            st.metric(label, number(value), border=True, width=150)


def _held(holds: Sequence[Hold]) -> None:
    for hold in holds:
        notice("warning", hold.sentence, hold.title)


def _shifts(tonight: Tonight) -> None:
    st.header("What moved unexpectedly")
    for shift in tonight.shifts:
        notice(_tone(shift), shift.sentence, shift.title(tonight.as_of_date))
    if tonight.shifts:
        return
    empty(tonight.nothing_moved)


def _segments(tonight: Tonight) -> None:
    st.header("Segments")
    chosen = _matching(tonight.segments)
    if not chosen:
        return empty("No segment matches. Empty the search, or choose “all” again.")
    frame = pd.DataFrame(
        {
            "Segment": [f"segment?segment={quote(segment.segment)}" for segment in chosen],
            "Members": [segment.members for segment in chosen],
            "State": [segment.standing for segment in chosen],
            "Last weeks": [[count for count in segment.counts if count is not None] for segment in chosen],
            "Entered": pd.array([segment.entered for segment in chosen], dtype="Int64"),
            "Exited": pd.array([segment.exited for segment in chosen], dtype="Int64"),
            "Of base": [segment.share_of_base and 100 * segment.share_of_base for segment in chosen],
            "Label": [segment.label for segment in chosen],
            "Family": [segment.family for segment in chosen],
            "Owner": [segment.owner for segment in chosen],
            "Channel": [segment.channel for segment in chosen],
        }
    )
    column = st.column_config
    st.dataframe(
        frame,
        height="content",
        hide_index=True,
        alt="Segments of tonight",
        column_config={
            "Segment": column.LinkColumn(display_text=r"segment=(.*)$", pinned=True, width=220),
            "Label": column.TextColumn(width=240),
            "Members": column.NumberColumn(format="localized"),
            "Last weeks": column.LineChartColumn(
                help=f"Members per day since {day(tonight.days[0])}; each segment on its own scale.",
                color=palette.OBSERVED,
            ),
            "Of base": column.NumberColumn(format="%.1f%%"),
            "Entered": column.NumberColumn(format="localized"),
            "Exited": column.NumberColumn(format="localized"),
        },
    )
    if tonight.missing:
        days = ", ".join(day(one) for one in tonight.missing)
        notice(
            "warning",
            f"Nothing was counted on {days}: the lines of the last weeks leave {'it' if len(tonight.missing) == 1 else 'them'} out.",
        )
    with st.container(horizontal=True, vertical_alignment="center"):
        download(chosen, DOWNLOADED, f"segments_{tonight.as_of_date}.csv")
        st.caption(f"{counted(len(chosen), 'segment', 'segments')} of {number(len(tonight.segments))}")


def _matching(segments: Sequence[SegmentTonight]) -> list[SegmentTonight]:
    """The segments that the search and the filters leave, those held and new first. What is chosen stands in the address."""
    with st.container(horizontal=True):
        words = (
            st.text_input("Search", key="search", placeholder="Name, label or rule", bind="query-params")
            .lower()
            .split()
        )
        for field, label in FILTERS.items():
            values = sorted({getattr(segment, field) for segment in segments})
            value = st.selectbox(label, [ALL, *values], key=field, bind="query-params")
            segments = [segment for segment in segments if value in (ALL, getattr(segment, field))]
    found = [
        segment
        for segment in segments
        if all(word in f"{segment.segment} {segment.label} {segment.description}".lower() for word in words)
    ]
    return sorted(found, key=lambda segment: (STANDINGS.index(segment.standing), segment.segment))


def _campaigns(tonight: Tonight) -> None:
    st.header("Campaigns that run")
    if not tonight.campaigns:
        return empty(NO_CAMPAIGNS)
    for campaign in tonight.campaigns:
        notice("info", campaign.sentence, campaign.title)


def _tone(shift: Shift) -> Tone:
    return "critical" if shift.severity == "critical" else "warning" if shift.severity == "warning" else "info"
