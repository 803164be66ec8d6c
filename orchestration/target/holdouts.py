"""What a holdout of a given size can show and what it forgoes: an audience's power, before anybody is contacted. No money but the control group's, no words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from orchestration.measure.campaigns import power
from orchestration.measure.campaigns.power import ALPHA, POWER, left_after_adjustment
from orchestration.measure.campaigns.verdicts import CLAIMS_FROM, LEAST_BUYERS, LEAST_SHARE
from orchestration.target.past import BaseRate

#: Beyond this nobody holds out: the two arms are equal.
LARGEST = 0.5


@dataclass(frozen=True)
class Holdout:
    """A control group of ``share`` of the audience.

    ``control_buyers`` are the customers with an order who are to be expected in it. ``visible`` is the smallest lift per customer that 4 of 5 such campaigns would
    show, ``visible_relative`` the same as a share of the base rate; None where nothing can be compared. ``variance`` is that of the lift against two equal arms.
    ``forgone`` is what the control group would have brought, in margin, or in revenue where the margin is not known.
    ``trust``: ``good``; ``wide`` where the arms are lopsided or have few buyers; ``none`` where nothing will be claimed whatever comes.
    """

    share: float
    is_own: bool
    treatment: int
    control: int
    control_buyers: float
    visible: float | None
    visible_relative: float | None
    variance: float | None
    trust: Literal["good", "wide", "none"]
    forgone: float | None = None


def holdout(share: float, customers: int, base: BaseRate | None, buyers: float, is_own: bool = False) -> Holdout:
    """A holdout of the share of so many customers, of whom the share ``buyers`` orders within the window. Without a base rate it shows nothing."""
    control = control_of(share, customers)
    treatment = customers - control
    smaller = min(treatment, control)
    visible = _smallest_visible(treatment, control, after_cuped(base)) if base else None
    relative = visible / base.mean if base and visible is not None and base.mean > 0 else None
    return Holdout(
        share=share,
        is_own=is_own,
        treatment=treatment,
        control=control,
        control_buyers=control * buyers,
        visible=visible,
        visible_relative=relative,
        variance=power.variance_inflation(control / customers) if smaller else None,
        trust="none"
        if base is None or smaller * buyers < CLAIMS_FROM
        else "wide"
        if smaller * buyers < LEAST_BUYERS or smaller < LEAST_SHARE * customers
        else "good",
    )


def shows(one: Holdout, base: BaseRate) -> bool:
    """Whether there is a lift that it would show: enough buyers, and no more of it than there can be."""
    return one.trust != "none" and one.visible_relative is not None and one.visible_relative <= base.room


def control_of(share: float, customers: int) -> int:
    """How many customers a share holds out, as the arms are drawn: halves upwards."""
    return int(share * customers + 0.5)


def after_cuped(base: BaseRate) -> float:
    """The standard deviation that is left once what customers did before is taken out."""
    return left_after_adjustment(base.sd, base.rho or 0.0)


def smallest_control(customers: int, base: BaseRate, buyers: float, lift: float) -> int | None:
    """The fewest customers to hold out that show the relative lift, with enough buyers among them to claim it; None where not even half would do."""
    spread = after_cuped(base)
    if base.mean <= 0 or buyers <= 0 or spread <= 0 or lift <= 0:
        return None
    to_see = power.smallest_control(customers, lift * base.mean, spread, POWER, ALPHA)
    if to_see is None:
        return None
    needed = max(to_see, math.ceil(CLAIMS_FROM / buyers))
    return needed if needed <= customers * LARGEST else None


def customers_to_see(lift: float, share: float, base: BaseRate, buyers: float, customers: int) -> int | None:
    """About how many customers an audience needs, at this share of holdout, to show the relative lift; None where no size would."""
    shown = holdout(share, customers, base, buyers)
    if not shown.visible_relative or not buyers or lift <= 0:
        return None
    for_lift = customers * (shown.visible_relative / lift) ** 2
    for_buyers = CLAIMS_FROM / (min(share, 1 - share) * buyers)
    return math.ceil(max(for_lift, for_buyers))


def _smallest_visible(treatment: int, control: int, spread: float) -> float | None:
    """None where nothing can be compared."""
    visible = power.visible_lift(spread, treatment, control, POWER, ALPHA)
    return None if math.isnan(visible) else visible
