"""Which daily figures of which segments moved more than chance explains: what was to be expected, how rare it was, the verdict.

Tables of daily figures in, tables of verdicts out. Knows no warehouse, no schedule and no message; what a day teaches is in
``smoothing``, how rare a move is in ``tails``.
"""

from __future__ import annotations

import hashlib
import pickle
from collections import deque
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from statsmodels.stats.multitest import multipletests

from orchestration.measure import smoothing, tails
from orchestration.measure.smoothing import DAYS_TO_BEGIN, Bank, Baseline, Flags, Numbers
from orchestration.measure.tails import Gauge, Tail, combined

#: Members on a day; events on a day (entered, exited); a share of a scheme or of the base, between 0 and 1.
Kind = Literal["stock", "flow", "share"]

#: The chance of a false alert that each scale may spend: a shift of a day, of a level, a drift, a lost weekly pattern (flows only).
ERROR_SHARES = {"1 day": 0.3, "3 days": 0.05, "7 days": 0.25, "28 days": 0.25, "weekly pattern": 0.15}
SCALE_DAYS = {"1 day": 1, "3 days": 3, "7 days": 7, "28 days": 28, "weekly pattern": 14}
WEEKLY = "weekly pattern"
#: Of the segments alerted on a day at most this share may be false (Benjamini and Hochberg 1995).
FALSE_SHARE = 0.05
#: With fewer segments than this the rate is too coarse: each is judged by its own chance.
FEW_SEGMENTS, FEW_CHANCE = 50, 1e-3
#: Nobody acts on a smaller relative change, nor on a figure that is and was to be smaller than a handful of customers, or than a
#: thousandth of a base.
LEAST_EFFECT, LEAST_EXPECTED, LEAST_SHARE = 0.08, 10.0, 0.001
#: From so many days of history on a verdict is more than a warning.
DAYS_TO_TRUST = 56
#: So many segments have something in common; with fewer nobody can tell whose shift it is.
SEGMENTS_IN_COMMON = 8
#: What moves all segments by more than this part of their noise is a shock to all: it teaches nothing on its first day, unless it
#: comes back on the same weekday.
LARGE_SHOCK = 0.75
#: "Everything at once" is one series, judged by its own chance.
EVERYTHING_CHANCE = 1e-3
#: One day off does not make a level: in a longer window it counts for so many standard deviations from the window's middle.
SINGLE_DAY_LIMIT = 4.0
#: Alerts so many days apart are one; after so many alerted days it has been said, and what lasts is the new usual.
DAYS_OF_ONE_ALERT, DAYS_TO_SAY = 3, 7
#: What the bands promise in per cent, and how fast they widen where they cover less (Gibbs and Candès 2021).
BANDS, BAND_STEP = (95, 99), 0.01
#: A relative change is written down up to this logarithm.
LARGEST_MOVE = 20.0
#: A share of nothing is taken for this.
SMALLEST_SHARE = 1e-6

_SCORED = ("date", "segment", "expected", "lower_95", "upper_95", "lower_99", "upper_99", "p_value", "shift")
_NUMBERS = ("expected", "lower_95", "upper_95", "lower_99", "upper_99", "p_value", "effect", "min_detectable")
_STATES = ("insufficient_history", "warming_up", "judged", "known", "no_value")
#: What a watch has learnt, beside what all segments did alike.
_LEARNT = (
    *("_bank", "_scales", "_bands", "_outside", "_beliefs", "_slow_beliefs"),
    *("_episodes", "_common_episodes", "_since", "_common_since", "_shocks"),
)
_CODE = hashlib.sha256(
    b"".join(Path(str(module)).read_bytes() for module in (__file__, smoothing.__file__, tails.__file__))
).hexdigest()


@dataclass(frozen=True)
class Watched:
    """What had been learnt by the end of the day ``until``, from days with the checksum ``key``: enough to go on from the next day."""

    until: date
    key: str
    state: bytes


@dataclass(frozen=True)
class Judgement:
    """What was judged of every day.

    ``days``: one row per day and segment, in the order of the days: date, segment, expected, lower_95, upper_95, lower_99,
    upper_99 (in the figure's own unit, forecast from the days before), p_value (after the correction for the scales), shift,
    scale (the window with the smallest p-value, and its ``effect``: relative and signed, -0.21 for a fall by 21 %),
    min_detectable (the smallest relative fall on that single day that would have been alerted, at even chances), state. Where
    nothing can be judged the numbers are NaN and scale is missing. In the state ``warming_up`` a shift is a warning only.

    ``everything``: one row per day: date, common (what all segments did alike, in its own standard deviations), effect, scale,
    p_value, shift. What is said here is not said again of each segment.

    Where it went on from ``Watched``, ``days`` begins after that day; ``everything`` never does. ``watched``: to go on from when the last day,
    or one more, is judged; None of a single day.
    """

    days: pd.DataFrame
    everything: pd.DataFrame
    watched: Watched | None


def detect(counts: pd.DataFrame, kind: Kind) -> pd.DataFrame:
    """The verdicts alone: ``Judgement.days`` by date, segment, expected, bounds, p_value and shift."""
    return judge(counts, kind).days[list(_SCORED)]


def judge(
    counts: pd.DataFrame,
    kind: Kind,
    known: pd.DataFrame | None = None,
    restarts: pd.DataFrame | None = None,
    watched: Watched | None = None,
) -> Judgement:
    """Judges each day of each segment by that day and the days before it.

    ``counts``: a row per day, a column per segment; NaN and missing days are days without a value. ``known``: true where a day is
    known not to be like others; it is never alerted and teaches nothing. ``restarts``: true where a segment begins anew, because
    its definition changed; nothing before is compared with anything after. ``watched``: of an earlier judgement, gone on from where all of
    its days are as they were, for then the same comes out. Raises ValueError where the tables do not fit.
    """
    panel = _panel(counts, kind, known, restarts)
    watch = _Watch(panel)
    last = len(panel.dates) - 1
    if watched is not None and 0 < (seen := panel.days_until(watched.until)) <= last and panel.key(seen) == watched.key:
        watch.go_on(seen, watched.state)
    kept = None
    for day in range(watch.seen, last + 1):
        if 0 < day == last:
            kept = Watched(panel.dates[day - 1].date(), panel.key(day), watch.state())
        watch.see(day)
    return watch.judgement(kept)


@dataclass(frozen=True)
class _Panel:
    """The figures (days by segments), and their logarithms: NaN there where a day teaches nothing."""

    kind: Kind
    dates: Any
    segments: Any
    figures: Numbers
    lessons: Numbers
    known: Flags
    restarts: Flags
    weekdays: NDArray[np.int64]

    def days_until(self, day: date) -> int:
        return int(self.dates.searchsorted(pd.Timestamp(day), side="right"))

    def key(self, days: int) -> str:
        """Changes with anything of the first days, and with how they are judged."""
        of_days = (self.figures[:days], self.known[:days], self.restarts[:days])
        seen = hashlib.sha256(repr((self.kind, self.dates[0], list(self.segments), days, _CODE)).encode())
        for table in of_days:
            seen.update(np.ascontiguousarray(table).tobytes())
        return seen.hexdigest()

    def natural(self, logs: Numbers) -> Numbers:
        return np.minimum(np.exp(logs), 1.0) if self.kind == "share" else np.exp(logs) - 0.5

    def drawn(self, shared: float, forecast: Numbers) -> Numbers:
        """The deviation because a shock that takes (or brings) a share of all customers draws them from each segment by chance."""
        if self.kind == "share":
            return np.zeros_like(forecast)
        return np.asarray(np.sqrt(np.abs(np.expm1(-shared)) / (np.exp(forecast) + 1)))

    def noise(self, learnt: Numbers, forecast: Numbers) -> Numbers:
        """Events scatter at least as chance has it (Poisson); members come and go together."""
        if self.kind == "flow":
            return np.sqrt(np.maximum(learnt**2, 1 / (np.exp(forecast) + 1)))
        return learnt


def _panel(counts: pd.DataFrame, kind: Kind, known: pd.DataFrame | None, restarts: pd.DataFrame | None) -> _Panel:
    if kind not in get_args(Kind):
        raise ValueError(f"There is no kind {kind!r} of figure; use one of {', '.join(get_args(Kind))}.")
    if counts.index.has_duplicates or counts.columns.has_duplicates:
        raise ValueError(
            "A day or a segment occurs twice in the counts; give one row per day and one column per segment."
        )
    first_to_last = pd.DatetimeIndex(counts.index)
    if len(first_to_last):
        first_to_last = pd.date_range(first_to_last.min(), first_to_last.max(), name=first_to_last.name)
    figures = (
        counts.set_axis(pd.DatetimeIndex(counts.index)).reindex(first_to_last).to_numpy(dtype=float, na_value=np.nan)
    )
    figures = np.where(np.isfinite(figures), figures, np.nan)
    highest = 1.0 if kind == "share" else np.inf
    is_wrong = (figures < 0) | (figures > highest)
    if is_wrong.any():
        day, segment = np.argwhere(is_wrong)[0]
        raise ValueError(
            f"{figures[day, segment]:g} on {first_to_last[day]:%Y-%m-%d} cannot be a {kind} of segment "
            f"{counts.columns[segment]!r}; it must be between 0 and {highest:g}."
        )
    is_known = _flags(known, "known", counts, first_to_last)
    logs = np.log(np.maximum(figures, SMALLEST_SHARE)) if kind == "share" else np.log(figures + 0.5)
    return _Panel(
        kind=kind,
        dates=first_to_last,
        segments=counts.columns,
        figures=figures,
        lessons=np.where(is_known, np.nan, logs),
        known=is_known,
        restarts=_flags(restarts, "restarts", counts, first_to_last),
        weekdays=first_to_last.day_of_week.to_numpy(dtype=np.int64),
    )


def _flags(flags: pd.DataFrame | None, name: str, counts: pd.DataFrame, days: Any) -> Flags:
    if flags is None:
        return np.zeros((len(days), counts.shape[1]), dtype=bool)
    strangers = flags.columns.difference(counts.columns)
    if len(strangers):
        raise ValueError(f"`{name}` speaks of segment {strangers[0]!r}, which the counts do not have.")
    whole = flags.set_axis(pd.DatetimeIndex(flags.index)).astype(bool)
    return np.asarray(whole.reindex(index=days, columns=counts.columns, fill_value=False), dtype=bool)


@dataclass(frozen=True)
class _Move:
    """How far a window of days lies from its forecast, by segment: ``tested`` with single days limited, ``plain`` as it was."""

    tested: Numbers
    plain: Numbers
    noise: Numbers


@dataclass(frozen=True)
class _Reading:
    """What one scale says of a day, by segment, leaving out what all have in common."""

    spread: Numbers
    chance: Numbers
    effect: Numbers


class _Episodes:
    """For how many days each series has been alerted on and off."""

    def __init__(self, series: int) -> None:
        self._alerted, self._quiet = np.zeros(series, int), np.zeros(series, int)

    def said(self, alerts: Flags) -> Flags:
        """Adds a day; true where the alert has lasted so long that it has been said."""
        self._quiet = np.where(alerts, 0, self._quiet + 1)
        self._alerted = np.where(self._quiet > DAYS_OF_ONE_ALERT, 0, self._alerted + alerts)
        said: Flags = self._alerted >= DAYS_TO_SAY
        self._alerted[said] = 0
        return said


class _Scale:
    """One width of window: its gauges for the segments and for what they have in common."""

    def __init__(self, name: str, segments: int) -> None:
        self.name, self.days = name, SCALE_DAYS[name]
        self.gauge, self.common_gauge = Gauge(segments, self.days), Gauge(1, self.days)


class _Watch:
    """Sees one day after the other; a day changes nothing that was said of the days before."""

    def __init__(self, panel: _Panel) -> None:
        days, segments = panel.figures.shape
        self._panel = panel
        #: As the panel's, less the days of a shock to all: they are no part of a longer window.
        self._lessons = panel.lessons.copy()
        self._bank = Bank(segments)
        names = [name for name in ERROR_SHARES if panel.kind == "flow" or name != WEEKLY]
        self._scales = [_Scale(name, segments) for name in names]
        allowed = sum(ERROR_SHARES[name] for name in names)
        self._error_shares = np.array([ERROR_SHARES[name] / allowed for name in names])
        self._bands = Tail()
        self._outside = {level: 1 - level / 100 for level in BANDS}
        self._beliefs: deque[Baseline] = deque(maxlen=max(SCALE_DAYS.values()))
        self._slow_beliefs: deque[Baseline] = deque(maxlen=max(SCALE_DAYS.values()))
        self._episodes, self._common_episodes = _Episodes(segments), _Episodes(1)
        #: No window reaches back over this day.
        self._since, self._common_since = np.zeros(segments, int), 0
        self._shocks: deque[float] = deque([0.0] * 7, maxlen=7)
        self._numbers = {name: np.full((days, segments), np.nan) for name in _NUMBERS}
        self._shift, self._scale = np.zeros((days, segments), bool), np.full((days, segments), -1)
        self._state = np.zeros((days, segments), int)
        self._everything = {name: np.full(days, np.nan) for name in ("common", "effect", "p_value")}
        self._everything_scale, self._everything_shift = np.full(days, -1), np.zeros(days, bool)
        #: Days that have been seen; the first of them were told of before.
        self.seen = self._told = 0

    def state(self) -> bytes:
        """All that the days to come hang on."""
        days = slice(self.seen)
        everything = {name: values[days] for name, values in self._everything.items()}
        common = (everything, self._everything_scale[days], self._everything_shift[days])
        return pickle.dumps(({name: getattr(self, name) for name in _LEARNT}, self._lessons[days], common))

    def go_on(self, days: int, state: bytes) -> None:
        """Takes the days as seen, with the state that a watch had after them."""
        learnt, self._lessons[:days], common = pickle.loads(state)
        for name, value in learnt.items():
            setattr(self, name, value)
        everything, self._everything_scale[:days], self._everything_shift[:days] = common
        for name, values in everything.items():
            self._everything[name][:days] = values
        self.seen = self._told = days

    def see(self, day: int) -> None:
        panel = self._panel
        if panel.restarts[day].any():
            self._restart(day)
        self._state[day] = self._states(day)
        belief = self._bank.baseline()
        self._beliefs.append(belief)
        self._slow_beliefs.append(self._bank.slow_baseline())
        forecast = belief.forecast(panel.weekdays[day : day + 1])[0]
        noise = panel.noise(belief.noise, forecast)
        surprise = panel.lessons[day] - forecast
        self._draw_band(day, forecast, noise)
        self._judge(day, forecast)
        self._bands.add(surprise / noise)
        self._teach(day, surprise, noise)
        self.seen = day + 1

    def judgement(self, watched: Watched | None) -> Judgement:
        panel, segments = self._panel, len(self._panel.segments)
        names = [scale.name for scale in self._scales]
        new = slice(self._told, None)
        days = {
            "date": np.repeat(panel.dates.to_numpy()[new], segments),
            "segment": np.tile(panel.segments.to_numpy(), len(panel.dates) - self._told),
            **{name: values[new].ravel() for name, values in self._numbers.items()},
            "shift": self._shift[new].ravel(),
            "scale": pd.Categorical.from_codes(self._scale[new].ravel(), names),
            "state": pd.Categorical.from_codes(self._state[new].ravel(), list(_STATES)),
        }
        everything = {
            "date": panel.dates.to_numpy(),
            **self._everything,
            "scale": pd.Categorical.from_codes(self._everything_scale, names),
            "shift": self._everything_shift,
        }
        return Judgement(pd.DataFrame(days), pd.DataFrame(everything), watched)

    def _restart(self, day: int) -> None:
        which = self._panel.restarts[day]
        self._bank.restart(which)
        for scale in self._scales:
            scale.gauge.restart(which)
        self._since[which] = day

    def _states(self, day: int) -> NDArray[np.int64]:
        figures, history = self._panel.figures[day], self._bank.days
        return np.select(
            [np.isnan(figures), self._panel.known[day], history < DAYS_TO_BEGIN, history < DAYS_TO_TRUST],
            [_STATES.index(state) for state in ("no_value", "known", "insufficient_history", "warming_up")],
            _STATES.index("judged"),
        )

    def _draw_band(self, day: int, forecast: Numbers, noise: Numbers) -> None:
        self._numbers["expected"][day] = self._panel.natural(forecast)
        lessons = self._panel.lessons[day]
        for level in BANDS:
            reach = self._bands.critical(self._outside[level]) * noise
            self._numbers[f"lower_{level}"][day] = self._panel.natural(forecast - reach)
            self._numbers[f"upper_{level}"][day] = self._panel.natural(forecast + reach)
            covered = np.abs(lessons - forecast) <= reach
            self._learn_outside(level, covered[~np.isnan(lessons) & ~np.isnan(forecast)])

    def _learn_outside(self, level: int, covered: Flags) -> None:
        if len(covered):
            promised = 1 - level / 100
            outside = self._outside[level] + BAND_STEP * (covered.mean() - level / 100)
            self._outside[level] = min(max(outside, promised / 5), 2 * promised)

    def _judge(self, day: int, forecast: Numbers) -> None:
        segments = len(self._panel.segments)
        chances = np.full((len(self._scales), segments), np.nan)
        effects = np.full_like(chances, np.nan)
        common = np.full((len(self._scales), 3), np.nan)
        readings: list[_Reading] = []
        for number, scale in enumerate(self._scales):
            move = self._move(scale, day)
            if move is None or np.isnan(move.tested).all():
                continue
            shared, common[number] = self._in_common(scale, move, day)
            reading = self._read(scale, move, shared, forecast)
            chances[number], effects[number] = reading.chance, reading.effect
            readings.append(reading)
        if not readings:
            return
        self._say(day, chances, effects, readings[0].spread)
        self._say_everything(day, common)

    def _move(self, scale: _Scale, day: int) -> _Move | None:
        """How far the last days of the scale lie from what was believed before the first of them; None without that belief."""
        if len(self._beliefs) < scale.days:
            return None
        panel = self._panel
        beliefs = self._slow_beliefs if panel.kind == "flow" and scale.days > 1 else self._beliefs
        belief = beliefs[-scale.days]
        days = slice(day - scale.days + 1, day + 1)
        weekdays = panel.weekdays[days]
        forecasts = belief.forecast(weekdays)
        surprises = self._lessons[days] - forecasts
        noise = panel.noise(belief.noise, forecasts[-1])
        seen = (~np.isnan(surprises)).sum(axis=0)
        judged = ~np.isnan(surprises[-1]) & (seen > scale.days / 2) & (self._since <= days.start)
        if scale.name == WEEKLY:
            pattern = belief.week[weekdays]
            return _pattern_lost(surprises, pattern, noise, judged)
        plain = np.where(judged, np.nansum(surprises, axis=0) / np.maximum(seen, 1), np.nan)
        if scale.days == 1:
            return _Move(plain, plain, noise)
        limited = _limit_single_days(surprises, noise)
        tested = np.where(judged, np.nansum(limited, axis=0) / np.maximum(seen, 1), np.nan)
        return _Move(tested, plain, noise)

    def _in_common(self, scale: _Scale, move: _Move, day: int) -> tuple[float, Numbers]:
        """The move that all segments share (0 where too few or none), and its chance, standard size and effect for the panel."""
        nothing = np.full(3, np.nan)
        is_there = ~np.isnan(move.tested)
        if is_there.sum() < SEGMENTS_IN_COMMON or scale.name == WEEKLY:
            return 0.0, nothing
        spread = scale.gauge.spread(move.noise)[is_there]
        shared = _weighted_median(move.tested[is_there], 1 / spread)
        if day - scale.days + 1 < self._common_since:
            return shared, nothing
        moves, noise = np.array([shared]), np.array([float(np.median(spread))])
        standard = moves / scale.common_gauge.spread(noise)
        chance = scale.common_gauge.chances(standard)
        scale.common_gauge.learn(moves, noise, standard, chance)
        return shared, np.array([chance[0], standard[0], np.expm1(min(shared, LARGEST_MOVE))])

    def _read(self, scale: _Scale, move: _Move, shared: float, forecast: Numbers) -> _Reading:
        own = move.tested - shared
        usual = np.hypot(scale.gauge.spread(move.noise), self._panel.drawn(shared, forecast))
        spread = usual if scale.name == WEEKLY else np.hypot(usual, scale.gauge.unrest(own, usual))
        standard = own / spread
        chance = scale.gauge.chances(standard)
        scale.gauge.learn(own, move.noise, standard, chance)
        effect = np.expm1(np.minimum(move.plain - shared, LARGEST_MOVE))
        return _Reading(spread, chance, effect)

    def _say(self, day: int, chances: Numbers, effects: Numbers, spread: Numbers) -> None:
        """The verdict on each segment, by its rarest scale."""
        best = np.argmin(np.nan_to_num(chances / self._error_shares[:, None], nan=np.inf), axis=0)[None]
        chance = combined(chances, self._error_shares[:, None])
        effect = np.take_along_axis(effects, best, axis=0)[0]
        least = LEAST_SHARE if self._panel.kind == "share" else LEAST_EXPECTED
        chance[np.fmax(self._numbers["expected"][day], self._panel.figures[day]) < least] = np.nan
        judged = ~np.isnan(chance)
        rare, critical = _rare(chance)
        self._shift[day] = rare & (np.abs(np.nan_to_num(effect)) >= LEAST_EFFECT)
        reach = self._scales[0].gauge.critical(critical * self._error_shares[0]) * spread
        smallest = np.maximum(1 - np.exp(-reach), LEAST_EFFECT)
        self._numbers["p_value"][day] = chance
        self._numbers["effect"][day] = np.where(judged, effect, np.nan)
        self._numbers["min_detectable"][day] = np.where(judged, smallest, np.nan)
        self._scale[day] = np.where(judged, best[0], -1)
        self._since[self._episodes.said(self._shift[day])] = day + 1

    def _say_everything(self, day: int, common: Numbers) -> None:
        tested = ~np.isnan(common[:, 0])
        if not tested.any():
            return
        best = int(np.nanargmin(common[:, 0]))
        chance = min(float(common[best, 0]) * int(tested.sum()), 1.0)
        self._everything["p_value"][day], self._everything_scale[day] = chance, best
        _, self._everything["common"][day], self._everything["effect"][day] = common[best]
        is_shift = chance < EVERYTHING_CHANCE and abs(common[best, 2]) >= LEAST_EFFECT
        self._everything_shift[day] = is_shift
        if self._common_episodes.said(np.array([is_shift]))[0]:
            self._common_since = day + 1

    def _teach(self, day: int, surprise: Numbers, noise: Numbers) -> None:
        shock = 0.0
        there = ~np.isnan(surprise)
        if there.sum() >= SEGMENTS_IN_COMMON:
            size = float(np.median(surprise[there] / noise[there]))
            if abs(size) > LARGE_SHOCK:
                shock = _weighted_median(surprise[there], 1 / noise[there])
        is_weekly, yesterday = shock * self._shocks[0] > 0, self._shocks[-1]
        lasting = float(np.copysign(min(abs(shock), abs(yesterday)), shock)) if shock * yesterday > 0 else 0.0
        self._shocks.append(shock)
        if is_weekly:
            shock = lasting = 0.0
        self._bank.learn(self._panel.lessons[day], int(self._panel.weekdays[day]), shock, lasting)
        if shock and not lasting:
            self._lessons[day] = np.nan


def _rare(chances: Numbers) -> tuple[Flags, float]:
    """Which of the chances (NaN: none) are too small, and the chance that one more would have to be under."""
    judged = ~np.isnan(chances)
    if judged.sum() < FEW_SEGMENTS:
        return np.nan_to_num(chances, nan=1.0) < FEW_CHANCE, FEW_CHANCE
    rare = np.zeros(len(chances), bool)
    rare[judged] = multipletests(chances[judged], FALSE_SHARE, "fdr_bh")[0]
    return rare, min(FALSE_SHARE * (rare.sum() + 1) / judged.sum(), FALSE_SHARE)


def _limit_single_days(surprises: Numbers, noise: Numbers) -> Numbers:
    middle = np.median(np.where(np.isnan(surprises), 0.0, surprises), axis=0)
    reach = SINGLE_DAY_LIMIT * noise
    return np.clip(surprises, middle - reach, middle + reach)


def _pattern_lost(surprises: Numbers, pattern: Numbers, noise: Numbers, judged: Flags) -> _Move:
    """How much of the weekly pattern went (or came on top): the surprises along the pattern, in the size of the usual day's part."""
    pattern = pattern - pattern.mean(axis=0)
    limited = np.clip(surprises, -SINGLE_DAY_LIMIT * noise, SINGLE_DAY_LIMIT * noise)
    seen = np.maximum((~np.isnan(limited)).sum(axis=0), 1)
    around = np.nan_to_num(limited - np.nansum(limited, axis=0) / seen)
    length = np.sqrt((pattern**2).sum(axis=0))
    along = (around * pattern).sum(axis=0) / np.maximum(length, 1e-9)
    tested = np.where(judged, along, np.nan)
    return _Move(tested, tested / np.sqrt(len(pattern)), noise)


def _weighted_median(values: Numbers, weights: Numbers) -> float:
    order = np.argsort(values)
    below = np.cumsum(weights[order])
    return float(values[order[np.searchsorted(below, below[-1] / 2)]])
