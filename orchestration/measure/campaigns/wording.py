"""What is said of a campaign's figures: the verdict of a day, and what each flag means. The one place for both; decides nothing."""

from __future__ import annotations

from orchestration.measure.campaigns.figures import Range, percent, several, signed, signed_percent
from orchestration.measure.campaigns.measurement import Measurement
from orchestration.measure.campaigns.verdicts import CLAIMS_FROM

#: What can be wrong with the contacts, answers and orders that came: what is counted behind the name, and what of it is said, of one as of many.
TROUBLES = {
    "orders_missing": ("day", "of the window brought no orders that are believed, which are missing on both sides"),
    "controls_contacted": (
        "customer",
        "of the control group had contact all the same, so that the lift is measured too small",
    ),
    "contacted_before_launch": ("contact", "had a date before the launch"),
    "contacts_of_others": ("contact", "went to somebody whom the CRM does not know or who was not assigned"),
    "in_both_arms": ("customer", "came in both arms, of which the first counts"),
    "arms_unlike_the_receipt": ("customer", "came in another arm than the assigned one, which counts"),
    "responses_without_contact": ("customer", "answered without having been contacted"),
}
#: The other flags.
COUNTED = TROUBLES | {
    "not_contacted": ("customer", "drawn to be contacted had no contact: the arm keeps them all the same")
}
PLAIN = {
    "small_holdout": "the control group, or the contacted, are few: the interval rests on one variance for both",
    "contacts_not_reported": "no contact was reported, so that costs are those of everybody assigned",
    "arms_differed_before": "the two arms spent too differently before the campaign to have been drawn by lot",
}

NOUNS = {
    "spend": "spend per customer",
    "ordered": "share of customers with an order",
    "orders": "orders per customer",
    "responded": "share of customers who answered",
}


def meaning(flag: str) -> str:
    """A flag in words, with its number where it has one."""
    name, _, number = flag.partition(": ")
    if not number:
        return PLAIN[name]
    what, said = COUNTED[name]
    return f"{several(int(number), what)} {said}"


def verdict(row: Measurement, currency: str) -> str:
    """Did it work, by the end of the row's day, of everybody assigned: a sentence or two, that begin small and have no last full stop."""
    if row.evidence != "randomised":
        return "nobody can tell what it did: nobody was held out"
    match row.verdict:
        case "invalid_sample_ratio":
            chance = "" if row.srm_p is None else f" (p = {row.srm_p:.1g})"
            return (
                f"not to be believed: the arms have not the sizes with which they were drawn, and not by chance{chance}. "
                "Find out who went missing, and why, before anybody reads the effect"
            )
        case "not_randomised":
            return "not to be believed: the two groups differed before the campaign by more than chance, so they were not drawn by lot"
        case _ if row.metric == "responded":
            return f"nothing can be compared: {seen(row, currency)}, and who is held out cannot answer. Name spend or ordered as primary_metric next time"
        case "win":
            return f"it worked{_so_far(row)}: {seen(row, currency)}"
        case "loss":
            return f"it did harm{_so_far(row)}: {seen(row, currency)}"
        case "too_early":
            return f"too early to tell{on_day(row)}: {seen(row, currency)} so far, and chance alone does as much"
        case "underpowered":
            buyers = min(row.buyers_treatment or 0, row.buyers_control or 0)
            return (
                f"cannot tell, and no figure could: {several(buyers, 'buyer')} in the smaller group, and under {CLAIMS_FROM} nothing is claimed. "
                "Next time hold out more, or ask a larger audience"
            )
        case _:
            least = "" if row.detectable is None else f". Only lifts above {percent(row.detectable)} could be seen"
            return f"cannot tell: {seen(row, currency)}; no effect would look like this too{least}"


def seen(row: Measurement, currency: str) -> str:
    """What the two arms did, with the interval that is good on the day. Of answers only the contacted's: the others cannot give any."""
    if row.metric == "responded":
        return f"{percent(row.mean_treatment or 0)} of those drawn to be contacted answered"
    each, share = row.absolute, row.relative
    if each is None:
        return "nothing can be compared"
    said = f"{NOUNS[row.metric]} {signed(row.metric, each.expected, currency)} against the holdout"
    return f"{said}, {signed_percent(share.expected)}{_interval(share)}" if share else said


def on_day(row: Measurement) -> str:
    if row.day_index is None:
        return ""
    if row.planned_days is None:
        return f", day {row.day_index}"
    return "" if row.is_final else f", day {row.day_index} of {row.planned_days}"


def _so_far(row: Measurement) -> str:
    return "" if row.is_final else f", and enough is seen{on_day(row)} to say so"


def _interval(share: Range) -> str:
    if share.lower is None or share.upper is None:
        return ""
    return f" (95 %: {signed_percent(share.lower)} to {signed_percent(share.upper)})"
