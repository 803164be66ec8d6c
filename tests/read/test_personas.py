"""What is read of personas: all of them, one in full, who speaks of a segment; and what a release without them answers."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from orchestration.errors import ConfigurationError, ReleaseDamaged
from orchestration.read.opened import Release
from orchestration.read.personas import (
    ClaimOnDay,
    coverage,
    days_of_claim,
    persona_of,
    personas,
    personas_of,
    segments_of,
)
from tests.personas_by_hand import ALL_CLAIMS, claim, contradicted, evidence, finding, persona, said, write
from tests.read.small_release import select, small_release


def release_of(*rows: dict[str, Any], **tables: Any) -> Release:
    release = small_release({"active": select("age > 20"), "men": select("gender = 'male'")})
    write(release.connection, rows, **tables)
    return release


def the_claim(**row: Any) -> ClaimOnDay:
    [told] = persona_of(release_of(persona(), claims=[claim(**row)]), "planner").claims
    return told


def test_active_personas_come_first_then_drafts_then_retired_ones_each_by_name() -> None:
    release = release_of(
        persona(said("gone", name="Abel", status="retired")),
        persona(said("new", name="Berta", status="draft")),
        persona(said("zoe", name="zoe")),
        persona(said("yves", name="Yves")),
    )
    assert [one.persona for one in personas(release)] == ["yves", "zoe", "new", "gone"]


def test_a_persona_is_told_with_what_her_file_says_and_her_claims_in_the_order_of_the_file() -> None:
    told = persona_of(release_of(persona(), claims=ALL_CLAIMS[::-1]), "planner")
    assert told.said is not None
    assert told.said.value_proposition == "The whole week in one basket"
    assert told.said.quotes[0].said_on == date(2024, 1, 15)
    assert [one.claim for one in told.claims] == ["spends_more", "takes_few_discounts", "has_a_list", "has_children"]
    assert told.because("has_a_list") == "Her baskets are alike from week to week"
    assert told.settled_by("has_children") == "A question in the next survey"
    assert told.settled_by("spends_more") is None


def test_her_claims_are_those_of_her_newest_day_and_the_days_before_are_of_each_claim() -> None:
    before = date(2024, 3, 11)
    release = release_of(
        persona(), claims=[claim(), claim(day=before, figure=1.1, verdict="weakened"), claim("dropped", before)]
    )
    assert [one.claim for one in persona_of(release, "planner").claims] == ["spends_more"]
    days = days_of_claim(release, "planner", "spends_more")
    assert [(one.as_of_date, one.verdict) for one in days] == [(before, "weakened"), (date(2024, 3, 12), "holds")]


@pytest.mark.parametrize(
    ("row", "claimed", "seen"),
    [
        ({}, "at least 1.20 times the rest", "1.50 times the rest (95 %: 1.40 to 1.60)"),
        (
            {"compared": "alone", "at_least": 80.0, "figure": 90.0, "lower": 85.5, "upper": 94.5},
            "at least 80.00 GBP",
            "90.00 GBP (95 %: 85.50 GBP to 94.50 GBP)",
        ),
        (
            {"compared": "above_the_rest", "unit": "share", "at_least": 0.05, "figure": 0.04, "lower": -0.01, "upper": 0.09},
            "at least +5.0 points against the rest",
            "+4.0 points against the rest (95 %: -1.0 points to +9.0 points)",
        ),
        (
            {"compared": "times_another", "at_least": None, "at_most": 2.0, "lower": None, "upper": None},
            "at most 2.00 times the other measure",
            "1.50 times the other measure",
        ),
        ({"compared": "alone", "unit": "number", "at_least": 3.0, "figure": None}, "at least 3.00", "–"),
    ],
)  # fmt: skip
def test_a_figure_is_written_with_its_unit_and_what_it_is_compared_with(
    row: dict[str, Any], claimed: str, seen: str
) -> None:
    told = the_claim(**row)
    assert (told.claimed("GBP"), told.seen("GBP")) == (claimed, seen)


def test_a_claim_is_contradicted_from_beyond_its_tolerance_on() -> None:
    assert the_claim().contradicted_from == pytest.approx(1.1)
    assert the_claim(at_least=None, at_most=0.1, tolerance=0.02).contradicted_from == pytest.approx(0.12)
    assert the_claim(tolerance=0.0).contradicted_from is None


def test_what_is_not_tested_has_no_verdict_and_says_what_it_is() -> None:
    told = {one.claim: one for one in persona_of(release_of(persona()), "planner").claims}
    assert told["has_children"].verdict_in_words == "assumed, not tested"
    assert told["has_a_list"].verdict_in_words == "inferred, not tested"
    assert told["takes_few_discounts"].verdict_in_words == "contradicted"
    assert the_claim(verdict="too_few_to_tell").verdict_in_words == "too few to tell"
    assert the_claim(verdict=None).verdict_in_words == "not tested yet"


def test_the_evidence_is_told_by_topic_and_position_and_of_few_customers_nothing() -> None:
    rows = [
        evidence("gender", "male", 0.1, position=2),
        evidence("gender", "female", 0.9, position=1),
        evidence("gender", "other", None, position=3, customers=4, rest=None, is_shown=False),
        evidence("gender", "female", 0.5, persona="another"),
    ]
    told = persona_of(release_of(persona(), evidence=rows), "planner").items("gender")
    assert [(one.item, one.value) for one in told] == [("female", 0.9), ("male", 0.1), ("other", None)]
    assert [one.written(one.value, "GBP") for one in told] == ["90 %", "10 %", "–"]
    assert [one.is_shown for one in told] == [True, True, False]


def test_findings_of_a_persona_are_those_that_name_her_on_either_side() -> None:
    findings = [
        finding("past_review", "Her review is due.", persona="planner"),
        finding("personas_overlap", "They are the same.", persona="another", other="planner"),
        finding("segment_without_persona", "Nobody speaks of men.", other="men"),
    ]
    release = release_of(persona(), coverage=findings)
    assert [one.kind for one in coverage(release)] == ["segment_without_persona", "personas_overlap", "past_review"]
    assert [one.kind for one in persona_of(release, "planner").findings] == ["personas_overlap", "past_review"]


def test_personas_of_a_segment_are_told_with_the_role_of_the_segment() -> None:
    links = [
        {"id": "men", "role": "excluded"},
        {"id": "active", "role": "evidence"},
        {"id": "gone", "role": "target"},
    ]
    release = release_of(persona(said(segments=links)), persona(said("aunt", name="Aunt")))
    assert [(one.persona, one.role_of("men")) for one in personas_of(release, "men")] == [("planner", "excluded")]
    assert [one.persona for one in personas_of(release, "active")] == ["aunt", "planner"]
    assert [(one.segment, one.role, one.members) for one in segments_of(release, "planner")] == [
        ("active", "evidence", 3),
        ("gone", "target", None),
        ("men", "excluded", 3),
    ]


def test_a_persona_held_from_the_first_has_nothing_but_her_reason() -> None:
    nothing = dict.fromkeys(("said", "customers", "claims", "claims_tested", "claims_holding"))
    told = persona_of(
        release_of(persona(state="held", held_since=date(2024, 3, 10), held_because="no needs", **nothing), claims=[]),
        "planner",
    )
    assert told.listed.is_held
    assert (told.said, told.claims, told.because("x"), told.listed.held_because) == (None, (), None, "no needs")


def test_an_unknown_persona_is_refused_with_the_nearest() -> None:
    with pytest.raises(ConfigurationError, match="There is no persona planer in release by hand; did you mean planner"):
        persona_of(release_of(persona()), "planer")


def test_a_release_that_was_made_before_there_were_personas_has_none() -> None:
    release = small_release({"men": select("gender = 'male'")})
    assert (personas(release), personas_of(release, "men"), coverage(release)) == ([], [], [])
    with pytest.raises(ConfigurationError, match="there are none"):
        persona_of(release, "planner")


def test_two_days_in_a_row_are_told_apart() -> None:
    release = release_of(persona(), claims=[contradicted(), contradicted(date(2024, 3, 11), figure=0.15)])
    assert [one.figure for one in days_of_claim(release, "planner", "takes_few_discounts")] == [0.15, 0.2]


def test_what_another_version_said_of_a_persona_is_told_in_a_sentence() -> None:
    with pytest.raises(ReleaseDamaged, match="says of the persona planner is of another version"):
        persona_of(release_of(persona(said='{"id": "planner"}')), "planner")
