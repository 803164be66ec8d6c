"""The ledger of shifts, and the expectation of every day beside what came, from the counts on record.

What was judged of a day rests on that day and its past, so that it stays as it was unless its past is corrected: the days that are as they were
the night before are not judged again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from math import isfinite
from typing import Any

import duckdb
import pandas as pd

from orchestration.known_days import KnownDays
from orchestration.measure import episodes
from orchestration.measure.episodes import Line, Verdict
from orchestration.measure.known import known_beforehand, redefinitions
from orchestration.measure.shifts import Kind, Watched, judge
from orchestration.measure.telling import Telling
from orchestration.warehouse import all_or_nothing

#: The figures of a segment that are judged, and the kind of each.
MEASURES: dict[str, Kind] = {"members": "stock", "entered": "flow", "exited": "flow", "share": "share"}

CREATE = """
create schema if not exists metrics;
create or replace table metrics.segment_expectations (
    as_of_date date, segment varchar, measure varchar, observed double, expected double,
    lower_95 double, upper_95 double, lower_99 double, upper_99 double,
    p_value double, scale varchar, effect double, min_detectable double, is_shift boolean, state varchar, known_because varchar
);
create or replace table metrics.segment_shifts (
    as_of_date date, segment varchar, measure varchar, kind varchar, severity varchar,
    observed double, expected double, lower double, upper double, state varchar, message varchar,
    opened_on date, effect double, p_value double, scale varchar
);
"""

#: What was learnt of each figure by the end of the day before the last that was judged.
CREATE_WATCHED = "create table if not exists refresh.watched (measure varchar, until date, key varchar, state blob)"
#: The words for what is known of a day are found anew.
JUDGED_BEFORE = """
select * exclude (known_because) from metrics.segment_expectations where measure = $measure and as_of_date <= $until
"""

BAND = ["expected", "lower_95", "upper_95", "lower_99", "upper_99"]

#: Everything at once is told where the middle segment moved by so much.
EVERYTHING_EFFECT = 0.15

#: Share of the exclusive scheme that the segment is in, else of the base; none where the segment has hardly anybody.
FIGURES = f"""
select
    counts.as_of_date,
    counts.segment,
    counts.members,
    counts.entered,
    counts.exited,
    case when counts.members >= {episodes.SOMEBODY} then counts.members / nullif(
        case when definitions.scheme is null then counts.base_customers
        else sum(counts.members) over (partition by counts.as_of_date, definitions.scheme) end, 0
    ) end as share
from metrics.segment_counts_daily as counts
inner join refresh.definitions as definitions on definitions.segment = counts.segment
order by counts.as_of_date, counts.segment
"""


@dataclass(frozen=True)
class Recorded:
    """Rows written."""

    expectations: int = 0
    shifts: int = 0


def record_shifts(connection: duckdb.DuckDBPyConnection, calendar: KnownDays) -> Recorded:
    """Writes ``metrics.segment_expectations`` (one row per segment, as-of date and measure) and ``metrics.segment_shifts`` (one row per
    segment, as-of date and state of an episode; segment null where everything moved at once).
    """
    figures = connection.execute(FIGURES).df()
    with all_or_nothing(connection):
        return _record(connection, calendar, figures)


def _record(connection: duckdb.DuckDBPyConnection, calendar: KnownDays, figures: pd.DataFrame) -> Recorded:
    connection.execute(CREATE_WATCHED)
    watched = {measure: Watched(*kept) for measure, *kept in connection.execute("from refresh.watched").fetchall()}
    connection.execute("delete from refresh.watched")
    if figures.empty:
        connection.execute(CREATE)
        return Recorded()
    known = known_beforehand(connection, calendar, figures["segment"].unique())
    anew = redefinitions(connection)
    days, everything = [], {}
    for measure, kind in MEASURES.items():
        wide = figures.pivot(index="as_of_date", columns="segment", values=measure).astype(float)
        masks = known_mask(known, wide), known_mask(anew, wide)
        judgement = judge(wide, kind, *masks, watched.get(measure))
        everything[measure] = judgement.everything
        days += [*_judged_before(connection, measure, judgement.days, wide), _observed(measure, judgement.days, wide)]
        if kept := judgement.watched:
            connection.execute(
                "insert into refresh.watched values (?, ?, ?, ?)", [measure, kept.until, kept.key, kept.state]
            )
    expectations = pd.concat(days, ignore_index=True)
    expectations = expectations.merge(_named(known, anew), how="left", on=["as_of_date", "segment"])
    connection.execute(CREATE)
    connection.execute(
        "insert into metrics.segment_expectations by name select * from expectations order by segment, measure, as_of_date"
    )
    ledger = [*_of_segments(expectations, figures), *_of_everything(everything)]
    telling = Telling(connection)
    rows = [_row(line, telling.message(line)) for line in ledger]
    rows += [_noted(segment, day, "redefined", message) for segment, day, message in telling.redefined(anew)]
    rows += [_noted(segment, day, "retired", message) for segment, day, message in telling.retired()]
    if rows:
        connection.executemany(f"insert into metrics.segment_shifts values ({', '.join('?' * 15)})", rows)
    return Recorded(len(expectations), len(rows))


def _judged_before(
    connection: duckdb.DuckDBPyConnection, measure: str, new: pd.DataFrame, wide: pd.DataFrame
) -> Iterator[pd.DataFrame]:
    """The days that were not judged again, as they are on record."""
    first_new = new["date"].min()
    if first_new > wide.index[0]:
        asked = {"measure": measure, "until": (first_new - pd.Timedelta(days=1)).date()}
        yield connection.execute(JUDGED_BEFORE, asked).df()


def _observed(measure: str, judged: pd.DataFrame, wide: pd.DataFrame) -> pd.DataFrame:
    """The days that were judged, with the figures that came."""
    days = judged.rename(columns={"date": "as_of_date", "shift": "is_shift"})
    days[BAND] = days[BAND].clip(lower=0.0)  # nobody is fewer than nobody
    observed = wide.stack(future_stack=True).rename("observed").rename_axis(["as_of_date", "segment"]).reset_index()
    return days.merge(observed, on=["as_of_date", "segment"]).assign(measure=measure)


def known_mask(days: pd.DataFrame, wide: pd.DataFrame) -> pd.DataFrame:
    """Where a table of days by segments has a day of ``days`` (segment, as_of_date)."""
    mask = pd.DataFrame(False, index=wide.index, columns=wide.columns)
    for segment, group in days.groupby("segment"):
        if segment in mask:
            mask.loc[mask.index.isin(pd.DatetimeIndex(group["as_of_date"])), segment] = True
    return mask


def _named(known: pd.DataFrame, anew: pd.DataFrame) -> pd.DataFrame:
    """All that is known of a day of a segment, in one text."""
    both = pd.concat([known, anew], ignore_index=True)
    both["as_of_date"] = pd.to_datetime(both["as_of_date"]).astype("datetime64[us]")
    named = both.groupby(["as_of_date", "segment"])["because"].agg(lambda said: "; ".join(dict.fromkeys(said)))
    return named.rename("known_because").reset_index()


def _of_segments(expectations: pd.DataFrame, figures: pd.DataFrame) -> Iterator[Line]:
    before = figures.groupby("segment")["members"].shift().rename("members_before")
    judged = expectations[expectations["state"].isin(["warming_up", "judged"])]
    moved = set(judged[judged["is_shift"]]["segment"]) | set(figures[figures["members"] == 0]["segment"])
    rows = judged[judged["segment"].isin(moved)].merge(
        figures[["as_of_date", "segment"]].join(before), on=["as_of_date", "segment"]
    )
    rows = rows.sort_values(["segment", "as_of_date"], kind="stable")
    for _, of_segment in groupby(rows.itertuples(index=False), key=lambda row: row.segment):
        yield from episodes.lines(
            [_verdict(row) for row in of_day] for _, of_day in groupby(of_segment, key=lambda row: row.as_of_date)
        )


def _verdict(row: Any) -> Verdict:
    verdict = Verdict(
        as_of_date=row.as_of_date.date(),
        segment=row.segment,
        measure=row.measure,
        observed=row.observed,
        expected=row.expected,
        lower=row.lower_95,
        upper=row.upper_95,
        p_value=row.p_value,
        effect=row.effect,
        scale=row.scale,
        shift=bool(row.is_shift),
        is_sure=row.state == "judged",
    )
    return episodes.came_or_went(verdict, row.members_before) if row.measure == "members" else verdict


def _of_everything(everything: dict[str, pd.DataFrame]) -> Iterator[Line]:
    """What all segments did alike has a size, and no figure of its own."""
    verdicts: dict[date, list[Verdict]] = {}
    for measure, days in everything.items():
        for row in days[days["p_value"].notna()].itertuples():
            day = row.date.date()
            verdicts.setdefault(day, []).append(
                Verdict(
                    day,
                    None,
                    measure,
                    *(float("nan"),) * 4,
                    row.p_value,
                    row.effect,
                    row.scale,
                    bool(row.shift) and abs(row.effect) >= EVERYTHING_EFFECT,
                )
            )
    yield from episodes.lines(verdicts[day] for day in sorted(verdicts))


def _row(line: Line, message: str) -> list[Any]:
    verdict = line.verdict
    return [
        *(verdict.as_of_date, verdict.segment, verdict.measure, line.kind, line.severity),
        *(_or_null(verdict.observed), _or_null(verdict.expected), _or_null(verdict.lower), _or_null(verdict.upper)),
        *(line.state, message, line.opened_on, _or_null(verdict.effect), _or_null(verdict.p_value), verdict.scale),
    ]


def _noted(segment: str, day: date, kind: str, message: str) -> list[Any]:
    """What is no alert has no figures."""
    return [day, segment, "members", kind, "info", *(None,) * 4, "noted", message, day, *(None,) * 3]


def _or_null(number: float) -> float | None:
    """NaN and the like are no figure."""
    return number if isfinite(number) else None
