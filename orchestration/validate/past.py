"""Judges every extract against the extracts before it, and says in a sentence what is not as usual.

The verdict on a day rests on the days before it and on nothing else, so that any order of runs ends with the same verdicts.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from math import exp, inf, log, nan

from expectations.contracts import ExtractTable
from expectations.past import PastExpectation
from orchestration.validate.figures import Figure, Series
from orchestration.validate.usual import Bounds, Course, counts, levels, shares

#: How far a level may move at the least: a number by this factor, a date by so many years, an hour by so many.
FACTOR, YEARS, HOURS = 2.0, 8.0, 2.0
#: A value whose usual rows in a file of the day's size are fewer is not missed.
ROWS_MISSED = 20


@dataclass(frozen=True)
class PastVerdict:
    """What one expectation says of one extract. ``figure`` must lie between ``lower`` and ``upper``, or on the one side that the
    expectation asks for: a share from 0 to 1, rows, the number itself, a year, an hour. ``sentence`` is empty where all is as usual.
    """

    extract_date: date
    table: str
    expectation: PastExpectation
    value: str | None
    success: bool
    observed: str
    rows: int
    unexpected_rows: int
    figure: float
    lower: float
    upper: float
    sentence: str


def judge_series(
    table: ExtractTable,
    one: Series,
    settled: Mapping[date, bool],
    begins_anew: Collection[date],
    known_days: Collection[date],
) -> list[PastVerdict]:
    """The verdict on each extract of the series that is not ``settled`` and has enough past.

    ``begins_anew`` are the days from which on somebody said that the figures are right as they came; of ``known_days`` it was
    known beforehand that they would not be as usual: they are not judged on counts and times, and are no past.
    """
    ignores = one.expectation.measure in ("rows", "of the day", "hour")
    figures = [figure for figure in one.figures if not (ignores and figure.day in known_days)]
    course = Course(
        [settled.get(figure.day) for figure in figures],
        [figure.day in begins_anew for figure in figures],
        is_tolerant=one.expectation.severity == "warning",
    )
    verdicts = []
    for figure, bounds in zip(figures, _bounds(one, figures, course), strict=True):
        if figure.day not in settled and bounds.is_known:
            verdicts.append(_verdict(table, one, figure, bounds))
    return verdicts


def _bounds(one: Series, figures: list[Figure], course: Course) -> list[Bounds]:
    measure, side = one.expectation.measure, one.expectation.side
    rows = [figure.rows for figure in figures]
    match measure:
        case "rows" | "of the day":
            return counts(rows, [figure.day.weekday() for figure in figures], course, side)
        case "level" | "hour":
            reach = HOURS if measure == "hour" else YEARS if _is_date(one.expectation) else log(FACTOR)
            return levels([_level(figure) for figure in figures], reach, course, side)
    return shares([figure.hits for figure in figures], rows, course, side, ROWS_MISSED if one.value else 0)


def _verdict(table: ExtractTable, one: Series, figure: Figure, bounds: Bounds) -> PastVerdict:
    unit = _unit(one.expectation)
    seen, lower, upper = (unit.shown(number) for number in (unit.compared(figure), bounds.lower, bounds.upper))
    usual = unit.between(unit.shown(bounds.from_), unit.shown(bounds.to))
    success = lower <= seen <= upper
    return PastVerdict(
        extract_date=figure.day,
        table=table.id,
        expectation=one.expectation,
        value=one.value,
        success=success,
        observed=f"{unit.said(seen)}, usually {usual}",
        rows=figure.rows,
        unexpected_rows=figure.hits if seen > upper else 0,
        figure=seen,
        lower=lower,
        upper=upper,
        sentence="" if success else f"{_what_was_seen(table, one, figure)} on {figure.day}, usually {usual}",
    )


@dataclass(frozen=True)
class _Unit:
    """How a figure is compared with its bounds, and how it is shown and said."""

    compared: Callable[[Figure], float]
    shown: Callable[[float], float]
    said: Callable[[float], str]

    def between(self, from_: float, to: float) -> str:
        first, last = self.said(from_), self.said(to)
        if first == last:
            return first
        return f"{first.removesuffix(' %')}–{last}"


def _percent(share: float) -> str:
    percent = 100 * min(max(share, 0.0), 1.0)
    return f"{percent:.0f} %" if percent >= 1 or percent < 0.05 else f"{percent:.1f} %"


def _number(number: float) -> str:
    return f"{number:,.2f}" if abs(number) < 100 else f"{number:,.0f}"


def _clock(hour: float) -> str:
    minutes = round(min(max(hour, 0.0), 24.0) * 60)
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _level(figure: Figure) -> float:
    return nan if figure.level is None else figure.level


def _no_further(least: float, most: float) -> Callable[[float], float]:
    return lambda number: min(max(number, least), most)


_ROWS = _Unit(lambda figure: figure.rows, _no_further(0.0, inf), lambda rows: f"{rows:,.0f}")
_SHARE = _Unit(lambda figure: figure.hits / figure.rows, _no_further(0.0, 1.0), _percent)
_NUMBER = _Unit(_level, exp, _number)
_YEAR = _Unit(_level, lambda years: years, lambda years: f"{int(years)}")
_HOUR = _Unit(_level, lambda hour: hour, _clock)


def _unit(expectation: PastExpectation) -> _Unit:
    if expectation.measure == "level":
        return _YEAR if _is_date(expectation) else _NUMBER
    return {"rows": _ROWS, "of the day": _ROWS, "hour": _HOUR}.get(expectation.measure, _SHARE)


def _is_date(expectation: PastExpectation) -> bool:
    return expectation.measure == "level" and expectation.column.endswith(("_date", "_on"))


def _what_was_seen(table: ExtractTable, one: Series, figure: Figure) -> str:
    column, unit = one.expectation.column, _unit(one.expectation)
    seen = unit.said(unit.shown(unit.compared(figure)))
    share = f"in {seen} of {figure.rows:,} rows"
    match one.expectation.measure:
        case "rows":
            return f"{table.id} had {figure.rows:,} rows"
        case "empty":
            return f"{column} was empty {share}"
        case "value":
            return f"{column} was {one.value} {share}"
        case "new value":
            return f"{column} had values never seen before {share}"
        case "changed":
            return f"{column} had a value that the customer never had {share}"
        case "level" if not _is_date(one.expectation):
            return f"{column} was {seen} or more in a quarter of {figure.rows:,} rows"
        case "level":
            return f"{column} was {seen} in the middle of {figure.rows:,} rows"
        case "of the day":
            return f"{table.id} had {figure.rows:,} rows of the day itself"
        case "hour":
            return f"{column} was at {seen} in the middle of {figure.rows:,} rows"
        case "zero":
            return f"{column} was 0 {share}"
        case "again":
            return f"{table.id} had lines that are there twice under other ids {share}"
        case "orders":
            return f"{table.id} had {figure.hits:,} orders in {figure.rows:,} rows, {seen},"
        case "shared":
            return f"{column} was of an order with several customers {share}"
        case "region":
            return f"customers of {one.value} bought {share} of {table.id}"
        case "unknown":
            return f"{column} was unknown {share} of {table.id}"
        case "repeated":
            return f"the key of {table.id} was repeated {share}"


def shown(verdicts: Iterable[PastVerdict]) -> set[PastVerdict]:
    """One verdict per extract, expectation and column: of a column's values, one that failed, and the one that most rows have."""
    found: dict[tuple[date, str, str], PastVerdict] = {}
    for verdict in verdicts:
        key = (verdict.extract_date, verdict.expectation.name, verdict.expectation.column)
        if key not in found or _weight(verdict) > _weight(found[key]):
            found[key] = verdict
    return set(found.values())


def _weight(verdict: PastVerdict) -> tuple[bool, int]:
    return not verdict.success, verdict.unexpected_rows
