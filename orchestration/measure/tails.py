"""How far a figure usually moves, and how rare a move is: learnt day by day from each series' own past and from all series together.

Moves and noise in, standard units and chances out. Knows no segment, no calendar and no verdict.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: What part of the pool a day takes with it when it goes: a memory of about two months.
FORGOTTEN_A_DAY = 1 / 60
#: A pool begins with so many values of a Student t of so few degrees of freedom, which never leave it: a careful start.
PRIOR_VALUES, PRIOR_FREEDOM = 100.0, 4.0
#: The tail begins at the higher quantile; how heavy it is, the ratio of the two tells.
BODY, TAIL = 0.80, 0.98
#: Degrees of freedom that a tail may have.
FREEDOMS = np.concatenate([np.arange(3, 12, 0.25), np.arange(12, 41, 4.0)])
#: A value as rare as this, and the days after it, do not join the pool: what is sought must not become usual.
TOO_RARE, DAYS_APART = 1e-4, 7
#: A series' own spread forgets in about three months; until so many of its windows are seen, that of all series weighs in.
SPREAD_FORGOTTEN_A_DAY, PRIOR_WINDOWS = 1 / 90, 4.0
#: A move of more spreads counts as so many where the spread is learnt, and the variance that this takes away.
CLIPPED_AT, _CLIPPED_VARIANCE = 2.5, 1.02
#: Moves smaller than this are rounding.
LEAST_SPREAD = 0.002
#: So many series show whether a day scatters more than usual; how fast the usual is forgotten, and what a wild day counts at most.
SERIES_TO_SCATTER, SCATTER_FORGOTTEN_A_DAY, SCATTER_RISE = 20, 1 / 30, 1.5
#: Chances outside of these count as these: nothing is impossible, and one calm scale does not outweigh an alarming one.
LEAST_CHANCE, MOST_CHANCE = 1e-15, 0.9

_TO_STANDARD_DEVIATION = 1.4826
_WIDTH, _BINS = 0.005, 4000
_EDGES = _WIDTH * np.arange(1, _BINS)
_STARTS = stdtrit(FREEDOMS, (1 + TAIL) / 2)
_RATIOS = _STARTS / stdtrit(FREEDOMS, (1 + BODY) / 2)
_PRIOR = PRIOR_VALUES * np.diff(2 * stdtr(PRIOR_FREEDOM, np.concatenate([[0.0], _EDGES, [np.inf]])))


class Tail:
    """A pool of absolute standard values, forgotten slowly: its body is counted, its tail is a Student t through two of its
    quantiles, so that a few true shifts in the pool change nothing. In the spirit of conformal prediction (Vovk, Gammerman and
    Shafer 2005).
    """

    def __init__(self) -> None:
        self._seen = np.zeros(_BINS)
        self._fit()

    def add(self, values: Numbers) -> None:
        """A day's values (NaN is left out)."""
        sizes = np.abs(values[~np.isnan(values)])
        bins = np.minimum(sizes / _WIDTH, _BINS - 1).astype(int)
        self._seen = self._seen * (1 - FORGOTTEN_A_DAY) + np.bincount(bins, minlength=_BINS)
        self._fit()

    def critical(self, chance: float) -> float:
        """The absolute value that is exceeded with this chance."""
        if chance < 1 - TAIL:
            return float(-stdtrit(self._freedom, chance / 2) * self._stretch)
        return self._quantile(1 - chance)

    def chances(self, values: Numbers) -> Numbers:
        """Two-sided: how often a value is at least so far from nothing. NaN stays NaN."""
        sizes = np.abs(np.nan_to_num(values))
        bins = np.minimum(sizes / _WIDTH, _BINS - 1).astype(int)
        chances = np.maximum(1 - np.concatenate([[0.0], self._below])[bins], 1 - TAIL)
        is_rare = sizes > self._start
        chances[is_rare] = 2 * stdtr(self._freedom, -sizes[is_rare] / self._stretch)
        return np.where(np.isnan(values), np.nan, chances)

    def _fit(self) -> None:
        pool = self._seen + _PRIOR
        self._below = np.cumsum(pool) / pool.sum()
        self._start = self._quantile(TAIL)
        fitting = int(np.argmin(np.abs(_RATIOS - self._start / self._quantile(BODY))))
        self._freedom, self._stretch = FREEDOMS[fitting], self._start / _STARTS[fitting]

    def _quantile(self, share: float) -> float:
        return float(_EDGES[min(int(np.searchsorted(self._below, share)), _BINS - 2)])


class Gauge:
    """Measures the moves of many series over windows of ``days``: how far each usually moves, and how rare a move is."""

    def __init__(self, series: int, days: int) -> None:
        self._tail = Tail()
        self._days = days
        self._squares, self._windows = np.zeros(series), np.zeros(series)
        self._to_noise, self._to_noise_days = 1.0, 0
        self._apart = np.zeros(series, int)
        self._usual_scatter = 1.0

    def spread(self, noise: Numbers) -> Numbers:
        """One usual move of each series, given the ``noise`` of its single days."""
        prior = PRIOR_WINDOWS * (self._to_noise * noise) ** 2
        return np.maximum(np.sqrt((prior + self._squares) / (PRIOR_WINDOWS + self._windows)), LEAST_SPREAD)

    def unrest(self, moves: Numbers, spreads: Numbers) -> float:
        """The deviation by which series scatter beyond their spreads on this day, more than on others: a holiday hits some harder.

        The heterogeneity of Paule and Mandel (1982), by medians.
        """
        is_there = ~np.isnan(moves)
        if is_there.sum() < SERIES_TO_SCATTER:
            return 0.0
        sizes, spreads = np.abs(moves[is_there]), spreads[is_there]
        usual, scatter = self._usual_scatter, _scatter(sizes, spreads, 0.0)
        self._usual_scatter += SCATTER_FORGOTTEN_A_DAY * (min(scatter, SCATTER_RISE * usual) - usual)
        if scatter <= usual:
            return 0.0
        low, high = 0.0, _TO_STANDARD_DEVIATION * float(np.median(sizes)) / usual
        for _ in range(12):
            middle = (low + high) / 2
            low, high = (middle, high) if _scatter(sizes, spreads, middle) > usual else (low, middle)
        return (low + high) / 2

    def restart(self, which: Flags) -> None:
        """Forgets what these series did by themselves."""
        self._squares[which] = self._windows[which] = 0.0

    def chances(self, standard: Numbers) -> Numbers:
        """How rare moves of so many spreads are."""
        return self._tail.chances(standard)

    def critical(self, chance: float) -> float:
        """The spreads that a move exceeds with this chance."""
        return self._tail.critical(chance)

    def learn(self, moves: Numbers, noise: Numbers, standard: Numbers, chances: Numbers) -> None:
        """A day's moves become past (NaN teaches nothing)."""
        is_there = ~np.isnan(moves)
        is_too_rare = np.nan_to_num(chances, nan=1.0) < TOO_RARE
        self._apart = np.where(is_too_rare, DAYS_APART, np.maximum(self._apart - 1, 0))
        self._tail.add(np.where(self._apart > 0, np.nan, standard))
        if not is_there.any():
            return
        limit = CLIPPED_AT * self.spread(noise)[is_there]
        clipped = np.clip(moves[is_there], -limit, limit)
        kept = 1 - SPREAD_FORGOTTEN_A_DAY
        self._squares[is_there] = kept * self._squares[is_there] + _CLIPPED_VARIANCE * clipped**2 / self._days
        self._windows[is_there] = kept * self._windows[is_there] + 1 / self._days
        self._learn_ratio(_TO_STANDARD_DEVIATION * float(np.median(np.abs(moves[is_there]) / noise[is_there])))

    def _learn_ratio(self, today: float) -> None:
        self._to_noise_days += 1
        gain = max(FORGOTTEN_A_DAY, 1 / (self._to_noise_days + 1))
        self._to_noise += gain * (today - self._to_noise)


def combined(chances: Numbers, weights: Numbers) -> Numbers:
    """One chance of several that hang together, by column: Cauchy's combination (Liu and Xie 2020), exact in the tail. NaN has no
    say; a column of none is NaN.
    """
    said = ~np.isnan(chances)
    heard = np.where(said, weights, 0.0)
    unlikely = 1 / np.tan(np.pi * np.clip(np.nan_to_num(chances, nan=0.5), LEAST_CHANCE, MOST_CHANCE))
    mean = (heard * unlikely).sum(axis=0) / np.maximum(heard.sum(axis=0), LEAST_CHANCE)
    return np.where(said.any(axis=0), np.arctan2(1.0, mean) / np.pi, np.nan)


def _scatter(sizes: Numbers, spreads: Numbers, extra: float) -> float:
    return _TO_STANDARD_DEVIATION * float(np.median(sizes / np.hypot(spreads, extra)))
