"""How an outcome is said: did it work, what was compared with what, and what speaks against believing it. No figure is made here.

Of a campaign without a holdout it is said that nobody can tell, and neither a gain nor a loss is ever put to its account.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestration.measure.campaigns.figures import (
    about,
    as_sentence,
    count,
    money,
    percent,
    several,
    signed,
    signed_percent,
)
from orchestration.measure.campaigns.wording import NOUNS, meaning, on_day, seen, verdict

if TYPE_CHECKING:
    from orchestration.measure.campaigns.measurement import Measurement
    from orchestration.target.outcome import Outcome

#: Standard deviations from which on two groups are not alike.
UNLIKE = 0.1
#: A holdout of which a campaign without one is told what it would have cost.
WOULD_HAVE_HELD_OUT = 0.1


def verdict_of(outcome: Outcome) -> str:
    """Did it work: a sentence or two."""
    row = outcome.primary
    if row is None:
        return (
            f"Nothing is measured yet: {_why_not_yet(outcome)}. "
            f"What is to be expected of it: segments campaign plan {outcome.known.campaign_id}."
        )
    claim = row.may_be_claimed and row.verdict in ("win", "loss")
    return f"{as_sentence(verdict(row, outcome.currency))}{_money(outcome) if claim else ''}"


def _why_not_yet(outcome: Outcome) -> str:
    known = outcome.known
    if known.state == "planned" and known.starts_on:
        return f"its days begin on {known.starts_on}"
    return f"the campaign is {known.state or 'planned'}"


def sentences_of(outcome: Outcome, knows_cases: bool = True) -> tuple[str, ...]:
    """What the verdict rests on, in the order in which one would ask; ``knows_cases`` is whether the cases that were kept could be looked at."""
    row = outcome.primary
    if row is None:
        return ()
    if row.evidence != "randomised":
        said = (*_why_nobody_can_tell(outcome, row), _where_it_stands(outcome, row), *_flags(row))
    else:
        said = (
            _what_was_compared(row),
            _where_it_stands(outcome, row),
            _foreseen(outcome, row, knows_cases),
            _of_cuped(row),
            *_other_metrics(outcome),
            _best_and_worst(outcome),
            *_flags(row),
        )
    return tuple(sentence for sentence in said if sentence)


def title_of(outcome: Outcome) -> str:
    """The title of the picture."""
    name, row = outcome.known.campaign_name or outcome.known.campaign_id, outcome.primary
    if row is None:
        return f"{name}: nothing is measured yet"
    if row.evidence != "randomised":
        return f"{name}: nobody was held out, so this is not what it did"
    judged = row.verdict if row.metric != "responded" else "no_evidence"
    said = {
        "win": "it worked",
        "loss": "it did harm",
        "no_evidence": "cannot tell",
        "too_early": "too early to tell",
        "underpowered": "too few buyers to tell",
    }.get(judged, "not to be believed")
    return f"{name}: {said}{on_day(row)}"


def _money(outcome: Outcome) -> str:
    from orchestration.target.outcome import net_return, revenue

    brought, left, row = revenue(outcome), net_return(outcome), outcome.spend
    if brought is None or row is None:
        return ""
    currency = outcome.currency
    said = f" That is about {about(brought.expected, currency)} of revenue"
    if left is None:
        cost = "" if row.cost is None else f", at {money(row.cost, currency)} of cost"
        return f"{said}{cost}; revenue is not profit, and the margin is not known."
    ends = (
        ""
        if left.lower is None or left.upper is None
        else f" (95 %: {about(left.lower, currency)} to {about(left.upper, currency)})"
    )
    return f"{said}; after goods and costs {about(left.expected, currency)} is left{ends}."


def _what_was_compared(row: Measurement) -> str:
    by = {"permutation": "by permutation", "pooled": "by a t-test with one variance", "welch": "by Welch's t-test"}
    how = f" {by[row.p_method]}" if row.p_method in by else ""
    buyers = (
        ""
        if row.buyers_treatment is None or row.buyers_control is None
        else f" ({count(row.buyers_treatment)} and {count(row.buyers_control)} of them ordered)"
    )
    p = "" if row.p_value is None or not row.may_be_claimed else f"; p = {row.p_value:.2g}{how}"
    return (
        f"Compared: {several(row.n_treatment, 'customer')} drawn to be contacted with {count(row.n_control)} drawn to be held out{buyers}, "
        f"all of them, whether or not the message reached them{p}."
    )


def _where_it_stands(outcome: Outcome, row: Measurement) -> str:
    if row.day_index is None:
        return ""
    until = outcome.known.measured_until
    if row.planned_days is None:
        return f"Day {row.day_index} of a campaign without an end: the interval is the one that holds however often one looks."
    if row.is_final:
        return f"Its window is over ({several(row.planned_days, 'day')}, to {until}): these figures are final, but for orders that are corrected."
    level = (
        f" Today's look may use a level of {row.alpha_now:.2g}, so that looking every day errs in 5 % of campaigns and no more; the interval holds however often one looks."
        if row.alpha_now is not None and row.may_be_claimed
        else ""
    )
    return f"Day {row.day_index} of {row.planned_days}: figures move until {until}.{level}"


def _foreseen(outcome: Outcome, row: Measurement, knows_cases: bool) -> str:
    case, share = outcome.case, row.relative
    if case is None and outcome.known.was_planned and not knows_cases:
        return f"What was foreseen of it is kept beside the releases: `segments campaign show {outcome.known.campaign_id}` holds it against this."
    if case is None:
        return "No business case was kept of it, so there is nothing to hold it against."
    if not row.may_be_claimed:
        return ""
    foreseen = case.expected.relative
    if foreseen is None or share is None or share.lower is None or share.upper is None:
        return ""
    source = "assumed" if case.expected.source == "assumed" else "foreseen"
    where = (
        "above all"
        if foreseen.expected > share.upper
        else "below all"
        if foreseen.expected < share.lower
        else "among the values"
    )
    return f"The {source} lift of {percent(foreseen.expected)} is {where} that the figures allow{'' if row.is_final else ' so far'}."


def _of_cuped(row: Measurement) -> str:
    if not row.cuped_rho or not row.may_be_claimed:
        return ""
    return f"What customers did before explains {percent(row.cuped_rho**2)} of how they differ, and is taken out."


def _other_metrics(outcome: Outcome) -> list[str]:
    beside = "Beside it, not the metric that was named in advance" if outcome.known.was_planned else "Beside it"
    return [
        f"{beside}: {seen(row, outcome.currency)}."
        for row in outcome.others
        if row.may_be_claimed or (row.metric == "responded" and outcome.is_randomised)
    ]


def _best_and_worst(outcome: Outcome) -> str:
    segments = [row for row in outcome.segments if row.relative_lift is not None]
    if len(segments) < 2:
        return ""
    best, worst = segments[0], segments[-1]
    sure = sum(row.verdict in ("win", "loss") for row in segments)
    proved = "none of them is beyond chance" if not sure else f"{sure} of them beyond chance"
    return (
        f"Of {len(segments)} segments {best.segment} has the most ({signed_percent(best.relative_lift or 0)}) and {worst.segment} the least "
        f"({signed_percent(worst.relative_lift or 0)}); {proved}. The best of many look better than they are, the worst worse: "
        "expect less of either next time."
    )


def _flags(row: Measurement) -> list[str]:
    return [as_sentence(meaning(flag)) for flag in row.flags]


def _why_nobody_can_tell(outcome: Outcome, row: Measurement) -> list[str]:
    who = f"{several(row.n_treatment, 'customer')} {'was' if row.n_treatment == 1 else 'were'} contacted and nobody who could have been was left out by lot"
    said = [f"{who}: what they would have done without it is not on record."]
    if row.naive is not None:
        said.append(
            f"Among the contacted the {NOUNS[row.metric]} was {_more_or_less(row.metric, row.naive, outcome.currency)} than among the others. That misleads: "
            f"whom a sender chooses differs from whom it does not{_how_unlike(outcome)}, and would have without any campaign."
        )
    if row.evidence == "matched" and row.lift is not None:
        ends = (
            ""
            if row.lower is None or row.upper is None
            else f" (95 %: {signed(row.metric, row.lower, outcome.currency)} to {signed(row.metric, row.upper, outcome.currency)})"
        )
        said.append(
            f"Against the time before, theirs changed by {signed(row.metric, row.lift, outcome.currency)} against the others'{ends}. "
            f"That is nearer, and still not what the campaign did.{_placebos(outcome, row.estimator)}"
        )
    return [*said, _others_made_alike(outcome, row), _what_a_holdout_would_have_cost(outcome, row)]


def _how_unlike(outcome: Outcome) -> str:
    apart = [one for one in outcome.balance if abs(one.standardized_difference or 0) > UNLIKE]
    if not apart:
        return ""
    worst = max(apart, key=lambda one: abs(one.standardized_difference or 0))
    return f" (by {abs(worst.standardized_difference or 0):.1f} standard deviations in {worst.attribute})"


def _placebos(outcome: Outcome, estimator: str | None) -> str:
    """What the same comparison finds on dates on which there is nothing to find."""
    dates = [
        one for one in outcome.comparisons if one.is_placebo and one.estimator == estimator and one.p_value is not None
    ]
    found = sum((one.p_value or 0) < 0.05 for one in dates)
    if found:
        return f" The same comparison finds something on {found} of {several(len(dates), 'date')} on which nothing was sent: it is not to be trusted."
    return (
        f" On {several(len(dates), 'date')} on which nothing was sent it finds nothing, as it should." if dates else ""
    )


def _others_made_alike(outcome: Outcome, row: Measurement) -> str:
    """The comparison with others who are weighted to be alike, where there is one beside the main one."""
    found = next((one for one in outcome.comparisons if not one.is_placebo and one.estimator != row.estimator), None)
    if found is None or found.difference is None or found.lower is None or found.upper is None:
        return ""
    expected, lower, upper = (
        signed("spend", figure, outcome.currency) for figure in (found.difference, found.lower, found.upper)
    )
    return f"Against others who are weighted to have spent and ordered alike before it is {expected} (95 %: {lower} to {upper})."


def _what_a_holdout_would_have_cost(outcome: Outcome, row: Measurement) -> str:
    held = round(row.n_treatment * WOULD_HAVE_HELD_OUT)
    said = f"A holdout of {percent(WOULD_HAVE_HELD_OUT)} would have left out {several(held, 'customer')}"
    if not row.cost or not row.n_treatment:
        return f"{said}, and answered more than any figure here."
    saved = held * (outcome.known.contact_cost or 0)
    forgone = held * row.cost / row.n_treatment
    return (
        f"{said}: {money(saved, outcome.currency)} of contacts saved, and, had the campaign just met its costs, {about(forgone, outcome.currency)} of margin forgone. "
        "That is what an answer would have cost."
    )


def _more_or_less(metric: str, figure: float, currency: str) -> str:
    return f"{signed(metric, abs(figure), currency).removeprefix('+')} {'less' if figure < 0 else 'more'}"
