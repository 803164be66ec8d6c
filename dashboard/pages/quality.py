"""Quality: whether tonight's extracts can be believed. What holds segments, what each table's days were like, what failed, one column over time."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd
import streamlit as st

from dashboard.figures import counted, day, number
from dashboard.following import remembered
from dashboard.saying import empty, notice
from dashboard.tables import download
from orchestration.read import palette
from orchestration.read.opened import Release
from orchestration.read.quality import ExtractDay, Failure, Finding, Quality, column_history, columns, quality

read, columns_of, history_of = remembered(quality), remembered(columns), remembered(column_history)

ALL = "all"
CLEAN, COUNTED, REFUSED = "every rule kept", "rows counted", "rows refused"
#: What an extract's day is called, and drawn in.
STANDINGS = {CLEAN: palette.LIGHT_GREY, COUNTED: palette.ORANGE, REFUSED: palette.VERMILLION}
#: Rows of a list that are seen without scrolling.
IN_SIGHT = 12


def page(release: Release) -> None:
    told = read(release)
    st.title("Quality")
    if not told.tables:
        return empty("Nothing was checked in the extracts of this release.")
    st.caption(
        f"The extracts up to {day(release.as_of_date)}. Rows that break a critical rule are refused and kept aside; those that break another are counted."
    )
    _figures(told)
    _open(told.findings)
    _tables(told)
    _failures(told)
    _over(told.findings)
    _column(release)


def _figures(told: Quality) -> None:
    with st.container(horizontal=True):
        for label, value in (
            ("Newest extracts: checks", sum(table.checks for table in told.tables)),
            ("Broken, rows refused", sum(table.refusing for table in told.tables)),
            ("Broken, rows counted", sum(table.counted for table in told.tables)),
            ("Not believed", sum(finding.is_open for finding in told.findings)),
        ):
            st.metric(label, number(value), border=True, width=190)


def _open(findings: Sequence[Finding]) -> None:
    st.header("What is not believed")
    standing = [finding for finding in findings if finding.is_open]
    for finding in standing:
        held = ", ".join(finding.segments) or "no segment"
        what_to_do = (
            "Somebody released what it held."
            if finding.is_released
            else "A corrected extract of that day heals it; if it is true, say so with `segments release-held`."
        )
        notice(
            "info" if finding.is_released else "warning",
            f"{finding.because}. Touches {held}. {what_to_do}",
            f"{finding.table} of {day(finding.extract_date)}",
        )
    if not standing:
        empty("Everything that came is believed: no segment is held for its extracts.")


def _tables(told: Quality) -> None:
    st.header("Table by table")
    frame = pd.DataFrame(
        {
            "Table": [table.table for table in told.tables],
            "Newest extract": [day(table.extract_date) for table in told.tables],
            "Rows": [table.rows for table in told.tables],
            "Checks": [table.checks for table in told.tables],
            "Broken, rows refused": [table.refusing for table in told.tables],
            "Broken, rows counted": [table.counted for table in told.tables],
        }
    )
    st.dataframe(
        frame,
        hide_index=True,
        height="content",
        alt="Extract tables",
        column_config={"Rows": st.column_config.NumberColumn(format="localized")},
    )
    if not told.days:
        return empty(f"No extract is of a day since {day(told.since)}.")
    chart = (
        alt.Chart(
            pd.DataFrame(
                {
                    "table": [one.table for one in told.days],
                    "on": [day(one.extract_date) for one in told.days],
                    "standing": [_standing(one) for one in told.days],
                    "refusing": [one.refusing for one in told.days],
                    "counted": [one.counted for one in told.days],
                }
            )
        )
        .mark_rect(stroke="white")
        .encode(
            alt.X("on:O", title=None, axis=alt.Axis(labelAngle=-45, labelOverlap=True)),
            alt.Y("table:N", title=None, axis=alt.Axis(labelLimit=220)),
            alt.Color(
                "standing:N",
                title=None,
                scale=alt.Scale(domain=list(STANDINGS), range=list(STANDINGS.values())),
                legend=alt.Legend(orient="top"),
            ),
            tooltip=[
                alt.Tooltip("table:N"),
                alt.Tooltip("on:N", title="extract of"),
                alt.Tooltip("standing:N", title="found"),
                alt.Tooltip("refusing:Q", title="rules broken, rows refused"),
                alt.Tooltip("counted:Q", title="rules broken, rows counted"),
            ],
        )
    )
    st.altair_chart(chart.properties(height=alt.Step(24)), alt="What was found in each extract")
    st.caption("A square per extract. Where there is none, none came on that day, or none was due.")


def _failures(told: Quality) -> None:
    st.header("Rules that were broken")
    if not told.failures:
        return empty(f"None since {day(told.since)}.")
    with st.container(horizontal=True):
        table = st.selectbox(
            "Table", [ALL, *sorted({one.table for one in told.failures})], key="table", bind="query-params", width=260
        )
        severity = st.selectbox(
            "Severity", [ALL, "critical", "warning"], key="severity", bind="query-params", width=160
        )
    chosen = [one for one in told.failures if table in (ALL, one.table) and severity in (ALL, one.severity)]
    if not chosen:
        return empty("None matches: choose “all” again.")
    st.dataframe(
        pd.DataFrame(
            {
                "Extract of": [day(one.extract_date) for one in chosen],
                "Table": [one.table for one in chosen],
                "Rule": [one.expectation for one in chosen],
                "Column": [one.column for one in chosen],
                "Severity": [one.severity for one in chosen],
                "Rows that break it": [one.unexpected_rows for one in chosen],
                "Of rows": [one.rows for one in chosen],
                "Found": [one.observed for one in chosen],
            }
        ),
        hide_index=True,
        height=min(len(chosen), IN_SIGHT) * 35 + 40,
        alt="Rules that were broken",
        column_config={
            name: st.column_config.NumberColumn(format="localized") for name in ("Rows that break it", "Of rows")
        },
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        download(chosen, tuple(Failure.__dataclass_fields__), "broken_rules.csv")
        st.caption(f"{counted(len(chosen), 'rule', 'rules')} broken since {day(told.since)}")


def _over(findings: Sequence[Finding]) -> None:
    over = [finding for finding in findings if not finding.is_open]
    if not over:
        return
    st.header("What was not believed before")
    st.dataframe(
        pd.DataFrame(
            {
                "Extract of": [day(finding.extract_date) for finding in over],
                "Held until": [day(finding.held_until) for finding in over],
                "Table": [finding.table for finding in over],
                "Because": [finding.because for finding in over],
                "Segments": [len(finding.segments) for finding in over],
            }
        ),
        hide_index=True,
        height=min(len(over), IN_SIGHT) * 35 + 40,
        alt="What was not believed before",
    )


def _column(release: Release) -> None:
    st.header("A column over time")
    known = columns_of(release)
    if not known:
        return empty("No extract of this release was measured.")
    with st.container(horizontal=True):
        table = st.selectbox("Of the table", list(known), key="of", bind="query-params", width=260)
        column = st.selectbox("Column", known[table], key=f"column of {table}", width=260)
    days = history_of(release, table, column)
    frame = pd.DataFrame(
        {
            "on": [pd.Timestamp(one.extract_date) for one in days],
            "rows": [one.rows for one in days],
            "empty": [one.empty_share for one in days],
            "mean": [one.mean for one in days],
        }
    )
    _line(frame, "empty", "share without a value", "%")
    if frame["mean"].notna().any():
        _line(frame, "mean", "mean", ",")
    _line(frame, "rows", "rows", ",")


def _line(frame: pd.DataFrame, field: str, title: str, form: str) -> None:
    known = frame.dropna(subset=field)
    if known.empty:
        return empty(f"Of the {title} nothing is known: the extracts had no rows.")
    chart = (
        alt.Chart(known)
        .mark_line(color=palette.OBSERVED, point=len(known) < IN_SIGHT)
        .encode(
            alt.X("on:T", title=None, axis=alt.Axis(format="%Y-%m-%d", labelOverlap=True)),
            alt.Y(f"{field}:Q", title=None, axis=alt.Axis(format=form)),
            tooltip=[
                alt.Tooltip("on:T", title="extract of", format="%Y-%m-%d"),
                alt.Tooltip(f"{field}:Q", title=title, format=".1%" if form == "%" else ",.2~f"),
                alt.Tooltip("rows:Q", format=","),
            ],
        )
    )
    st.caption(f"{title.capitalize()}, by extract")
    st.altair_chart(chart.properties(height=130), alt=f"The {title} by extract")


def _standing(one: ExtractDay) -> str:
    return REFUSED if one.refusing else COUNTED if one.counted else CLEAN
