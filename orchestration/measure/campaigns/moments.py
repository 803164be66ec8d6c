"""Means, variances and covariances in SQL that say the same to the last digit whichever thread adds up first: quotients of sums of whole numbers."""

from __future__ import annotations

#: By what the figures of a table are to be divided: money is counted in hundredths.
UNITS = {"spend": 100, "ordered": 1, "orders": 1, "responded": 1}


def mean(metric: str, unit: int) -> str:
    """The mean of a column of whole numbers, in its own unit."""
    return f"sum({metric})::double / ({unit} * count(*))"


def covariance(one: str, other: str, unit: int) -> str:
    """The sample covariance (divided by n - 1) of two columns of whole numbers; the variance of one with itself. Null for fewer than two rows."""
    return (
        f"(count(*) * sum({one}::hugeint * {other}) - sum({one}) * sum({other}))::double "
        f"/ nullif({unit * unit}::double * count(*) * (count(*) - 1), 0)"
    )
