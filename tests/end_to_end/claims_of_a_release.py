"""Holds the claims of a release against an independent computation on the archive behind it.

``python -m tests.end_to_end.claims_of_a_release HOME DAY [WAREHOUSE]`` prints what differs, of a release or of a warehouse.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import numpy as np

from orchestration.personas.files import read_personas
from orchestration.settings import Home, load_settings
from tests.builders import Rows, ask
from tests.end_to_end.claim_oracle import ClaimOracle, Said, archived_rows

FIGURES = ("value", "reference", "figure", "lower", "upper")


@dataclass(frozen=True)
class CheckedClaim:
    """What the oracle says of a claim, and in a sentence in what the release differs."""

    persona: str
    claim: str
    said: Said
    difference: str | None


def checked_claims(home: Home, day: date, asked: Callable[[str], Rows] | None = None) -> list[CheckedClaim]:
    """Every observed claim of every persona of the home on the day; ``asked`` answers a query where it is not the current release."""
    settings = load_settings(home)
    asked = asked or (lambda sql: ask(home, sql))
    history = asked("select segment, customer_id, entered_on, exited_on from metrics.segment_membership_history")
    oracle = ClaimOracle(archived_rows(home), ClaimOracle.of({}, history).history, settings.business_timezone)
    told = {
        (persona, claim): rest
        for persona, claim, *rest in asked(
            f"select persona, claim, customers, others, verdict, {', '.join(FIGURES)} from metrics.persona_claims "
            f"where as_of_date = date '{day}' and kind = 'observed'"
        )
    }
    checked = []
    for persona in read_personas(home, settings).personas.values():
        for claim in (one for one in persona.claims if one.kind == "observed"):
            said = oracle.said(persona, claim, day)
            customers, others, verdict, *figures = told[persona.id, claim.id]
            here = f"{persona.id}, {claim.id}"
            differs = None
            expected = [said.value, said.reference, said.figure.value, said.figure.lower, said.figure.upper]
            found = np.array([np.nan if figure is None else figure for figure in figures])
            if (customers, others, verdict) != (said.customers, said.others, said.verdict):
                differs = f"{here}: {(customers, others, verdict)} for {(said.customers, said.others, said.verdict)}"
            elif not np.allclose(found, np.where(np.isfinite(expected), expected, np.nan), 1e-8, 1e-9, equal_nan=True):
                differs = f"{here}: {found.tolist()} for {expected}"
            checked.append(CheckedClaim(persona.id, claim.id, said, differs))
    return checked


def main() -> None:
    home, day = Home(Path(sys.argv[1])), date.fromisoformat(sys.argv[2])
    asked = None
    if len(sys.argv) > 3:
        connection = duckdb.connect(sys.argv[3], read_only=True)
        asked = lambda sql: connection.execute(sql).fetchall()  # noqa: E731
    checked = checked_claims(home, day, asked)
    for one in checked:
        figure = one.said.figure
        print(
            f"{one.persona:15} {one.claim:28} {one.said.verdict:16} {figure.value:10.3f} ({figure.lower:.3f} to {figure.upper:.3f}) {one.difference or 'same'}"
        )
    sys.exit(any(one.difference for one in checked))


if __name__ == "__main__":
    main()
