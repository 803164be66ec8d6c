"""Segment: one segment in words and SQL, its days, whom each clause drops, who the members are, what is known of the days ahead, whom a channel reaches."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict
from urllib.parse import quote

import altair as alt
import pandas as pd
import streamlit as st

from dashboard.choosing import chosen
from dashboard.following import remembered
from dashboard.saying import empty, heading, notice
from dashboard.steps import draw_steps
from dashboard.tables import by_thousands
from orchestration.read import palette
from orchestration.read.figures import UNKNOWN, counted, day, number, share, signed
from orchestration.read.neighbours import DAYS_OF_MOVES, Passage, passages, shared
from orchestration.read.opened import Release
from orchestration.read.outlook import HORIZONS, outlook, who_changes
from orchestration.read.people import FEWEST_MEMBERS, Distinction, people
from orchestration.read.personas import personas_of
from orchestration.read.portrait import Words, names, words_of
from orchestration.read.reach import reach
from orchestration.read.series import daily_series, marks
from orchestration.read.waterfall import waterfall
from orchestration.target.brief import brief

names_of, told = remembered(names), remembered(words_of)
days_of, marks_of, steps_of = remembered(daily_series), remembered(marks), remembered(waterfall)
people_of, shared_of, passages_of = remembered(people), remembered(shared), remembered(passages)
outlook_of, reach_of, who_of = remembered(outlook), remembered(reach), remembered(who_changes)
personas_of_segment, brief_of = remembered(personas_of), remembered(brief)

#: Distinctions that are drawn.
SHOWN = 12
MARK_COLOURS = {
    "new definition": palette.PURPLE,
    "held": palette.ORANGE,
    "shift": palette.VERMILLION,
    "campaign": palette.GREEN,
    "known": palette.GREY,
}
CHANGES = {"leaves": "leave", "enters": "enter", "one_order_away": "are one order away"}
NOT_TOLD = CHANGES | {"changes_rank": "leave or enter because customers compare otherwise"}


def page(release: Release) -> None:
    st.title("Segment")
    segments = names_of(release)
    if not segments:
        return empty("There is no segment in this release.")
    segment = chosen("Segment", segments, "segment")
    words = told(release, segment)
    _words(words)
    _personas(release, segment)
    _days(release, segment)
    _waterfall(release, segment)
    _people(release, segment)
    _outlook(release, segment)
    _neighbours(release, segment)
    _reach(release, words)
    _brief(release, segment)


def _words(words: Words) -> None:
    heading(words.label, 2)
    if words.state == "held":
        notice(
            "warning",
            f"{words.held_because}. The last good version stays published.",
            f"Held since {day(words.held_since)}",
        )
    if words.released_by:
        notice("info", words.released_by, "Published although it was held")
    with st.container(horizontal=True):
        for label, value in (
            ("Members", number(words.members)),
            ("Of the base", share(words.share_of_base)),
            ("Entered", number(words.entered)),
            ("Exited", number(words.exited)),
        ):
            st.metric(label, value, border=True, width=150)
    in_words, in_sql = st.columns(2)
    with in_words:
        st.subheader("In words")
        st.text(words.description)
        st.table(
            pd.DataFrame(
                {
                    "": ["Objective", "Owner", "Channel", "Family", "Exclusive scheme", "Builds on", "Depends on"],
                    "said": [
                        words.objective,
                        words.owner,
                        words.channel,
                        words.family,
                        words.scheme or UNKNOWN,
                        ", ".join(words.builds_on) or UNKNOWN,
                        ", ".join(words.raw_columns) or UNKNOWN,
                    ],
                }
            ).set_index("")
        )
    with in_sql:
        st.subheader("In SQL")
        st.code(words.sql, language="sql", wrap_lines=True)


def _personas(release: Release, segment: str) -> None:
    st.header("What to tell them, and why")
    found = personas_of_segment(release, segment)
    if not found:
        return empty("No persona speaks of it.")
    st.dataframe(
        pd.DataFrame(
            [
                {
                    "Persona": f"personas?persona={quote(one.persona, safe='')}",
                    "Name": one.name,
                    "Archetype": one.archetype,
                    "Role of the segment": one.role_of(segment),
                    "State": "held" if one.is_held else one.status,
                    "Claims contradicted": number(one.claims_contradicted),
                }
                for one in found
            ]
        ),
        hide_index=True,
        width="stretch",
        alt="Personas",
        column_config={"Persona": st.column_config.LinkColumn(display_text=r"persona=(.*)$")},
    )


def _days(release: Release, segment: str) -> None:
    st.header("Its days")
    days = pd.DataFrame([asdict(one) for one in days_of(release, segment)])
    if days.empty:
        return empty("No day is on record yet.")
    on = alt.X("as_of_date:T", title=None, axis=alt.Axis(format="%Y-%m-%d", labelAngle=0, labelOverlap=True))
    band = (
        alt.Chart(days)
        .mark_area(color=palette.BAND, opacity=0.6, clip=True)
        .encode(on, y=alt.Y("lower:Q", title="members"), y2="upper:Q")
    )
    # A band of the first weeks, when little is known, may be wide: it is cut off at the edges of what was counted.
    near = alt.Scale(domain=[0.95 * days["members"].min(), 1.05 * days["members"].max() + 1], nice=False)
    line = (
        alt.Chart(days)
        .mark_line(color=palette.OBSERVED, strokeWidth=2)
        .encode(
            on,
            alt.Y("members:Q", scale=near, axis=alt.Axis(format=",.0f")),
            tooltip=[
                alt.Tooltip("as_of_date:T", title="day", format="%Y-%m-%d"),
                alt.Tooltip("members:Q", format=","),
                alt.Tooltip("entered:Q", format=","),
                alt.Tooltip("exited:Q", format=","),
                alt.Tooltip("expected:Q", format=",.0f"),
            ],
        )
    )
    layers: list[alt.Chart] = [band, line]
    found = marks_of(release, segment)
    if found:
        frame = pd.DataFrame([asdict(mark) for mark in found])
        frame["words"] = [f"{mark.kind}: {mark.said}" for mark in found]
        colour = alt.Color(
            "kind:N",
            title=None,
            scale=alt.Scale(domain=list(MARK_COLOURS), range=list(MARK_COLOURS.values())),
            legend=alt.Legend(orient="top"),
        )
        said = [
            alt.Tooltip("on:T", title="from", format="%Y-%m-%d"),
            alt.Tooltip("until:T", format="%Y-%m-%d"),
            alt.Tooltip("words:N", title="what"),
        ]
        spans = frame[frame["on"] != frame["until"]]
        layers.insert(
            0,
            alt.Chart(spans)
            .mark_rect(opacity=0.12)
            .encode(alt.X("on:T"), alt.X2("until:T"), color=colour, tooltip=said),
        )
        layers.append(
            alt.Chart(frame)
            .mark_rule(strokeDash=[4, 3], strokeWidth=1.5)
            .encode(alt.X("on:T"), color=colour, strokeDash=alt.StrokeDash("kind:N", legend=None), tooltip=said)
        )
    st.altair_chart(alt.layer(*layers).properties(height=300), width="stretch")
    st.caption(
        "Grey: where 95 of 100 such days would lie, from the days before. A dashed line is a day of which something is known."
    )
    if found:
        with st.expander(f"What is known of its days: {len(found):,}"):
            st.dataframe(
                pd.DataFrame(
                    [
                        {"from": day(one.on), "until": day(one.until), "what": one.kind, "in words": one.said}
                        for one in reversed(found)
                    ]
                ),
                hide_index=True,
                width="stretch",
            )


def _waterfall(release: Release, segment: str) -> None:
    st.header("From everybody to the members")
    draw_steps(steps_of(release, segment))


def _people(release: Release, segment: str) -> None:
    st.header("Who they are, against the rest of the base")
    found = people_of(release, segment)
    if not found.distinctions:
        return empty(
            f"{counted(found.members, 'member', 'members')} and {counted(found.others, 'other', 'others')}: fewer than {FEWEST_MEMBERS} are not described."
        )
    asked = st.toggle("With what the rule itself asks", key="by_rule")
    shown = [one for one in found.distinctions if asked or not one.in_rule][:SHOWN]
    frame = pd.DataFrame(
        [
            {
                "what": _what(one),
                "difference": one.difference,
                "lower": one.lower,
                "upper": one.upper,
                "members": _figure(one, one.members),
                "others": _figure(one, one.others),
                "means": one.description,
            }
            for one in shown
        ]
    )
    at = alt.Y("what:N", sort=None, title=None, axis=alt.Axis(labelLimit=260))
    tooltip = [
        "what:N",
        "members:N",
        "others:N",
        alt.Tooltip("difference:Q", format="+.2f"),
        alt.Tooltip("lower:Q", format="+.2f"),
        alt.Tooltip("upper:Q", format="+.2f"),
        "means:N",
    ]
    points = (
        alt.Chart(frame)
        .mark_point(filled=True, size=70, color=palette.MEMBERS, opacity=1)
        .encode(alt.X("difference:Q", title="standardized difference, members less others"), at, tooltip=tooltip)
    )
    intervals = (
        alt.Chart(frame).mark_rule(color=palette.MEMBERS).encode(alt.X("lower:Q", title=""), alt.X2("upper:Q"), at)
    )
    zero = alt.Chart(pd.DataFrame({"x": [0]})).mark_rule(color=palette.GREY).encode(alt.X("x:Q", title=""))
    st.altair_chart((zero + intervals + points).properties(height=alt.Step(24)), width="stretch")
    st.caption(
        "The difference of means, or of shares, over the root of the mean variance, with its 95 % interval: it ranks, and .2 is small, .8 large. "
        "The figures themselves stand in the table."
    )
    table = frame[["what", "members", "others", "difference", "lower", "upper", "means"]].copy()
    for column in ("difference", "lower", "upper"):
        table[column] = [signed(value, 2) for value in table[column]]
    st.dataframe(table, hide_index=True, width="stretch", alt="Who they are")


def _outlook(release: Release, segment: str) -> None:
    st.header("What is known of the days ahead")
    ahead = outlook_of(release, segment)
    if ahead is None:
        return empty("This release was made before it said what is known of the days ahead: the next one does.")
    with st.container(horizontal=True):
        if "leaves" not in ahead.gaps:
            for horizon in HORIZONS:
                near = ahead.within(release.as_of_date, horizon)
                st.metric(f"Leave in {horizon} days", number(near.leave), border=True, width=170)
                st.metric(f"Enter in {horizon} days", number(near.enter), border=True, width=170)
        st.metric("One order away", number(ahead.one_order_away), border=True, width=170)
    for because in dict.fromkeys(ahead.gaps.values()):
        changes = ", ".join(NOT_TOLD[change] for change, why in ahead.gaps.items() if why == because)
        notice("info", f"Because {because}.", f"Not told: who {changes}")
    st.caption(
        "If nothing comes in: windows end and birthdays come; how customers compare with each other is taken as it is tonight. One order away: would be a member with one more order today, of the size "
        "that is usual for the customer."
    )
    if ahead.days:
        frame = pd.DataFrame(
            [{"day": one.on, "change": "enter", "customers": one.enter} for one in ahead.days]
            + [{"day": one.on, "change": "leave", "customers": -one.leave} for one in ahead.days]
        )
        chart = (
            alt.Chart(frame)
            .mark_bar()
            .encode(
                alt.X("day:T", title=None, axis=alt.Axis(format="%Y-%m-%d", labelAngle=0, labelOverlap=True)),
                alt.Y("customers:Q", title="enter, leave"),
                alt.Color(
                    "change:N",
                    title=None,
                    scale=alt.Scale(domain=["enter", "leave"], range=[palette.ENTERED, palette.EXITED]),
                    legend=alt.Legend(orient="top"),
                ),
                tooltip=[alt.Tooltip("day:T", format="%Y-%m-%d"), "change:N", alt.Tooltip("customers:Q", format=",")],
            )
        )
        st.altair_chart(chart.properties(height=180), width="stretch")
    elif "leaves" not in ahead.gaps:
        empty("Nobody leaves or enters in the next 30 days if nothing comes in.")
    known = [change for change in CHANGES if change not in ahead.gaps]
    if not known:
        return
    with st.expander("Who"):
        change = st.radio("Customers who", known, format_func=lambda one: CHANGES[one], horizontal=True, key="change")
        who = who_of(release, segment, change)
        if who:
            st.dataframe(
                pd.DataFrame({"customer": [customer for customer, _ in who], "on": [day(on) for _, on in who]}),
                hide_index=True,
            )
        else:
            empty("Nobody.")


def _neighbours(release: Release, segment: str) -> None:
    st.header("Other segments")
    found = shared_of(release, segment)
    if found:
        frame = pd.DataFrame(
            [
                {
                    "Segment": one.segment,
                    "Label": one.label,
                    "Members of both": one.members_both,
                    "Its members": one.members,
                    "Alike (Jaccard)": one.jaccard,
                }
                for one in found
            ]
        )
        st.dataframe(
            frame,
            hide_index=True,
            width="stretch",
            alt="Overlap",
            column_config=by_thousands(frame)
            | {
                "Alike (Jaccard)": st.column_config.ProgressColumn(
                    format="%.2f", min_value=0, max_value=1, color=palette.MEMBERS
                )
            },
        )
    else:
        empty("It shares no member with another segment.")
    moved = passages_of(release, segment)
    came, went = st.columns(2)
    with came:
        _passages("Came from", "entered", [one for one in moved if one.direction == "from"])
    with went:
        _passages("Went to", "left", [one for one in moved if one.direction == "to"])


def _passages(title: str, did: str, found: Sequence[Passage]) -> None:
    st.subheader(title)
    if not found:
        return empty(f"Nobody {did} in the last {DAYS_OF_MOVES} days.")
    frame = pd.DataFrame([{"Segment": one.segment or "no other segment", "Customers": one.customers} for one in found])
    st.dataframe(frame, hide_index=True, width="stretch", alt=title, column_config=by_thousands(frame))
    st.caption(f"Of who {did} in the last {DAYS_OF_MOVES} days, on the same day.")


def _reach(release: Release, words: Words) -> None:
    st.header("Reach by channel")
    found = reach_of(release, words.segment)
    frame = pd.DataFrame([asdict(one) for one in found]).rename(columns=str.capitalize)
    st.dataframe(frame, hide_index=True, width="stretch", alt="Reach by channel", column_config=by_thousands(frame))
    st.caption(
        f"Members, those who consented, those with an address as far as one is known, less who unsubscribed. Usually reached by {words.channel}. "
        "A campaign besides leaves out its suppressed segments, the global holdout and who is in another: `segments campaign plan` says how many."
    )


def _brief(release: Release, segment: str) -> None:
    st.header("Brief")
    st.caption(
        "What a marketer hands to whoever writes to them: who, what to tell them and why, how, and what a campaign could show."
    )
    # It is made once it is asked for: it asks much of the release.
    with st.expander("The brief of this segment", key="brief", on_change="rerun") as opened:
        if not opened.open:
            return
        text = brief_of(release, segment).markdown
        st.download_button(
            "Download as Markdown", text, file_name=f"brief_{segment}.md", mime="text/markdown", on_click="ignore"
        )
        # Its headings stand below those of the page. A sign of others that would begin one has a backslash before it.
        st.markdown(re.sub("^#", "###", text, flags=re.MULTILINE))


def _what(one: Distinction) -> str:
    return one.attribute if one.value is None else f"{one.attribute}: {one.value}"


def _figure(one: Distinction, value: float) -> str:
    return share(value) if one.is_share else number(value, 2)
