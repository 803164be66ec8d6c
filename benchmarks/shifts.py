"""What the shift detector finds, how often it cries wolf and how long it takes, beside the usual rule: mean and three standard
deviations of the last 14 days, the tested day among them.

``python -m benchmarks.shifts``. Both are scored on made-up segments, in which every shift is known because it was planted.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from orchestration.measure.shifts import Kind, detect

#: The days before this one are history; the last days are left for what is planted to show.
FIRST_DAY, LAST_DAYS = 120, 50
#: Every so many-th segment has something planted at a time.
ONE_IN = 4
#: The aim for 5,000 segments of a year.
SECONDS = 60

Detector = Callable[[pd.DataFrame, Kind], pd.DataFrame]


@dataclass(frozen=True)
class Event:
    """What happens to a segment: the factor of its figures on each day from the first; found within so many days."""

    name: str
    factors: np.ndarray
    within: int


def lasting(factor: float) -> np.ndarray:
    return np.full(LAST_DAYS, factor)


EVENTS = (
    Event("a day at -30 %", np.array([0.7]), 1),
    Event("a day at -50 %", np.array([0.5]), 1),
    Event("a day at +50 %", np.array([1.5]), 1),
    Event("a level of -20 %", lasting(0.8), 7),
    Event("a level of +20 %", lasting(1.2), 7),
    Event("a level of -40 %", lasting(0.6), 7),
    Event("-30 % in a month", np.interp(np.arange(1, LAST_DAYS + 1), [0, 30], [1, 0.7]), 45),
)


def flows(rng: np.random.Generator, segments: int, days: int) -> np.ndarray:
    """Events per day (days by segments): a week, a season, days that hang together, and a few holidays for all."""
    day = np.arange(days)[:, None]
    level = np.exp(rng.uniform(np.log(30), np.log(20_000), segments))
    week = rng.normal(0, 0.15, (7, segments))[np.arange(days) % 7]
    season = rng.uniform(0, 0.12, segments) * np.sin(2 * np.pi * day / 365 + rng.uniform(0, 6.3, segments))
    noise = rng.normal(0, rng.uniform(0.02, 0.1, segments), (days, segments))
    for today in range(1, days):
        noise[today] += 0.3 * noise[today - 1]
    holidays = np.where(rng.random((days, 1)) < 0.02, rng.uniform(-0.4, 0.4, (days, 1)), 0)
    return rng.poisson(level * np.exp(week + season + noise + holidays)).astype(float)


def members(rng: np.random.Generator, segments: int, days: int) -> np.ndarray:
    """Members (days by segments) of whom each day some leave and others come."""
    level = np.exp(rng.uniform(np.log(30), np.log(20_000), segments))
    turnover = np.exp(rng.uniform(np.log(0.005), np.log(0.08), segments))
    sizes = [rng.poisson(level)]
    for _ in range(days - 1):
        left = rng.binomial(sizes[-1], turnover)
        sizes.append(sizes[-1] - left + rng.poisson(level * turnover * rng.lognormal(0, 0.15, segments)))
    return np.array(sizes, float)


MAKE = {"flow": flows, "stock": members}


def usual_rule(counts: pd.DataFrame, kind: Kind) -> pd.DataFrame:
    """The rule of most tools, in their default."""
    last = counts.rolling(14)
    is_far = (counts - last.mean()).abs() > 3 * last.std()
    return is_far.rename_axis("date").reset_index().melt("date", var_name="segment", value_name="shift")


def alerts(detector: Detector, figures: np.ndarray, kind: Kind) -> np.ndarray:
    dates = pd.date_range("2025-01-01", periods=len(figures))
    verdicts = detector(pd.DataFrame(figures, dates, [f"s{number}" for number in range(figures.shape[1])]), kind)
    return verdicts.pivot(index="date", columns="segment", values="shift")[
        [f"s{number}" for number in range(figures.shape[1])]
    ].to_numpy(bool)


def false_alarms(alerted: np.ndarray) -> float:
    """Alarms per segment and year where nothing was planted; days of one alarm are at most three apart."""
    late = alerted[FIRST_DAY:]
    before = np.zeros_like(late)
    for apart in (1, 2, 3):
        before[apart:] |= late[:-apart]
    return float((late & ~before).sum() / late.size * 365)


def plant(rng: np.random.Generator, figures: np.ndarray, event: Event, first: int, segment: int) -> None:
    """Takes customers away one by one, or adds some, as chance has it."""
    for day, factor in enumerate(event.factors[: len(figures) - first], start=first):
        there = int(figures[day, segment])
        gone, come = rng.binomial(there, max(1 - factor, 0)), rng.poisson(there * max(factor - 1, 0))
        figures[day, segment] = there - gone + come


def found(detector: Detector, rng: np.random.Generator, figures: np.ndarray, kind: Kind) -> Iterator[tuple[str, bool]]:
    """Every segment has one event in its turn, all events in equal numbers: each event's name, and whether it was found."""
    segments = figures.shape[1]
    for turn in range(ONE_IN):
        shifted, planted = figures.copy(), {}
        for segment in range(turn, segments, ONE_IN):
            event, first = (
                EVENTS[segment // ONE_IN % len(EVENTS)],
                int(rng.integers(FIRST_DAY, len(figures) - LAST_DAYS)),
            )
            plant(rng, shifted, event, first, segment)
            planted[segment] = (event, first)
        alerted = alerts(detector, shifted, kind)
        for segment, (event, first) in planted.items():
            yield event.name, bool(alerted[first : first + event.within, segment].any())


def score(detector: Detector, kind: Kind, segments: int, days: int, seeds: int) -> dict[str, float]:
    """Means over the seeds. F1 takes one event per segment and year for granted."""
    alarms, outcomes = [], []
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        figures = MAKE[kind](rng, segments, days)
        alarms.append(false_alarms(alerts(detector, figures, kind)))
        outcomes.extend(found(detector, rng, figures, kind))
    recall = pd.DataFrame(outcomes, columns=["event", "is_found"]).groupby("event")["is_found"].mean()
    mean, wolf = float(recall.mean()), float(np.mean(alarms))
    figure = {"F1": 2 * mean / (1 + mean + wolf), "false alarms per segment-year": wolf, "found": mean}
    return figure | {f"found: {event.name}": float(recall[event.name]) for event in EVENTS}


def seconds(segments: int, days: int) -> float:
    figures = members(np.random.default_rng(0), segments, days)
    started = time.perf_counter()
    detect(pd.DataFrame(figures, pd.date_range("2025-01-01", periods=days)), "stock")
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--segments", type=int, default=300)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    columns = {
        f"{kind}, {name}": score(detector, kind, arguments.segments, arguments.days, arguments.seeds)
        for kind in MAKE
        for name, detector in {"this project": detect, "usual rule": usual_rule}.items()
    }
    print("| |", " | ".join(columns), "|")
    print("|---|" + "---|" * len(columns))
    for measure in next(iter(columns.values())):
        print(f"| {measure} |", " | ".join(f"{column[measure]:.2f}" for column in columns.values()), "|")
    took = seconds(5_000, 365)
    print(f"\n5,000 segments of 365 days: {took:.1f} s (aim: {SECONDS} s)")


if __name__ == "__main__":
    main()
