"""What is said of a campaign's figures: a sentence for each day, and what each flag means. Decides nothing."""

from __future__ import annotations

from typing import Any

#: What can be wrong with the contacts, answers and orders that came: how many customers, or days, it concerns stands behind the name.
TROUBLES = {
    "orders_missing": "days of the window have no orders that are believed, which are missing on both sides",
    "controls_contacted": "customers of the control group were contacted, so that the lift is measured too small",
    "contacted_before_launch": "contacts are dated before the launch",
    "contacts_of_others": "contacts are of customers whom the CRM does not know or who were not assigned",
    "in_both_arms": "customers were reported in both arms, and count in the first",
    "arms_unlike_the_receipt": "customers were reported in another arm than they were assigned to, and count as assigned",
    "responses_without_contact": "customers answered without having been contacted",
}
#: The other flags.
MEANINGS = TROUBLES | {
    "small_holdout": "the control group, or the contacted, are few: the interval rests on one variance for both",
    "contacts_not_reported": "no contact was reported, so that costs are those of everybody assigned",
    "not_contacted": "customers who were to be contacted were not, and count in their arm all the same",
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
    name, _, count = flag.partition(": ")
    return f"{count} {MEANINGS[name]}" if count else MEANINGS[name]


def sentence(row: Any) -> str:
    """What a day's row of everybody assigned says, in a sentence: a named tuple with the columns of ``metrics.campaign_impact``."""
    if row.evidence == "matched":
        return (
            f"nobody was held out, so nobody can tell what it did: against the time before, the {NOUNS[row.metric]} of the contacted changed by "
            f"{_figure(row.metric, row.lift)} more than that of the others ({_interval(row)}), which is not what the campaign did"
        )
    if row.evidence == "none":
        return "nobody was held out, and there is nobody and no time that it could be compared with: nobody can tell what it did"
    at = f"day {row.day_index}" + (f" of {row.planned_days:.0f}" if row.planned_days == row.planned_days else "")
    relative = f", {row.relative_lift:+.1%}" if row.relative_lift == row.relative_lift else ""
    seen = f"{NOUNS[row.metric]} {_figure(row.metric, row.lift)}{relative} ({_interval(row)}) against the control group"
    fewest = int(min(row.buyers_treatment, row.buyers_control))
    unseen = _figure(row.metric, row.min_detectable).lstrip("+")
    return {
        "win": f"it worked: {seen}, on {at}",
        "loss": f"it did harm: {seen}, on {at}",
        "no_evidence": f"no effect is proved: {seen}, on {at}; less than {unseen} would hardly be seen",
        "too_early": f"too early to tell on {at}: {seen} so far",
        "underpowered": f"too few customers to tell: {fewest:,} bought in the smaller arm; {seen}",
        "invalid_sample_ratio": f"it cannot be believed: the arms have not the sizes with which they were drawn, and chance does not explain it "
        f"(p = {row.srm_p:.2g}): find out who went missing, and why",
        "not_randomised": "it cannot be believed: the two arms spent too differently before the campaign to have been drawn by lot",
    }[row.verdict]


def _interval(row: Any) -> str:
    """The interval that is good on the day: while the window runs the one that holds however often one looks."""
    runs = row.evidence == "randomised" and not row.information_fraction >= 1
    lower, upper = (row.lower_anytime, row.upper_anytime) if runs else (row.lower, row.upper)
    if lower != lower:
        return "no interval can be given"
    return f"95 % interval {_figure(row.metric, lower)} to {_figure(row.metric, upper)}"


def _figure(metric: str, value: float) -> str:
    if value != value:
        return "unknown"
    return f"{100 * value:+.1f} points" if metric in ("ordered", "responded") else f"{value:+,.2f}"
