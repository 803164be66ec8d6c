"""Every measure, compared with everything, is what an independent computation finds: figures, intervals and verdicts, on every day."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import duckdb
import numpy as np
import pytest

from orchestration.days import Days
from orchestration.measure.personas.testing import record_claims
from orchestration.personas.claims import Claim, Compared
from orchestration.personas.files import Persona
from tests.end_to_end.claim_oracle import ClaimOracle, Interval, Said, rows_of, verdict
from tests.measure.personas.persona_company import DAYS, FIRST, THIRD, company, observed, persona

MEASURES: dict[str, dict[str, Any]] = {
    "spend": {"of": "spend"},
    "spend_30": {"of": "spend", "in_last_days": 30},
    "orders": {"of": "orders"},
    "ordered": {"of": "ordered", "in_last_days": 7},
    "order_value": {"of": "order_value"},
    "discount_share": {"of": "discount_share"},
    "weekend": {"of": "spend_on_weekdays", "weekdays": ["saturday", "sunday"]},
    "midweek": {"of": "spend_on_weekdays", "weekdays": ["wednesday"], "in_last_days": 120},
    "buyers_of_category": {"of": "buyers_of", "category": "coffee"},
    "buyers_of_department": {"of": "buyers_of", "department": "GROCERY", "in_last_days": 30},
    "days_of_category": {"of": "shopping_days_of", "category": "MILK"},
    "days_of_department": {"of": "shopping_days_of", "department": "Dairy"},
    "share_of_category": {"of": "spend_share_of", "category": "PAPER"},
    "share_of_department": {"of": "spend_share_of", "department": "DAIRY", "in_last_days": 45},
    "answered_email": {"of": "answered", "channel": "email"},
    "answered_post": {"of": "answered", "channel": "post"},
    "answered_sms": {"of": "answered", "channel": "sms"},
    "women": {"of": "customers_with", "attribute": "gender", "is": ["female", "other"]},
    "forties": {"of": "customers_with", "attribute": "age", "at_least": 40, "at_most": 72},
    "households": {"of": "customers_with", "attribute": "household_size", "at_least": 3},
    "households_of": {"of": "customers_with", "attribute": "household_size", "is": [1, 2]},
    "cooks": {"of": "customers_with", "attribute": "interests", "is": ["cooking", "baking"]},
    "email_opt_in": {"of": "customers_with", "attribute": "email_opt_in", "is": [True]},
    "prefers": {"of": "customers_with", "attribute": "preferred_channel", "is": ["post"]},
    "also_active": {"of": "also_in", "segment": "active"},
}
PAIRS = [
    ("answered_email", "answered_post"),
    ("weekend", "midweek"),
    ("days_of_category", "days_of_department"),
    ("spend_30", "spend"),
    ("buyers_of_category", "buyers_of_department"),
    ("share_of_category", "discount_share"),
    ("households", "women"),
]
ASKED: list[tuple[str, Compared, str | None]] = [
    *((name, compared, None) for name in MEASURES for compared in ("alone", "times_the_rest", "above_the_rest")),
    *((one, compared, other) for one, other in PAIRS for compared in ("times_another", "above_another")),
]
SEGMENTS = {
    "aged": [{"id": "aged_65_and_over", "role": "evidence"}, {"id": "large_households", "role": "excluded"}],
    "several": [
        {"id": "discount_seekers", "role": "evidence"},
        {"id": "large_households", "role": "evidence"},
        {"id": "lapsed", "role": "excluded"},
        {"id": "unreachable", "role": "target"},
    ],
    "few": [{"id": "won_back", "role": "evidence"}, {"id": "birthday_within_7_days", "role": "evidence"}],
}
VERDICTS = ("holds", "weakened", "contradicted", "too_few_to_tell")


def claim_name(measure: str, compared: str, another: str | None) -> str:
    return "_".join(part for part in (measure, compared, another) if part)


def limits_for(figure: Interval, most: float) -> Iterator[dict[str, float]]:
    """Limits, no larger than can be, by which a claim of the figure comes to each of the four verdicts, as at least and as at most."""
    width = max(figure.upper - figure.lower, 0.01) if figure.upper < 1e9 else 1.0
    for side, sign in (("at_least", 1), ("at_most", -1)):
        for away, tolerance in ((-2.0, 0.1), (0.2, 4.0), (4.0, 0.5), (0.0, 0.0)):
            limit = float(np.clip(figure.value + sign * away * width, -most, most))
            yield {side: limit, "tolerance": tolerance * width}


@pytest.fixture(scope="module")
def oracle(persona_warehouse: duckdb.DuckDBPyConnection) -> ClaimOracle:
    history = persona_warehouse.execute(
        "select segment, customer_id, entered_on, exited_on from metrics.segment_membership_history"
    ).fetchall()
    return ClaimOracle.of(rows_of(company()), history)


@pytest.fixture(scope="module")
def personas(oracle: ClaimOracle) -> dict[str, Persona]:
    """The personas, with every claim that is asked, on limits around what it is for the aged on the last day."""
    claims = []
    for measure, compared, another in ASKED:
        asked = {"compared": compared} | ({"another": MEASURES[another]} if another else {})
        name = claim_name(measure, compared, another)
        draft = persona(
            "aged",
            segments=SEGMENTS["aged"],
            claims=[observed(name, MEASURES[measure], at_least=0, **asked)],
        )
        figure = oracle.said(draft, draft.claims[0], THIRD).figure
        if not figure.value < 1e9:
            figure = Interval(1.0, 0.9, 1.1)
        is_of_a_share = draft.claims[0].measures[0].unit == "share" and not compared.startswith("times")
        for number, limits in enumerate(limits_for(figure, 1.0 if is_of_a_share else np.inf)):
            claims.append(observed(f"{name}_{number}", MEASURES[measure], **asked | limits))
    return {name: persona(name, segments=segments, claims=claims) for name, segments in SEGMENTS.items()}


@pytest.fixture(scope="module")
def rows(
    persona_warehouse: duckdb.DuckDBPyConnection, personas: dict[str, Persona]
) -> dict[tuple[str, str, date], dict[str, Any]]:
    record_claims(persona_warehouse, personas, (), Days(FIRST, THIRD), "USD")
    found = persona_warehouse.execute("select * from metrics.persona_claims")
    names = [column[0] for column in found.description or ()]
    return {
        (row["persona"], row["claim"], row["as_of_date"]): row
        for row in (dict(zip(names, one, strict=True)) for one in found.fetchall())
    }


def numbers(said: Said) -> list[float]:
    figures = [said.value, said.reference, said.figure.value, said.figure.lower, said.figure.upper]
    return [number if math.isfinite(number) else math.nan for number in figures]


def is_on_the_border(said: Said, claim: Claim) -> bool:
    """An end on the border itself is decided by the last digit: the two may differ."""
    assert claim.tolerance is not None
    borders = [claim.limit, claim.limit - claim.tolerance, claim.limit + claim.tolerance]
    ends = [said.figure.value, said.figure.lower, said.figure.upper]
    return any(abs(end - border) < 1e-7 * max(1, abs(border)) for end in ends for border in borders)


@pytest.mark.parametrize("name", [claim_name(*asked) for asked in ASKED])
@pytest.mark.parametrize("who", SEGMENTS)
def test_a_claim_is_what_pandas_finds(
    who: str,
    name: str,
    personas: dict[str, Persona],
    oracle: ClaimOracle,
    rows: dict[tuple[str, str, date], dict[str, Any]],
) -> None:
    claims = [one for one in personas[who].claims if one.id.rpartition("_")[0] == name]
    for day in DAYS:
        first = oracle.said(personas[who], claims[0], day)
        for claim in claims:
            row, said = rows[who, claim.id, day], replace(first, verdict=verdict(first.figure, claim))
            where = (claim.id, day)
            assert (row["customers"], row["others"]) == (said.customers, said.others), where
            figures = (row[column] for column in ("value", "reference", "figure", "lower", "upper"))
            found = [math.nan if figure is None else figure for figure in figures]
            assert found == pytest.approx(numbers(said), rel=1e-8, abs=1e-7, nan_ok=True), where
            if not is_on_the_border(said, claim):
                assert row["verdict"] == said.verdict, where


def test_the_comparison_is_of_every_verdict(rows: dict[tuple[str, str, date], dict[str, Any]]) -> None:
    """The comparison above would be idle if all came out alike."""
    of_aged = [row["verdict"] for (who, _, day), row in rows.items() if (who, day) == ("aged", THIRD)]
    assert all(of_aged.count(verdict) > 50 for verdict in VERDICTS)
    assert {row["verdict"] for (who, *_), row in rows.items() if who == "few"} == {"too_few_to_tell"}
    assert all(row["customers"] > 20 for (who, name, _), row in rows.items() if who == "several" and "spend" in name)


def test_a_measure_compared_with_itself_is_the_same_without_any_doubt(
    persona_warehouse: duckdb.DuckDBPyConnection,
) -> None:
    for name in ("orders", "weekend", "order_value", "cooks"):
        claims = [
            observed(compared, MEASURES[name], compared=compared, another=MEASURES[name], at_least=0)
            for compared in ("times_another", "above_another")
        ]
        record_claims(persona_warehouse, {"aged": persona("aged", claims=claims)}, (), Days(THIRD, THIRD), "USD")
        found = dict(
            (claim, (lower, figure, upper))
            for claim, lower, figure, upper in persona_warehouse.execute(
                "select claim, lower, figure, upper from metrics.persona_claims where persona = 'aged' and as_of_date = $day and claim like '%another'",
                {"day": THIRD},
            ).fetchall()
        )
        # An interval that is not even on both sides is not all gone: that of a share, and of what is skewed.
        nearly = 0.25 if name in ("weekend", "cooks") else 0.05
        money = 2.5 if name == "order_value" else nearly
        assert found["times_another"] == pytest.approx((1, 1, 1), abs=nearly)
        assert found["above_another"] == pytest.approx((0, 0, 0), abs=money)


@pytest.mark.parametrize("attribute", ["gender", "interests", "email_opt_in", "age_band"])
def test_at_least_of_what_is_no_number_is_refused_before_the_night(attribute: str) -> None:
    with pytest.raises(ValueError, match=f"{attribute} is no number: say is"):
        persona(
            "aged",
            claims=[observed("c", {"of": "customers_with", "attribute": attribute, "at_least": 3}, at_least=0.5)],
        )


def test_goods_are_known_from_the_day_on_which_they_came_and_until_then_nothing_is_told(
    persona_warehouse: duckdb.DuckDBPyConnection,
) -> None:
    claims = [observed(f"buys_{name}", {"of": "buyers_of", "category": name}, at_most=0.5) for name in ("nope", "late")]
    persona_warehouse.execute(
        "insert into intermediate.int_product_versions (product_id, category, valid_from) values ('L', 'LATE', $day)",
        {"day": THIRD},
    )
    try:
        record_claims(persona_warehouse, {"aged": persona("aged", claims=claims)}, (), Days(FIRST, THIRD), "USD")
    finally:
        persona_warehouse.execute("delete from intermediate.int_product_versions where product_id = 'L'")
    said = dict(
        ((claim, day), (verdict, message))
        for claim, day, verdict, message in persona_warehouse.execute(
            "select claim, as_of_date, verdict, message from metrics.persona_claims where claim in ('buys_nope', 'buys_late')"
        ).fetchall()
    )
    unknown = "Too few to tell: nothing and nobody ever had the category {}; it has to be spelled as in the extracts."
    assert said["buys_nope", THIRD] == ("too_few_to_tell", unknown.format("nope"))
    assert said["buys_late", FIRST] == ("too_few_to_tell", unknown.format("late"))
    assert said["buys_late", THIRD][0] == "holds"
