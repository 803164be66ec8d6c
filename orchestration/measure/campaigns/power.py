"""What a campaign could show, before it is sent: how many customers must be held out for a lift to be seen.

Sizes, spreads and lifts only; knows no audience and no calendar. Lifts are absolute, in the metric's units. A spread is the standard
deviation of the metric between customers, after the adjustment by its past (``left_after_adjustment``).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import brentq
from scipy.special import nctdtr, ndtri, stdtrit
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import proportion_effectsize, samplesize_proportions_2indep_onetail

ALPHA, POWER = 0.05, 0.80
#: Fewer customers in an arm have no spread.
LEAST_ARM = 2
#: A lift of more standard errors than the first is called a loss next to never; of more than the second it is always seen.
_ONE_SIDED, _CERTAIN = 6.0, 30.0


def left_after_adjustment(spread: float, rho: float) -> float:
    """The spread that the metric's correlation ``rho`` with its own past leaves: the variance falls by 1 - rho² (Deng, Xu, Kohavi and
    Walker 2013).
    """
    return float(spread * np.sqrt(1 - rho**2))


def power_to_see(lift: float, spread: float, n_treatment: float, n_control: float, alpha: float = ALPHA) -> float:
    """How probably a lift is called one: two-sided t test with one variance, by the noncentral t distribution
    (as statsmodels' ``TTestIndPower``; R's ``power.t.test`` leaves out the far tail). NaN where an arm has fewer than two customers or nothing varies.
    """
    if min(n_treatment, n_control) < LEAST_ARM or not spread > 0:
        return float("nan")
    errors = abs(lift) / spread / np.sqrt(1 / n_treatment + 1 / n_control)
    freedom = n_treatment + n_control - 2
    critical = stdtrit(freedom, 1 - alpha / 2)
    if errors > critical + _CERTAIN:
        return 1.0
    far = nctdtr(freedom, errors, -critical) if errors < _ONE_SIDED else 0.0
    return float(1 - nctdtr(freedom, errors, critical) + far)


def visible_lift(
    spread: float, n_treatment: float, n_control: float, power: float = POWER, alpha: float = ALPHA
) -> float:
    """The smallest lift that arms of these sizes see with this power. NaN as in ``power_to_see``."""
    if min(n_treatment, n_control) < LEAST_ARM or not spread > 0:
        return float("nan")
    error = float(spread * np.sqrt(1 / n_treatment + 1 / n_control))
    highest = detectable_errors(power, alpha)
    while power_to_see(highest * error, spread, n_treatment, n_control, alpha) < power:
        highest *= 2
    return error * _crossing(
        lambda errors: power_to_see(errors * error, spread, n_treatment, n_control, alpha) - power, highest
    )


def size_of_each_arm(lift: float, spread: float, power: float = POWER, alpha: float = ALPHA) -> float:
    """Customers in each of two equal arms that see a lift: ``power_to_see`` solved for the size; not rounded, and at least two."""
    _refuse_no_lift(lift)
    highest = 2 * (detectable_errors(power, alpha) * spread / lift) ** 2 + 4 * LEAST_ARM
    while power_to_see(lift, spread, highest, highest, alpha) < power:
        highest *= 2
    return LEAST_ARM + _crossing(
        lambda more: power_to_see(lift, spread, LEAST_ARM + more, LEAST_ARM + more, alpha) - power, highest
    )


def smallest_control(
    audience: int, lift: float, spread: float, power: float = POWER, alpha: float = ALPHA
) -> int | None:
    """The fewest customers of an audience who, held out, let the others' lift be seen with this power; None where half of the audience
    would not do.
    """
    _refuse_no_lift(lift)
    low, high = LEAST_ARM, audience // 2
    if high < LEAST_ARM or not power_to_see(lift, spread, audience - high, high, alpha) >= power:
        return None
    while low < high:
        middle = (low + high) // 2
        if power_to_see(lift, spread, audience - middle, middle, alpha) >= power:
            high = middle
        else:
            low = middle + 1
    return low


def variance_inflation(control_share: float) -> float:
    """How many times the variance of a lift is that of two equal arms of the same audience: 1 / (4 s (1 - s))."""
    if not 0 < control_share < 1:
        raise ValueError(f"A control share of {control_share} leaves an arm empty; use one between 0 and 1.")
    return 1 / (4 * control_share * (1 - control_share))


def size_for_shares(before: float, after: float, power: float = POWER, alpha: float = ALPHA) -> float:
    """Customers in each of two equal arms that tell two shares apart: the normal approximation with the pooled share under the null
    (Fleiss; R's ``power.prop.test``, statsmodels' ``samplesize_proportions_2indep_onetail``).
    """
    _refuse_no_lift(after - before)
    return float(samplesize_proportions_2indep_onetail(after - before, before, power, alpha=alpha))


def size_for_shares_by_arcsine(before: float, after: float, power: float = POWER, alpha: float = ALPHA) -> float:
    """The same by Cohen's h, the difference of the arcsines of the shares' roots (``NormalIndPower``; R's ``pwr.2p.test``)."""
    _refuse_no_lift(after - before)
    return float(NormalIndPower().solve_power(proportion_effectsize(after, before), power=power, alpha=alpha))


def rule_of_thumb_size(lift: float, spread: float) -> float:
    """Customers in each of two equal arms for 80 % power at the 5 % level, in one's head: 16 spread² / lift² (Lehr 1992)."""
    _refuse_no_lift(lift)
    return 16 * spread**2 / lift**2


def detectable_errors(power: float = POWER, alpha: float = ALPHA) -> float:
    """Standard errors of a lift that is seen with this power at this level by the normal approximation: 2.80 as a rule."""
    return float(ndtri(1 - alpha / 2) + ndtri(power))


def _crossing(rising: Callable[[float], float], highest: float) -> float:
    """Where a function of positive numbers comes up to zero; 0 where it begins there."""
    if rising(0.0) >= 0:
        return 0.0
    return float(brentq(rising, 0.0, highest, xtol=1e-12, rtol=1e-12))


def _refuse_no_lift(lift: float) -> None:
    if lift == 0:
        raise ValueError("No audience is large enough to see a lift of nothing; name the smallest lift that matters.")
