"""What customers did in the past, over a window as long as a campaign's: the base rates of a business case. Nothing of the future is said here.

The past of a segment that is chosen by behaviour is not its future: who has stayed away for a month bought nothing in that month, and comes back as of old. So
the base rates are those of whom the segment had a window ago and of what they did since; the audience's own last window stands in only where that is not on record.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

import duckdb

from orchestration.measure.campaigns.moments import UNITS, covariance, mean

#: Fewer members of the past say less of the future than the audience's own last window.
ENOUGH_MEMBERS = 25

METRICS = ("spend", "ordered", "orders")


@dataclass(frozen=True)
class BaseRate:
    """A metric per customer and window, zeros included; ``rho`` is its correlation with the window before, None where that is not on record."""

    metric: str
    mean: float
    sd: float
    rho: float | None = None

    @property
    def room(self) -> float:
        """How much more of it there can be, relative to it: of a share the rest of the customers, of anything else without end."""
        return 1 / self.mean - 1 if self.metric == "ordered" and self.mean > 0 else math.inf


@dataclass(frozen=True)
class Past:
    """What ``customers`` did from ``first_day`` to ``last_day``.

    ``of`` says who they are: the ``audience`` itself, or the ``segment`` as it was the day before. ``wanted_days`` is the length of the campaign's window: there may be
    less on record. ``buyers`` is the share of them with an order.
    """

    of: Literal["audience", "segment"]
    customers: int
    first_day: date
    last_day: date
    wanted_days: int
    buyers: float
    rates: tuple[BaseRate, ...]

    @property
    def days(self) -> int:
        return (self.last_day - self.first_day).days + 1

    def rate(self, metric: str) -> BaseRate | None:
        return next((rate for rate in self.rates if rate.metric == metric), None)


def past_of_audience(release: duckdb.DuckDBPyConnection, audience: str, as_of: date, wanted_days: int) -> Past | None:
    """What the customers of a relation with a ``customer_id`` did in the window that ends on the release's day; None where no order is on record."""
    return _past(release, "audience", f"select customer_id from {audience}", {}, as_of, wanted_days)


def past_of_segment(release: duckdb.DuckDBPyConnection, segment: str, as_of: date, wanted_days: int) -> Past | None:
    """What those did in the same window who were in the segment on the day before it; None where too few were, or nobody knows."""
    before = as_of - timedelta(wanted_days)
    members = (
        "select customer_id from metrics.segment_membership_history "
        "where segment = $segment and entered_on <= $before and coalesce(exited_on > $before, true)"
    )
    past = _past(release, "segment", members, {"segment": segment, "before": before}, as_of, wanted_days)
    return past if past and past.days == wanted_days and past.customers >= ENOUGH_MEMBERS else None


def _past(
    release: duckdb.DuckDBPyConnection,
    of: Literal["audience", "segment"],
    who: str,
    said: dict[str, Any],
    as_of: date,
    wanted_days: int,
) -> Past | None:
    first_order = release.execute("select min(ordered_on) from customers.order_days").fetchall()[0][0]
    if first_order is None:
        return None
    on_record = (as_of - first_order).days + 1
    days = min(wanted_days, on_record)
    window = {"as_of": as_of, "middle": as_of - timedelta(days), "start": as_of - timedelta(2 * days)}
    row = release.execute(_figures(who), said | window).fetchall()[0]
    customers, buyers = int(row[0]), float(row[1] or 0)
    knows_window_before = 2 * days <= on_record and days == wanted_days
    rates = tuple(
        _rate(metric, knows_window_before, *figures)
        for metric, *figures in zip(METRICS, row[2::4], row[3::4], row[4::4], row[5::4], strict=True)
    )
    return Past(of, customers, as_of - timedelta(days - 1), as_of, wanted_days, buyers, rates)


def _figures(who: str) -> str:
    """One row: customers, the share with an order; then mean, variance, variance in the window before and covariance of the two, metric by metric."""
    metrics = ", ".join(
        f"{mean(metric, UNITS[metric])}, {covariance(metric, metric, UNITS[metric])}, "
        f"{covariance(f'{metric}_before', f'{metric}_before', UNITS[metric])}, {covariance(metric, f'{metric}_before', UNITS[metric])}"
        for metric in METRICS
    )
    return f"""
        with who as (select distinct customer_id from ({who})),
        totals as (
            select
                who.customer_id,
                coalesce(sum(day.orders) filter (day.ordered_on > $middle), 0)::bigint as orders,
                coalesce(sum(day.orders) filter (day.ordered_on <= $middle), 0)::bigint as orders_before,
                coalesce(100 * sum(day.spend) filter (day.ordered_on > $middle), 0)::bigint as spend,
                coalesce(100 * sum(day.spend) filter (day.ordered_on <= $middle), 0)::bigint as spend_before
            from who
            left join customers.order_days as day
                on day.customer_id = who.customer_id and day.ordered_on > $start and day.ordered_on <= $as_of
            group by who.customer_id
        ),
        windows as (
            select *, (orders > 0)::bigint as ordered, (orders_before > 0)::bigint as ordered_before from totals
        )
        select count(*), {mean("ordered", 1)}, {metrics} from windows
    """


def _rate(
    metric: str,
    knows_before: bool,
    average: float | None,
    variance: float | None,
    before: float | None,
    together: float | None,
) -> BaseRate:
    """A metric that is the same for all is explained by nothing; by rounding a correlation can be above 1."""
    spread = math.sqrt(variance or 0) * math.sqrt(before or 0)
    rho = max(-1.0, min(1.0, (together or 0) / spread)) if spread else 0.0
    return BaseRate(metric, average or 0.0, math.sqrt(variance or 0), rho if knows_before else None)
