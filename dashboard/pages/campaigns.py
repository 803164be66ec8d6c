"""Campaigns: all of them with what can be said of each; and one: what was planned, what came of it, day by day and segment by segment, and what speaks against it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import altair as alt
import pandas as pd
import streamlit as st

from dashboard.choosing import chosen
from dashboard.following import remembered
from dashboard.saying import Tone, empty, heading, notice
from orchestration.measure.campaigns.figures import in_unit
from orchestration.read import palette
from orchestration.read.campaigns import IN_A_SEGMENT, Campaign, Planned, campaigns
from orchestration.read.figures import UNKNOWN, counted, day, number, share, signed
from orchestration.read.opened import Release
from orchestration.target.outcome import Outcome, drawn_between, outcome_in

campaigns_of, outcome_of = remembered(campaigns), remembered(outcome_in)

METRICS = {
    "spend": "spend per customer",
    "orders": "orders per customer",
    "ordered": "share of customers with an order",
    "responded": "share of customers who answered",
}
SHARES = ("ordered", "responded")
#: What a band says, its ends and its colour; the wider first.
BANDS = (
    ("holds however often one looks", "lower_anytime", "upper_anytime", palette.LIGHT_GREY),
    ("95 %, for one look", "lower", "upper", palette.SKY),
)
NO_LOT = "the difference between their changes, which is not what the campaign did"


def page(release: Release) -> None:
    st.title("Campaigns")
    found = campaigns_of(release)
    if not found:
        return empty(
            "No campaign is known. Plan one in a file (`segments campaign plan`), or deliver those of another system as crm/campaigns."
        )
    _list(found)
    by_id = {one.planned.campaign_id: one for one in found}
    _one(release, by_id[chosen("Campaign", list(by_id), "campaign")])


def _list(found: Sequence[Campaign]) -> None:
    frame = pd.DataFrame(
        [
            {
                "Campaign": f"campaigns?campaign={quote(one.planned.campaign_id, safe='')}",
                "Name": one.planned.campaign_name,
                "Did it work?": one.verdict,
                "State": one.planned.state,
                "Segment": one.planned.segment or UNKNOWN,
                "Channel": one.planned.channel or UNKNOWN,
                "Starts": day(one.planned.starts_on),
                "Measured until": day(one.planned.measured_until),
                "Evidence": one.evidence or UNKNOWN,
            }
            for one in found
        ]
    )
    st.dataframe(
        frame,
        hide_index=True,
        height=min(len(found), 12) * 35 + 40,
        alt="Campaigns",
        column_config={
            "Campaign": st.column_config.LinkColumn(display_text=r"campaign=(.*)$", pinned=True, width=130),
            "Did it work?": st.column_config.TextColumn(width=330),
        },
    )
    st.caption(counted(len(found), "campaign", "campaigns"))


def _one(release: Release, campaign: Campaign) -> None:
    outcome = outcome_of(release, campaign.planned.campaign_id)
    heading(campaign.planned.campaign_name, 2)
    notice(_tone(outcome), outcome.verdict, "Did it work?")
    said, planned = st.columns(2)
    with said:
        st.subheader("What that rests on")
        for sentence in outcome.sentences:
            st.text(f"• {sentence}")
        if not outcome.sentences:
            empty("Nothing is measured yet.")
    with planned:
        _planned(campaign.planned)
    if outcome.primary is None:
        return
    _days(outcome)
    _arms(outcome)
    _checks(campaign)
    _segments(outcome)
    _comparisons(outcome)


def _planned(planned: Planned) -> None:
    st.subheader("What was planned" if planned.objective else "What is known of it")
    facts = {
        "Objective": planned.objective,
        "Segment": planned.segment,
        "Channel": planned.channel,
        "Contacts": f"{day(planned.starts_on)} to {day(planned.ends_on) if planned.ends_on else 'no end'}",
        "Orders count until": day(planned.measured_until) if planned.measured_until else "no end",
        "Chosen by": "us, by lot" if planned.assigned_by == "us" else "the system that sent it",
        "Held out": share(planned.holdout) if planned.holdout is not None else None,
        "Named in advance": METRICS[planned.primary_metric] if planned.objective else None,
        "On the receipt": None
        if planned.treatment is None
        else f"{number(planned.treatment)} to contact, {number(planned.control)} held out, from release {planned.release}",
        "A contact costs": _money(planned.contact_cost),
        "Besides": _money(planned.fixed_cost),
        "Margin": share(planned.margin) if planned.margin is not None else "not known: revenue is not profit",
        "An answer is worth": _money(planned.value_of_an_answer),
    }
    known = {name: said for name, said in facts.items() if said}
    st.table(pd.DataFrame({"": list(known), "said": list(known.values())}).set_index(""))
    st.caption("Amounts are in the business currency.")


def _money(amount: float | None) -> str | None:
    return None if amount is None else number(amount, 2)


def _days(outcome: Outcome) -> None:
    may_be_claimed = outcome.primary is not None and outcome.primary.may_be_claimed
    st.header("Effect by day" if may_be_claimed else "Difference by day")
    if not any(row.lift is not None for row in outcome.days):
        return empty("Nothing could be compared on any day.")
    metric = outcome.days[-1].metric
    percent = 100 if metric in SHARES else 1
    frame = pd.DataFrame(
        {
            "day": [row.as_of_date for row in outcome.days],
            **{
                name: [_times(getattr(row, name), percent) for row in outcome.days]
                for name in ("lift", "lower", "upper", "lower_anytime", "upper_anytime")
            },
        }
    )
    limits = [percent * end for end in drawn_between(outcome.days)]
    on = alt.X(
        "day:T",
        title=None,
        axis=alt.Axis(format="%Y-%m-%d", labelAngle=0, labelOverlap=True, tickCount=max(1, min(len(frame) - 1, 8))),
    )
    unit = {"spend": "money per customer", "orders": "orders per customer"}.get(metric, "percentage points")
    height = alt.Scale(domain=limits, nice=False)
    tooltip = [
        alt.Tooltip("day:T", format="%Y-%m-%d"),
        alt.Tooltip("lift:Q", title="difference", format="+,.2f"),
        alt.Tooltip("lower:Q", title="95 %, from", format="+,.2f"),
        alt.Tooltip("upper:Q", title="to", format="+,.2f"),
    ]
    layers: list[Any] = [alt.Chart(pd.DataFrame({"at": [0]})).mark_rule(color=palette.BLACK).encode(alt.Y("at:Q"))]
    is_anytime = bool(frame["lower_anytime"].notna().any())
    bands = BANDS if is_anytime else BANDS[1:]
    colour = alt.Color(
        "band:N",
        title=None,
        scale=alt.Scale(domain=[said for said, *_ in bands], range=[drawn for *_, drawn in bands]),
        legend=alt.Legend(orient="top", labelLimit=300),
    )
    for said, lower, upper, _ in bands:
        area = alt.Chart(frame.assign(band=said)).mark_area(opacity=0.6, clip=True)
        layers.append(
            area.encode(on, alt.Y(f"{lower}:Q", scale=height, title=unit), alt.Y2(f"{upper}:Q"), color=colour)
        )
    line = alt.Chart(frame).mark_line(color=palette.OBSERVED, strokeWidth=2, point=len(frame) < 15, clip=True)
    layers.append(line.encode(on, alt.Y("lift:Q", scale=height, title=unit), tooltip=tooltip))
    st.altair_chart(alt.layer(*layers).properties(height=280), width="stretch", alt="Effect by day, with its bands")
    what = (
        f"The effect on the {METRICS[metric]}, from the start to the end of the day: those drawn to be contacted less those held out."
        if may_be_claimed
        else f"Of the {METRICS[metric]}, from the start to the end of the day: {NO_LOT}."
        if not outcome.is_randomised
        else f"Of the {METRICS[metric]}, from the start to the end of the day: the two groups' difference, which is not to be read as an effect."
    )
    st.caption(f"{what} First days that know next to nothing are cut off.")


def _arms(outcome: Outcome) -> None:
    st.header("Who was compared" if outcome.is_randomised else "Who was contacted, and everybody else")
    row = outcome.primary
    if row is None:
        return
    first, second = (
        ("Drawn to be contacted", "Held out")
        if outcome.is_randomised
        else ("Contacted", "Everybody else who ever ordered")
    )
    rows = [
        {"": "customers", first: number(row.n_treatment), second: number(row.n_control)},
        {"": "with an order in the window", first: number(row.buyers_treatment), second: number(row.buyers_control)},
    ]
    for one in (row, *outcome.others):
        # Who is not contacted has nothing to answer.
        other = UNKNOWN if one.metric == "responded" else _mean(one.metric, one.mean_control)
        rows.append({"": METRICS[one.metric], first: _mean(one.metric, one.mean_treatment), second: other})
    st.table(pd.DataFrame(rows).set_index(""))
    if outcome.beside:
        st.subheader("In figures")
        st.table(
            pd.DataFrame(
                {
                    "": [one.what for one in outcome.beside],
                    "measured": [in_unit(one.measured, one.unit) for one in outcome.beside],
                }
            ).set_index("")
        )


def _checks(campaign: Campaign) -> None:
    st.header("May the figures be believed?")
    said = {True: "yes", False: "no", None: "nobody can know"}
    st.table(
        pd.DataFrame(
            {
                "": [check.claim for check in campaign.checks],
                "so?": [said[check.is_kept] for check in campaign.checks],
                "seen": [check.seen for check in campaign.checks],
            }
        ).set_index("")
    )


def _segments(outcome: Outcome) -> None:
    st.header("In its segments")
    rows = [row for row in outcome.segments if row.relative is not None]
    if not rows:
        return empty(
            "Nothing: of no segment's members is there a difference that may be read as the campaign's doing."
            if outcome.is_randomised
            else "Nothing: nobody was held out by lot, so of no segment can it be told."
        )
    frame = pd.DataFrame(
        [
            {
                "segment": row.segment,
                "effect": 100 * row.relative.expected,
                "lower": _times(row.relative.lower, 100),
                "upper": _times(row.relative.upper, 100),
                "contacted": row.n_treatment,
                "held out": row.n_control,
                "in words": IN_A_SEGMENT.get(row.verdict, "cannot tell"),
                "q": UNKNOWN if row.q_value is None else f"{row.q_value:.2g}",
            }
            for row in rows
            if row.relative is not None
        ]
    )
    at = alt.Y("segment:N", sort=None, title=None, axis=alt.Axis(labelLimit=220))
    tooltip = [
        "segment:N",
        *(alt.Tooltip(f"{name}:Q", format="+.1f") for name in ("effect", "lower", "upper")),
        "in words:N",
    ]
    zero = alt.Chart(pd.DataFrame({"at": [0]})).mark_rule(color=palette.GREY).encode(alt.X("at:Q", title=""))
    bars = alt.Chart(frame).mark_rule(color=palette.OBSERVED).encode(alt.X("lower:Q", title=""), alt.X2("upper:Q"), at)
    points = (
        alt.Chart(frame)
        .mark_point(filled=True, size=70, opacity=1, color=palette.OBSERVED)
        .encode(alt.X("effect:Q", title="per cent of what those held out did"), at, tooltip=tooltip)
    )
    st.altair_chart((zero + bars + points).properties(height=alt.Step(24)), width="stretch", alt="Effect per segment")
    st.caption(
        "Members just before the campaign, with 95 % intervals. The best of many look better than they are, the worst worse."
    )
    st.dataframe(
        pd.DataFrame(
            {
                "Segment": frame["segment"],
                "Effect": [in_unit(row.relative, "share") for row in rows],
                "Drawn to be contacted": frame["contacted"],
                "Held out": frame["held out"],
                "In words": frame["in words"],
                "q": frame["q"],
            }
        ),
        hide_index=True,
        alt="Effect per segment, in figures",
        column_config={
            name: st.column_config.NumberColumn(format="localized") for name in ("Drawn to be contacted", "Held out")
        }
        | {"q": st.column_config.TextColumn(help="Share of false finds among all segments with as small a q.")},
    )


def _comparisons(outcome: Outcome) -> None:
    if outcome.balance:
        st.header("Were they alike before it began?")
        st.dataframe(
            pd.DataFrame(
                {
                    "": [one.attribute for one in outcome.balance],
                    "Contacted": [number(one.mean_contacted, 2) for one in outcome.balance],
                    "Others": [number(one.mean_others, 2) for one in outcome.balance],
                    "Apart, sd": [_apart(one.standardized_difference) for one in outcome.balance],
                    "Others, weighted": [number(one.mean_matched, 2) for one in outcome.balance],
                    "Apart then, sd": [_apart(one.standardized_difference_matched) for one in outcome.balance],
                }
            ),
            hide_index=True,
            alt="Alike before",
        )
        st.caption("In standard deviations: from 0.1 on they are not alike.")
    if outcome.comparisons:
        st.header("How their spend changed beside the others'")
        st.dataframe(
            pd.DataFrame(
                {
                    "From": [day(one.starts_on) for one in outcome.comparisons],
                    "What": [
                        "no campaign: a placebo" if one.is_placebo else "the campaign" for one in outcome.comparisons
                    ],
                    "How": [one.estimator.replace("_", " ") for one in outcome.comparisons],
                    "Difference": [signed(one.difference, 2) for one in outcome.comparisons],
                    "95 %": [f"{signed(one.lower, 2)} to {signed(one.upper, 2)}" for one in outcome.comparisons],
                    "p": [UNKNOWN if one.p_value is None else f"{one.p_value:.2g}" for one in outcome.comparisons],
                }
            ),
            hide_index=True,
            alt="Changes of spend",
        )
        st.caption("On a placebo date nothing was sent: what the comparison finds there is not there.")


def _apart(figure: float | None) -> str:
    """Without the sign of what is nought."""
    return signed(None if figure is None else round(figure, 2) + 0.0, 2)


def _tone(outcome: Outcome) -> Tone:
    row = outcome.primary
    if row is None or row.evidence != "randomised":
        return "info"
    return "critical" if row.verdict in ("loss", "invalid_sample_ratio", "not_randomised") else "info"


def _mean(metric: str, mean: float | None) -> str:
    return share(mean) if metric in SHARES else number(mean, 2)


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else factor * value
