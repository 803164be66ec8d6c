"""Personas: all of them with what their claims came to, and who is spoken of by none; and one: what to tell her and why, her claims, who her customers are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from urllib.parse import quote

import altair as alt
import pandas as pd
import streamlit as st

from dashboard.choosing import chosen
from dashboard.following import remembered
from dashboard.saying import empty, heading, notice, sentence
from dashboard.tables import by_thousands, to_read
from orchestration.measure.campaigns.figures import as_sentence, signed_percent
from orchestration.personas.files import Persona
from orchestration.personas.which import which
from orchestration.read import palette
from orchestration.read.figures import UNKNOWN, counted, day, number
from orchestration.read.opened import Release
from orchestration.read.personas import (
    FEWEST_CUSTOMERS,
    FINDINGS,
    ROLES,
    TOPICS,
    ClaimOnDay,
    Evidence,
    Finding,
    Listed,
    Told,
    coverage,
    days_of_claim,
    persona_of,
    personas,
    segments_of,
)

personas_of_release, told_of, coverage_of = remembered(personas), remembered(persona_of), remembered(coverage)
days_of, links_of = remembered(days_of_claim), remembered(segments_of)

#: Which tool a task wants, over the sentence that says why.
WANTED = {"segment": "A segment", "persona": "A persona", "both": "A segment and a persona", None: "Not known"}
#: Topics with figures that have no scale in common: they are read, and not drawn.
READ = ("size", "revenue")
HERS, REST = "her customers", "the rest of the base"
#: Pixels of a bar with its neighbour, and of a chart's axes.
BAR, AXES = 30, 130
#: Topics with more items than this have thinner bars.
MANY = 12


def page(release: Release) -> None:
    st.title("Personas")
    _which()
    found = personas_of_release(release)
    if not release.has("catalog.personas"):
        return empty("This release was made before there were personas: the next refresh has them.")
    if not found:
        empty("No persona is known. Write one in a file, personas/<id>.yml: the next refresh tests its claims.")
    else:
        _list(release, found)
    _coverage(coverage_of(release))
    if found:
        _one(release, told_of(release, chosen("Persona", [one.persona for one in found], "persona")))


def _which() -> None:
    task = st.text_input(
        "Which do I need?",
        key="task",
        placeholder="What do you want to do? Such as: choose who gets the spring letter, or decide what to tell them",
    )
    if not task.strip():
        return
    answer = which(task)
    notice("info", answer.sentence, WANTED[answer.tool])
    if answer.matches:
        to_read(
            [
                {"To": match.rule.task, "why": match.rule.reason, "where": match.rule.place.in_words.replace("`", "")}
                for match in answer.matches
            ],
            "Which do I need?",
        )


def _list(release: Release, found: Sequence[Listed]) -> None:
    frame = pd.DataFrame(
        [
            {
                "Persona": f"personas?persona={quote(one.persona, safe='')}",
                "Archetype": one.archetype,
                "Customers": one.customers,
                "Claims": one.claims,
                "Hold": one.claims_holding,
                "Weakened": one.claims_weakened,
                "Contradicted": one.claims_contradicted,
                "Too few to tell": one.claims_too_few,
                "Review by": _review(one.review_by, release.as_of_date),
                "State": f"held since {day(one.held_since)}" if one.is_held else one.status,
                "Name": one.name,
            }
            for one in found
        ]
    ).astype({name: "Int64" for name in COUNTS})
    st.dataframe(
        frame,
        hide_index=True,
        height=min(len(found), 12) * 35 + 40,
        alt="Personas",
        placeholder=UNKNOWN,
        column_config={name: st.column_config.NumberColumn(format="localized", width=80) for name in COUNTS}
        | {
            "Persona": st.column_config.LinkColumn(display_text=r"persona=(.*)$", pinned=True, width=130),
            "Archetype": st.column_config.TextColumn(width=180),
            "Review by": st.column_config.TextColumn(width=100),
        },
    )
    st.caption(
        f"{counted(len(found), 'persona', 'personas')}. Claims that hold, are weakened or contradicted are those that were tested; the others are inferred or assumed."
    )


COUNTS = ("Customers", "Claims", "Hold", "Weakened", "Contradicted", "Too few to tell")


def _review(by: date | None, today: date) -> str:
    return f"{day(by)}, past" if by and by < today else day(by)


def _coverage(found: Sequence[Finding]) -> None:
    st.header("Who is spoken of, and who is not")
    if not found:
        return empty("Every segment that campaigns address has a persona, and every persona has somebody to speak to.")
    _findings(found, "Coverage")


def _findings(found: Sequence[Finding], name: str) -> None:
    rows = [
        {"": FINDINGS.get(one.kind, one.kind), "found": one.message, "since": day(one.since) if one.since else UNKNOWN}
        for one in found
    ]
    to_read(rows, name)


def _one(release: Release, told: Told) -> None:
    listed = told.listed
    heading(listed.name, 2)
    sentence(listed.archetype)
    _state(listed, release.as_of_date)
    with st.container(horizontal=True):
        for label, value in (
            ("Customers", listed.customers),
            ("Claims tested", listed.claims_tested),
            ("Hold", listed.claims_holding),
            ("Weakened", listed.claims_weakened),
            ("Contradicted", listed.claims_contradicted),
            ("Too few to tell", listed.claims_too_few),
        ):
            st.metric(label, number(value), border=True, width=150)
    _segments(release, listed)
    if told.findings:
        st.subheader("What is up with her")
        _findings(told.findings, "What is up with her")
    if told.said is None:
        return empty("Nothing of her could ever be read: her file says nothing yet.")
    _words(told.said)
    _claims(release, told)
    _evidence(release, told)


def _state(listed: Listed, today: date) -> None:
    if listed.is_held:
        notice(
            "warning",
            f"{as_sentence(listed.held_because or '')} What was last good stays published.",
            f"Held since {day(listed.held_since)}",
        )
    if listed.status != "active":
        notice("info", f"Her status is {listed.status}.")
    if listed.is_negative:
        notice("info", "Do not win her: she is one whom the company does not seek.", "A negative persona")
    if listed.review_by and listed.review_by < today:
        notice("info", f"She was to be reviewed by {day(listed.review_by)}; her owner is {listed.owner}.")


def _segments(release: Release, listed: Listed) -> None:
    st.subheader("Her segments")
    frame = pd.DataFrame(
        [
            {
                "Segment": f"segment?segment={quote(one.segment, safe='')}",
                "Role": one.role,
                "It": ROLES[one.role],
                "Members": one.members,
            }
            for one in links_of(release, listed.persona)
        ]
    )
    if frame.empty:
        return empty("None is known.")
    frame = frame.astype({"Members": "Int64"})
    st.dataframe(
        frame,
        hide_index=True,
        alt="Her segments",
        placeholder="not in this release",
        column_config=by_thousands(frame) | {"Segment": st.column_config.LinkColumn(display_text=r"segment=(.*)$")},
    )


def _words(said: Persona) -> None:
    st.header("What to tell her, and why")
    notice("info", said.value_proposition, "Value proposition")
    why, what = st.columns(2)
    pains = [f"{one.text} ({one.moment}; {one.severity})" for one in said.pain_points]
    with why:
        st.subheader("Why")
        _said(
            {
                "Needs": said.needs,
                "Pain points": pains,
                "Motivations": said.motivations,
                "Expectations": said.expectations,
                "Jobs to be done": said.jobs_to_be_done,
                "Objections": said.objections,
                "Tried before": said.alternatives_tried,
            },
            "Why",
        )
    with what:
        st.subheader("What")
        _said(
            {
                "Tone": [said.tone],
                "Proof points": said.proof_points,
                "Channels": said.channels,
                "In their words": [f"“{one.text}” {one.source}, {day(one.said_on)}" for one in said.quotes],
                "Owner": [said.owner],
                "Review by": [day(said.review_by)],
            },
            "What",
        )
    st.subheader("Her journey")
    if not said.journey:
        return empty("Nothing is said of it.")
    to_read(
        [
            {"Stage": one.stage, "What is in the way": one.friction, "Idea of a service": one.service_idea}
            for one in said.journey
        ],
        "Her journey",
    )


def _said(lists: dict[str, Sequence[str]], name: str) -> None:
    to_read([{"": what, "said": text} for what, texts in lists.items() for text in texts], name)


def _claims(release: Release, told: Told) -> None:
    st.header("Her claims")
    if not told.claims:
        return empty("None was tested yet: the next refresh does.")
    to_read(
        [
            {
                "Claim": one.text,
                "what": f"{one.kind}: {one.measure}" if one.measure else one.kind,
                "Verdict": one.verdict_in_words,
                "Since": day(one.since),
                "Figure": one.seen(release.currency),
                "Claimed": one.claimed(release.currency),
                "What that says": _what_that_says(told, one),
            }
            for one in told.claims
        ],
        "Her claims",
        below="what",
    )
    st.caption("Since: the first day of the present verdict. Figures with their 95 % intervals.")
    _days(release, told)


def _what_that_says(told: Told, claim: ClaimOnDay) -> str:
    if because := told.because(claim.claim):
        return f"Inferred: {because}"
    if settled_by := told.settled_by(claim.claim):
        return f"Assumed; it would be settled by: {settled_by}"
    return claim.message or UNKNOWN


def _days(release: Release, told: Told) -> None:
    st.subheader("A claim day by day")
    tested = {one.claim: one for one in told.claims if one.kind == "observed"}
    if not tested:
        return empty("None of her claims is tested: all are inferred or assumed.")
    # The ids of one persona's claims say nothing of another's.
    claim = st.selectbox("Claim", list(tested), format_func=lambda one: tested[one].text, key=f"claim of {told.listed.persona}")  # fmt: skip
    days = [one for one in days_of(release, told.listed.persona, claim) if one.figure is not None]
    newest = tested[claim]
    if not days:
        return empty("There is no figure of it yet: on no day were there customers enough to tell.")
    st.altair_chart(_chart_of_days(days, newest), width="stretch", alt=f"{newest.text}: its figure by day, with its band")  # fmt: skip
    sentence(f"{newest.measure}; claimed is {newest.claimed(release.currency)}.")
    st.caption(
        "The band is the 95 % interval. Black: what is claimed; dashed: from where on it is contradicted, if all of the band lies beyond."
    )


def _chart_of_days(days: Sequence[ClaimOnDay], newest: ClaimOnDay) -> alt.LayerChart | alt.FacetChart:
    percent = 100 if newest.unit == "share" else 1
    frame = pd.DataFrame(
        [
            {
                "day": one.as_of_date,
                "figure": _times(one.figure, percent),
                "lower": _times(one.lower, percent),
                "upper": _times(one.upper, percent),
                "verdict": one.verdict_in_words,
            }
            for one in days
        ]
    )
    on = alt.X(
        "day:T",
        title=None,
        axis=alt.Axis(format="%Y-%m-%d", labelAngle=0, labelOverlap=True, tickCount=max(1, min(len(frame) - 1, 8))),
    )
    compared = (newest.compared or "alone").replace("_", " ").removesuffix("alone")
    unit = {"money": "money", "share": "per cent"}.get(newest.unit or "", "")
    if compared.startswith("times"):
        unit = ""
    height = alt.Scale(zero=False)
    layers: list[Any] = [
        alt.Chart(frame)
        .mark_area(color=palette.BAND, opacity=0.6)
        .encode(on, alt.Y("lower:Q", scale=height, title=" ".join(part for part in (unit, compared) if part) or "figure"), alt.Y2("upper:Q")),
        alt.Chart(frame)
        .mark_line(color=palette.OBSERVED, strokeWidth=2, point=len(frame) < 15)
        .encode(
            on,
            alt.Y("figure:Q", scale=height),
            tooltip=[
                alt.Tooltip("day:T", format="%Y-%m-%d"),
                alt.Tooltip("figure:Q", format=",.2f"),
                alt.Tooltip("lower:Q", title="95 %, from", format=",.2f"),
                alt.Tooltip("upper:Q", title="to", format=",.2f"),
                alt.Tooltip("verdict:N"),
            ],
        ),
    ]  # fmt: skip
    for at, dash in ((newest.limit, [1, 0]), (newest.contradicted_from, [4, 3])):
        if at is not None:
            line = alt.Chart(pd.DataFrame({"at": [percent * at]}))
            layers.append(line.mark_rule(color=palette.BLACK, strokeDash=dash).encode(alt.Y("at:Q", scale=height)))
    return alt.layer(*layers).properties(height=260)


def _evidence(release: Release, told: Told) -> None:
    st.header("Her customers, against the rest of the base")
    if not told.evidence:
        return empty("Nothing is counted of her customers yet: the next refresh does.")
    topics = list(TOPICS.items())
    for place in range(0, len(topics), 2):
        # Two beside each other, so that on a phone they still come in their order.
        for column, (topic, title) in zip(st.columns(2), topics[place : place + 2], strict=False):
            with column:
                st.subheader(title)
                _topic(release, topic, title, told.items(topic))


def _topic(release: Release, topic: str, title: str, items: Sequence[Evidence]) -> None:
    shown = [one for one in items if one.is_shown and one.value is not None]
    if not items:
        return empty("Nothing is on record.")
    if not shown:
        return empty(f"Not shown: fewer than {FEWEST_CUSTOMERS} customers.")
    if topic == "campaign":
        to_read([{"": one.item, "lift": signed_percent(one.value or 0)} for one in shown], title)
    elif topic in READ:
        to_read(
            [
                {
                    "": one.item,
                    HERS: one.written(one.value, release.currency),
                    REST: one.written(one.rest, release.currency),
                }
                for one in shown
            ],
            title,
        )
    else:
        for unit in dict.fromkeys(one.unit for one in shown):
            _bars(title, [one for one in shown if one.unit == unit], unit)
    hidden = [one.item for one in items if not one.is_shown]
    if hidden:
        sentence(f"Not shown, for fewer than {FEWEST_CUSTOMERS} customers: {', '.join(hidden)}.")


def _bars(title: str, items: Sequence[Evidence], unit: str) -> None:
    percent = 100 if unit == "share" else 1
    compares = any(one.rest is not None for one in items)
    frame = pd.DataFrame(
        [
            {"item": one.item, "of": of, "figure": _times(figure, percent), "customers": one.customers}
            for one in items
            for of, figure in ((HERS, one.value), (REST, one.rest))
            if figure is not None
        ]
    )
    by = [HERS, REST] if compares else [HERS]
    chart = (
        alt.Chart(frame)
        .mark_bar()
        .encode(
            alt.Y("item:N", sort=None, title=None, axis=alt.Axis(labelLimit=170)),
            alt.X("figure:Q", title={"share": "per cent", "money": "money"}.get(unit, unit)),
            alt.YOffset("of:N", sort=by),
            alt.Color(
                "of:N",
                title=None,
                scale=alt.Scale(domain=by, range=[palette.MEMBERS, palette.GREY][: len(by)]),
                legend=alt.Legend(orient="top") if compares else None,
            ),
            tooltip=["item:N", "of:N", alt.Tooltip("figure:Q", format=",.1f"), alt.Tooltip("customers:Q", title="of her customers", format=",")],
        )
    )  # fmt: skip
    rows = len(dict.fromkeys(one.item for one in items))
    height = AXES + rows * (BAR if rows <= MANY else BAR // 2)
    st.altair_chart(chart.properties(height=height), width="stretch", alt=f"{title}: {HERS} and {REST}" if compares else f"{title}: {HERS}")  # fmt: skip


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else factor * value
