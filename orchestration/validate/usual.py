"""What is usual of a figure that comes with every extract: bounds from the days before, robust and honest about small files.

Plain numbers in, plain numbers out: knows no table, no rule and no database. A day is judged by its past alone, and a day that
was not as usual is no past for the days after it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

#: So many earlier days are looked at, and so many there must be before a day is judged at all.
DAYS_BEFORE, DAYS_NEEDED = 28, 7
#: A share is out of its bounds where chance alone would bring it there once in so many days.
ONCE_IN = 1_000_000
#: The past weighs as much as so many rows at the most, each day of it alike: shares drift, however many rows say otherwise.
WEIGHT_OF_THE_PAST = 300.0
#: A past whose days differ much among themselves weighs less, but never less than this.
LEAST_WEIGHT = 10.0
#: Robust standard deviations from the middle of the past.
DEVIATIONS = {"count": 4.0, "level": 6.0}
#: Below so many rows on a usual day a count is not judged: it can fall to nothing by chance.
SMALLEST_COUNT = 20
#: However steady the past, a count may fall to this share of the usual one.
FALL_ALLOWED = 0.6

_TO_STANDARD_DEVIATION = 1.4826

Numbers = NDArray[np.float64]
#: Which way a figure may not leave its bounds; the other way it has none.
Side = Literal["below", "above", "either"]


@dataclass(frozen=True)
class Bounds:
    """What was usual before a day: inside ``lower`` and ``upper`` it is believed; most days lie in ``from_`` to ``to``.

    Missing bounds (NaN) mean that there is too little past, or too few rows, to judge.
    """

    lower: float
    upper: float
    from_: float
    to: float

    @property
    def is_known(self) -> bool:
        return not np.isnan(self.lower)


@dataclass(frozen=True)
class Course:
    """The days of a figure, in order: ``believed`` is what is settled of a day, None where it is to be judged. Of a day of
    ``begins_anew`` somebody said that the figure is right as it came: where it was not believed, the past of the days after it begins
    with it. Where the course ``is_tolerant``, a day out of bounds is past all the same, so that what lasts becomes usual.
    """

    believed: Sequence[bool | None]
    begins_anew: Sequence[bool]
    is_tolerant: bool = False

    @classmethod
    def unjudged(cls, days: int) -> Course:
        return cls([None] * days, [False] * days)


UNKNOWN = Bounds(np.nan, np.nan, np.nan, np.nan)


def shares(
    hits: Sequence[int], rows: Sequence[int], course: Course, side: Side = "either", fewest_missed: int = 0
) -> list[Bounds]:
    """Bounds of a share, ``hits`` of ``rows`` on each day, in order.

    Beta-binomial: the share of a day scatters around that of the days before as chance has it in so few rows, and as much
    more as the days before scatter among themselves (method of moments; Griffiths 1973). A day without rows has no bounds.
    Where a usual day of its size has fewer hits than ``fewest_missed``, a day without any is not below its bounds.
    """
    k, n = np.asarray(hits, float), np.asarray(rows, float)
    share = np.divide(k, n, out=np.zeros_like(k), where=n > 0)
    weights = np.minimum(n, WEIGHT_OF_THE_PAST)

    def judge(day: int, past: list[int]) -> Bounds:
        if n[day] == 0:
            return UNKNOWN
        before, weight = share[past], weights[past]
        p = float((before @ weight + 0.5) / (weight.sum() + 1))
        strength = _strength(before, n[past], p, float(weight.sum() + 1))
        seen = 1 / (1 / n[day] + 1 / strength)
        half_a_row = 0.5 / n[day]
        weight_of_quantile = np.array([seen, seen, strength, strength])
        quantiles = stats.beta.ppf(
            [1 / ONCE_IN, 1 - 1 / ONCE_IN, 0.05, 0.95], p * weight_of_quantile, (1 - p) * weight_of_quantile
        )
        lower, upper, from_, to = np.asarray(quantiles).tolist()
        if k[day] == 0 and from_ * n[day] < fewest_missed:
            lower = -np.inf
        return Bounds(lower - half_a_row, upper + half_a_row, from_, to)

    return _day_by_day(share, n > 0, course, judge, side)


def counts(rows: Sequence[int], weekdays: Sequence[int], course: Course, side: Side = "either") -> list[Bounds]:
    """Bounds of the number of rows of each day, in order; ``weekdays`` are compared among themselves.

    On the logarithm: the median of the same weekday (of all days until three of them are known, and never more than
    the same weekday had), and the median absolute deviation around it.
    """
    level = np.log(np.asarray(rows, float) + 0.5)
    weekday = np.asarray(weekdays)

    def judge(day: int, past: list[int]) -> Bounds:
        of_weekday = {d: float(np.median(level[[i for i in past if weekday[i] == d]])) for d in set(weekday[past])}
        same = [i for i in past if weekday[i] == weekday[day]]
        overall = float(np.median(level[past]))
        middle = of_weekday[weekday[day]] if len(same) >= 3 else min([overall, *level[same]])
        if np.exp(middle) < SMALLEST_COUNT:
            return UNKNOWN
        residuals = np.array([level[i] - of_weekday[weekday[i]] for i in past])
        spread = np.hypot(_TO_STANDARD_DEVIATION * np.median(np.abs(residuals)), np.exp(-middle / 2))
        reach = DEVIATIONS["count"] * spread
        fall, rise = max(reach, -np.log(FALL_ALLOWED)), max(reach, np.log(2))
        return Bounds(*(float(np.exp(middle + step)) for step in (-fall, rise, -2 * spread, 2 * spread)))

    return _day_by_day(np.asarray(rows, float), np.ones(len(rows), bool), course, judge, side)


def levels(values: Sequence[float], least_reach: float, course: Course, side: Side = "either") -> list[Bounds]:
    """Bounds of a figure of each day, in order: the median of the days before, give or take their scatter and at least
    ``least_reach``. NaN stands for a day without the figure.
    """
    level = np.asarray(values, float)

    def judge(day: int, past: list[int]) -> Bounds:
        middle = float(np.median(level[past]))
        spread = _TO_STANDARD_DEVIATION * float(np.median(np.abs(level[past] - middle)))
        reach = max(DEVIATIONS["level"] * spread, least_reach)
        return Bounds(middle - reach, middle + reach, middle - 2 * spread, middle + 2 * spread)

    return _day_by_day(level, ~np.isnan(level), course, judge, side)


def _day_by_day(
    figures: Numbers,
    is_there: NDArray[np.bool_],
    course: Course,
    judge: Callable[[int, list[int]], Bounds],
    side: Side,
) -> list[Bounds]:
    """The bounds of each day that is to be judged, from the believed days before it."""
    bounds: list[Bounds] = []
    past: list[int] = []
    for day, (figure, settled) in enumerate(zip(figures, course.believed, strict=True)):
        known, believed = UNKNOWN, settled
        if settled is None:
            if is_there[day] and len(past) >= DAYS_NEEDED:
                known = _on_one_side(judge(day, past[-DAYS_BEFORE:]), side)
            believed = not (figure < known.lower or figure > known.upper)
        bounds.append(known)
        if course.begins_anew[day] and not believed:
            past, believed = [], True
        if is_there[day] and (believed or course.is_tolerant):
            past.append(day)
    return bounds


def _on_one_side(known: Bounds, side: Side) -> Bounds:
    if not known.is_known or side == "either":
        return known
    return replace(known, upper=np.inf) if side == "below" else replace(known, lower=-np.inf)


def _strength(share: Numbers, rows: Numbers, p: float, weight: float) -> float:
    """How many rows the past is worth: fewer where its days differ by more than chance."""
    many = rows >= 30
    if many.sum() >= DAYS_NEEDED:
        beyond_chance = float(np.mean((share[many] - p) ** 2 - p * (1 - p) / rows[many]))
        if beyond_chance > 0:
            weight = min(weight, max(p * (1 - p) / beyond_chance - 1, LEAST_WEIGHT))
    return min(weight, WEIGHT_OF_THE_PAST)
