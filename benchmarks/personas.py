"""How often the 95 % intervals of persona claims hold the truth, where the truth is known because the customers are made up.

``python -m benchmarks.personas``. Prints a Markdown table: what is measured by how it is compared, for personas of 25 to 2,000 customers beside 2,000 others.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from orchestration.measure.personas.intervals import Estimate, Sums, above, estimate, times

Figures = NDArray[np.float64]

SIZES, OTHERS = (25, 50, 100, 400, 2_000), 2_000
#: Numbers drawn at once.
DRAWN_AT_ONCE = 2_000_000
#: Of a hundred 35 buy nothing; what the others spend has this standard deviation of its logarithm: the mean is three times the median.
NOTHING, SPREAD, LOG_MEAN = 0.35, 1.5, 4.0


@dataclass(frozen=True)
class Kind:
    """``draw`` gives num and den of so many customers, one row per repetition; ``truth`` is what their quotient is in the long run."""

    name: str
    draw: Callable[[np.random.Generator, tuple[int, int]], tuple[Figures, Figures]]
    truth: float
    is_share: bool


def share(rate: float) -> Kind:
    def draw(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[Figures, Figures]:
        return (rng.random(shape) < rate).astype(float), np.ones(shape)

    return Kind(f"share of customers, {100 * rate:.0f} %", draw, rate, is_share=True)


def _spend(rng: np.random.Generator, shape: tuple[int, int], spread: float = SPREAD) -> Figures:
    """In cents, so that the sums are of whole numbers as they are in a night."""
    buys = rng.random(shape) >= NOTHING
    return np.where(buys, np.round(100 * np.exp(LOG_MEAN + spread * rng.standard_normal(shape))), 0.0)


def mean(spread: float) -> Kind:
    def draw(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[Figures, Figures]:
        return _spend(rng, shape, spread), np.ones(shape)

    truth = (1 - NOTHING) * float(np.exp(LOG_MEAN + spread**2 / 2)) * 100
    return Kind(f"spend, spread {spread:g}", draw, truth, is_share=False)


def pooled(rate: float, spread: float = SPREAD) -> Kind:
    """Of spend, a part at the weekend, which is another one for each customer."""

    def draw(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[Figures, Figures]:
        spend = _spend(rng, shape, spread)
        weekend = rng.beta(2 * rate, 2 * (1 - rate), shape)
        return np.round(spend * weekend), spend

    return Kind(f"weekend's share of spend, {100 * rate:.0f} %, spread {spread:g}", draw, rate, is_share=True)


@dataclass(frozen=True)
class Cell:
    """How often the interval held the truth, lay wholly below it, and wholly above it; of ``repetitions``, those with an interval."""

    kind: str
    compared: str
    customers: int
    covered: float
    below: float
    above: float
    unbounded: float


KINDS = (share(0.05), share(0.3), mean(1.0), mean(SPREAD), pooled(0.35, 1.0), pooled(0.35))


def sums_of(num: Figures, den: Figures) -> Sums:
    """Of each row."""
    customers = np.full(len(num), float(num.shape[1]))
    pairs = ((num, num), (num, den), (den, den))
    threes = ((num, num, num), (num, num, den), (num, den, den), (den, den, den))
    return Sums(
        customers,
        num.sum(axis=1),
        den.sum(axis=1),
        *(np.einsum("ij,ij->i", *pair) for pair in pairs),
        *(np.einsum("ij,ij,ij->i", *three) for three in threes),
    )


def covariance_of(one: tuple[Figures, Figures], other: tuple[Figures, Figures]) -> Figures:
    """Of the two quotients of each row, as ``measure.personas.testing`` has it from the sums."""
    parts = []
    for num, den in (one, other):
        value = num.sum(axis=1) / den.sum(axis=1)
        parts.append((num - value[:, None] * den) / den.sum(axis=1)[:, None])
    n = parts[0].shape[1]
    return np.einsum("ij,ij->i", *parts) * n / (n - 1)


def another_of(
    rng: np.random.Generator, kind: Kind, first: tuple[Figures, Figures]
) -> tuple[tuple[Figures, Figures], float]:
    """A second measure of the same customers that goes with the first, and what it is in the long run: of a share, whether as many again answer otherwise too;
    of spend, what is spent elsewhere; of a pooled share, that of another day of the week, out of the same spend.
    """
    num, den = first
    if kind.name.startswith("share"):
        keeps = rng.random(num.shape) < 0.6
        fresh, _ = kind.draw(rng, (num.shape[0], num.shape[1]))
        return (np.where(keeps, num, fresh), den), kind.truth
    if kind.is_share:
        part = rng.beta(1.5, 3, num.shape)
        return (np.round((den - num) * part), den), (1 - kind.truth) / 3
    fresh, _ = kind.draw(rng, (num.shape[0], num.shape[1]))
    return (np.round((num + fresh) / 2), den), kind.truth


def simulate(kind: Kind, customers: int, repetitions: int, seed: int) -> Iterator[Cell]:
    """Every way of comparing, on the same draws."""
    rng = np.random.default_rng([seed, KINDS.index(kind), customers])
    found: dict[str, list[tuple[Estimate, float]]] = {}
    left = repetitions
    while left > 0:
        at_once = min(left, max(1, DRAWN_AT_ONCE // (customers + OTHERS)))
        left -= at_once
        first = kind.draw(rng, (at_once, customers))
        rest = kind.draw(rng, (at_once, OTHERS))
        second, truth = another_of(rng, kind, first)
        with np.errstate(divide="ignore", invalid="ignore"):
            one, other, paired = (estimate(sums_of(*values), 1, kind.is_share) for values in (first, rest, second))
            covariance = np.nan_to_num(covariance_of(first, second))
        for compared, figure, is_so in (
            ("alone", one, kind.truth),
            ("times the rest", times(one, other), 1.0),
            ("above the rest", above(one, other), 0.0),
            ("times another", times(one, paired, covariance), kind.truth / truth),
            ("above another", above(one, paired, covariance), kind.truth - truth),
        ):
            found.setdefault(compared, []).append((figure, is_so))
    for compared, parts in found.items():
        lower, upper = (np.concatenate([getattr(figure, end) for figure, _ in parts]) for end in ("lower", "upper"))
        is_so = parts[0][1]
        is_told = ~np.isnan(lower) & ~np.isnan(upper)
        lower, upper = lower[is_told], upper[is_told]
        nearly = 1e-9 * max(1.0, abs(is_so))
        yield Cell(
            kind.name,
            compared,
            customers,
            float(((lower <= is_so + nearly) & (upper >= is_so - nearly)).mean()),
            float((upper < is_so - nearly).mean()),
            float((lower > is_so + nearly).mean()),
            float((~np.isfinite(lower) | ~np.isfinite(upper)).mean()),
        )


def table(cells: list[Cell]) -> str:
    """Coverage in hundredths, by size."""
    lines = [
        "| measure | compared | " + " | ".join(f"{size:,}" for size in SIZES) + " |",
        "|---|---|" + "---:|" * len(SIZES),
    ]
    by_name = {(cell.kind, cell.compared, cell.customers): cell for cell in cells}
    for kind, compared in dict.fromkeys((cell.kind, cell.compared) for cell in cells):
        of_it = [by_name[kind, compared, size] for size in SIZES]
        lines.append(f"| {kind} | {compared} | " + " | ".join(f"{100 * cell.covered:.1f}" for cell in of_it) + " |")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=4_000)
    parser.add_argument("--seed", type=int, default=20171231)
    said = parser.parse_args(arguments)
    started = time.monotonic()
    cells = [cell for kind in KINDS for size in SIZES for cell in simulate(kind, size, said.repetitions, said.seed)]
    print(table(cells))
    worst = min(cells, key=lambda cell: cell.covered)
    unbounded = [cell for cell in cells if cell.unbounded > 0.001]
    print(
        f"\n{said.repetitions:,} repetitions in a cell, {time.monotonic() - started:.0f} s. Least: {100 * worst.covered:.1f} % ({worst.kind}, {worst.compared}, "
        f"{worst.customers:,} customers; wholly below the truth {100 * worst.below:.1f} %, wholly above it {100 * worst.above:.1f} %)."
    )
    for cell in unbounded:
        print(
            f"Without an end: {100 * cell.unbounded:.1f} % of {cell.kind}, {cell.compared}, {cell.customers:,} customers."
        )


if __name__ == "__main__":
    main()
