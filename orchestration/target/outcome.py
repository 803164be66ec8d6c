"""What a campaign did, as the current release has it, beside what was foreseen. How it was measured is in ``measure``, how it is said in ``outcome_in_words``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal

import duckdb

from orchestration.campaigns.files import read_campaigns
from orchestration.errors import ConfigurationError, nearest
from orchestration.measure.campaigns.figures import Range, ranged
from orchestration.measure.campaigns.measurement import Measurement, record
from orchestration.publish.releases import current_release, open_release
from orchestration.read.opened import Release
from orchestration.settings import Home, load_settings
from orchestration.target.business_case import BusinessCase, read_case
from orchestration.target.like_campaigns import knows_campaigns
from orchestration.target.outcome_in_words import sentences_of, verdict_of

#: The widest a picture goes, in heights of the last day's outer band: the first days know next to nothing.
WIDEST = 2.5


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

    @property
    def was_planned(self) -> bool:
        """Whether somebody said in advance what it is to do, in a file; of a campaign that another system runs nobody did."""
        return self.objective is not None


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
    segment, best first, where anything may be claimed, ``days`` the primary's day by day within the window. ``verdict`` is a sentence or two, ``sentences`` what it rests on.
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
    """What came of a campaign, beside the business case that was kept of it; None before the first release.

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
        if campaign_id in planned and campaign_id not in _ids(release):
            raise ConfigurationError(
                f"{campaign_id} is planned and not in the release yet: see `segments campaign plan {campaign_id}`."
            )
        outcome = _measured(release, campaign_id, planned)
    return _told(
        replace(
            outcome,
            case=read_case(home, campaign_id),
            release=manifest.release,
            as_of_date=manifest.as_of_date,
            currency=settings.currency,
        )
    )


def outcome_in(release: Release, campaign_id: str) -> Outcome:
    """The same from an opened release alone, which has not the business case of our own campaigns.

    Raises ConfigurationError, with the nearest id, where there is no such campaign.
    """
    with release.cursor() as connection:
        outcome = _measured(connection, campaign_id)
    told = replace(outcome, release=release.name, as_of_date=release.as_of_date, currency=release.currency)
    return _told(told, knows_cases=False)


def _measured(release: duckdb.DuckDBPyConnection, campaign_id: str, planned: Iterable[str] = ()) -> Outcome:
    of = {"id": campaign_id}
    known = _rows(release, Known, "catalog.campaigns", "campaign_id = $id", of)
    if not known:
        ids = sorted({*planned, *_ids(release)})
        nearest_one = nearest(campaign_id, ids) if ids else "there are none."
        raise ConfigurationError(f"There is no campaign {campaign_id}; {nearest_one}")
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
    return replace(_outcome(known[0], measured), balance=tuple(balance), comparisons=tuple(compared))


def _told(outcome: Outcome, knows_cases: bool = True) -> Outcome:
    outcome = replace(outcome, beside=_beside(outcome))
    return replace(outcome, verdict=verdict_of(outcome), sentences=sentences_of(outcome, knows_cases))


def _outcome(known: Known, measured: list[Measurement]) -> Outcome:
    newest = max((row.as_of_date for row in measured), default=None)
    today = [row for row in measured if row.as_of_date == newest]
    whole = [row for row in today if row.segment is None]
    primary = next((row for row in whole if row.is_primary), None)
    named = primary.metric if primary else None
    segments = [row for row in today if row.segment is not None and row.metric == named and row.lift is not None]
    if primary is None or not primary.may_be_claimed:
        segments = []
    return Outcome(
        release="",
        as_of_date=date.min,
        currency="",
        known=known,
        case=None,
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


def _ids(release: duckdb.DuckDBPyConnection) -> set[str]:
    return {campaign_id for (campaign_id,) in release.execute("select campaign_id from catalog.campaigns").fetchall()}


def _rows(release: duckdb.DuckDBPyConnection, kind: Any, table: str, where: str, said: dict[str, Any]) -> list[Any]:
    """The rows of a table as one of the classes above."""
    found = release.execute(f"from {table} where {where}", said)
    columns = [column[0] for column in found.description or ()]
    return [record(kind, dict(zip(columns, row, strict=True))) for row in found.fetchall()]


def _beside(outcome: Outcome) -> tuple[Beside, ...]:
    """Line by line what was foreseen and what was measured; where nothing may be claimed only what was spent on whom."""
    case, row = outcome.case, outcome.primary
    if row is None:
        return ()
    own, spend = case.own if case else None, outcome.spend
    treatment, control, buyers = (own.treatment, own.control, own.control_buyers) if own else (None, None, None)
    drawn = "drawn to be contacted" if outcome.is_randomised else "contacted"
    lines = [Beside(drawn, "customers", ranged(treatment), ranged(row.n_treatment))]
    if outcome.is_randomised:
        lines.append(Beside("in the holdout", "customers", ranged(control), ranged(row.n_control)))
        lines.append(Beside("buyers in the holdout", "customers", ranged(buyers), ranged(row.buyers_control)))
    if row.may_be_claimed:
        lines.append(Beside("lift", "share", case.expected.relative if case else None, row.relative))
        seen = ranged(own.visible_relative if own else None)
        lines.append(Beside("smallest lift seen", "share", seen, ranged(row.detectable)))
    if spend and spend.may_be_claimed:
        foreseen = case.account.revenue if case else None
        lines.append(Beside("incremental revenue", "money", foreseen, revenue(outcome)))
    lines.append(Beside("cost", "money", ranged(case.account.cost if case else None), ranged(row.cost)))
    if spend and spend.may_be_claimed:
        foreseen = case.account.net_return if case else None
        lines.append(Beside("net return", "money", foreseen, net_return(outcome)))
    return tuple(lines)


def drawn_between(days: Sequence[Measurement]) -> tuple[float, float]:
    """Where a picture of the days begins and ends: at the lowest and the highest, but for first days that would flatten all others."""
    last = next(row for row in reversed(days) if row.lift is not None)
    ends = [end for row in days for end in _ends(row)] + [0.0]
    reach = WIDEST * max(abs(end) for end in _ends(last)) or 1.0
    low, high = max(min(ends), -reach), min(max(ends), reach)
    room = 0.06 * (high - low or 1.0)
    return low - room, high + room


def _ends(row: Measurement) -> list[float]:
    ends = (row.lift, row.lower, row.upper, row.lower_anytime, row.upper_anytime)
    return [end for end in ends if end is not None] or [0.0]


def revenue(outcome: Outcome) -> Range | None:
    """Incremental revenue, with the interval that is good on its day."""
    row = outcome.spend
    if row is None or row.incremental_revenue is None:
        return None
    each = row.absolute
    if each is None or row.is_final:
        return ranged(row.incremental_revenue, row.incremental_revenue_lower, row.incremental_revenue_upper)
    return Range(row.incremental_revenue, each.times(row.n_treatment).lower, each.times(row.n_treatment).upper)


def net_return(outcome: Outcome) -> Range | None:
    """What is left of it once the goods and the campaign are paid."""
    row, brought, margin = outcome.spend, revenue(outcome), outcome.known.margin
    if row is None or row.net_return is None:
        return None
    if row.is_final or brought is None or margin is None or row.cost is None:
        return ranged(row.net_return, row.net_return_lower, row.net_return_upper)
    return brought.times(margin).plus(-row.cost)
