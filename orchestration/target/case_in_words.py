"""How a business case is said: the verdict, and the sentences that it rests on. No figure is made here, and nothing is promised."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING

from orchestration.measure.campaigns.figures import about, count, money, percent, rounded, several
from orchestration.measure.campaigns.verdicts import CLAIMS_FROM, LEAST_BUYERS
from orchestration.measure.campaigns.wording import NOUNS
from orchestration.target.holdouts import LARGEST

if TYPE_CHECKING:
    from orchestration.target.business_case import BusinessCase
    from orchestration.target.holdouts import Holdout
    from orchestration.target.past import Past


def verdict_of(case: BusinessCase) -> str:
    """Is it worth doing, and shall we know: one line of one or two sentences."""
    said = (_worth(case), _answer(case)) if case.worth == "not_worth_it" else (_answer(case), _worth(case))
    return " ".join(sentence for sentence in said if sentence)


def sentences_of(case: BusinessCase) -> tuple[str, ...]:
    """What the figures rest on, in the order in which one would ask."""
    if case.audience == 0:
        return ()
    said = (
        _of_a_late_start(case),
        *_of_the_past(case),
        _of_the_lift_that_matters(case),
        _of_the_holdout(case),
        _of_the_smallest_holdout(case),
        _of_cuped(case),
        _of_the_expected_lift(case),
        _of_break_even(case),
        _of_what_the_answer_is_worth(case),
        _of_the_margin(case),
    )
    return tuple(sentence for sentence in said if sentence)


def _answer(case: BusinessCase) -> str:
    own = case.own
    match case.answer:
        case "nobody":
            return f"There is nobody to contact: no member of {case.segment} is left in the audience."
        case "no_comparison":
            return (
                "From answers nobody will know what it did: who is held out cannot answer, so no holdout says anything of them and nothing is claimed. "
                "Take spend or ordered as primary_metric."
            )
        case "too_small":
            return (
                f"With {count(case.audience)} reachable this can never be answered: {_why_never(case)}. "
                "Widen the audience, or decide without ever knowing."
            )
        case "holdout_too_small" if own and case.base and (own.visible_relative or 0) > case.base.room:
            return f"A holdout of {percent(own.share)} answers nothing: {_no_room(case, own)}. Hold out more, wait, or take spend as primary_metric."
        case "holdout_too_small":
            return (
                f"A holdout of {percent(_share(own))} answers nothing: about {several(own.control_buyers if own else 0, 'buyer')} in it, and under {CLAIMS_FROM} "
                f"nothing is claimed whatever comes. Hold out at least {percent(_least_share(case))}, wait, or accept not knowing."
            )
        case "only_large":
            return (
                f"With {count(case.audience)} reachable you can only see lifts above {_visible(own)}; "
                f"{'hold out more, wait, widen' if _more_would_do(case) else 'wait, widen'}, or accept not knowing."
            )
        case "answers":
            return f"With {count(case.audience)} reachable it can be answered: a lift of {_visible(own)} or more would show in 4 of 5 such campaigns."


def _why_never(case: BusinessCase) -> str:
    if case.base is None and case.past is None:
        return "no order is on record"
    equal = _equal(case)
    if (
        case.base is None
        or case.base.mean <= 0
        or (equal.visible_relative is None and equal.control_buyers >= CLAIMS_FROM)
    ):
        return "what they did is the same for all, so there is nothing to compare with"
    if (equal.visible_relative or 0) > case.base.room:
        return f"even of two equal halves {_no_room(case, equal)}"
    return f"even two equal halves would have about {several(equal.control_buyers, 'buyer')} each, and under {CLAIMS_FROM} nothing is claimed"


def _no_room(case: BusinessCase, one: Holdout) -> str:
    return f"only lifts from {_visible(one)} on would show, and {_room(case)}"


def _room(case: BusinessCase) -> str:
    base = case.base
    return f"{percent(base.mean)} do so anyway, which leaves room for {percent(base.room)} more" if base else ""


def _worth(case: BusinessCase) -> str:
    account, currency = case.account, case.currency
    assumed = case.expected.source == "assumed"
    if case.answer == "nobody":
        return ""
    if account.revenue is None:
        return f"What it brings cannot be foreseen; it costs {money(account.cost, currency)}{_and_break_even(case)}."
    best = account.lines[-1].amount
    match case.worth:
        case "not_worth_it" if best.upper is not None:
            return f"It is not worth doing: even at the upper end of what like campaigns did it loses about {about(-best.upper, currency)}."
        case "not_worth_it":
            what = f"assumed lift of {percent(case.expected.relative.expected)}" if case.expected.relative else "lift"
            most = "" if case.margin else ", before the goods are paid"
            return f"It is not worth doing: at the {what} it loses about {about(-best.expected, currency)}{most}{_and_break_even(case)}."
        case "margin_missing":
            return (
                f"It may bring about {about(account.revenue.expected, currency)} of revenue at {money(account.cost, currency)} of cost; "
                "whether that is a profit depends on the margin."
            )
        case "pays_if_assumed" if assumed and case.expected.relative:
            return (
                f"If the assumed lift of {percent(case.expected.relative.expected)} is true it is left with about {about(best.expected, currency)}; "
                "nothing that was measured says so."
            )
        case "pays":
            return f"Like campaigns speak for it: {_from_to(case)} would be left."
        case _:
            return f"It may pay or not: {_from_to(case)} would be left{_and_break_even(case)}."


def _from_to(case: BusinessCase) -> str:
    net = case.account.lines[-1].amount
    ends = (
        ""
        if net.lower is None or net.upper is None
        else f" (95 %: {about(net.lower, case.currency)} to {about(net.upper, case.currency)})"
    )
    return f"about {about(net.expected, case.currency)}{ends}"


def _and_break_even(case: BusinessCase) -> str:
    even = case.account.break_even
    return f", and breaks even at a lift of {percent(even)}" if even else ""


def _of_a_late_start(case: BusinessCase) -> str:
    if not case.late_by:
        return ""
    late = f"It starts {several(case.late_by, 'day')} late"
    return f"{late}: {several(case.planned_days, 'day')} of the {case.planned_days + case.late_by} of its window {'is' if case.planned_days == 1 else 'are'} left, and only these are counted on."


def _of_the_past(case: BusinessCase) -> list[str]:
    past, own = case.past, case.own_past
    if past is None:
        return ["Nothing is known of what they buy: the release has no orders."]
    said = [_what_it_assumes(case, past)]
    if past.of == "segment" and own and _differ(own, past):
        said.append(
            f"The audience's own last {several(past.days, 'day')} would mislead, {_each(own, case.currency)}: "
            f"who is in {case.segment} was chosen by what they did in them, and people return to their habits."
        )
    if past.days < past.wanted_days:
        said.append(
            f"Only {several(past.days, 'day')} {'is' if past.days == 1 else 'are'} on record for a window of {past.wanted_days}: the figures are too low."
        )
    return said


def _what_it_assumes(case: BusinessCase, past: Past) -> str:
    if past.of == "segment":
        before = past.first_day - timedelta(1)
        return (
            f"Assumes that without the campaign the audience does in its {several(case.planned_days, 'day')} what the {count(past.customers)} members that {case.segment} had on "
            f"{before} did in the {several(past.days, 'day')} after: {_each(past, case.currency)}. Season and growth are not corrected for."
        )
    return (
        f"Assumes that without the campaign the audience does in its {several(case.planned_days, 'day')} what it did in the {past.days} to {past.last_day}: "
        f"{_each(past, case.currency)}. Of a segment chosen by behaviour that is not so, and who was in it before is not on record, or too few were."
    )


def _each(past: Past, currency: str) -> str:
    spend = past.rate("spend")
    return f"{money(spend.mean if spend else 0, currency)} each, {percent(past.buyers)} with an order"


def _differ(own: Past, past: Past) -> bool:
    """Whether the audience's own last window would mislead by more than a tenth."""
    ours, theirs = own.rate("spend"), past.rate("spend")
    return bool(ours and theirs and abs(ours.mean - theirs.mean) > 0.1 * theirs.mean)


def _of_the_lift_that_matters(case: BusinessCase) -> str:
    if case.answer == "no_comparison":
        return ""
    if case.to_detect is None:
        return "No lift is named that should be seen, none is to be expected: say lift_to_detect, the smallest that would change what you do."
    by = {
        "file": "the campaign's lift_to_detect",
        "expected": "the lift to expect",
        "break_even": "the break-even",
        "nobody": "",
    }[case.to_detect_from]
    metric = NOUNS[case.base.metric] if case.base else "its metric"
    said = f"To be seen: {percent(case.to_detect)} more, in {metric} ({by})."
    if case.base and case.base.room < case.to_detect:
        return f"{said} That cannot be: {_room(case)}. Take spend as primary_metric."
    if case.answer in ("only_large", "holdout_too_small") and case.customers_needed:
        said += f" With this holdout that takes an audience of about {count(_round_up(case.customers_needed))}."
    return said


def _of_the_holdout(case: BusinessCase) -> str:
    own = case.own
    if own is None or own.visible is None:
        return ""
    said = f"In the holdout: {several(own.control, 'customer')}, about {several(own.control_buyers, 'buyer')}."
    if own.trust == "wide":
        few = min(own.control, own.treatment) * (case.past.buyers if case.past else 0)
        why = f"under {LEAST_BUYERS} buyers in the smaller arm" if few < LEAST_BUYERS else "one arm far larger"
        said += f" With {why}, what can be seen is nearer to a guess."
    return said


def _of_the_smallest_holdout(case: BusinessCase) -> str:
    if case.to_detect is None or case.base is None or case.answer == "too_small" or case.to_detect > case.base.room:
        return ""
    if case.smallest_control is None:
        return f"No holdout shows {percent(case.to_detect)}, not even one half; two equal halves show {_visible(_equal(case))}."
    return f"The smallest holdout that shows {percent(case.to_detect)}: {several(case.smallest_control, 'customer')}, {percent(case.smallest_control / case.audience)} of the audience."


def _of_cuped(case: BusinessCase) -> str:
    if case.base is None or case.base.sd <= 0:
        return ""
    rho = case.base.rho
    if rho is None:
        return "Windows of this length are not on record twice: how much customers' own past narrows the interval is not known, and not counted on."
    gain = rho**2
    verdict = (
        "taking that out (CUPED) is counted on" if gain >= 0.1 else "taking that out (CUPED) gains next to nothing"
    )
    return f"What customers did in the window before explains {percent(gain)} of how they differ (correlation {rho:.2f}): {verdict}."


def _of_the_expected_lift(case: BusinessCase) -> str:
    expected = case.expected
    if case.answer == "no_comparison":
        return _of_answers(case)
    if expected.relative is None:
        return "No like campaign was measured and the file assumes no lift: say assumed_lift to see what would follow from it."
    if expected.source == "assumed":
        return f"The lift of {percent(expected.relative.expected)} is an assumption: no like campaign was measured to its end."
    ends = f"{percent(expected.relative.lower or 0)} to {percent(expected.relative.upper or 0)}"
    which = (
        f"on {case.channel}" if expected.same_channel else f"on other channels, for none was measured on {case.channel}"
    )
    number = len(expected.campaigns)
    said = (
        f"The one like campaign measured to its end {which} ({expected.campaigns[0]})"
        if number == 1
        else f"The {number} like campaigns measured to their end {which}, losers included,"
    )
    had = f"{said} had a lift of {percent(expected.relative.expected)}"
    if number == 1:
        return f"{had} ({ends}); how unlike it the next may be nobody can tell from one."
    return f"{had}; the next may have {ends}."


def _of_answers(case: BusinessCase) -> str:
    said = "Answers say who was reached, not what was sold"
    if case.responded is None or case.own is None:
        return f"{said}. How many there will be is not known: no like campaign was measured."
    answers = several(case.responded * case.own.treatment, "answer")
    return f"{said}. In like campaigns {percent(case.responded)} of the contacted gave one: about {answers} are to be expected."


def _of_break_even(case: BusinessCase) -> str:
    even, own = case.account.break_even, case.own
    if even is None or own is None:
        return ""
    of = "" if case.margin else " by revenue alone"
    said = f"It breaks even{of} at a lift of {percent(even)} in spend."
    if case.base and case.base.metric == "spend" and own.trust != "none" and (own.visible_relative or 0) > even > 0:
        said += f" A campaign with a lift between that and {_visible(own)} pays, and you would not see it."
    return said


def _of_what_the_answer_is_worth(case: BusinessCase) -> str:
    cost, worth, own = case.account.holdout_cost, case.value_of_an_answer, case.own
    if cost is None or own is None:
        return ""
    costs = (
        f"The holdout is expected to cost {about(cost, case.currency)}"
        if cost > 0
        else f"The holdout costs nothing: it is expected to save {about(-cost, case.currency)}"
    )
    costs += " (margin forgone less contacts saved)"
    if worth is None:
        return f"{costs}. Say value_of_an_answer to set an answer against it."
    against = f"an answer is worth {money(worth, case.currency)} to you"
    if case.answer != "answers":
        return f"{costs}; {against}, and {'most likely ' if case.answer == 'only_large' else ''}you would get none."
    return f"{costs}; {against}: {'keep it' if worth > cost else 'a smaller one would do, or none'}."


def _of_the_margin(case: BusinessCase) -> str:
    return (
        ""
        if case.margin
        else "Revenue is not profit: say margin, the share of spend that is left once the goods are paid."
    )


def _least_share(case: BusinessCase) -> float:
    """The share that has the fewest buyers with whom anything is claimed, in whole per cent."""
    buyers = case.past.buyers if case.past else 0
    return math.ceil(100 * CLAIMS_FROM / (buyers * case.audience)) / 100 if buyers else LARGEST


def _more_would_do(case: BusinessCase) -> bool:
    own = case.own
    return case.smallest_control is not None and own is not None and case.smallest_control > own.control


def _equal(case: BusinessCase) -> Holdout:
    return next(one for one in case.holdouts if one.share == LARGEST)


def _visible(own: Holdout | None) -> str:
    return percent(own.visible_relative) if own and own.visible_relative is not None else "any size"


def _share(own: Holdout | None) -> float:
    return own.share if own else 0.0


def _round_up(customers: int) -> float:
    """Two digits, and never fewer than are needed."""
    near = rounded(customers)
    step = 10 ** max(0, len(str(customers)) - 2)
    return near if near >= customers else near + step
