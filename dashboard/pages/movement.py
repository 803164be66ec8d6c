"""Movement: who went from which stage of a scheme to which between two days, and how all segments lie over each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from html import escape

import altair as alt
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from dashboard.choosing import chosen, chosen_day
from dashboard.following import remembered
from dashboard.saying import empty, notice
from dashboard.tables import download
from orchestration.read import palette
from orchestration.read.figures import counted, day, number, share
from orchestration.read.movement import (
    NEAR_DUPLICATE,
    Flow,
    Movement,
    Overlap,
    Pair,
    Scheme,
    movement,
    overlap,
    schemes,
)
from orchestration.read.opened import Release

schemes_of, movement_of, overlap_of = remembered(schemes), remembered(movement), remembered(overlap)

#: Between the days that are shown first.
DAYS_SHOWN = 30
OUTSIDE = "in no stage"
#: Rows of a list of pairs that are seen without scrolling.
PAIRS_IN_SIGHT = 10


def page(release: Release) -> None:
    st.title("Movement")
    st.header("Between the stages of a scheme")
    known = schemes_of(release)
    if known:
        _flows(release, known)
    else:
        empty(
            "No segment of this release belongs to an exclusive scheme. Name one in a segment's file (`scheme`), and its stages are shown here."
        )
    st.header("Between all segments today")
    _overlap(overlap_of(release))


def _flows(release: Release, known: Sequence[Scheme]) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = chosen("Scheme", [one.name for one in known], "scheme", width=220)
        scheme = next(one for one in known if one.name == name)
        days = _days(scheme, release.as_of_date)
    if days is None:
        return
    told = movement_of(release, scheme.name, *days)
    for remark in told.remarks:
        notice("info", remark)
    if not told.flows:
        return empty(f"Nobody was in a stage of {scheme.name} on either day.")
    with st.container(horizontal=True):
        for label, value in (("Moved", told.moved), ("Stayed where they were", told.stayed)):
            st.metric(label, number(value), border=True, width=200)
    _sankey(told)
    _stages(scheme, told)
    _moves(told, release.as_of_date)


def _days(scheme: Scheme, last: date) -> tuple[date, date] | None:
    """The two days that are chosen; None, with a sentence, where they are not two in their order."""
    if scheme.first_day == last:
        empty(f"{scheme.name} is on record since {day(last)} alone: from the next day on its movements are shown here.")
        return None
    first = max(scheme.first_day, last - timedelta(DAYS_SHOWN))
    since = chosen_day("From the end of", first, scheme.first_day, last, "since")
    until = chosen_day("to the end of", last, scheme.first_day, last, "until")
    if since is None or until is None or since >= until:
        empty("Choose a second day that is later than the first.")
        return None
    return since, until


def _sankey(told: Movement) -> None:
    # Those who stay are most, and drawn they hide who moves.
    with_stays = st.toggle("Draw who stayed too", key="stays", bind="query-params")
    drawn = [flow for flow in told.flows if flow.is_move or with_stays]
    if not drawn:
        return empty(f"Nobody moved: all {told.stayed:,} were in the same stage on both days.")
    before = _ranked((flow.from_stage, flow.customers) for flow in drawn)
    after = _ranked((flow.to_stage, flow.customers) for flow in drawn)
    stages = sorted({stage for flow in told.flows for stage in (flow.from_stage, flow.to_stage) if stage})
    colour_of = {stage: palette.CATEGORIES[place % len(palette.CATEGORIES)] for place, stage in enumerate(stages)}
    colours = [colour_of.get(stage or "", palette.GREY) for stage in (*before, *after)]
    figure = go.Figure(
        go.Sankey(
            arrangement="snap",
            node={
                "label": [
                    f"{escape(stage or OUTSIDE)}  {count:,}"
                    for ends in (before, after)
                    for stage, count in ends.items()
                ],
                "color": colours,
                "pad": 18,
                "thickness": 14,
                "line": {"width": 0},
                "hovertemplate": "%{label}<extra></extra>",
            },
            link={
                "source": [list(before).index(flow.from_stage) for flow in drawn],
                "target": [len(before) + list(after).index(flow.to_stage) for flow in drawn],
                "value": [flow.customers for flow in drawn],
                "color": [_faint(colour_of.get(flow.from_stage or "", palette.GREY)) for flow in drawn],
                "customdata": [
                    [escape(_name(flow.from_stage)), escape(_name(flow.to_stage)), f"{flow.customers:,}"]
                    for flow in drawn
                ],
                "hovertemplate": "%{customdata[0]} → %{customdata[1]}: %{customdata[2]}<extra></extra>",
            },
        )
    )
    figure.update_layout(
        height=60 + 60 * max(len(before), len(after)), margin={"l": 4, "r": 4, "t": 8, "b": 8}, font={"size": 13}
    )
    figure.update_traces(textfont={"color": palette.BLACK, "shadow": "none"})
    st.plotly_chart(figure, config={"displayModeBar": False}, alt=_in_words(drawn))
    st.caption(
        f"Left the stages at the end of {day(told.since)}, right those at the end of {day(told.until)}; in no stage are also newcomers and the deleted."
    )


def _stages(scheme: Scheme, told: Movement) -> None:
    rows = []
    for stage in scheme.stages:
        before = sum(flow.customers for flow in told.flows if flow.from_stage == stage)
        stayed = sum(flow.customers for flow in told.flows if flow.from_stage == flow.to_stage == stage)
        after = sum(flow.customers for flow in told.flows if flow.to_stage == stage)
        rows.append(
            {
                "Stage": stage,
                "Before": before,
                "Left": before - stayed,
                "Came": after - stayed,
                "After": after,
                "Change": after - before,
            }
        )
    st.subheader("Stage by stage")
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        height="content",
        alt="Stages before and after",
        column_config={name: st.column_config.NumberColumn(format="localized") for name in rows[0] if name != "Stage"}
        | {"Change": st.column_config.NumberColumn(format="%+,d")},
    )


def _moves(told: Movement, today: date) -> None:
    st.subheader("Move by move")
    flows = sorted(told.flows, key=lambda flow: (not flow.is_move, -flow.customers))
    leaving = {
        stage: sum(flow.customers for flow in flows if flow.from_stage == stage)
        for stage in {flow.from_stage for flow in flows}
    }
    st.dataframe(
        pd.DataFrame(
            {
                "From": [_name(flow.from_stage) for flow in flows],
                "To": [_name(flow.to_stage) if flow.is_move else "stayed" for flow in flows],
                "Customers": [flow.customers for flow in flows],
                "Of the stage left": [
                    100 * flow.customers / leaving[flow.from_stage] if flow.from_stage else None for flow in flows
                ],
                "Spend in 365 days": [float(flow.spend) for flow in flows],
            }
        ),
        hide_index=True,
        height="content",
        alt="Moves between stages",
        column_config={
            "Customers": st.column_config.NumberColumn(format="localized"),
            "Of the stage left": st.column_config.NumberColumn(format="%.1f%%"),
            "Spend in 365 days": st.column_config.NumberColumn(format="%,.0f"),
        },
    )
    gone = (
        f" Of {counted(told.gone, 'customer', 'customers')} deleted since it is not known, and left out."
        if told.gone
        else ""
    )
    st.caption(
        f"Spend is what these customers spent in the 365 days up to {day(today)}, whichever days are chosen.{gone}"
    )
    download(
        [replace(flow, from_stage=_name(flow.from_stage), to_stage=_name(flow.to_stage)) for flow in flows],
        ("from_stage", "to_stage", "customers", "spend", "gone"),
        f"{told.scheme}_{told.since}_{told.until}.csv",
    )


def _overlap(told: Overlap) -> None:
    if not told.pairs:
        return empty("There are no two segments in this release, and so nothing that could overlap.")
    _heat_map(told)
    st.subheader("Near-duplicates")
    if told.near_duplicates:
        _pairs(told, told.near_duplicates, "Near-duplicates")
    else:
        empty(f"None: no two segments share {NEAR_DUPLICATE:.0%} of the members of either.{_most_alike(told.pairs)}")
    st.subheader("Empty intersections")
    if not told.empty_intersections:
        return empty("None: any two segments with members share some, but for the stages of one scheme.")
    _pairs(told, told.empty_intersections, "Empty intersections")
    st.caption(
        "Both have members, and none in common; those first of whom the most would be in both if neither had to do with the other. "
        "Stages of one scheme, of which that is wanted, are not listed."
    )


def _heat_map(told: Overlap) -> None:
    cells = []
    for pair in told.pairs:
        for one, members, other in (
            (pair.segment_a, pair.members_a, pair.segment_b),
            (pair.segment_b, pair.members_b, pair.segment_a),
        ):
            cells.append(
                {
                    "segment": one,
                    "other": other,
                    "share": pair.members_both / members if members else None,
                    "both": pair.members_both,
                    "members": members,
                    "jaccard": pair.jaccard,
                }
            )
    down = alt.Axis(labelLimit=190, labelOverlap=False)
    across = alt.Axis(
        labelLimit=190, labelAngle=-90, labelOverlap=True, labelSeparation=2
    )  # what has no room is told by pointing
    chart = (
        alt.Chart(pd.DataFrame(cells))
        .mark_rect()
        .encode(
            alt.X("other:N", sort=list(told.segments), title="are also in", axis=across),
            alt.Y("segment:N", sort=list(told.segments), title=None, axis=down),
            alt.Color(
                "share:Q",
                title="share of the row",
                scale=alt.Scale(
                    domain=[0, 1], range=["#F4F7FA", palette.SKY, palette.BLUE, "#00273D"], interpolate="lab"
                ),
                legend=alt.Legend(orient="top", format="%", gradientLength=140),
            ),
            tooltip=[
                alt.Tooltip("segment:N"),
                alt.Tooltip("members:Q", title="its members", format=","),
                alt.Tooltip("other:N", title="are also in"),
                alt.Tooltip("both:Q", title="members of both", format=","),
                alt.Tooltip("share:Q", format=".1%"),
                alt.Tooltip("jaccard:Q", title="alike (Jaccard)", format=".2f"),
            ],
        )
    )
    st.altair_chart(chart.properties(height=alt.Step(20)), alt="Overlap of all segments")
    st.caption(
        "Of the members of the segment at the left, the share who are in the one below too. Families stand together; a column has the order of the rows."
    )


def _pairs(told: Overlap, pairs: Sequence[Pair], said: str) -> None:
    st.dataframe(
        pd.DataFrame(
            {
                "Segment": [pair.segment_a for pair in pairs],
                "Members": [pair.members_a for pair in pairs],
                "and": [pair.segment_b for pair in pairs],
                "its members": [pair.members_b for pair in pairs],
                "Of both": [pair.members_both for pair in pairs],
                "By chance": [told.by_chance(pair) for pair in pairs],
            }
        ),
        hide_index=True,
        height=min(len(pairs), PAIRS_IN_SIGHT) * 35 + 40,
        alt=said,
        column_config={
            name: st.column_config.NumberColumn(format="localized") for name in ("Members", "its members", "Of both")
        }
        | {
            "By chance": st.column_config.NumberColumn(
                format="%,.0f", help="Members of both if neither had to do with the other."
            )
        },
    )


def _most_alike(pairs: Sequence[Pair]) -> str:
    found = max((pair for pair in pairs if pair.members_both), key=lambda pair: pair.jaccard or 0, default=None)
    if found is None:
        return ""
    return f" The most alike are {found.segment_a} and {found.segment_b}, with {share(found.jaccard)}."


def _ranked(ends: Iterable[tuple[str | None, int]]) -> dict[str | None, int]:
    """The stages at one end of the flows with their customers, the largest first and those in no stage last."""
    found: dict[str | None, int] = {}
    for stage, customers in ends:
        found[stage] = found.get(stage, 0) + customers
    return dict(sorted(found.items(), key=lambda one: (one[0] is None, -one[1])))


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, 0.35)"


def _name(stage: str | None) -> str:
    return stage or OUTSIDE


def _in_words(flows: Sequence[Flow]) -> str:
    said = [f"{flow.customers:,} from {_name(flow.from_stage)} to {_name(flow.to_stage)}" for flow in flows]
    return f"Flows between stages: {', '.join(said)}."
