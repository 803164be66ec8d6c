"""Looking at a campaign every day without deceiving oneself: what level each day's look may use.

Looks and levels only; knows no metric and no arm. Information is taken to grow by the same amount from look to look, as it does when
a campaign is read once a day over a planned horizon.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

Numbers = NDArray[np.float64]

ALPHA = 0.05
#: Points of the integral for each standard deviation of a look's own information; errors are below 1e-10.
_POINTS = 6
_LEAST_POINTS = 68


def alpha_at(look: int, looks: int, alpha: float = ALPHA) -> float:
    """The two-sided level at which the ``look``-th of ``looks`` planned looks may reject, so that all of them together reject a
    null with probability ``alpha`` (O'Brien and Fleming 1979).

    The boundary is the constant that a Brownian motion crosses so often, found by integrating look by look (Armitage, McPherson and
    Rowe 1969): exact for normal increments. Strict at first and almost ``alpha`` at the end. Raises ValueError where ``look`` is not
    one of the planned.
    """
    _refuse_wrong(look, looks, alpha)
    return float(alphas_at(looks, alpha)[look - 1])


def alphas_at(looks: int, alpha: float = ALPHA) -> Numbers:
    """``alpha_at`` of every planned look, from the first."""
    _refuse_wrong(looks, looks, alpha)
    return np.asarray(2 * ndtr(-boundary(looks, alpha)))


def boundary(looks: int, alpha: float = ALPHA) -> Numbers:
    """The absolute z values at which each planned look rejects: the last one's, times the root of looks to the look."""
    _refuse_wrong(looks, looks, alpha)
    return _last_boundary(looks, alpha) * np.sqrt(looks / np.arange(1, looks + 1))


def anytime_factor(look: int, looks: int, alpha: float = ALPHA) -> float:
    """Standard errors on each side of an estimate that hold the truth at all looks at once, however many there will be.

    An asymptotic confidence sequence by a normal mixture (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas 2024, theorem 2.2), the
    mixture tuned to be tightest at the planned horizon of ``looks``. ``look`` may lie beyond it. Raises ValueError where it is none.
    """
    _refuse_wrong(min(look, looks), looks, alpha)
    return float(anytime_factors(np.array([look]), looks, alpha)[0])


def anytime_factors(at: NDArray[np.int64] | Numbers, looks: int, alpha: float = ALPHA) -> Numbers:
    """``anytime_factor`` of many looks."""
    mixed = at / looks * (-2 * np.log(alpha) + np.log(1 - 2 * np.log(alpha)))
    return np.asarray(np.sqrt((mixed + 1) / mixed * (np.log(mixed + 1) - 2 * np.log(alpha))))


@cache
def _last_boundary(looks: int, alpha: float) -> float:
    fixed = float(-ndtri(alpha / 2))
    if looks == 1:
        return fixed
    # Crossing at any look is at least as probable as at the last, and never more than twice as probable (reflection).
    highest = float(-ndtri(alpha / 4)) + 0.1
    return float(brentq(lambda z: 1 - _stays_within(z * np.sqrt(looks), looks) - alpha, fixed, highest, xtol=1e-10))


def _stays_within(height: float, looks: int) -> float:
    """How probably a walk of so many standard normal steps never leaves (-height, height): its density is carried from step to step
    on the points of Gauss and Legendre.
    """
    points, weights = np.polynomial.legendre.leggauss(max(int(_POINTS * height), _LEAST_POINTS))
    at, weights = height * points, height * weights
    step = np.exp(-((at[:, None] - at[None, :]) ** 2) / 2) / np.sqrt(2 * np.pi) * weights
    within = np.ones(at.size)
    for _ in range(looks - 1):
        within = step @ within
    return float(np.exp(-(at**2) / 2) / np.sqrt(2 * np.pi) * weights @ within)


def _refuse_wrong(look: int, looks: int, alpha: float) -> None:
    if not 1 <= look <= looks:
        raise ValueError(f"Look {look} of {looks} is not planned; looks count from 1 to the number planned.")
    if not 0 < alpha < 1:
        raise ValueError(f"A level of {alpha} is none; use one between 0 and 1, such as 0.05.")
