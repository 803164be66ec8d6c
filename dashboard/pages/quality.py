"""Quality: whether tonight's data is believed, what speaks against it and since when, which segments hang on it, and what to do."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd
import streamlit as st

from dashboard.following import remembered
from dashboard.saying import empty, notice
from dashboard.tables import download
from orchestration.read import palette
from orchestration.read.figures import UNKNOWN, counted, day, number
from orchestration.read.opened import Release
from orchestration.read.quality import Check, Hold, Quality, quality

read = remembered(quality)

#: What an extract is, from good to bad; the worst are the darkest too.
STATES = {
    "as expected": "#D6E8F3",
    "warnings": palette.SKY,
    "rows refused": palette.ORANGE,
    "not believed": palette.VERMILLION,
    "did not come": palette.BLACK,
}
RESULTS = {"kept": "#D6E8F3", "failed, a warning": palette.SKY, "failed, critical": palette.VERMILLION}
#: Names of segments that are written out.
NAMED = 6


def page(release: Release) -> None:
    told = read(release)
    st.title("Quality")
    notice("info" if told.is_good else "warning", told.verdict, f"Is the data of {day(told.as_of_date)} good?")
    if not told.sources:
        return
    _figures(told)
    _held(told)
    _sources(told)
    _checks(told)
    _findings(told)
    _refused(told)


def _figures(told: Quality) -> None:
    tonight = [source.newest for source in told.sources if source.newest.day == told.as_of_date]
    with st.container(horizontal=True):
        for label, value in (
            ("Extracts tonight", len(tonight)),
            ("Rows", sum(extract.rows for extract in tonight)),
            ("Refused", sum(extract.refused for extract in tonight)),
            ("Checks failed", sum(extract.failures for extract in tonight)),
            ("Findings that stand", sum(finding.is_open for finding in told.findings)),
            ("Segments held", sum(len(hold.segments) for hold in told.held)),
        ):
            st.metric(label, number(value), border=True, width=165)


def _held(told: Quality) -> None:
    for hold in told.held:
        notice(
            "warning",
            f"{hold.because}. The last good version stays published.",
            f"Held since {day(hold.since)}: {', '.join(hold.segments)}",
        )
    for finding in told.findings:
        if finding.is_open:
            hang = f" {_names(finding.segments)} hang on it." if finding.segments else " No segment hangs on it."
            notice(
                "warning",
                f"{finding.because}. {finding.to_do}{hang}",
                f"Not believed: {finding.table} of {day(finding.extract_date)}",
            )
    for segment, by in told.released:
        notice("info", by, f"{segment}: published although it was held")


def _sources(told: Quality) -> None:
    st.header("What came in")
    rows = [
        {
            "Table": source.newest.table,
            "Newest extract": day(source.newest.day),
            "Days ago": (told.as_of_date - source.newest.day).days,
            "Rows": source.newest.rows,
            "Usual rows": source.usual_rows,
            "Refused": source.newest.refused,
            "Checks": source.newest.checks,
            "Failed": source.newest.failures,
            "State": source.newest.state,
            "Extracts": f"{source.extracts:,} in {(told.as_of_date - told.since).days + 1} days"
            + (", due daily" if source.is_daily else ""),
        }
        for source in told.sources
    ]
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        height="content",
        alt="Tables and their newest extracts",
        placeholder=UNKNOWN,
        column_config={
            name: st.column_config.NumberColumn(format="localized")
            for name in ("Days ago", "Rows", "Usual rows", "Refused", "Checks", "Failed")
        },
    )
    st.caption(f"Usual rows: the median of the other extracts since {day(told.since)}.")
    for source in told.sources:
        if source.missing:
            notice(
                "warning", ", ".join(day(one) for one in source.missing), f"No extract of {source.newest.table} came"
            )
    frame = pd.DataFrame(
        [
            {
                "table": extract.table, "day": day(extract.day), "state": extract.state, "rows": extract.rows,
                "refused": extract.refused, "failed": ", ".join(extract.failed) or "none",
            }
            for extract in told.extracts
        ]
        + [
            {"table": source.newest.table, "day": day(one), "state": "did not come", "rows": 0, "refused": 0, "failed": "none"}
            for source in told.sources
            for one in source.missing
        ]
    )  # fmt: skip
    if frame.empty:
        return empty(f"No extract came since {day(told.since)}.")
    st.altair_chart(
        _strip(frame, "table", STATES, told).encode(
            tooltip=[
                "table:N",
                "day:O",
                "state:N",
                alt.Tooltip("rows:Q", format=","),
                alt.Tooltip("refused:Q", format=","),
                alt.Tooltip("failed:N", title="failed checks"),
            ]
        ),
        width="stretch",
        alt="Extracts day by day",
    )
    st.caption("Each extract on its day. No mark: no extract came, and none was due.")


def _checks(told: Quality) -> None:
    st.header("Checks that failed")
    if not told.checks:
        return empty(f"None: every extract since {day(told.since)} kept every check.")
    for check in told.checks:
        if check.since:
            hang = f"{_names(check.segments)} hang on it." if check.segments else "No segment hangs on it."
            notice(
                "critical" if check.severity == "critical" else "info",
                f"Last seen: {check.failures[-1].observed}. {check.to_do} {hang}",
                f"{check.severity.capitalize()}, fails since {day(check.since)}: {_title(check)}",
            )
    st.dataframe(
        pd.DataFrame(
            {
                "Expected": [_words(check.expectation) for check in told.checks],
                "Of": [f"{check.table}: {check.columns}" if check.columns else check.table for check in told.checks],
                "Fails": [
                    f"since {day(check.since)}" if check.since else f"not now, last {day(check.failures[-1].day)}"
                    for check in told.checks
                ],
                "Severity": [check.severity for check in told.checks],
                "Segments": [_names(check.segments) or "none" for check in told.checks],
                "What to do": [check.to_do for check in told.checks],
                "Seen": [check.failures[-1].observed for check in told.checks],
                "How often": [f"{len(check.failures):,} of {len(check.results):,} extracts" for check in told.checks],
            }
        ),
        hide_index=True,
        height="content",
        alt="Checks that failed",
        column_config={
            "Expected": st.column_config.TextColumn(pinned=True, width=180),
            "Segments": st.column_config.TextColumn(width=180),
            "What to do": st.column_config.TextColumn(width=420),
        },
    )
    frame = pd.DataFrame(
        [
            {
                "check": _title(check),
                "day": day(result.day),
                "result": _result(check, result.is_kept),
                "seen": result.observed,
                "rows": result.unexpected_rows,
            }
            for check in told.checks
            for result in check.results
        ]
    )
    st.altair_chart(
        _strip(frame, "check", RESULTS, told, "result").encode(
            tooltip=[
                "check:N",
                "day:O",
                "result:N",
                "seen:N",
                alt.Tooltip("rows:Q", title="rows against it", format=","),
            ]
        ),
        width="stretch",
        alt="Failed checks day by day",
    )
    st.caption(
        "Critical: rows that break the rule are refused, or the columns that it vouches for are not believed. Warning: kept and counted."
    )


def _findings(told: Quality) -> None:
    st.header("What was not believed")
    if not told.findings:
        empty("Nothing: no extract on record had a column that was not believed.")
    else:
        st.dataframe(
            pd.DataFrame(
                {
                    "Extract": [f"{one.table} of {day(one.extract_date)}" for one in told.findings],
                    "Because": [one.because for one in told.findings],
                    "Until": [
                        "released by hand"
                        if one.is_released
                        else day(one.held_until)
                        if one.held_until
                        else "it stands"
                        for one in told.findings
                    ],
                    "Columns": [", ".join(one.columns) for one in told.findings],
                    "Segments that hang on it": [len(one.segments) for one in told.findings],
                    "What to do": [one.to_do for one in told.findings],
                }
            ),
            hide_index=True,
            height="content",
            alt="What was not believed",
            column_config={
                "Because": st.column_config.TextColumn(width=360),
                "Columns": st.column_config.TextColumn(width=200),
            },
        )
    st.subheader("Days on which segments were held")
    if not told.holds:
        return empty("None.")
    st.dataframe(
        pd.DataFrame(
            {
                "Days": [_span(one) for one in told.holds],
                "Segments": [len(one.segments) for one in told.holds],
                "Because": [one.because for one in told.holds],
                "Which": [", ".join(one.segments) for one in told.holds],
            }
        ),
        hide_index=True,
        height="content",
        alt="Days on which segments were held",
        column_config={"Because": st.column_config.TextColumn(width=420)},
    )


def _refused(told: Quality) -> None:
    st.header("Rows in quarantine")
    if not told.refused:
        return empty("None: no row on record was refused.")
    st.dataframe(
        pd.DataFrame(
            {
                "Extract of": [day(one.day) for one in told.refused],
                "Table": [one.table for one in told.refused],
                "Rule that they broke": [_words(one.expectation) for one in told.refused],
                "Column": [one.columns or UNKNOWN for one in told.refused],
                "Rows": [one.unexpected_rows for one in told.refused],
                "Of": [one.rows for one in told.refused],
            }
        ),
        hide_index=True,
        height=min(len(told.refused), 10) * 35 + 40,
        alt="Rows in quarantine",
        column_config={name: st.column_config.NumberColumn(format="localized") for name in ("Rows", "Of")},
    )
    st.caption(
        "A row that breaks several rules is in several lines. The rows themselves lie in the home's quarantine/, not in a release."
    )
    download(
        told.refused,
        ("day", "table", "expectation", "columns", "unexpected_rows", "rows"),
        f"refused_{told.as_of_date}.csv",
    )


def _strip(frame: pd.DataFrame, rows: str, colours: dict[str, str], told: Quality, said: str = "state") -> alt.Chart:
    """A cell for each day and row. Days are written out, so that no time zone moves them."""
    days = [day(one.date()) for one in pd.date_range(told.since, told.as_of_date)]
    names = list(dict.fromkeys(frame[rows]))
    every = max(1, len(days) // 8)
    present = [state for state in colours if state in set(frame[said])]
    strip: alt.Chart = (
        alt.Chart(frame)
        .mark_rect(stroke="white", strokeWidth=0.5)
        .encode(
            alt.X(
                "day:O",
                title=None,
                scale=alt.Scale(domain=days),
                axis=alt.Axis(values=days[::every], labelAngle=0, labelOverlap=True),
            ),
            alt.Y(f"{rows}:N", title=None, sort=names, axis=alt.Axis(labelLimit=200)),
            alt.Color(
                f"{said}:N",
                title=None,
                scale=alt.Scale(domain=present, range=[colours[state] for state in present]),
                legend=alt.Legend(orient="top", columns=2 if len(present) > len(RESULTS) else 1),
            ),
        )
        .properties(height=alt.Step(26))
    )
    return strip


def _result(check: Check, is_kept: bool) -> str:
    return "kept" if is_kept else "failed, critical" if check.severity == "critical" else "failed, a warning"


def _title(check: Check) -> str:
    column = f" ({check.columns})" if check.columns else ""
    return f"{check.table}: {_words(check.expectation)}{column}"


def _words(expectation: str) -> str:
    return expectation.replace("_", " ")


def _names(segments: Sequence[str]) -> str:
    if len(segments) <= NAMED:
        return ", ".join(segments)
    return f"{counted(len(segments), 'segment', 'segments')}: {', '.join(segments[:NAMED])} …"


def _span(hold: Hold) -> str:
    return day(hold.since) if hold.since == hold.until else f"{day(hold.since)} to {day(hold.until)}"
