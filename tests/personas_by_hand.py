"""Personas in a release without a night: the tables of the catalogue and the metrics, and rows that differ only in what a test says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import duckdb

from orchestration.personas.files import Persona

DAY = date(2024, 3, 12)

TABLES = """
create schema if not exists catalog;
create schema if not exists metrics;
create table if not exists catalog.personas (
    persona varchar, name varchar, archetype varchar, status varchar, owner varchar, review_by date, is_negative boolean, segments varchar[],
    evidence varchar[], targets varchar[], excluded varchar[], customers bigint, claims bigint, claims_tested bigint, claims_holding bigint,
    claims_weakened bigint, claims_contradicted bigint, claims_too_few bigint, state varchar, held_since date, held_because varchar, said varchar
);
create table if not exists metrics.persona_claims (
    as_of_date date, persona varchar, claim varchar, text varchar, kind varchar, measure varchar, compared varchar, at_least double, at_most double,
    tolerance double, unit varchar, customers bigint, others bigint, value double, reference double, figure double, lower double, upper double,
    verdict varchar, since date, message varchar, state varchar
);
create table if not exists metrics.persona_evidence (
    as_of_date date, persona varchar, topic varchar, position integer, item varchar, customers bigint, value double, rest double, unit varchar,
    is_shown boolean
);
create table if not exists metrics.persona_coverage (
    as_of_date date, kind varchar, persona varchar, other varchar, since date, message varchar
);
delete from catalog.personas; delete from metrics.persona_claims; delete from metrics.persona_evidence; delete from metrics.persona_coverage;
"""


def said(persona: str = "planner", **said: Any) -> dict[str, Any]:
    """What the file of a persona says, of the segment ``active`` in evidence."""
    return {
        "id": persona,
        "name": "Petra the planner",
        "archetype": "Plans the week's meals on Sunday",
        "status": "active",
        "owner": "crm@example.com",
        "review_by": "2024-09-01",
        "segments": [{"id": "active", "role": "evidence"}],
        "needs": ["To be done with shopping in one trip"],
        "pain_points": [{"text": "Half of the list is sold out", "moment": "on Saturday noon", "severity": "high"}],
        "motivations": ["To waste nothing"],
        "expectations": ["That the offer is in the shop"],
        "jobs_to_be_done": ["Fill the fridge for a week"],
        "objections": ["Delivery costs more than it saves"],
        "alternatives_tried": ["Meal boxes"],
        "quotes": [{"text": "I shop once, or not at all.", "source": "Interview 12", "said_on": "2024-01-15"}],
        "channels": ["email"],
        "tone": "Brief and practical",
        "proof_points": ["Nine of ten lists are complete"],
        "value_proposition": "The whole week in one basket",
        "journey": [{"stage": "Planning", "friction": "No list of last week", "service_idea": "Order it again"}],
        "claims": [
            {
                "id": "spends_more",
                "text": "She spends more than the others",
                "kind": "observed",
                "measure": {"of": "spend"},
                "compared": "times_the_rest",
                "at_least": 1.2,
                "tolerance": 0.1,
            },
            {
                "id": "takes_few_discounts",
                "text": "Discounts leave her cold",
                "kind": "observed",
                "measure": {"of": "discount_share"},
                "at_most": 0.1,
                "tolerance": 0.02,
            },
            {
                "id": "has_a_list",
                "text": "She shops by a list",
                "kind": "inferred",
                "because": "Her baskets are alike from week to week",
            },
            {
                "id": "has_children",
                "text": "She has children",
                "kind": "assumed",
                "settled_by": "A question in the next survey",
            },
        ],
    } | said


def persona(file: Mapping[str, Any] | None = None, **row: Any) -> dict[str, Any]:
    """A row of catalog.personas, of such a file."""
    known = Persona.model_validate(said() if file is None else file)
    return {
        "persona": known.id, "name": known.name, "archetype": known.archetype, "status": known.status, "owner": known.owner,
        "review_by": known.review_by, "is_negative": known.is_negative, "segments": [one.id for one in known.segments],
        "evidence": list(known.evidence), "targets": list(known.segments_of("target")), "excluded": list(known.segments_of("excluded")),
        "customers": 1200, "claims": len(known.claims), "claims_tested": 2, "claims_holding": 1, "claims_weakened": 0, "claims_contradicted": 1,
        "claims_too_few": 0, "state": "fresh", "held_since": None, "held_because": None, "said": known.model_dump_json(by_alias=True),
    } | row  # fmt: skip


def claim(claim: str = "spends_more", day: date = DAY, **row: Any) -> dict[str, Any]:
    """A row of metrics.persona_claims: a claim that holds."""
    return {
        "as_of_date": day, "persona": "planner", "claim": claim, "text": "She spends more than the others", "kind": "observed",
        "measure": "net spend per customer, in 90 days", "compared": "times_the_rest", "at_least": 1.2, "at_most": None, "tolerance": 0.1,
        "unit": "money", "customers": 1200, "others": 8000, "value": 90.0, "reference": 60.0, "figure": 1.5, "lower": 1.4, "upper": 1.6,
        "verdict": "holds", "since": date(2024, 3, 9), "message": "She spends 1.50 times as much as the rest.", "state": "fresh",
    } | row  # fmt: skip


def contradicted(day: date = DAY, **row: Any) -> dict[str, Any]:
    """A claim that is contradicted."""
    return claim(
        "takes_few_discounts", day, text="Discounts leave her cold", measure="share of the price that discounts took off, in 90 days",
        compared="alone", at_least=None, at_most=0.1, tolerance=0.02, unit="share", value=0.2, reference=None, figure=0.2, lower=0.18, upper=0.22,
        verdict="contradicted", since=date(2024, 3, 10), message="Discounts took 20 % off what she bought.",
    ) | row  # fmt: skip


def untested(claim_id: str, text: str, kind: str) -> dict[str, Any]:
    """A claim that no night tests."""
    nothing = ("measure", "compared", "at_least", "tolerance", "unit", "value", "reference", "figure", "lower", "upper", "verdict", "since", "message")  # fmt: skip
    return claim(claim_id, text=text, kind=kind) | dict.fromkeys(nothing)


ALL_CLAIMS = (
    claim(),
    contradicted(),
    untested("has_a_list", "She shops by a list", "inferred"),
    untested("has_children", "She has children", "assumed"),
)


def evidence(topic: str, item: str, value: float | None, **row: Any) -> dict[str, Any]:
    """A row of metrics.persona_evidence: a share of her customers beside that of the rest."""
    return {
        "as_of_date": DAY, "persona": "planner", "topic": topic, "position": 1, "item": item, "customers": 400, "value": value, "rest": 0.25,
        "unit": "share", "is_shown": True,
    } | row  # fmt: skip


def finding(kind: str, message: str, **row: Any) -> dict[str, Any]:
    """A row of metrics.persona_coverage."""
    return {"as_of_date": DAY, "kind": kind, "persona": None, "other": None, "since": date(2024, 3, 9), "message": message} | row  # fmt: skip


def statements(
    personas: Sequence[Mapping[str, Any]] = (),
    claims: Sequence[Mapping[str, Any]] = ALL_CLAIMS,
    evidence: Sequence[Mapping[str, Any]] = (),
    coverage: Sequence[Mapping[str, Any]] = (),
) -> list[str]:
    """SQL that has these rows, and no others, in a release."""
    rows = {
        "catalog.personas": personas,
        "metrics.persona_claims": claims,
        "metrics.persona_evidence": evidence,
        "metrics.persona_coverage": coverage,
    }
    return [TABLES, *(_inserted(table, row) for table, found in rows.items() for row in found)]


def write(connection: duckdb.DuckDBPyConnection, *args: Any, **rows: Any) -> None:
    """The same, at once."""
    for statement in statements(*args, **rows):
        connection.execute(statement)


def _inserted(table: str, row: Mapping[str, Any]) -> str:
    return f"insert into {table} ({', '.join(row)}) values ({', '.join(_literal(value) for value in row.values())})"


def _literal(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_literal(one) for one in value)}]::varchar[]"
    if isinstance(value, bool | int | float):
        return str(value).lower()
    text = str(value).replace("'", "''")
    return f"'{text}'"
