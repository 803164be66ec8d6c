"""The course of many daily series at once: level, weekly pattern and noise of each, learnt day by day and hard to mislead.

Numbers in, numbers out, on whatever scale the caller has put them (logarithms, as a rule). Judges nothing.

Each series is followed by a small bank of filters in innovations form (Hyndman, Koehler, Ord and Snyder 2008): a slow level, a
swing around it that fades, and weekday offsets. What is more than a few standard deviations off is clipped before it teaches
(Gelper, Fried and Croux 2010), and the filter with the smallest recent loss speaks for the series.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: So many days with a value make a beginning: two of each weekday.
DAYS_TO_BEGIN = 14
#: The filters: what part of its swing a series keeps overnight, and what part of a surprise becomes swing. From a series that
#: always comes back to its level to one that never does.
FILTERS = (
    (0.0, 0.0),
    (0.3, 1.0),
    (0.6, 0.6),
    (0.8, 0.8),
    (0.95, 0.5),
    (0.97, 1.0),
    (1.0, 0.05),
    (1.0, 0.25),
    (1.0, 0.6),
    (1.0, 0.9),
)
#: The filter without a swing.
SLOWEST = 0
#: What part of a surprise moves the level, a weekday's offset, the variance and the loss of a filter; a young filter learns faster.
LEVEL_GAIN, WEEK_GAIN, NOISE_GAIN, LOSS_GAIN = 0.03, 0.12, 0.03, 0.03
#: A surprise of more standard deviations is clipped to so many.
CLIPPED_AT = 2.5
#: Variance of a normal variable clipped there, inverted.
_CLIPPED_VARIANCE = 1.02
#: After so many clipped days in a row on one side the level is a new one.
DAYS_TO_ACCEPT = 3
#: Relative changes below this are no noise but rounding.
LEAST_NOISE = 0.004
#: What is left of the first days, after offsets that fit them closely, is less than the noise to come by this factor.
FIRST_NOISE = 1.8
#: So many series have a weekly pattern in common.
SERIES_IN_COMMON = 8

_TO_STANDARD_DEVIATION = 1.4826


@dataclass(frozen=True)
class Baseline:
    """What each series was believed to be after some day (arrays by series; ``week`` is weekdays by series). NaN: not known yet."""

    level: Numbers
    swing: Numbers
    decay: Numbers
    week: Numbers
    noise: Numbers

    def forecast(self, weekdays: NDArray[np.int64]) -> Numbers:
        """The next days, of these weekdays (days by series)."""
        fading = self.decay ** np.arange(len(weekdays))[:, None]
        return self.level + self.week[weekdays] + fading * self.swing


class Bank:
    """All filters of all series, after the days that they have been taught."""

    def __init__(self, series: int) -> None:
        shape = (len(FILTERS), series)
        self._decay, self._gain = (np.array(column)[:, None] for column in zip(*FILTERS, strict=True))
        self._level, self._swing = np.full(shape, np.nan), np.zeros(shape)
        self._week = np.zeros((7, *shape))
        self._noise, self._loss = np.full(shape, np.nan), np.full(shape, np.nan)
        self._run, self._age = np.zeros(shape), np.zeros(shape)
        self._visits = np.zeros((7, series))
        self._first, self._first_weekday = np.zeros((DAYS_TO_BEGIN, series)), np.zeros((DAYS_TO_BEGIN, series), int)
        self.days = np.zeros(series, int)

    def baseline(self) -> Baseline:
        """The belief of each series' best filter, in front of the next day."""
        return self._belief(np.argmin(np.where(np.isnan(self._loss), np.inf, self._loss), axis=0))

    def slow_baseline(self) -> Baseline:
        """The level and the week alone, as if each series always came back to them: a yardstick for what creeps."""
        return self._belief(np.full(len(self.days), SLOWEST))

    def _belief(self, filters: NDArray[np.int64]) -> Baseline:
        which = filters[None]

        def of(values: Numbers) -> Numbers:
            return np.asarray(np.take_along_axis(values, which, axis=0)[0])

        week = np.take_along_axis(self._week, which[None], axis=1)[:, 0]
        noise = of(self._noise) * np.sqrt(1 + 7 / np.maximum(self.days, 1))
        return Baseline(of(self._level), of(self._swing), self._decay[filters, 0], week, noise)

    def restart(self, which: Flags) -> None:
        """Forgets these series."""
        self.days[which] = 0
        self._level[:, which] = self._noise[:, which] = self._loss[:, which] = np.nan

    def skip(self) -> None:
        """A day passes of which nothing is learnt."""
        self._swing *= self._decay

    def learn(self, values: Numbers, weekday: int, shock: float = 0.0, lasting: float = 0.0) -> None:
        """Teaches a day (NaN teaches nothing). ``shock`` befell all series alike and is left out; what of it is ``lasting`` moves
        every level.
        """
        teaches = ~np.isnan(values)
        known = teaches & (self.days >= DAYS_TO_BEGIN)
        if known.any():
            self._follow(values - shock, weekday, known)
            self._level[:, known] += lasting
        else:
            self.skip()
        young = teaches & (self.days < DAYS_TO_BEGIN)
        self.days[teaches] += 1
        if young.any():
            self._collect(values, weekday, np.flatnonzero(young))

    def _follow(self, values: Numbers, weekday: int, known: Flags) -> None:
        surprise = np.where(known, values - (self._level + self._swing + self._week[weekday]), 0.0)
        limit = CLIPPED_AT * self._noise
        clipped = np.clip(surprise, -limit, limit)
        side = np.where(np.abs(surprise) > limit, np.sign(surprise), 0.0)
        same = (side != 0) & (side == np.sign(self._run))
        self._run = np.where(known, np.where(same, self._run + side, side), self._run)
        is_new = np.abs(self._run) >= DAYS_TO_ACCEPT
        self._run[is_new] = 0.0

        level_gain = np.maximum(LEVEL_GAIN, 1 / (self._age + 2))
        self._level += np.where(is_new, surprise, level_gain * clipped)
        self._swing = self._decay * (self._swing + np.where(is_new, 0.0, self._gain * clipped))
        week_gain = np.maximum(WEEK_GAIN, 1 / (self._visits[weekday] + 2)) * (1 - self._gain)
        self._week[weekday] += np.where(is_new, 0.0, week_gain * clipped)
        self._age = np.where(is_new, DAYS_TO_ACCEPT - 1, self._age + known)

        gain = np.where(known & ~is_new, np.maximum(NOISE_GAIN, 1 / (self.days + 1)), 0.0)
        variance = (1 - gain) * self._noise**2 + gain * _CLIPPED_VARIANCE * clipped**2
        loss = np.minimum(np.abs(surprise), 4 * self._noise)
        gain = np.where(known, np.maximum(LOSS_GAIN, 1 / (self.days + 1)), 0.0)
        self._loss = (1 - gain) * self._loss + gain * loss
        self._noise = np.maximum(np.sqrt(variance), LEAST_NOISE)
        self._visits[weekday] += known

    def _collect(self, values: Numbers, weekday: int, young: NDArray[np.int64]) -> None:
        row = self.days[young] - 1
        self._first[row, young], self._first_weekday[row, young] = values[young], weekday
        ready = young[row == DAYS_TO_BEGIN - 1]
        if len(ready):
            self._begin(ready)

    def _begin(self, ready: NDArray[np.int64]) -> None:
        """Medians of the first days: a level, weekday offsets drawn towards those that all have, and the noise of what is left."""
        first, weekdays = self._first[:, ready], self._first_weekday[:, ready]
        level = np.median(first, axis=0)
        left = first - level
        for weekday in range(7):
            is_it = weekdays == weekday
            count = is_it.sum(axis=0)
            total = np.where(is_it, first - level, 0.0).sum(axis=0)
            shared = _shared(total[count > 0] / count[count > 0])
            offset = (total + shared) / (count + 1)
            left -= np.where(is_it, offset, 0.0)
            self._week[weekday][:, ready] = offset
            self._visits[weekday, ready] = count
        own = _TO_STANDARD_DEVIATION * np.median(np.abs(left), axis=0)
        noise = np.maximum(FIRST_NOISE * np.maximum(own, np.median(own) / 2), LEAST_NOISE)
        self._level[:, ready], self._noise[:, ready], self._loss[:, ready] = level, noise, noise
        self._swing[:, ready] = self._run[:, ready] = 0.0
        self._age[:, ready] = DAYS_TO_BEGIN


def _shared(offsets: Numbers) -> float:
    return float(np.median(offsets)) if len(offsets) >= SERIES_IN_COMMON else 0.0
