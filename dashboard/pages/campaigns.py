"""Campaigns: all of them with what is said of each, and of one what came of it: the verdict, what it rests on, the effect day by day."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

import altair as alt
import pandas as pd
import streamlit as st

from dashboard.figures import counted, day, number
from dashboard.following import remembered
from dashboard.saying import Tone, empty, heading, notice, sentence
from dashboard.tables import download
from orchestration.measure.campaigns.figures import Range, count, percent
from orchestration.measure.campaigns.measurement import Measurement
from orchestration.read import palette
from orchestration.read.campaigns import CampaignLine, campaigns
from orchestration.read.opened import Release
from orchestration.target.outcome import Outcome, outcome_in

all_of, outcome_of = remembered(campaigns), remembered(outcome_in)

ALL = "all"
#: Rows of a list that are seen without scrolling.
IN_SIGHT = 10
#: How much of a sentence is read in a cell.
EVIDENCE = {
    "randomised": "drawn by lot",
    "matched": "nobody held out",
    "none": "nothing to compare",
    None: "not measured yet",
}


def page(release: Release) -> None:
    st.title("Campaigns")
    known = all_of(release)
    if not known:
        return empty(
            "There is no campaign in this release. Plan one with a file in the home's `campaigns` folder: it appears here once it is launched."
        )
    _list(known)
    ids = [one.campaign_id for one in known]
    st.header("One campaign")
    asked = st.selectbox("Campaign", ids, key="campaign", bind="query-params", width=320)
    _one(outcome_of(release, asked))


def _list(known: Sequence[CampaignLine]) -> None:
    with st.container(horizontal=True):
        state = st.selectbox(
            "State", [ALL, *sorted({one.state or "" for one in known})], key="state", bind="query-params", width=180
        )
        words = st.text_input("Search", key="search", placeholder="Name, segment or channel", width=260).lower().split()
    chosen = [
        one
        for one in known
        if state in (ALL, one.state or "")
        and all(word in f"{one.campaign_id} {one.campaign_name} {one.segment} {one.channel}".lower() for word in words)
    ]
    if not chosen:
        return empty("No campaign matches. Empty the search, or choose “all” again.")
    st.dataframe(
        pd.DataFrame(
            {
                "Campaign": [f"campaigns?campaign={quote(one.campaign_id)}" for one in chosen],
                "Name": [one.campaign_name for one in chosen],
                "State": [one.state for one in chosen],
                "Starts": [day(one.starts_on) for one in chosen],
                "Measured until": [day(one.measured_until) for one in chosen],
                "Segment": [one.segment or "–" for one in chosen],
                "Channel": [one.channel or "–" for one in chosen],
                "Evidence": [EVIDENCE.get(one.evidence, one.evidence) for one in chosen],
                "Said": [one.message for one in chosen],
            }
        ),
        hide_index=True,
        height=min(len(chosen), IN_SIGHT) * 35 + 40,
        alt="Campaigns",
        column_config={"Campaign": st.column_config.LinkColumn(display_text=r"campaign=(.*)$", pinned=True)},
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        download(chosen, tuple(CampaignLine.__dataclass_fields__), "campaigns.csv")
        st.caption(f"{counted(len(chosen), 'campaign', 'campaigns')} of {number(len(known))}")


def _one(outcome: Outcome) -> None:
    known = outcome.known
    heading(known.campaign_name or known.campaign_id)
    facts = (
        known.objective,
        known.segment and f"Segment {known.segment}",
        known.channel and f"By {known.channel}",
        f"{day(known.starts_on)} to {day(known.ends_on)}, orders count until {day(known.measured_until)}",
        None if known.holdout is None else f"Held out {known.holdout:.0%}",
    )
    sentence(". ".join(fact.rstrip(".") for fact in facts if fact) + ".")
    tone: Tone = "critical" if known.was_planned and outcome.primary and outcome.primary.verdict == "loss" else "info"
    notice(tone, outcome.verdict, "Did it work?")
    for said in outcome.sentences:
        sentence(said)
    if outcome.primary is None:
        return
    _effect(outcome)
    _measured(outcome)
    _segments(outcome)
    if not outcome.is_randomised:
        _unlike(outcome)
    if known.was_planned:
        st.caption("What was foreseen, beside this")
        st.code(f"segments campaign show {known.campaign_id}", language=None)


def _effect(outcome: Outcome) -> None:
    st.subheader("Day by day")
    rows = [row for row in outcome.days if row.lift is not None]
    if not rows:
        return empty("There is no day yet on which the two groups could be compared.")
    frame = pd.DataFrame(
        {
            "on": [pd.Timestamp(row.as_of_date) for row in rows],
            "lift": [row.lift for row in rows],
            "lower": [row.lower for row in rows],
            "upper": [row.upper for row in rows],
            "lower_anytime": [row.lower_anytime for row in rows],
            "upper_anytime": [row.upper_anytime for row in rows],
        }
    )
    axis = alt.X("on:T", title=None, axis=alt.Axis(format="%Y-%m-%d", labelOverlap=True))
    last = frame.iloc[-1]
    ends = [
        abs(end)
        for end in (last.lower, last.upper, last.lower_anytime, last.upper_anytime)
        if end == end and end is not None
    ]
    # The first days know next to nothing, and would flatten all others.
    reach = 2.5 * max([*ends, abs(last.lift)]) or 1.0
    scale = alt.Scale(domain=[-reach, reach], clamp=True)
    form = ".1%" if rows[-1].metric in ("ordered", "responded") else ",.2f"
    base = alt.Chart(frame).encode(axis)
    layers = [
        base.mark_area(opacity=0.5, color=palette.LIGHT_GREY).encode(
            alt.Y("lower_anytime:Q", title=None, scale=scale), alt.Y2("upper_anytime:Q")
        ),
        base.mark_area(opacity=0.25, color=palette.BLUE).encode(
            alt.Y("lower:Q", title=None, scale=scale), alt.Y2("upper:Q")
        ),
        alt.Chart(pd.DataFrame({"nought": [0.0]}))
        .mark_rule(color=palette.BLACK)
        .encode(alt.Y("nought:Q", scale=scale)),
        base.mark_line(color=palette.BLUE, point=len(rows) < IN_SIGHT).encode(
            alt.Y("lift:Q", title=None, scale=scale, axis=alt.Axis(format=form)),
            tooltip=[
                alt.Tooltip("on:T", title="by the end of", format="%Y-%m-%d"),
                alt.Tooltip("lift:Q", title="difference", format=form),
                alt.Tooltip("lower:Q", title="95 %, one look, from", format=form),
                alt.Tooltip("upper:Q", title="to", format=form),
                alt.Tooltip("lower_anytime:Q", title="however often, from", format=form),
                alt.Tooltip("upper_anytime:Q", title="to", format=form),
            ],
        ),
    ]
    what = "difference" if outcome.is_randomised else "difference of changes, which is not what the campaign did"
    st.altair_chart(alt.layer(*layers).properties(height=220), alt=f"The {what} by day")
    anytime = ", grey however often one looks" if frame["lower_anytime"].notna().any() else ""
    st.caption(
        f"{rows[-1].metric.capitalize()} per customer from the start to the day: the {what}. Blue is where it lies with 95 % for one look{anytime}."
    )


def _measured(outcome: Outcome) -> None:
    if not outcome.beside:
        return
    st.subheader("Measured")
    st.dataframe(
        pd.DataFrame(
            {
                "": [f"{one.what}{f', {outcome.currency}' if one.unit == 'money' else ''}" for one in outcome.beside],
                "Measured": [_ranged(one.measured, one.unit) for one in outcome.beside],
            }
        ),
        hide_index=True,
        height="content",
        alt="What was measured",
    )


def _segments(outcome: Outcome) -> None:
    if not outcome.segments:
        return
    st.subheader("In its segments")
    st.dataframe(
        pd.DataFrame(
            {
                "Segment": [row.segment for row in outcome.segments],
                "Drawn to be contacted": [row.n_treatment for row in outcome.segments],
                "Held out": [row.n_control for row in outcome.segments],
                "Lift (95 %)": [_of(row) for row in outcome.segments],
                "q": ["–" if row.q_value is None else f"{row.q_value:.2g}" for row in outcome.segments],
            }
        ),
        hide_index=True,
        height=min(len(outcome.segments), IN_SIGHT) * 35 + 40,
        alt="Segments of the campaign",
        column_config={
            name: st.column_config.NumberColumn(format="localized") for name in ("Drawn to be contacted", "Held out")
        },
    )
    st.caption(
        "By the size of the lift. q says how many of those at least as striking come by chance: among many segments some always look good."
    )


def _unlike(outcome: Outcome) -> None:
    if outcome.balance:
        st.subheader("Were they alike before it began?")
        st.dataframe(
            pd.DataFrame(
                {
                    "": [one.attribute for one in outcome.balance],
                    "Contacted": [number(one.mean_contacted, 2) for one in outcome.balance],
                    "Others": [number(one.mean_others, 2) for one in outcome.balance],
                    "Apart, sd": [number(one.standardized_difference, 2) for one in outcome.balance],
                    "Others, weighted": [number(one.mean_matched, 2) for one in outcome.balance],
                    "Apart then, sd": [number(one.standardized_difference_matched, 2) for one in outcome.balance],
                }
            ),
            hide_index=True,
            height="content",
            alt="How unlike the contacted and the others were",
        )
    if outcome.comparisons:
        st.subheader("How their spend changed beside the others'")
        st.dataframe(
            pd.DataFrame(
                {
                    "From": [day(one.starts_on) for one in outcome.comparisons],
                    "What": [
                        "no campaign: a placebo" if one.is_placebo else "the campaign" for one in outcome.comparisons
                    ],
                    "How": [one.estimator.replace("_", " ") for one in outcome.comparisons],
                    "Difference each": [number(one.difference, 2) for one in outcome.comparisons],
                    "95 %": [f"{number(one.lower, 2)} to {number(one.upper, 2)}" for one in outcome.comparisons],
                }
            ),
            hide_index=True,
            height="content",
            alt="How spend changed",
        )
        st.caption(
            "On a placebo date there was no campaign: what is found there is what such a comparison finds where there is nothing."
        )


def _of(row: Measurement) -> str:
    return _ranged(row.relative, "share")


def _ranged(figure: Range | None, unit: str) -> str:
    if figure is None:
        return "–"
    written = percent if unit == "share" else count
    if figure.lower is None or figure.upper is None:
        return written(figure.expected)
    return f"{written(figure.expected)} ({written(figure.lower)} to {written(figure.upper)})"
