"""Two arms of a campaign compared, thousands of pairs at once, from the sufficient statistics that SQL computes.

Means, variances and covariances in, lifts with their intervals out. Knows no customer, no campaign and no verdict; which test a pair
deserves is decided in ``verdicts``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from orchestration.measure.campaigns.power import detectable_errors

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: So many of 100 intervals hold the truth.
CONFIDENCE = 0.95
#: What is left of a variance below this share of it is rounding, and so is a variance below this share of the mean's square.
ROUNDING = 1e-12

ARMS = ("treatment", "control")
#: What ``compare`` reads of each arm.
STATISTICS = ("n", "mean", "var", "before_mean", "before_var", "cov")

_QUANTILE = (1 + CONFIDENCE) / 2


class _Arm(NamedTuple):
    n: Numbers
    mean: Numbers
    var: Numbers
    before_mean: Numbers
    before_var: Numbers
    cov: Numbers


class _Difference(NamedTuple):
    lift: Numbers
    lower: Numbers
    upper: Numbers
    standard_error: Numbers
    degrees_of_freedom: Numbers
    p_value: Numbers


def compare(table: pd.DataFrame, is_pooled: Flags) -> pd.DataFrame:
    """The lift of each pair of arms, as it is and adjusted by the same metric before the campaign.

    ``table`` has one row per comparison: for each arm, ``treatment`` and ``control``, the customers ``n_<arm>``, ``mean_<arm>`` and
    ``var_<arm>`` of the metric, ``before_mean_<arm>`` and ``before_var_<arm>`` of the same metric before the campaign, and
    ``cov_<arm>`` of the two (sample variances and covariances, divided by n - 1). ``is_pooled`` says of each row whether both arms
    share one variance (Student) or not (Welch).

    Gives, with the same index and in the metric's own units: ``lift_raw``, ``lift_raw_lower``, ``lift_raw_upper`` (the difference of
    the means and its 95 % interval); ``lift``, ``lower``, ``upper``, ``standard_error``, ``degrees_of_freedom`` and the two-sided
    ``p_value`` of the adjusted difference (CUPED: Deng, Xu, Kohavi and Walker 2013); ``relative_lift``, ``relative_lower``,
    ``relative_upper`` as shares of the adjusted control mean (delta method on the logarithm: Deng, Knoblich and Lu 2018), NaN where
    that mean is not positive; ``cuped_theta``, and ``cuped_rho``, the correlation within the arms, by which the variance falls by
    1 - rho²; ``min_detectable``, the absolute lift seen with 80 % power at the 5 % level. These are tea-tasting's figures to rounding.

    What cannot be known is NaN and never a warning: all of an arm of no customers; the uncertainty of arms of one customer, or of a
    metric that does not vary in either arm. Without figures from before, or where they do not vary, nothing is adjusted (theta and
    rho are 0).

    Raises ValueError where a column is missing.
    """
    missing = [name for name in (f"{one}_{arm}" for one in STATISTICS for arm in ARMS) if name not in table.columns]
    if missing:
        raise ValueError(
            f"The table of comparisons lacks {', '.join(missing)}; bring each arm's sufficient statistics."
        )
    with np.errstate(all="ignore"):
        found = _compared(table, np.asarray(is_pooled, bool))
    return pd.DataFrame(found, table.index).replace([np.inf, -np.inf], np.nan)


def _compared(table: pd.DataFrame, is_pooled: Flags) -> dict[str, Numbers]:
    treatment, control = (_arm(table, arm) for arm in ARMS)
    raw = _difference(treatment, control, is_pooled)
    theta, rho = _adjustment(treatment, control)
    before = (treatment.n * treatment.before_mean + control.n * control.before_mean) / (treatment.n + control.n)
    treatment, control = (_adjusted(arm, theta, before) for arm in (treatment, control))
    found = _difference(treatment, control, is_pooled)
    relative, relative_lower, relative_upper = _relative(treatment, control, is_pooled)
    return {
        "lift_raw": raw.lift,
        "lift_raw_lower": raw.lower,
        "lift_raw_upper": raw.upper,
        **found._asdict(),
        "relative_lift": relative,
        "relative_lower": relative_lower,
        "relative_upper": relative_upper,
        "cuped_theta": theta,
        "cuped_rho": rho,
        "min_detectable": detectable_errors() * found.standard_error,
    }


def _arm(table: pd.DataFrame, arm: str) -> _Arm:
    read = _Arm(*(table[f"{one}_{arm}"].to_numpy(float, na_value=np.nan) for one in STATISTICS))
    return read._replace(
        var=np.where(read.var <= ROUNDING * read.mean**2, 0.0, read.var),
        before_var=np.where(read.before_var <= ROUNDING * read.before_mean**2, 0.0, read.before_var),
    )


def _adjustment(treatment: _Arm, control: _Arm) -> tuple[Numbers, Numbers]:
    """Theta and rho; 0 where there is nothing to adjust by."""

    def within(of: Callable[[_Arm], Numbers]) -> Numbers:
        return (treatment.n - 1) * of(treatment) + (control.n - 1) * of(control)

    cov, before_var, var = within(lambda arm: arm.cov), within(lambda arm: arm.before_var), within(lambda arm: arm.var)
    apart = treatment.before_mean - control.before_mean
    between = apart * treatment.n * control.n / (treatment.n + control.n)
    # The slope of both arms as one sample, so that it knows nothing of who was treated.
    theta = (cov + between * (treatment.mean - control.mean)) / (before_var + between * apart)
    is_adjusted = np.isfinite(theta) & (before_var > 0)
    rho = np.clip(cov / np.sqrt(before_var * var), -1, 1)
    return np.where(is_adjusted, theta, 0.0), np.where(is_adjusted & np.isfinite(rho), rho, 0.0)


def _adjusted(arm: _Arm, theta: Numbers, before: Numbers) -> _Arm:
    left = arm.var + theta**2 * arm.before_var - 2 * theta * arm.cov
    left = np.where(left <= ROUNDING * arm.var, 0.0, left)
    # Nothing times a missing figure is missing.
    return arm._replace(
        mean=np.where(theta == 0, arm.mean, arm.mean - theta * (arm.before_mean - before)),
        var=np.where(theta == 0, arm.var, left),
    )


def _error(treatment: _Arm, control: _Arm, is_pooled: Flags) -> tuple[Numbers, Numbers]:
    """Standard error of the difference and its degrees of freedom; NaN where nothing varies."""
    n_t, n_c, var_t, var_c = treatment.n, control.n, treatment.var, control.var
    of_mean_t, of_mean_c = var_t / n_t, var_c / n_c
    welch = of_mean_t + of_mean_c
    welch_freedom = welch**2 / (of_mean_t**2 / (n_t - 1) + of_mean_c**2 / (n_c - 1))
    pooled = ((n_t - 1) * var_t + (n_c - 1) * var_c) / (n_t + n_c - 2) * (1 / n_t + 1 / n_c)
    variance, freedom = np.where(is_pooled, pooled, welch), np.where(is_pooled, n_t + n_c - 2, welch_freedom)
    is_known = (n_t >= 2) & (n_c >= 2) & (variance > 0)
    return np.where(is_known, np.sqrt(variance), np.nan), np.where(is_known, freedom, np.nan)


def _difference(treatment: _Arm, control: _Arm, is_pooled: Flags) -> _Difference:
    lift = treatment.mean - control.mean
    error, freedom = _error(treatment, control, is_pooled)
    half = stdtrit(freedom, _QUANTILE) * error
    return _Difference(lift, lift - half, lift + half, error, freedom, 2 * stdtr(freedom, -np.abs(lift) / error))


def _relative(treatment: _Arm, control: _Arm, is_pooled: Flags) -> tuple[Numbers, Numbers, Numbers]:
    ratio = np.where(control.mean > 0, treatment.mean / control.mean, np.nan)
    log_treatment, log_control = (arm._replace(var=arm.var / arm.mean**2) for arm in (treatment, control))
    error, freedom = _error(log_treatment, log_control, is_pooled)
    # A logarithm needs two positive means.
    factor = np.where(ratio > 0, np.exp(stdtrit(freedom, _QUANTILE) * error), np.nan)
    return ratio - 1, ratio / factor - 1, ratio * factor - 1
