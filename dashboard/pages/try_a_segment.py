"""Try a segment: a condition, and what it would make; then the files that make a segment of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt
import pandas as pd
import streamlit as st

from dashboard.following import remembered
from dashboard.saying import empty, notice, refused
from dashboard.steps import draw_steps
from dashboard.tables import by_thousands
from dashboard.writing import ASKING, written
from orchestration.errors import SegmentsError
from orchestration.read import palette
from orchestration.read.drafts import Draft, read_draft
from orchestration.read.figures import counted, day, number, share
from orchestration.read.opened import Release
from orchestration.read.trial import Overlap, Size, Spread, Trial, try_draft
from orchestration.settings import load_settings, locate_home
from orchestration.transform.project import PROJECT_DIR
from orchestration.transform.scaffold import Words, files_of, is_checkout, scaffold

CHANNELS = ("email", "sms", "post", "push")


def _ask(release: Release, text: str, variables: Mapping[str, str]) -> tuple[Draft, Trial]:
    draft = read_draft(release, text, variables)
    return draft, try_draft(release, draft)


asked = remembered(_ask)


def page(release: Release) -> None:
    st.title("Try a segment")
    text = written(release, "try")
    if not text.strip():
        return empty(
            "Write a condition on the attributes of a customer: what it would make is shown here, and nothing is written."
        )
    try:
        with st.spinner(ASKING):
            draft, trial = asked(release, text, load_settings(locate_home()).variables)
    except SegmentsError as problem:
        return refused(problem)
    with st.container(horizontal=True):
        st.metric("Members", number(trial.members), border=True, width=150)
        st.metric("Of the base", share(trial.share_of_base), border=True, width=150)
    st.header("From everybody to the members")
    draw_steps(trial.waterfall)
    _history(trial.history, trial.history_gap)
    _overlaps(trial.overlaps, trial.members)
    _spreads(trial)
    _save(draft)


def _history(sizes: Sequence[Size], gap: str | None) -> None:
    st.header("Its size over the last year")
    if gap:
        notice("info", gap)
    if len(sizes) > 1:
        frame = pd.DataFrame({"day": [one.as_of_date for one in sizes], "members": [one.members for one in sizes]})
        line = (
            alt.Chart(frame)
            .mark_line(color=palette.OBSERVED, point=True)
            .encode(
                alt.X("day:T", title=None, axis=_days_of(sizes)),
                alt.Y("members:Q", axis=alt.Axis(format=",.0f")),
                tooltip=[alt.Tooltip("day:T", format="%Y-%m-%d"), alt.Tooltip("members:Q", format=",")],
            )
        )
        st.altair_chart(line.properties(height=220), width="stretch")
    table = pd.DataFrame(
        [
            {
                "day": day(one.as_of_date),
                "members": one.members,
                "of the base": share(one.members / one.base if one.base else None),
            }
            for one in reversed(sizes)
        ]
    )
    right = {"of the base": st.column_config.TextColumn(alignment="right")}
    st.dataframe(
        table,
        hide_index=True,
        width="stretch",
        height="content",
        alt="Size by day",
        column_config=by_thousands(table) | right,
    )
    st.caption("At the ends of months and today, of those who are customers still.")


def _days_of(sizes: Sequence[Size]) -> alt.Axis:
    """Ticks at the days that were counted, and at no others."""
    days = [alt.DateTime(year=on.year, month=on.month, date=on.day) for on in (one.as_of_date for one in sizes)]
    return alt.Axis(values=days, format="%Y-%m-%d", labelAngle=0, labelOverlap=True)


def _overlaps(found: Sequence[Overlap], members: int) -> None:
    st.header("Beside the other segments")
    sharing = [one for one in found if one.members_both]
    if not sharing:
        return empty("It would share no member with a segment that there is.")
    frame = pd.DataFrame(
        [
            {
                "Segment": one.segment,
                "Members of both": one.members_both,
                "Of the draft": share(one.members_both / members),
                "Its members": one.members,
                "Alike (Jaccard)": one.jaccard,
            }
            for one in sharing
        ]
    )
    alike = st.column_config.ProgressColumn(format="%.2f", min_value=0, max_value=1, color=palette.MEMBERS)
    st.dataframe(
        frame,
        hide_index=True,
        width="stretch",
        alt="Overlap",
        column_config=by_thousands(frame)
        | {"Of the draft": st.column_config.TextColumn(alignment="right"), "Alike (Jaccard)": alike},
    )


def _spreads(trial: Trial) -> None:
    st.header("Who they are, beside everybody")
    if not trial.members:
        return empty("It has no members.")
    places = [place for _ in range(0, len(trial.spreads), 2) for place in st.columns(2)]
    for place, spread in zip(places, trial.spreads, strict=False):
        with place:
            st.subheader(spread.attribute.replace("_", " ").capitalize())
            st.altair_chart(_drawn(spread, trial), width="stretch")


def _drawn(spread: Spread, trial: Trial) -> alt.Chart:
    rows = [
        {"value": one.value, "who": who, "share": count / whole, "customers": count}
        for one in spread.bins
        for who, count, whole in (
            ("members", one.members, trial.members),
            ("everybody", one.base, trial.waterfall.base),
        )
    ]
    bars: alt.Chart = (
        alt.Chart(pd.DataFrame(rows))
        .mark_bar()
        .encode(
            alt.X("share:Q", title="share of each", axis=alt.Axis(format="%")),
            alt.Y("value:N", sort=None, title=None, axis=alt.Axis(labelLimit=200)),
            alt.YOffset("who:N", sort=None, scale=alt.Scale(paddingInner=0)),
            alt.Color(
                "who:N",
                sort=None,
                title=None,
                scale=alt.Scale(domain=["members", "everybody"], range=[palette.MEMBERS, palette.LIGHT_GREY]),
                legend=alt.Legend(orient="top"),
            ),
            tooltip=["value:N", "who:N", alt.Tooltip("customers:Q", format=","), alt.Tooltip("share:Q", format=".1%")],
        )
    )
    return bars


def _save(draft: Draft) -> None:
    st.header("Save it as a segment")
    with st.form("save", enter_to_submit=False):
        left, right = st.columns(2)
        with left:
            name = st.text_input(
                "Name", placeholder="women_65_and_over", help="Lower-case letters, digits and underscores."
            )
            label = st.text_input("Label", placeholder="Women aged 65 and over")
            channel = st.selectbox("Channel", CHANNELS)
        with right:
            objective = st.text_input("Objective", placeholder="What marketing wants of them")
            owner = st.text_input("Owner", value="marketing")
            family = st.text_input("Family", value="demographics")
        description = st.text_area(
            "Description", placeholder="The rule in words, its boundaries included. One row per member and as-of date."
        )
        shows = st.form_submit_button("Show the files")
        writes = is_checkout() and st.form_submit_button("Write them into the project")
    if not (shows or writes):
        return
    words = Words(
        label=label or "",
        description=description or "",
        objective=objective or "",
        owner=owner or "",
        channel=channel or "",
        family=family or "",
    )
    try:
        files = files_of(name or "", sql=draft.model, words=words)
        if writes:
            scaffold(name or "", sql=draft.model, words=words)
    except SegmentsError as problem:
        return refused(problem)
    except OSError as problem:
        return notice(
            "critical", f"The project cannot be written here ({problem.strerror}): show the files, and copy them."
        )
    if writes:
        notice("info", f"{counted(len(files), 'file is', 'files are')} written: commit them, and the next refresh gives the segment its history.", "Saved")  # fmt: skip
    else:
        notice("info", "Nothing is written. Commit the two files, and the list with the segment in it.")
    for file, text in files.items():
        st.text(str(file.relative_to(PROJECT_DIR.parent)))
        st.code(text, language="yaml" if file.suffix == ".yml" else "sql", wrap_lines=True)
