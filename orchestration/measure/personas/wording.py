"""What a claim's day is told as, in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from orchestration.measure.campaigns.figures import count
from orchestration.measure.personas.verdicts import CONTRADICTED, FLOOR, HOLDS, TOO_FEW, WEAKENED
from orchestration.personas.claims import Claim

VERDICTS = {HOLDS: "Holds", WEAKENED: "Weakened", CONTRADICTED: "Contradicted", TOO_FEW: "Too few to tell"}

#: What a figure is compared with.
BESIDE = {
    "alone": "",
    "times_the_rest": " times the rest of the base",
    "above_the_rest": " against the rest of the base",
    "times_another": " times the other",
    "above_another": " against the other",
}


def message(claim: Claim, row: Mapping[str, Any], currency: str, unknown: tuple[str, str] | None = None) -> str:
    """What the row of ``metrics.persona_claims`` says, with its figure, its interval and what was claimed; ``unknown`` is a value that nothing ever had, behind what it is of."""
    if claim.kind == "inferred":
        return f"Inferred: {claim.because}"
    if claim.kind == "assumed":
        return f"Assumed; it would be settled by: {claim.settled_by}"
    if row["state"] == "held":
        return "Not tested: a segment of the persona is held."
    said = VERDICTS[row["verdict"]]
    is_signed = claim.compared.startswith("above")
    if unknown is not None:
        return f"{said}: nothing and nobody ever had the {unknown[0]} {unknown[1]}; is it spelled as in the extracts?"
    unit = "points" if row["unit"] == "share" and is_signed else row["unit"]
    asked = f"claimed at {'least' if claim.at_least is not None else 'most'} {_figure(claim.limit, unit, currency, is_signed)}"
    compared = BESIDE[claim.compared]
    customers, others = row["customers"], row["others"]
    few = [
        f"{_count(number)} {who}"
        for number, who in ((customers, "of the persona"), (others, "beside them"))
        if not pd.isna(number) and number < FLOOR
    ]
    if few:
        return f"{said}: only {' and '.join(few)} count, and nothing is shown below {FLOOR}."
    if pd.isna(row["figure"]):
        return f"{said}: there is nothing to divide by ({row['measure']})."
    figure = _figure(row["figure"], unit, currency, is_signed)
    low = "no lower end" if pd.isna(row["lower"]) else _figure(row["lower"], unit, currency, is_signed)
    high = "no upper end" if pd.isna(row["upper"]) else _figure(row["upper"], unit, currency, is_signed)
    return f"{said}: {figure}{compared} (95 %: {low} to {high}), {asked}."


def _count(number: Any) -> str:
    return count(int(number))


def _figure(number: float, unit: str, currency: str, is_signed: bool) -> str:
    sign = "+" if is_signed and number > 0 else ""
    if unit in ("share", "points"):
        return f"{sign}{100 * number:.1f} {'%' if unit == 'share' else 'points'}"
    return f"{sign}{number:,.2f} {currency}" if unit == "money" else f"{sign}{number:,.2f}"
