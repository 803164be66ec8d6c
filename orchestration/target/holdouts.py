"""What a holdout of a given size can show and what it forgoes: an audience's power, before anybody is contacted. No money but the control group's, no words."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from scipy import optimize, stats

from orchestration.target.past import BaseRate

#: How often a lift of the visible size is to be seen, and how often one is claimed where there is none.
POWER, ALPHA = 0.8, 0.05

#: Buyers in the smaller arm: below the first nothing is claimed whatever comes, below the second p comes by permutation. So it does where one arm is
#: far larger than the other.
BUYERS_TO_CLAIM, BUYERS_TO_TRUST, LOPSIDED = 25, 200, 0.3

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


def holdout(share: float, customers: int, base: BaseRate, buyers: float, is_own: bool = False) -> Holdout:
    """A holdout of the share of so many customers, of whom the share ``buyers`` orders within the window."""
    control = round(customers * share)
    treatment = customers - control
    smaller = min(treatment, control)
    visible = _smallest_visible(treatment, control, after_cuped(base))
    relative = visible / base.mean if visible is not None and base.mean > 0 else None
    return Holdout(
        share=share,
        is_own=is_own,
        treatment=treatment,
        control=control,
        control_buyers=control * buyers,
        visible=visible,
        visible_relative=relative,
        variance=customers**2 / (4 * treatment * control) if smaller else None,
        trust="none"
        if smaller * buyers < BUYERS_TO_CLAIM
        else "wide"
        if smaller * buyers < BUYERS_TO_TRUST or smaller < LOPSIDED * customers
        else "good",
    )


def after_cuped(base: BaseRate) -> float:
    """The standard deviation that is left once what customers did before is taken out: the variance falls by 1 - rho²."""
    return base.sd * math.sqrt(1 - (base.rho or 0) ** 2)


def smallest_control(customers: int, base: BaseRate, buyers: float, lift: float) -> int | None:
    """The fewest customers to hold out that show the relative lift, with enough buyers among them to claim it; None where not even half would do."""
    largest = int(customers * LARGEST)
    wanted = lift * base.mean
    if base.mean <= 0 or buyers <= 0 or not _shows(customers, base, wanted, largest):
        return None
    enough_buyers = math.ceil(BUYERS_TO_CLAIM / buyers)
    if enough_buyers > largest:
        return None
    return _first(lambda control: _shows(customers, base, wanted, control), enough_buyers, largest)


def customers_to_see(lift: float, share: float, base: BaseRate, buyers: float, customers: int) -> int | None:
    """About how many customers an audience needs, at this share of holdout, to show the relative lift; None where no size would."""
    shown = holdout(share, customers, base, buyers)
    if not shown.visible_relative or not buyers or lift <= 0:
        return None
    for_lift = customers * (shown.visible_relative / lift) ** 2
    for_buyers = BUYERS_TO_CLAIM / (min(share, 1 - share) * buyers)
    return math.ceil(max(for_lift, for_buyers))


def _shows(customers: int, base: BaseRate, lift: float, control: int) -> bool:
    visible = _smallest_visible(customers - control, control, after_cuped(base))
    return visible is not None and visible <= lift


def _first(is_enough: Callable[[int], bool], lowest: int, highest: int) -> int:
    """The lowest number that is enough, where every higher one is too."""
    while lowest < highest:
        middle = (lowest + highest) // 2
        lowest, highest = (lowest, middle) if is_enough(middle) else (middle + 1, highest)
    return lowest


def _smallest_visible(treatment: int, control: int, sd: float) -> float | None:
    """The smallest difference of two means that is significant in 4 of 5 comparisons."""
    if min(treatment, control) < 2 or sd <= 0:
        return None
    degrees = treatment + control - 2
    spread = math.sqrt(1 / treatment + 1 / control)
    critical = stats.t.isf(ALPHA / 2, degrees)
    # The central t is near; from there to the exact power of the test. Over a wider range the non-central t is not a number.
    near = critical + stats.t.isf(1 - POWER, degrees)
    shift = optimize.brentq(lambda shift: stats.nct.sf(critical, degrees, shift) - POWER, 0.8 * near, 1.2 * near)
    return float(shift) * spread * sd
