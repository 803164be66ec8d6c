"""Campaigns that nobody randomised: others made comparable to the contacted, and changes compared instead of levels.

Customers' figures in, weights and differences out. What is found here is a difference and never a lift: whatever else set the
contacted apart is still in it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import logsumexp, stdtr, stdtrit

Numbers = NDArray[np.float64]

#: Balanced are columns whose means differ by at most so many standard deviations, after at most so many steps.
BALANCED_WITHIN, MOST_STEPS = 1e-6, 300
CONFIDENCE = 0.95
#: A standard error below this part of the greatest change is rounding.
ROUNDING = 1e-12


@dataclass(frozen=True)
class Balance:
    """How the others are weighted so that their means are those of the contacted.

    ``weights`` of the others sum to 1. ``before`` and ``after`` are the standardized differences of each column's mean, contacted minus
    others, in the pooled standard deviation of both groups before weighting (Austin 2009). ``effective_sample_size`` is how many
    equally weighted others would be as precise (Kish 1965). Where not ``converged`` no weights balance every column, and those given
    are to be shown and not used.
    """

    weights: Numbers
    before: Numbers
    after: Numbers
    effective_sample_size: float
    converged: bool


@dataclass(frozen=True)
class Difference:
    """The change of the contacted beyond that of the others, with its 95 % interval and two-sided t test; NaN where unknown."""

    difference: float
    standard_error: float
    degrees_of_freedom: float
    lower: float
    upper: float
    statistic: float
    p_value: float


def balance(contacted: Numbers, others: Numbers) -> Balance:
    """Entropy balancing (Hainmueller 2012): of all weights that give the others the contacted customers' means, those closest to equal.

    Both are customers by columns, the same columns in the same order; squares and products of columns balance more than means.
    Nothing is raised where the means are out of reach (none of the others is like the contacted): the balance has not converged.

    Raises ValueError where the columns differ in number or a value is not finite.
    """
    if contacted.shape[1] != others.shape[1]:
        raise ValueError(
            f"The contacted have {contacted.shape[1]} columns and the others {others.shape[1]}; balance the same columns of both."
        )
    if not (np.isfinite(contacted).all() and np.isfinite(others).all()):
        raise ValueError("A column to balance has a missing or infinite value; fill it or leave the column out.")
    if not (len(contacted) and len(others)):
        unknown = np.full(contacted.shape[1], np.nan)
        return Balance(np.full(len(others), 1 / max(len(others), 1)), unknown, unknown, float(len(others)), False)

    spread = np.sqrt((contacted.var(axis=0, ddof=_lost(contacted)) + others.var(axis=0, ddof=_lost(others))) / 2)
    # A column that varies in neither group is measured in its own units: alike it asks for nothing, unlike it cannot be balanced.
    spread = np.where(spread > 0, spread, 1.0)
    apart = (contacted.mean(axis=0) - others) / spread
    weights = _closest_to_equal(apart)
    after = weights @ apart
    converged = bool(np.abs(after).max(initial=0.0) <= BALANCED_WITHIN)
    return Balance(weights, apart.mean(axis=0), after, float(1 / (weights @ weights)), converged)


def difference_in_differences(
    change_of_contacted: Numbers, change_of_others: Numbers, weights: Numbers | None = None
) -> Difference:
    """The mean change of the contacted minus that of the others, each customer's days collapsed to one figure before and one after
    (Bertrand, Duflo and Mullainathan 2004), so that a customer's days count as one observation.

    Changes are one number per customer, in the metric's units. Without ``weights`` this is Welch's t test on the changes. With them
    (of the others, from ``balance``) the others' variance is that of a weighted mean, sum w² (y - mean)², made larger by
    1 / (1 - 1 / effective sample size), with the effective size in the degrees of freedom; equal weights give Welch's again. The
    weights are taken as fixed: where the balanced columns explain part of the change the error is thereby somewhat too wide.
    """
    if len(change_of_contacted) < 2 or len(change_of_others) < 2:
        return Difference(*(float("nan"),) * 7)
    given = np.full(len(change_of_others), 1 / len(change_of_others)) if weights is None else weights / weights.sum()
    mean = float(given @ change_of_others)
    difference = float(change_of_contacted.mean()) - mean
    alike = float(given @ given)
    parts = np.array(
        [
            change_of_contacted.var(ddof=1) / len(change_of_contacted),
            given**2 @ (change_of_others - mean) ** 2 / (1 - alike) if alike < 1 else np.nan,
        ]
    )
    variance = float(parts.sum())
    greatest = max(np.abs(change_of_contacted).max(), np.abs(change_of_others).max())
    if not variance > (ROUNDING * greatest) ** 2:
        return Difference(difference, *(float("nan"),) * 6)
    sizes = np.array([len(change_of_contacted), 1 / alike])
    freedom = float(variance**2 / (parts**2 / (sizes - 1)).sum())
    error = float(np.sqrt(variance))
    half = float(stdtrit(freedom, (1 + CONFIDENCE) / 2)) * error
    return Difference(
        difference,
        error,
        freedom,
        difference - half,
        difference + half,
        difference / error,
        float(2 * stdtr(freedom, -abs(difference) / error)),
    )


def _lost(customers: Numbers) -> int:
    return min(len(customers) - 1, 1)


def _closest_to_equal(apart: Numbers) -> Numbers:
    """Weights of the rows that sum to 1 and give each column the mean 0: the minimum of the dual, a convex function of one number per
    column, whose gradient is what is left of the columns' means.
    """

    if not apart.shape[1]:
        return np.full(len(apart), 1 / len(apart))

    def weights(multipliers: Numbers) -> Numbers:
        scores = apart @ multipliers
        return np.asarray(np.exp(scores - logsumexp(scores)))

    def dual(multipliers: Numbers, /) -> float:
        return float(logsumexp(apart @ multipliers))

    def gradient(multipliers: Numbers, /) -> Numbers:
        return np.asarray(weights(multipliers) @ apart)

    def curvature(multipliers: Numbers, /) -> Numbers:
        given = weights(multipliers)
        left = given @ apart
        return np.asarray((apart * given[:, None]).T @ apart - np.outer(left, left))

    found = minimize(
        dual,
        np.zeros(apart.shape[1]),
        jac=gradient,
        hess=curvature,
        method="trust-exact",
        options={"gtol": BALANCED_WITHIN / 100, "maxiter": MOST_STEPS},
    )
    return weights(found.x)
