"""Whether a campaign is worth doing, and whether anybody will know: the figures of its business case, before it starts.

From a release, the campaign and its audience to numbers. How they are said is in ``case_in_words``, who is in the audience in ``audience``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

import duckdb
from pydantic import TypeAdapter, ValidationError

from orchestration.campaigns.files import Campaign
from orchestration.campaigns.receipts import Step, receipt_folder
from orchestration.errors import ConfigurationError
from orchestration.measure.campaigns.figures import Range
from orchestration.settings import Home
from orchestration.target.case_in_words import sentences_of, verdict_of
from orchestration.target.holdouts import (
    LARGEST,
    Holdout,
    control_of,
    customers_to_see,
    holdout,
    shows,
    smallest_control,
)
from orchestration.target.like_campaigns import ExpectedLift, expected_lift, measured_responses
from orchestration.target.past import BaseRate, Past, past_of_audience, past_of_segment

#: The case as it was when the campaign started, in its receipt's folder.
CASE = "business_case.json"

#: Holdouts that are set beside the campaign's own.
USUAL_SHARES = (0.01, 0.05, 0.1, LARGEST)

Answer = Literal["answers", "only_large", "holdout_too_small", "too_small", "no_comparison", "nobody"]
Worth = Literal["pays", "may_pay", "pays_if_assumed", "not_worth_it", "margin_missing", "cannot_foresee"]


@dataclass(frozen=True)
class Line:
    """A line of the account: what it is, and how much at the lift that is expected and at either end of its interval; costs are negative. The lines before a sum add
    up to it, at each of the three.
    """

    what: str
    amount: Range
    is_sum: bool = False


@dataclass(frozen=True)
class Account:
    """What the campaign may bring, in the business currency.

    ``revenue`` is the incremental revenue of those who are contacted; ``net_return`` what is left of its margin after all costs, None where margin or lift is not
    known. ``break_even`` is the relative lift of spend at which costs are met: by margin, or by revenue alone where the margin is not known (it is then too low).
    ``holdout_cost`` is the margin forgone in the control group less the contacts that it saves.
    """

    cost: float
    lines: tuple[Line, ...]
    break_even: float | None
    revenue: Range | None = None
    net_return: Range | None = None
    holdout_cost: float | None = None


@dataclass(frozen=True)
class BusinessCase:
    """A campaign before it starts.

    ``starts_on`` is the first of the ``planned_days`` whose orders count, ``late_by`` days after the one that its file says. ``past`` is what the figures rest on, ``own_past`` the audience's own last window. ``base`` is the primary metric. ``to_detect`` is the relative lift that
    matters, and ``to_detect_from`` who says so: the campaign's file, the lift to expect, or the break-even. ``holdouts`` has the campaign's own (``is_own``) beside the usual
    ones. ``smallest_control`` is the smallest group that still shows it. ``verdict`` is one sentence, ``sentences`` what it rests on.
    """

    campaign_id: str
    campaign_name: str
    objective: str
    segment: str
    channel: str
    starts_on: date
    measured_until: date
    planned_days: int
    release: str
    as_of_date: date
    currency: str
    margin: float | None
    contact_cost: float
    fixed_cost: float
    value_of_an_answer: float | None
    steps: tuple[Step, ...]
    audience: int
    past: Past | None
    own_past: Past | None
    base: BaseRate | None
    responded: float | None
    expected: ExpectedLift
    to_detect: float | None
    to_detect_from: Literal["file", "expected", "break_even", "nobody"]
    holdouts: tuple[Holdout, ...]
    smallest_control: int | None
    customers_needed: int | None
    account: Account
    answer: Answer
    worth: Worth
    verdict: str = ""
    sentences: tuple[str, ...] = ()
    late_by: int = 0

    @property
    def own(self) -> Holdout | None:
        return next((one for one in self.holdouts if one.is_own), None)


def business_case(
    release: duckdb.DuckDBPyConnection,
    campaign: Campaign,
    audience: str,
    steps: Sequence[Step],
    release_id: str,
    as_of: date,
) -> BusinessCase:
    """The business case of a campaign whose customers are in ``audience``, a relation of the open release with a ``customer_id``.

    The holdout is the campaign's own, or the smallest that answers.
    """
    customers = _customers(release, audience)
    first = campaign.counts_from(as_of + timedelta(1))
    past, own_past = _pasts(release, campaign, audience, as_of)
    base = _base(campaign, past)
    expected = expected_lift(release, campaign)
    buyers = past.buyers if past else 0.0
    spend = _spend(past)
    lift, said_by = _to_detect(campaign, expected, _break_even(campaign, customers, spend))
    smallest = smallest_control(customers, base, buyers, lift) if base and lift else None
    own_share = _own_share(campaign, smallest, customers)
    account = _account(campaign, customers, control_of(own_share, customers), spend, expected)
    holdouts = _holdouts(customers, base, buyers, own_share, _per_customer(campaign, spend, expected))
    case = BusinessCase(
        campaign_id=campaign.id,
        campaign_name=campaign.name,
        objective=campaign.objective,
        segment=campaign.segment,
        channel=campaign.channel,
        starts_on=first,
        measured_until=campaign.measured_until,
        planned_days=_days(campaign, as_of),
        release=release_id,
        as_of_date=as_of,
        currency=campaign.currency,
        margin=campaign.margin,
        contact_cost=float(campaign.contact_cost),
        fixed_cost=float(campaign.fixed_cost),
        value_of_an_answer=None if campaign.value_of_an_answer is None else float(campaign.value_of_an_answer),
        steps=tuple(steps),
        audience=customers,
        past=past,
        own_past=own_past,
        base=base,
        responded=measured_responses(release, campaign) if campaign.primary_metric == "responded" else None,
        expected=expected,
        to_detect=lift,
        to_detect_from=said_by,
        holdouts=holdouts,
        smallest_control=smallest,
        customers_needed=customers_to_see(lift, own_share, base, buyers, customers) if base and lift else None,
        account=account,
        answer=_answer(campaign, customers, base, holdouts, lift),
        worth=_worth(campaign, account, expected),
        late_by=(first - campaign.starts_on).days,
    )
    return replace(case, verdict=verdict_of(case), sentences=sentences_of(case))


def smallest_holdout(
    release: duckdb.DuckDBPyConnection, campaign: Campaign, audience: str, as_of: date
) -> float | None:
    """The smallest share of the audience whose holding out shows ``lift_to_detect`` in 4 of 5 campaigns, with CUPED as it was on record and enough buyers to claim
    it; rounded up to a thousandth. None where not even a half would do, the campaign names no lift, or who is held out cannot do what is compared.
    """
    customers = _customers(release, audience)
    past, _ = _pasts(release, campaign, audience, as_of)
    base = _base(campaign, past)
    if base is None or past is None or campaign.lift_to_detect is None:
        return None
    control = smallest_control(customers, base, past.buyers, campaign.lift_to_detect)
    return None if control is None else _as_share(control, customers)


def case_text(case: BusinessCase) -> str:
    """The case as its file has it."""
    return TypeAdapter(BusinessCase).dump_json(case, indent=2).decode() + "\n"


def read_case(home: Home, campaign_id: str) -> BusinessCase | None:
    """The case as it was when the campaign started; None where none was kept. Raises ConfigurationError where its file is not as it was written."""
    file = receipt_folder(home, campaign_id) / CASE
    if not file.exists():
        return None
    try:
        return TypeAdapter(BusinessCase).validate_json(file.read_text(encoding="utf-8"))
    except ValidationError as broken:
        raise ConfigurationError(f"{file} cannot be read: put back its last version.") from broken


def _customers(release: duckdb.DuckDBPyConnection, audience: str) -> int:
    return int(release.execute(f"select count(distinct customer_id) from {audience}").fetchall()[0][0])


def _pasts(
    release: duckdb.DuckDBPyConnection, campaign: Campaign, audience: str, as_of: date
) -> tuple[Past | None, Past | None]:
    """What the case rests on, and the audience's own last window."""
    days = _days(campaign, as_of)
    own = past_of_audience(release, audience, as_of, days)
    return past_of_segment(release, campaign.segment, as_of, days) or own, own


def _days(campaign: Campaign, as_of: date) -> int:
    """The days of its window that are left on the morning after."""
    return (campaign.measured_until - campaign.counts_from(as_of + timedelta(1))).days + 1


def _base(campaign: Campaign, past: Past | None) -> BaseRate | None:
    """None of answers too: without a campaign there are none."""
    return past.rate(campaign.primary_metric) if past else None


def _spend(past: Past | None) -> float:
    rate = past.rate("spend") if past else None
    return rate.mean if rate else 0.0


def _to_detect(
    campaign: Campaign, expected: ExpectedLift, break_even: float | None
) -> tuple[float | None, Literal["file", "expected", "break_even", "nobody"]]:
    """The relative lift that the comparison should be able to show, and who says so."""
    if campaign.lift_to_detect is not None:
        return campaign.lift_to_detect, "file"
    if expected.relative and expected.relative.expected > 0:
        return expected.relative.expected, "expected"
    return (break_even, "break_even") if break_even else (None, "nobody")


def _own_share(campaign: Campaign, smallest: int | None, customers: int) -> float:
    if campaign.holdout != "smallest":
        return campaign.holdout
    return LARGEST if smallest is None else _as_share(smallest, customers)


def _as_share(control: int, customers: int) -> float:
    return min(LARGEST, math.ceil(1000 * control / customers) / 1000)


def _holdouts(
    customers: int, base: BaseRate | None, buyers: float, own: float, per_customer: float | None
) -> tuple[Holdout, ...]:
    shares = sorted({*USUAL_SHARES, own})
    drawn = [holdout(share, customers, base, buyers, share == own) for share in shares]
    return tuple(replace(one, forgone=None if per_customer is None else one.control * per_customer) for one in drawn)


def _per_customer(campaign: Campaign, spend: float, expected: ExpectedLift) -> float | None:
    """What contacting one customer is expected to bring: in margin, or in revenue where the margin is not known."""
    relative = _lift_of_spend(campaign, expected)
    return None if relative is None else relative.expected * spend * (campaign.margin or 1)


def _lift_of_spend(campaign: Campaign, expected: ExpectedLift) -> Range | None:
    """Orders and buyers that come on top are taken to spend as the others do; of responses nobody knows what they spend."""
    return None if campaign.primary_metric == "responded" else expected.relative


def _break_even(campaign: Campaign, treated: int, spend: float) -> float | None:
    brought = treated * spend * (campaign.margin or 1)
    return (treated * float(campaign.contact_cost) + float(campaign.fixed_cost)) / brought if brought > 0 else None


def _account(campaign: Campaign, customers: int, control: int, spend: float, expected: ExpectedLift) -> Account:
    treated = customers - control
    contacts, fixed = treated * float(campaign.contact_cost), float(campaign.fixed_cost)
    break_even = _break_even(campaign, treated, spend)
    relative = _lift_of_spend(campaign, expected)
    nothing = relative.times(0) if relative else Range(0)
    costs = (
        Line(f"contacts by {campaign.channel}", nothing.plus(-contacts)),
        Line("fixed cost", nothing.plus(-fixed)),
    )
    if relative is None or spend <= 0:
        return Account(contacts + fixed, costs, break_even)
    kind, share = ("margin", campaign.margin) if campaign.margin else ("revenue", 1.0)
    per_customer = relative.times(spend * share)
    brought = per_customer.times(treated)
    lines = (
        Line(f"{kind} if all were contacted", per_customer.times(customers)),
        Line(f"{kind} forgone in the holdout", per_customer.times(-control)),
        *costs,
        Line(
            "net return" if campaign.margin else "revenue less costs, goods not yet paid",
            brought.plus(-contacts - fixed),
            is_sum=True,
        ),
    )
    return Account(
        cost=contacts + fixed,
        lines=lines,
        break_even=break_even,
        revenue=relative.times(spend * treated),
        net_return=brought.plus(-contacts - fixed) if campaign.margin else None,
        holdout_cost=control * (per_customer.expected - float(campaign.contact_cost)) if campaign.margin else None,
    )


def _answer(
    campaign: Campaign, customers: int, base: BaseRate | None, holdouts: Sequence[Holdout], lift: float | None
) -> Answer:
    """Whether the comparison will show the lift that matters."""
    own = next(one for one in holdouts if one.is_own)
    equal = next(one for one in holdouts if one.share == LARGEST)
    if customers == 0:
        return "nobody"
    if campaign.primary_metric == "responded":
        return "no_comparison"
    if base is None or not shows(equal, base):
        return "too_small"
    if own.visible_relative is None or not shows(own, base):
        return "holdout_too_small"
    return "answers" if lift is not None and own.visible_relative <= lift else "only_large"


def _worth(campaign: Campaign, account: Account, expected: ExpectedLift) -> Worth:
    """Whether the lift that is to be expected pays for the campaign; with no margin said, whether its whole revenue could."""
    if account.revenue is None:
        return "cannot_foresee"
    best = account.lines[-1].amount
    if (best.expected if best.upper is None else best.upper) < 0:
        return "not_worth_it"
    if campaign.margin is None:
        return "margin_missing"
    if best.lower is None:
        return "pays_if_assumed"
    # What one campaign did says nothing of how much campaigns differ.
    return "pays" if best.lower > 0 and len(expected.campaigns) > 1 else "may_pay"
