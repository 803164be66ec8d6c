"""How a claim, its figure and its verdict are told to people: in the sentence of a day, and wherever a release is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from orchestration.measure.campaigns.figures import as_sentence, count, money, percent, plus
from orchestration.measure.personas.verdicts import CONTRADICTED, FLOOR, HOLDS, TOO_FEW, WEAKENED
from orchestration.personas.claims import Claim

VERDICTS = {HOLDS: "holds", WEAKENED: "weakened", CONTRADICTED: "contradicted", TOO_FEW: "too few to tell"}

#: What stands behind a figure that is compared.
COMPARISONS = {
    "alone": "",
    "times_the_rest": "times the rest",
    "above_the_rest": "against the rest",
    "times_another": "times the other measure",
    "above_another": "against the other measure",
}


def written(figure: float, compared: str, unit: str, currency: str) -> str:
    """A figure with what it is compared with: ``1.20 times the rest``, ``+4.0 points against the rest``, ``12 %``."""
    return f"{_bare(figure, compared, unit, currency)} {COMPARISONS[compared]}".rstrip()


def claimed(at_least: float | None, at_most: float | None, compared: str, unit: str, currency: str) -> str:
    """``at least 1.20 times the rest``"""
    side, limit = ("least", at_least) if at_least is not None else ("most", at_most or 0.0)
    return f"at {side} {written(limit, compared, unit, currency)}"


def seen(figure: float, lower: float | None, upper: float | None, compared: str, unit: str, currency: str) -> str:
    """The figure with its interval, an end of which is None where it has none; the figure alone where both are."""
    if lower is None and upper is None:
        return written(figure, compared, unit, currency)
    low = "no lower end" if lower is None else _bare(lower, compared, unit, currency)
    high = "no upper end" if upper is None else _bare(upper, compared, unit, currency)
    return f"{written(figure, compared, unit, currency)} (95 %: {low} to {high})"


def message(claim: Claim, row: Mapping[str, Any], currency: str, unknown: tuple[str, str] | None = None) -> str:
    """What the row of ``metrics.persona_claims`` says; ``unknown`` is a value that nothing ever had by then, behind what it is of."""
    if claim.kind == "inferred":
        return f"Inferred: {claim.because}"
    if claim.kind == "assumed":
        return f"Assumed; it would be settled by: {claim.settled_by}"
    if row["state"] == "held":
        return "Not tested: a segment of the persona is held."
    return as_sentence(f"{VERDICTS[row['verdict']]}: {_because(claim, row, currency, unknown)}")


def _because(claim: Claim, row: Mapping[str, Any], currency: str, unknown: tuple[str, str] | None) -> str:
    if unknown is not None:
        return f"nothing and nobody ever had the {unknown[0]} {unknown[1]}; it has to be spelled as in the extracts"
    few = [
        f"{count(number)} {who}"
        for number, who in ((row["customers"], "of the persona"), (row["others"], "beside them"))
        if not pd.isna(number) and number < FLOOR
    ]
    if few:
        return f"only {' and '.join(few)} count, and nothing is shown below {FLOOR}"
    figure, lower, upper = (None if pd.isna(row[name]) else float(row[name]) for name in ("figure", "lower", "upper"))
    if figure is None:
        return f"there is nothing to divide by ({row['measure']})"
    told = (claim.compared, row["unit"], currency)
    return f"{seen(figure, lower, upper, *told)}, claimed {claimed(claim.at_least, claim.at_most, *told)}"


def _bare(figure: float, compared: str, unit: str, currency: str) -> str:
    if compared.startswith("times"):
        return f"{figure:,.2f}"
    is_signed = compared.startswith("above")
    sign = plus(figure) if is_signed else ""
    if unit == "share":
        return f"{sign}{100 * figure:,.1f} points" if is_signed else percent(figure)
    return f"{sign}{money(figure, currency) if unit == 'money' else f'{figure:,.2f}'}"
