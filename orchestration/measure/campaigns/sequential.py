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
#: How fast the boundary falls with the root of information, as a power of it: constant, as O'Brien and Fleming's, and as shipped.
POCOCK, OBRIEN_FLEMING, STEEPNESS = 0.0, 0.5, 0.75
#: No campaign crosses a boundary of so many standard errors.
_HIGHEST = 8.0
#: Points of the integral for each standard deviation of a look's own information, and some more, so that few numbers of them occur.
#: Levels are right to 1e-7.
_POINTS_A_DEVIATION, _POINTS_MORE = 3, 32


def alpha_at(look: int, looks: int, alpha: float = ALPHA, steepness: float = STEEPNESS) -> float:
    """The two-sided level at which the ``look``-th of ``looks`` planned looks may reject, so that all of them together reject a
    null with probability ``alpha``.

    The boundaries are a constant times (looks / look) to the power of ``steepness`` (Wang and Tsiatis 1987), the constant found by
    integrating a Brownian motion look by look (Armitage, McPherson and Rowe 1969): exact for normal increments. A steepness of 1/2 is
    O'Brien and Fleming's (1979). With a look every day that keeps 97.6 % of a single look's power of .80; the steeper one that is
    shipped spends still less on the first days and keeps 98.6 %. Raises ValueError where ``look`` is not one of the planned.
    """
    _refuse_wrong(look, looks, alpha)
    return float(alphas_at(looks, alpha, steepness)[look - 1])


def alphas_at(looks: int, alpha: float = ALPHA, steepness: float = STEEPNESS) -> Numbers:
    """``alpha_at`` of every planned look, from the first."""
    return np.asarray(2 * ndtr(-boundary(looks, alpha, steepness)))


def boundary(looks: int, alpha: float = ALPHA, steepness: float = STEEPNESS) -> Numbers:
    """The absolute z values at which each planned look rejects."""
    _refuse_wrong(looks, looks, alpha)
    return _last_boundary(looks, alpha, steepness) * _shape(looks, steepness)


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


def _shape(looks: int, steepness: float) -> Numbers:
    return np.asarray((looks / np.arange(1, looks + 1)) ** steepness)


@cache
def _last_boundary(looks: int, alpha: float, steepness: float) -> float:
    fixed = float(-ndtri(alpha / 2))
    if looks == 1:
        return fixed
    shape = _shape(looks, steepness)
    # Crossing somewhere is at least as probable as at the last look, and at most looks times as probable.
    highest = float(-ndtri(alpha / 2 / looks))
    return float(brentq(lambda last: 1 - _stays_within(last * shape) - alpha, fixed, highest, xtol=1e-8))


def _stays_within(z_values: Numbers) -> float:
    """How probably a walk of standard normal steps is within its boundary after each: from the last step to the first, the
    probability of staying is carried on the points of Gauss and Legendre.
    """
    heights = np.minimum(z_values, _HIGHEST) * np.sqrt(np.arange(1, z_values.size + 1))
    to, weights = _points(heights[-1])
    stays = np.ones(to.size)
    for height in heights[-2::-1]:
        at, weights_at = _points(height)
        stays = _steps(at, to) @ (weights * stays)
        to, weights = at, weights_at
    return float((_steps(np.zeros(1), to) @ (weights * stays))[0])


def _steps(at: Numbers, to: Numbers) -> Numbers:
    """The density of a step from each point to each other."""
    return np.asarray(np.exp(-((at[:, None] - to[None, :]) ** 2) / 2) / np.sqrt(2 * np.pi))


def _points(height: float) -> tuple[Numbers, Numbers]:
    points, weights = _legendre((int(_POINTS_A_DEVIATION * height / _POINTS_MORE) + 2) * _POINTS_MORE)
    return height * points, height * weights


@cache
def _legendre(points: int) -> tuple[Numbers, Numbers]:
    return np.polynomial.legendre.leggauss(points)


def _refuse_wrong(look: int, looks: int, alpha: float) -> None:
    if not 1 <= look <= looks:
        raise ValueError(f"Look {look} of {looks} is not planned; looks count from 1 to the number planned.")
    if not 0 < alpha < 1:
        raise ValueError(f"A level of {alpha} is none; use one between 0 and 1, such as 0.05.")
