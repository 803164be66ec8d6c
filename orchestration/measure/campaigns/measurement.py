"""What was measured of a campaign by the end of a day, as people are told it: one row of ``metrics.campaign_impact``, and what may be read from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import TYPE_CHECKING, Any, TypeVar

from orchestration.measure.campaigns.figures import Range, ranged

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Record = TypeVar("Record", bound="DataclassInstance")


@dataclass(frozen=True)
class Measurement:
    """One row of metrics.campaign_impact; the columns are described in the release."""

    as_of_date: date
    segment: str | None
    metric: str
    evidence: str
    is_primary: bool
    n_treatment: int
    n_control: int
    mean_treatment: float | None
    mean_control: float | None
    day_index: int | None
    planned_days: int | None
    information_fraction: float | None
    estimator: str | None
    p_method: str | None
    lift: float | None
    lower: float | None
    upper: float | None
    relative_lift: float | None
    relative_lower: float | None
    relative_upper: float | None
    lower_anytime: float | None
    upper_anytime: float | None
    alpha_now: float | None
    p_value: float | None
    q_value: float | None
    cuped_rho: float | None
    buyers_treatment: int | None
    buyers_control: int | None
    srm_p: float | None
    incremental_revenue: float | None
    incremental_revenue_lower: float | None
    incremental_revenue_upper: float | None
    cost: float | None
    net_return: float | None
    net_return_lower: float | None
    net_return_upper: float | None
    min_detectable: float | None
    flags: tuple[str, ...]
    verdict: str
    message: str | None

    @property
    def is_final(self) -> bool:
        return self.information_fraction is not None and self.information_fraction >= 1

    @property
    def naive(self) -> float | None:
        """What the contacted had above the others: of a campaign without a holdout, the figure that misleads."""
        if self.mean_treatment is None or self.mean_control is None:
            return None
        return self.mean_treatment - self.mean_control

    @property
    def may_be_claimed(self) -> bool:
        """Whether the figures may be read as what the campaign did, or not yet: of arms drawn by lot, as planned, with enough buyers in each, in what both can do."""
        claims = ("win", "loss", "no_evidence", "too_early")
        return self.evidence == "randomised" and self.metric != "responded" and self.verdict in claims

    @property
    def absolute(self) -> Range | None:
        """The lift in the metric's own unit, with the interval that is good on its day: while the window runs, the one under which one may look every day."""
        if self.is_final or self.lower_anytime is None or self.upper_anytime is None:
            return ranged(self.lift, self.lower, self.upper)
        return ranged(self.lift, self.lower_anytime, self.upper_anytime)

    @property
    def relative(self) -> Range | None:
        """The same as a share of what the control group did."""
        if (
            self.is_final
            or self.lower_anytime is None
            or self.upper_anytime is None
            or not (self.lift and self.relative_lift)
        ):
            return ranged(self.relative_lift, self.relative_lower, self.relative_upper)
        base = self.lift / self.relative_lift  # the control group's mean, adjusted as the lift is
        return ranged(self.relative_lift, self.lower_anytime / base, self.upper_anytime / base)

    @property
    def detectable(self) -> float | None:
        """The smallest relative lift that it could show."""
        if self.min_detectable is None or not self.mean_control or self.mean_control < 0:
            return None
        return self.min_detectable / self.mean_control


def record(kind: type[Record], row: Mapping[str, Any]) -> Record:
    """A row as a dataclass whose fields name its columns. What is not a number is None, and so is a column that it has not."""
    return kind(**{field.name: _value(field.name, row.get(field.name)) for field in fields(kind)})


def _value(name: str, value: Any) -> Any:
    if name == "flags":
        return tuple(value or ())
    if value is None or value != value:
        return None
    return value if isinstance(value, str | bool | int | date) else float(value)
