"""What a campaign did, as the current release has it, beside what was foreseen. How it was measured is in ``measure``, how it is said in ``outcome_in_words``."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any, Literal

import duckdb

from orchestration.campaigns.files import read_campaigns
from orchestration.errors import ConfigurationError, nearest
from orchestration.publish.releases import current_release, open_release
from orchestration.settings import Home, load_settings
from orchestration.target.business_case import BusinessCase, read_case
from orchestration.target.like_campaigns import Range, knows_campaigns
from orchestration.target.outcome_in_words import sentences_of, verdict_of


@dataclass(frozen=True)
class Known:
    """A campaign as the release's catalogue has it."""

    campaign_id: str
    campaign_name: str | None
    objective: str | None
    segment: str | None
    channel: str | None
    starts_on: date | None
    ends_on: date | None
    measured_until: date | None
    assigned_by: str | None
    holdout: float | None
    contact_cost: float | None
    fixed_cost: float | None
    margin: float | None
    state: str | None


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


@dataclass(frozen=True)
class Balance:
    """How unlike the contacted and the others were before the campaign, in standard deviations, as they are and once weighted."""

    attribute: str
    mean_contacted: float | None
    mean_others: float | None
    standardized_difference: float | None
    mean_matched: float | None
    standardized_difference_matched: float | None


@dataclass(frozen=True)
class Comparison:
    """How the spend of the contacted changed beside that of others, from a date on. On a placebo date there was no campaign: what is found there is not there."""

    starts_on: date
    estimator: str
    is_placebo: bool
    metric: str
    difference: float | None
    lower: float | None
    upper: float | None
    p_value: float | None


@dataclass(frozen=True)
class Beside:
    """One figure as it was foreseen and as it was measured; None where it was not."""

    what: str
    unit: Literal["customers", "share", "money"]
    foreseen: Range | None
    measured: Range | None


@dataclass(frozen=True)
class Outcome:
    """A campaign and what came of it up to the release's day.

    ``primary`` is the whole audience's row of the primary metric on its newest day, ``others`` the other metrics', ``segments`` the primary metric's in each
    segment, best first, ``days`` the primary's day by day within the window. ``verdict`` is a sentence or two, ``sentences`` what it rests on.
    """

    release: str
    as_of_date: date
    currency: str
    known: Known
    case: BusinessCase | None
    primary: Measurement | None
    others: tuple[Measurement, ...]
    segments: tuple[Measurement, ...]
    days: tuple[Measurement, ...]
    balance: tuple[Balance, ...]
    comparisons: tuple[Comparison, ...]
    beside: tuple[Beside, ...] = ()
    verdict: str = ""
    sentences: tuple[str, ...] = ()

    @property
    def spend(self) -> Measurement | None:
        """The row that has the money: that of spend."""
        rows = [self.primary, *self.others] if self.primary else []
        return next((row for row in rows if row and row.metric == "spend"), self.primary)

    @property
    def is_randomised(self) -> bool:
        """Whether a holdout was drawn by lot, so that a difference is the campaign's doing."""
        return self.primary is not None and self.primary.evidence == "randomised"


def read_outcome(home: Home, campaign_id: str) -> Outcome | None:
    """What came of a campaign; None before the first release.

    Raises ConfigurationError, with the nearest id, where there is no such campaign.
    """
    settings = load_settings(home)
    manifest = current_release(home)
    if manifest is None:
        return None
    planned = read_campaigns(home, settings).campaigns
    with open_release(home, manifest) as release:
        if not knows_campaigns(release):
            raise ConfigurationError(
                f"Release {manifest.release} has no campaigns: it was made before they were measured. Make another with `segments refresh`."
            )
        known = {one.campaign_id: one for one in _rows(release, Known, "catalog.campaigns", "true", {})}
        if campaign_id not in known:
            raise ConfigurationError(_unknown(campaign_id, planned, known))
        of = {"id": campaign_id}
        measured = _rows(
            release,
            Measurement,
            "metrics.campaign_impact",
            "campaign_id = $id order by as_of_date, segment, metric",
            of,
        )
        balance = _rows(release, Balance, "metrics.campaign_balance", "campaign_id = $id order by attribute", of)
        compared = _rows(
            release,
            Comparison,
            "metrics.campaign_comparisons",
            "campaign_id = $id order by is_placebo, estimator, starts_on desc",
            of,
        )
    outcome = _outcome(known[campaign_id], measured, read_case(home, campaign_id))
    outcome = replace(
        outcome,
        release=manifest.release,
        as_of_date=manifest.as_of_date,
        currency=settings.currency,
        balance=tuple(balance),
        comparisons=tuple(compared),
    )
    outcome = replace(outcome, beside=_beside(outcome))
    return replace(outcome, verdict=verdict_of(outcome), sentences=sentences_of(outcome))


def _outcome(known: Known, measured: list[Measurement], case: BusinessCase | None) -> Outcome:
    newest = max((row.as_of_date for row in measured), default=None)
    today = [row for row in measured if row.as_of_date == newest]
    whole = [row for row in today if row.segment is None]
    primary = next((row for row in whole if row.is_primary), None)
    named = primary.metric if primary else None
    segments = [row for row in today if row.segment is not None and row.metric == named and row.lift is not None]
    return Outcome(
        release="",
        as_of_date=date.min,
        currency="",
        known=known,
        case=case,
        primary=primary,
        others=tuple(row for row in whole if not row.is_primary),
        segments=tuple(sorted(segments, key=_size, reverse=True)),
        days=_within(known.measured_until, [row for row in measured if row.segment is None and row.is_primary]),
        balance=(),
        comparisons=(),
    )


def _within(until: date | None, rows: list[Measurement]) -> tuple[Measurement, ...]:
    """The days of the window. What was learnt later is of its last day: orders after it do not count."""
    inside = [row for row in rows if until is None or row.as_of_date < until]
    at_the_end = [replace(row, as_of_date=until) for row in rows if until is not None and row.as_of_date >= until]
    return (*inside, *at_the_end[-1:])


def _size(row: Measurement) -> float:
    return row.lift if row.relative_lift is None and row.lift is not None else row.relative_lift or 0.0


def _unknown(campaign_id: str, planned: Any, known: Any) -> str:
    if campaign_id in planned:
        return f"{campaign_id} is planned and not in the release yet: see `segments campaign plan {campaign_id}`."
    ids = sorted({*planned, *known})
    return f"There is no campaign {campaign_id}; {nearest(campaign_id, ids) if ids else 'there are none.'}"


def _rows(release: duckdb.DuckDBPyConnection, kind: Any, table: str, where: str, said: dict[str, Any]) -> list[Any]:
    """The rows of a table as one of the classes above, whose fields name the columns. What is not a number is None, and so is a column of a later release."""
    found = release.execute(f"from {table} where {where}", said)
    columns = [column[0] for column in found.description or ()]
    rows = [dict(zip(columns, row, strict=True)) for row in found.fetchall()]
    return [kind(**{field.name: _value(field.name, row.get(field.name)) for field in fields(kind)}) for row in rows]


def _value(name: str, value: Any) -> Any:
    if name == "flags":
        return tuple(value or ())
    if value is None or value != value:
        return None
    return value if isinstance(value, str | bool | int | date) else float(value)


def _beside(outcome: Outcome) -> tuple[Beside, ...]:
    """Line by line what was foreseen and what was measured; of a campaign that nobody can judge only what was spent on whom."""
    case, row = outcome.case, outcome.primary
    if row is None:
        return ()
    own = case.own if case else None
    plain = (
        Beside("contacted", "customers", _one(own.treatment if own else None), _one(row.n_treatment)),
        Beside("cost", "money", _one(case.account.cost if case else None), _one(row.cost)),
    )
    if not outcome.is_randomised:
        return plain
    return (
        plain[0],
        Beside("in the holdout", "customers", _one(own.control if own else None), _one(row.n_control)),
        Beside(
            "buyers in the holdout", "customers", _one(own.control_buyers if own else None), _one(row.buyers_control)
        ),
        Beside("lift", "share", case.expected.relative if case else None, relative(row)),
        Beside("smallest lift seen", "share", _one(own.visible_relative if own else None), _one(detectable(row))),
        Beside(
            "incremental revenue",
            "money",
            case.account.revenue if case else None,
            revenue(outcome),
        ),
        plain[1],
        Beside(
            "net return",
            "money",
            case.account.net_return if case else None,
            net_return(outcome),
        ),
    )


def relative(row: Measurement) -> Range | None:
    """The relative lift with the interval that is good on its day: while the window runs, the one under which one may look every day."""
    if row.is_final or row.lower_anytime is None or row.upper_anytime is None or not (row.lift and row.relative_lift):
        return _range(row.relative_lift, row.relative_lower, row.relative_upper)
    base = row.lift / row.relative_lift  # the control group's mean, adjusted as the lift is
    return _range(row.relative_lift, row.lower_anytime / base, row.upper_anytime / base)


def absolute(row: Measurement) -> Range | None:
    """The same in the metric's own unit."""
    if row.is_final or row.lower_anytime is None or row.upper_anytime is None:
        return _range(row.lift, row.lower, row.upper)
    return _range(row.lift, row.lower_anytime, row.upper_anytime)


def revenue(outcome: Outcome) -> Range | None:
    """Incremental revenue, with the interval that is good on its day."""
    row = outcome.spend
    if row is None or row.incremental_revenue is None:
        return None
    each = absolute(row)
    if each is None or row.is_final:
        return _range(row.incremental_revenue, row.incremental_revenue_lower, row.incremental_revenue_upper)
    return Range(row.incremental_revenue, each.times(row.n_treatment).lower, each.times(row.n_treatment).upper)


def net_return(outcome: Outcome) -> Range | None:
    """What is left of it once the goods and the campaign are paid."""
    row, brought, margin = outcome.spend, revenue(outcome), outcome.known.margin
    if row is None or row.net_return is None:
        return None
    if row.is_final or brought is None or margin is None or row.cost is None:
        return _range(row.net_return, row.net_return_lower, row.net_return_upper)
    return brought.times(margin).plus(-row.cost)


def detectable(row: Measurement) -> float | None:
    """The smallest relative lift that it could show."""
    if row.min_detectable is None or not row.mean_control or row.mean_control < 0:
        return None
    return row.min_detectable / row.mean_control


def _range(expected: float | None, lower: float | None, upper: float | None) -> Range | None:
    return None if expected is None else Range(expected, lower, upper)


def _one(figure: float | None) -> Range | None:
    return None if figure is None else Range(float(figure))
