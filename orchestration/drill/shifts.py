"""The drill of the alerts: known shifts planted in a copy of the home's own daily counts. Would they be found, how soon, and how often is
there an alarm for nothing? The home is only read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import duckdb
import numpy as np
import pandas as pd

from orchestration.errors import ExtractMissing
from orchestration.measure.shift_ledger import MEASURES, known_mask
from orchestration.measure.shifts import LEAST_EXPECTED, judge
from orchestration.publish.releases import current_release, open_release
from orchestration.settings import Home

#: Days of history before the first planted shift, and after the last.
DAYS_BEFORE, DAYS_AFTER = 60, 46
#: Each shift is planted in every segment once, in a quarter of them at a time: the others have to stay quiet meanwhile.
ROUNDS = 4
#: The figures in which shifts are planted.
PLANTED_IN = ("members", "entered", "exited")
#: Told of each round as it begins: rounds done, rounds in all, and what comes.
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class PlantedShift:
    """A shift by ``size``: on one day, from one day on, or drifting over 30 days; found where it is alerted within ``days``."""

    name: str
    shape: Literal["day", "level", "drift"]
    size: float
    days: int

    def factors(self, days: int) -> np.ndarray:
        """By what the figures of so many days from its onset on are multiplied."""
        passed = np.arange(days)
        match self.shape:
            case "day":
                return np.where(passed == 0, 1 + self.size, 1.0)
            case "level":
                return np.full(days, 1 + self.size)
        return 1 + self.size * np.minimum((passed + 1) / 30, 1)


SHIFTS = [
    PlantedShift("falls by 30 % for a day", "day", -0.3, 1),
    PlantedShift("falls by 50 % for a day", "day", -0.5, 1),
    PlantedShift("rises by 50 % for a day", "day", 0.5, 1),
    PlantedShift("falls by 20 % for good", "level", -0.2, 7),
    PlantedShift("rises by 20 % for good", "level", 0.2, 7),
    PlantedShift("falls by 40 % for good", "level", -0.4, 7),
    PlantedShift("drifts down by 30 % in 30 days", "drift", -0.3, 45),
    PlantedShift("drifts up by 30 % in 30 days", "drift", 0.3, 45),
]


@dataclass(frozen=True)
class Found:
    """Of one shift in one figure: in how many segments it was planted and found, and after how many days in the middle (0: the same day)."""

    measure: str
    shift: str
    planted: int
    found: int
    days_until_found: float | None


@dataclass(frozen=True)
class ShiftDrill:
    """The scorecard. ``too_small`` segments have fewer than 10 of a figure on most days, or no day that is like others; nothing was planted there."""

    first_day: date
    last_day: date
    segments: int
    found: list[Found]
    too_small: dict[str, list[str]]
    alerts: int
    alerts_per_segment_and_year: float


def drill_shifts(
    home: Home,
    progress: Progress,
    shifts: Sequence[PlantedShift] = SHIFTS,
    measures: Sequence[str] = PLANTED_IN,
    seed: int = 1,
) -> ShiftDrill:
    """Plants each shift in each of the figures of every segment in the current release's history. Raises ExtractMissing where there is
    too little of it.
    """
    manifest = current_release(home)
    if manifest is None:
        raise ExtractMissing(f"There is no release in {home.releases} yet: make one with `segments refresh`.")
    with open_release(home, manifest) as release:
        panels = {measure: _panel(release, measure) for measure in measures}
        known = release.execute(
            "select distinct segment, as_of_date, known_because as because from metrics.segment_expectations where known_because is not null"
        ).df()
        ((alerts,),) = release.execute(
            "select count(*) from metrics.segment_shifts where state = 'opened' and as_of_date >= $since",
            {"since": manifest.first_as_of_date + timedelta(DAYS_BEFORE)},
        ).fetchall()
    days, segments = (axis for axis in panels[measures[0]].axes)
    needed = DAYS_BEFORE + DAYS_AFTER + 1
    if len(days) < needed:
        raise ExtractMissing(
            f"The release has {len(days)} days; the drill of shifts needs {needed}. Refresh a longer range."
        )
    found, too_small = [], {}
    todo = len(measures) * len(shifts) * ROUNDS
    done = 0
    for measure, panel in panels.items():
        mask = known_mask(known, panel)
        usable = (panel.notna() & ~mask).iloc[DAYS_BEFORE : len(panel) - DAYS_AFTER]
        large = panel.columns[(panel.median() >= LEAST_EXPECTED) & usable.any()]
        too_small[measure] = sorted(set(panel.columns) - set(large))
        for shift in shifts:
            delays: list[float] = []
            for plot in _plots(large, seed):
                progress(done, todo, f"{measure} {shift.name}")
                delays += _delays(panel, measure, mask, shift, plot, seed)
                done += 1
            seen = [delay for delay in delays if not np.isnan(delay)]
            found.append(Found(measure, shift.name, len(delays), len(seen), float(np.median(seen)) if seen else None))
    segment_years = len(segments) * (len(days) - DAYS_BEFORE) / 365
    return ShiftDrill(
        days[0].date(),
        days[-1].date(),
        len(segments),
        found,
        too_small,
        alerts,
        round(alerts / segment_years, 2),
    )


def _panel(release: duckdb.DuckDBPyConnection, measure: str) -> pd.DataFrame:
    rows = release.execute(f"select as_of_date, segment, {measure} as figure from metrics.segment_counts_daily").df()
    return rows.pivot(index="as_of_date", columns="segment", values="figure").astype(float)


def _plots(segments: pd.Index, seed: int) -> Iterator[list[str]]:
    """The segments in so many parts, by chance."""
    shuffled = np.random.default_rng(seed).permutation(segments)
    yield from (list(part) for part in np.array_split(shuffled, ROUNDS) if len(part))


def _delays(
    panel: pd.DataFrame, measure: str, mask: pd.DataFrame, shift: PlantedShift, segments: list[str], seed: int
) -> list[float]:
    """After how many days the shift was found in each of the segments; NaN where it was not in time."""
    chance = np.random.default_rng([seed, len(segments), shift.days])
    planted = panel.copy()
    onsets = {}
    for segment in segments:
        usable = (panel[segment].notna() & ~mask[segment]).to_numpy()
        judged = np.flatnonzero(usable[DAYS_BEFORE : len(panel) - DAYS_AFTER])
        onset = DAYS_BEFORE + int(chance.choice(judged))
        figures = panel[segment].to_numpy()[onset:]
        planted.iloc[onset:, panel.columns.get_loc(segment)] = _thinned_or_added(
            figures, shift.factors(len(figures)), chance
        )
        onsets[segment] = onset
    days = judge(planted, MEASURES[measure], mask).days
    alerted = days.pivot(index="date", columns="segment", values="shift")
    found = []
    for segment, onset in onsets.items():
        hits = np.flatnonzero(alerted[segment].to_numpy(dtype=bool)[onset : onset + shift.days])
        found.append(float(hits[0]) if len(hits) else float("nan"))
    return found


def _thinned_or_added(figures: np.ndarray, factors: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """Customers stay or come one by one, by chance, so that counts stay counts."""
    counts = np.nan_to_num(figures).astype(int)
    fewer = chance.binomial(counts, np.clip(factors, 0, 1))
    more = counts + chance.poisson(counts * np.maximum(factors - 1, 0))
    return np.where(np.isnan(figures), np.nan, np.where(factors < 1, fewer, more))
