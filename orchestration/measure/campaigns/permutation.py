"""How rare a difference of two arms is among all the ways in which chance could have drawn them: right whatever the spend looks like. The strata
of a drawing are not kept: within them the arms are somewhat more alike than among all, so that the chance is told a little too large.

Customers' figures in, chances out. Which comparisons need it is decided in ``verdicts``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: Drawing ends for a metric when so many draws were at least as far apart as the arms that were, or after so many draws in all.
EXCEEDANCES, MOST_DRAWS = 20, 4_999
#: Draws of the first batch; each later batch is half of all before it, within so many flags.
FIRST_BATCH, MOST_FLAGS = 128, 1 << 22
#: By so many deviations a drawn arm begins smaller than it is to be.
DEVIATIONS_SHORT = 1.0
#: Differences that are equal but for rounding are equal.
ROUNDING = 1e-9

_SIDES = 256


def permutation_p_values(values: Numbers, is_control: Flags, seed: int) -> Numbers:
    """Two-sided p-value of the difference of the arms' means, for each metric.

    ``values`` is customers by metrics, adjusted already where they are to be; ``is_control`` has one flag per customer. Gives one
    p-value per metric; NaN where an arm is empty or a value missing. The arms are drawn anew, keeping their sizes, until the answer is
    clear enough (sequential Monte Carlo: Besag and Clifford 1991), so that under the null a p-value of at most a is no more probable
    than a. The same seed draws the same arms on any machine; all metrics see the same draws.

    Raises ValueError where the shapes do not fit.
    """
    customers, metrics = values.shape
    if is_control.shape != (customers,):
        raise ValueError(
            f"There are {customers} customers' values but {is_control.size} flags; bring one flag per customer."
        )
    controls = int(is_control.sum())
    smaller = min(controls, customers - controls)
    p_values = np.full(metrics, np.nan)
    asked = np.flatnonzero(np.isfinite(values).all(axis=0)) if smaller else np.array([], int)
    if not asked.size:
        return p_values

    # The sum over the smaller arm says it all: the other arm's is its negative. Most customers buy nothing, before and after: how
    # many of them an arm has is one number, and only the others need to be drawn.
    usual = np.median(values[:, asked], axis=0)
    is_usual = (values[:, asked] == usual).all(axis=1)
    unusual = int(customers - is_usual.sum())
    others = values[np.ix_(~is_usual, asked)] - usual
    expected = others.sum(axis=0) * smaller / customers
    drawn = is_control if controls == smaller else ~is_control
    apart = np.abs(others[drawn[~is_usual]].sum(axis=0) - expected)
    limit = apart - ROUNDING * np.abs(others).max(axis=0, initial=0.0) * smaller

    rng = np.random.default_rng(seed)
    draws, found = 0, np.zeros(asked.size, int)
    while asked.size and draws < MOST_DRAWS:
        batch = min(max(FIRST_BATCH, draws // 2), max(MOST_FLAGS // max(unusual, 1), 1), MOST_DRAWS - draws)
        arms = _arms(rng, rng.hypergeometric(unusual, customers - unusual, smaller, batch), unusual)
        far = np.abs(arms.astype(float) @ others - expected) >= limit
        seen = found + np.cumsum(far, axis=0)
        is_clear = seen[-1] >= EXCEEDANCES
        last = np.argmax(seen[:, is_clear] >= EXCEEDANCES, axis=0)
        p_values[asked[is_clear]] = EXCEEDANCES / (draws + last + 1)
        draws += batch
        asked, found = asked[~is_clear], seen[-1, ~is_clear]
        others, expected, limit = others[:, ~is_clear], expected[~is_clear], limit[~is_clear]
    p_values[asked] = (found + 1) / (draws + 1)
    return p_values


def _arms(rng: np.random.Generator, sizes: NDArray[np.int64], customers: int) -> Flags:
    """Arms of these sizes, each set of so many customers as probable as any other (draws by customers)."""
    # A coin for each customer begins an arm, somewhat too small as a rule, because coins are cheap.
    usual = float(sizes.mean())
    begun = usual - DEVIATIONS_SHORT * np.sqrt(usual * max(1 - usual / max(customers, 1), 0))
    share = max(int(_SIDES * begun / max(customers, 1)), 0)
    arms = np.frombuffer(rng.bytes(sizes.size * customers), np.uint8).reshape(sizes.size, customers) < share
    short = sizes - _sizes(arms)
    # An arm that is too large begins again at nothing. That, and adding whoever is drawn unless she is there, favours nobody.
    arms[short < 0] = False
    short = np.where(short < 0, sizes, short)
    flat, growing = arms.reshape(-1), np.arange(sizes.size)
    while True:
        growing, short = growing[short > 0], short[short > 0]
        if not growing.size:
            return arms
        starts = np.repeat(growing * customers, short)
        flat[starts + rng.integers(0, customers, starts.size)] = True
        short = sizes[growing] - _sizes(arms[growing])


def _sizes(arms: Flags) -> NDArray[np.int32]:
    # Half the time of counting flags.
    return np.asarray(arms.view(np.uint8).sum(axis=1, dtype=np.int32))
