"""Change preview: an edited rule of a segment that there is: who enters, who leaves, what they are worth, and who uses the segment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

import altair as alt
import pandas as pd
import streamlit as st

from dashboard.choosing import chosen
from dashboard.following import remembered
from dashboard.saying import empty, notice, refused
from dashboard.steps import draw_steps
from dashboard.tables import by_thousands
from dashboard.writing import ASKING, names_of, written
from orchestration.errors import SegmentsError
from orchestration.read import palette
from orchestration.read.change import Change, condition_of, in_markdown, preview_change
from orchestration.read.drafts import Draft, read_draft
from orchestration.read.figures import number, signed
from orchestration.read.opened import Release
from orchestration.settings import load_settings, locate_home
from orchestration.transform.scaffold import rules_written

condition = remembered(condition_of)


def _ask(release: Release, segment: str, text: str, variables: Mapping[str, str]) -> tuple[Draft, Change]:
    draft = read_draft(release, text, variables)
    return draft, preview_change(release, segment, draft)


asked = remembered(_ask)


def page(release: Release) -> None:
    st.title("Change preview")
    segments = names_of(release)
    if not segments:
        return empty("There is no segment in this release whose rule could be edited.")
    segment = chosen("Segment", segments, "segment")
    text = written(release, f"change {segment}", _rule(release, segment))
    settings = load_settings(locate_home())
    try:
        with st.spinner(ASKING):
            draft, change = asked(release, segment, text, settings.variables)
    except SegmentsError as problem:
        return refused(problem)
    if change.remark:
        notice("info", change.remark)
    _who(change, settings.currency)
    _clauses(change)
    st.header("From everybody to the members")
    draw_steps(change.waterfall)
    _users(change)
    st.header("To be committed")
    st.text(f"dbt_project/models/segments/{segment}.sql")
    st.code(draft.model, language="sql", wrap_lines=True)
    with st.expander("For the pull request, as `segments diff --markdown` says it"):
        st.code(in_markdown(change, settings.currency), language="markdown", wrap_lines=True)


def _rule(release: Release, segment: str) -> str:
    """The rule to be edited: as the project's file says it, which the release may not have yet; where there is no such file, as it was published."""
    file = rules_written().get(segment)
    return file.read_text(encoding="utf-8").rstrip() if file else condition(release, segment)


def _who(change: Change, currency: str) -> None:
    with st.container(horizontal=True):
        st.metric("Members now", number(change.members_before), border=True, width=150)
        st.metric("Members then", number(change.members_after), border=True, width=150)
        st.metric("Difference", signed(change.members_after - change.members_before), border=True, width=150)
    if not change.is_any:
        return empty("Nothing changes: these are the segment's clauses, and its members.")
    groups = {"enter": change.enters, "leave": change.leaves, "stay": change.stays}
    spent = f"spend of the last 365 days, {currency}"
    frame = pd.DataFrame(
        [{"who": who, "customers": one.customers, spent: number(float(one.revenue), 2)} for who, one in groups.items()]
    )
    bars = (
        alt.Chart(frame)
        .mark_bar()
        .encode(
            alt.X("customers:Q", axis=alt.Axis(format=",.0f")),
            alt.Y("who:N", sort=None, title=None),
            alt.Color(
                "who:N",
                legend=None,
                scale=alt.Scale(domain=list(groups), range=[palette.ENTERED, palette.EXITED, palette.LIGHT_GREY]),
            ),
            tooltip=["who:N", alt.Tooltip("customers:Q", format=","), f"{spent}:N"],
        )
    )
    st.altair_chart(bars.properties(height=alt.Step(30)), width="stretch")
    right = {spent: st.column_config.TextColumn(alignment="right")}
    st.dataframe(frame, hide_index=True, width="stretch", alt="Who changes", column_config=by_thousands(frame) | right)


def _clauses(change: Change) -> None:
    st.header("Clauses")
    rows = [{"clause": one, "change": "gone"} for one in change.clauses_gone]
    rows += [{"clause": one, "change": "new"} for one in change.clauses_new]
    if not rows:
        return empty("The clauses are the same.")
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch", alt="Clauses that differ")


def _users(change: Change) -> None:
    st.header("Who uses it")
    if change.built_on_it:
        frame = pd.DataFrame({"segments that are built on it": list(change.built_on_it)})
        st.dataframe(frame, hide_index=True, width="stretch", alt="Built on it")
    else:
        empty("No other segment is built on it.")
    if change.campaigns:
        frame = pd.DataFrame([asdict(one) for one in change.campaigns]).astype({"starts_on": str, "ends_on": str})
        frame.columns = ["campaign", "segment", "name", "state", "starts", "ends"]
        st.dataframe(frame, hide_index=True, width="stretch", alt="Campaigns on it")
    else:
        empty("No campaign is on it.")
    if change.personas:
        frame = pd.DataFrame({"personas that speak of it": list(change.personas)})
        st.dataframe(frame, hide_index=True, width="stretch", alt="Personas of it")
