"""The waterfall as more than one page draws it: from everybody to the members, clause by clause."""

from __future__ import annotations

import altair as alt
import pandas as pd
import streamlit as st

from dashboard.saying import notice
from dashboard.tables import by_thousands
from orchestration.read import palette
from orchestration.read.waterfall import Waterfall


def draw_steps(told: Waterfall) -> None:
    if told.remark:
        notice("info", told.remark)
    rows = [
        {
            "step": "Everybody in the base",
            "left": told.base,
            "dropped here": 0,
            "dropped by it alone": 0,
            "kept out by it and no other": 0,
        }
    ]
    rows += [
        {
            "step": one.clause,
            "left": one.left,
            "dropped here": one.dropped,
            "dropped by it alone": one.dropped_alone,
            "kept out by it and no other": one.kept_out,
        }
        for one in told.steps
    ]
    frame = pd.DataFrame(rows)
    frame["place"] = [f"{place}. {step}" if place else str(step) for place, step in enumerate(frame["step"])]
    frame["before"] = frame["left"] + frame["dropped here"]
    frame["said"] = [
        f"{left:,} (-{dropped:,})" if dropped else f"{left:,}"
        for left, dropped in zip(frame["left"], frame["dropped here"], strict=True)
    ]
    at = alt.Y("place:N", sort=None, title=None, axis=alt.Axis(labelLimit=180))
    # The figures stand behind the bars, and want room there.
    upto = alt.Scale(domain=[0, 1.45 * told.base or 1], nice=False)
    words = [
        alt.Tooltip("step:N"),
        alt.Tooltip("left:Q", format=","),
        alt.Tooltip("dropped here:Q", format=","),
    ]
    before = (
        alt.Chart(frame)
        .mark_bar(color=palette.LIGHT_GREY)
        .encode(
            alt.X(
                "before:Q",
                title="customers left, and dropped here",
                scale=upto,
                axis=alt.Axis(format=",.0f", tickCount=5),
            ),
            at,
            tooltip=words,
        )
    )
    left = alt.Chart(frame).mark_bar(color=palette.MEMBERS).encode(alt.X("left:Q"), at, tooltip=words)
    figures = (
        alt.Chart(frame)
        .mark_text(align="left", dx=4, color=palette.GREY)
        .encode(alt.X("before:Q"), at, alt.Text("said:N"))
    )
    st.altair_chart((before + left + figures).properties(height=alt.Step(34)), width="stretch")
    st.dataframe(
        frame.drop(columns=["place", "before", "said"]),
        hide_index=True,
        width="stretch",
        alt="Criteria waterfall",
        column_config=by_thousands(frame),
    )
