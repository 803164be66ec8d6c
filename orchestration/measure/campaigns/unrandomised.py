"""What can be seen of a campaign without a holdout on its newest day: the difference of changes beside one on matched customers, how well these match, and
the same comparisons on dates before, when nothing was sent and nothing should be seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, dataclass
from datetime import date, timedelta

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from orchestration.measure.campaigns.balancing import Balance, Difference, balance, difference_in_differences
from orchestration.measure.campaigns.outcomes import Outcomes

#: Fewer contacted, or others, are no comparison.
LEAST_COMPARED = 25
#: Dates before the campaign on which it is pretended to have begun.
MOST_PLACEBOS = 3
#: Customers are matched on so many stretches, each as long as the window, that end where the comparison begins.
MOST_STRETCHES = 2
FIGURES = ("spend", "orders")

CREATE = """
create schema if not exists metrics;
create or replace table metrics.campaign_comparisons (
    campaign_id varchar, as_of_date date, estimator varchar, starts_on date, is_placebo boolean, metric varchar,
    difference double, lower double, upper double, p_value double, n_contacted bigint, n_others double
);
create or replace table metrics.campaign_balance (
    campaign_id varchar, as_of_date date, attribute varchar, mean_contacted double, mean_others double, standardized_difference double,
    mean_matched double, standardized_difference_matched double
)
"""


@dataclass(frozen=True)
class Comparison:
    """A difference of changes, contacted less others, of spend per customer; ``others`` is an effective number where they are weighted."""

    campaign_id: str
    as_of_date: date
    estimator: str
    starts_on: date
    is_placebo: bool
    metric: str
    difference: float
    lower: float
    upper: float
    p_value: float
    contacted: int
    others: float


@dataclass(frozen=True)
class Balanced:
    """An attribute's means before and after the others are weighted; differences are in standard deviations."""

    campaign_id: str
    as_of_date: date
    attribute: str
    mean_contacted: float
    mean_others: float
    difference: float
    mean_matched: float
    difference_matched: float


def days_with_time_before(outcomes: Outcomes) -> set[date]:
    """The days by which orders were on record for as long before the campaign as it had been measured, twice: to be compared with, and to be matched on."""
    campaign = outcomes.campaign
    return {
        day
        for day, first in outcomes.first_orders().items()
        if (campaign.launched_on - first).days >= 2 * (campaign.planned_days or campaign.day_index(day))
    }


def record_comparisons(
    connection: duckdb.DuckDBPyConnection, found: list[tuple[list[Comparison], list[Balanced]]]
) -> None:
    """Writes ``metrics.campaign_comparisons`` and ``metrics.campaign_balance`` anew: of each campaign without a holdout, its newest day."""
    connection.execute(CREATE)
    for table, rows in (
        ("campaign_comparisons", [astuple(one) for comparisons, _ in found for one in comparisons]),
        ("campaign_balance", [astuple(one) for _, balanced in found for one in balanced]),
    ):
        if rows:
            known = [[None if value != value else value for value in row] for row in rows]
            connection.executemany(f"insert into metrics.{table} values ({', '.join('?' * len(rows[0]))})", known)


def compared(outcomes: Outcomes) -> tuple[list[Comparison], list[Balanced]]:
    """All comparisons of a campaign on the newest of its days, and how the customers match; nothing where there are too few or no time before it."""
    campaign, day = outcomes.campaign, outcomes.campaign.days[-1]
    if day not in days_with_time_before(outcomes):
        return [], []
    length = campaign.day_index(day)
    stretches = min(
        (campaign.launched_on - outcomes.first_orders()[day]).days // length, MOST_PLACEBOS + MOST_STRETCHES + 1
    )
    past = Past(outcomes.earlier(stretches + 1), stretches)
    if past.smaller_arm < LEAST_COMPARED:
        return [], []
    comparisons = [
        Comparison(
            campaign.campaign_id,
            day,
            estimator,
            campaign.launched_on - timedelta(length * back),
            back > 0,
            FIGURES[0],
            found.difference,
            found.lower,
            found.upper,
            found.p_value,
            past.contacted,
            others,
        )
        for back in range(MOST_PLACEBOS + 1)
        for estimator, found, others in past.comparisons(back)
    ]
    balanced = [
        Balanced(campaign.campaign_id, day, f"{name}, days {length * (n - 1) + 1} to {length * n} before", *figures)
        for name, n, *figures in past.balance_table()
    ]
    return comparisons, balanced


class Past:
    """What the customers bought in the window and in the stretches before it, the window being stretch 0: who was contacted beside the others."""

    def __init__(self, customers: pd.DataFrame, stretches: int) -> None:
        self._customers = customers
        self._stretches = stretches
        self._is_contacted = (customers["arm"] == "treatment").to_numpy()

    @property
    def contacted(self) -> int:
        return int(self._is_contacted.sum())

    @property
    def smaller_arm(self) -> int:
        return min(self.contacted, len(self._customers) - self.contacted)

    def comparisons(self, back: int) -> Iterator[tuple[str, Difference, float]]:
        """As if the campaign had begun ``back`` stretches earlier: against all others, and against matched ones, where there is time enough before."""
        if back + 1 > self._stretches:
            return
        change = self._figure(FIGURES[0], back) - self._figure(FIGURES[0], back + 1)
        contacted, others = change[self._is_contacted], change[~self._is_contacted]
        yield "difference_in_differences", difference_in_differences(contacted, others), float(len(others))
        weights = self._balance(back)
        if weights is not None and weights.converged and weights.effective_sample_size >= LEAST_COMPARED:
            matched = difference_in_differences(contacted, others, weights.weights)
            yield "on_matched_customers", matched, weights.effective_sample_size

    def balance_table(self) -> Iterator[tuple[str, int, float, float, float, float, float]]:
        """Of each figure that the others are matched on: its name, the stretch, means and standardized differences."""
        found = self._balance(0)
        if found is None:
            return
        columns, table = self._matched_on(0)
        contacted, others = table[self._is_contacted], table[~self._is_contacted]
        for at, (name, stretch) in enumerate(columns):
            matched = float(found.weights @ others[:, at])
            means = float(contacted[:, at].mean()), float(others[:, at].mean()), float(found.before[at])
            yield name, stretch, *means, matched, float(found.after[at])

    def _balance(self, back: int) -> Balance | None:
        columns, table = self._matched_on(back)
        return balance(table[self._is_contacted], table[~self._is_contacted]) if columns else None

    def _matched_on(self, back: int) -> tuple[list[tuple[str, int]], NDArray[np.float64]]:
        """Spend and orders before the time that the comparison looks at: what it is compared with must not be what it was matched on."""
        last = min(back + 1 + MOST_STRETCHES, self._stretches)
        columns = [(name, n) for n in range(back + 2, last + 1) for name in FIGURES]
        table = np.column_stack([self._figure(name, n) for name, n in columns]) if columns else np.empty((0, 0))
        return columns, table

    def _figure(self, name: str, stretch: int) -> NDArray[np.float64]:
        return np.asarray(self._customers[f"{name}_{stretch}"], dtype=float)
