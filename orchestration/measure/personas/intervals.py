"""From the sums of a group to its figure with a 95 % interval, and from two of them to their quotient or difference. Knows no claim and no verdict.

A figure is a quotient of sums over customers, who are the units: its variance is that of the linearised quotient (Cochran, Sampling Techniques, 1977, ch. 6), each
customer's part made larger by her weight in the denominator, as leaving her out would (MacKinnon and White 1985). A share has Wilson's interval of as many customers as would
be as precise were each a yes or no (Korn and Graubard 1998); anything else Student's, with Hall's transformation (1992) for what is skewed, as spend is. Where a few customers
make up most of the denominator, there are only so many degrees of freedom (Kish). Two figures are put together from their intervals by the method of variance estimates recovery:
differences by Zou and Donner (2008), quotients by Donner and Zou (2012).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t

Figures = NDArray[np.float64]

LEVEL = 0.95


@dataclass(frozen=True)
class Sums:
    """Of the customers of a group who count: how many, and the sums of their numerators and denominators, and of the products of two and of three of them. An array
    each.
    """

    customers: Figures
    num: Figures
    den: Figures
    num_num: Figures
    num_den: Figures
    den_den: Figures
    num_num_num: Figures
    num_num_den: Figures
    num_den_den: Figures
    den_den_den: Figures


@dataclass(frozen=True)
class Estimate:
    """A figure with its interval; nan where there is none. ``error`` is the standard error of the linearised quotient."""

    value: Figures
    lower: Figures
    upper: Figures
    error: Figures


def estimate(sums: Sums, unit: int, is_share: bool) -> Estimate:
    """The quotient of the sums, divided by ``unit``; nan for fewer than two customers, and where nothing is divided by."""
    with np.errstate(divide="ignore", invalid="ignore"):
        n = np.where(sums.customers > 1, sums.customers, np.nan)
        value = np.where(sums.den != 0, sums.num / sums.den, np.nan)
        squares = sums.num_num - 2 * value * sums.num_den + value**2 * sums.den_den
        # What is left of two numbers that are equal but for their last digits is nothing.
        squares = np.where(squares > 1e-12 * np.maximum(sums.num_num, 1), squares, 0.0)
        error = np.sqrt(n / (n - 1) * squares) / np.abs(sums.den)
        weighted = (sums.num_num_den - 2 * value * sums.num_den_den + value**2 * sums.den_den_den) / sums.den
        spread = error * np.sqrt(np.where(squares > 0, 1 + 2 * np.maximum(weighted, 0) / squares, 1))
        as_if = sums.den**2 / sums.den_den
        quantile = np.asarray(t.ppf((1 + LEVEL) / 2, np.maximum(as_if - 1, 1)))
        cubes = (
            sums.num_num_num
            - 3 * value * sums.num_num_den
            + 3 * value**2 * sums.num_den_den
            - value**3 * sums.den_den_den
        )
        skewness = np.where(squares > 0, cubes / n / (squares / n) ** 1.5, 0)
        lower, upper = (value - spread * _untransformed(end, skewness, as_if) for end in (quantile, -quantile))
        if is_share:
            within, (low, high) = (value >= 0) & (value <= 1), _wilson(value, spread, n, quantile)
            lower, upper = np.where(within, low, lower), np.where(within, high, upper)
    is_known = np.isfinite(n) & np.isfinite(value)
    known = (np.where(is_known, figures, np.nan) / unit for figures in (value, lower, upper, error))
    return Estimate(*known)


def times(one: Estimate, other: Estimate, covariance: Figures | float = 0.0) -> Estimate:
    """``one`` divided by ``other``. Without an upper end (infinity) where the other may be nothing; nan where it is nothing or less."""
    r = _correlation(one, other, covariance)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(other.value > 0, one.value / other.value, np.nan)
        below = one.value * other.value - r * (one.value - one.lower) * (other.upper - other.value)
        above = one.value * other.value - r * (one.upper - one.value) * (other.value - other.lower)
        under = below**2 - one.lower * other.upper * (2 * one.value - one.lower) * (2 * other.value - other.upper)
        over = above**2 - one.upper * other.lower * (2 * one.value - one.upper) * (2 * other.value - other.lower)
        # The root is written so that it has no leap where the other's upper end is twice its value.
        lower = one.lower * (2 * one.value - one.lower) / (below + np.sqrt(np.maximum(under, 0)))
        upper = (above + np.sqrt(np.maximum(over, 0))) / (other.lower * (2 * other.value - other.lower))
        lower = np.where(one.lower == 0, 0.0, lower)
        upper = np.where(other.lower > 0, upper, np.inf)
    is_known = np.isfinite(value)
    nothing = np.full_like(value, np.nan)
    return Estimate(value, np.where(is_known, lower, np.nan), np.where(is_known, upper, np.nan), nothing)


def above(one: Estimate, other: Estimate, covariance: Figures | float = 0.0) -> Estimate:
    """``one`` less ``other``."""
    r = _correlation(one, other, covariance)
    value = one.value - other.value
    down, up = one.value - one.lower, one.upper - one.value
    other_down, other_up = other.value - other.lower, other.upper - other.value
    lower = value - np.sqrt(np.maximum(down**2 + other_up**2 - 2 * r * down * other_up, 0))
    upper = value + np.sqrt(np.maximum(up**2 + other_down**2 - 2 * r * up * other_down, 0))
    return Estimate(
        value, lower, upper, np.sqrt(np.maximum(one.error**2 + other.error**2 - 2 * np.asarray(covariance), 0))
    )


def _untransformed(quantile: Figures, skewness: Figures, customers: Figures) -> Figures:
    """The quantile of a studentised mean of what is skewed so, by the inverse of Hall's transformation."""
    root = np.sqrt(customers)
    shifted = quantile / root - skewness / (6 * customers)
    is_skewed = np.abs(skewness) > 1e-6
    bent = 3 / skewness * (np.cbrt(1 + skewness * shifted) - 1)
    return root * np.where(is_skewed, bent, shifted)


def _wilson(value: Figures, error: Figures, customers: Figures, quantile: Figures) -> tuple[Figures, Figures]:
    as_many = np.where(error > 0, value * (1 - value) / error**2, customers)
    z2 = quantile**2 / as_many
    middle, half = value + z2 / 2, quantile * np.sqrt(value * (1 - value) / as_many + z2 / (4 * as_many))
    return np.maximum((middle - half) / (1 + z2), 0), np.minimum((middle + half) / (1 + z2), 1)


def _correlation(one: Estimate, other: Estimate, covariance: Figures | float) -> Figures:
    with np.errstate(divide="ignore", invalid="ignore"):
        r = np.asarray(covariance) / (one.error * other.error)
    return np.where(np.isfinite(r), np.clip(r, -1, 1), 0.0)
