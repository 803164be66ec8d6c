"""The waterfall as more than one page draws it: from everybody to the members, clause by clause."""

from __future__ import annotations

import altair as alt
import pandas as pd
import streamlit as st

from dashboard.figures import by_thousands
from dashboard.saying import notice
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
    frame["place"] = [f"{place}. {step}" for place, step in enumerate(frame["step"])]
    at = alt.Y("place:N", sort=None, title=None, axis=alt.Axis(labelLimit=280))
    bars = (
        alt.Chart(frame)
        .mark_bar(color=palette.MEMBERS)
        .encode(
            alt.X("left:Q", title="customers left", axis=alt.Axis(format=",.0f")),
            at,
            tooltip=["step:N", alt.Tooltip("left:Q", format=","), alt.Tooltip("dropped here:Q", format=",")],
        )
    )
    counts = (
        alt.Chart(frame)
        .mark_text(align="left", dx=4, color=palette.GREY)
        .encode(alt.X("left:Q"), at, alt.Text("left:Q", format=","))
    )
    st.altair_chart((bars + counts).properties(height=alt.Step(34)), width="stretch")
    st.dataframe(
        frame.drop(columns="place"),
        hide_index=True,
        width="stretch",
        alt="Criteria waterfall",
        column_config=by_thousands(frame),
    )
