"""What is not covered, each kind by a small case; and the evidence card: nothing is shown of fewer than twenty, and shares add up."""

from __future__ import annotations

from datetime import date
from typing import Any

import duckdb
import pytest

from orchestration.days import Days
from orchestration.measure.personas.coverage import record_coverage
from orchestration.measure.personas.verdicts import FLOOR
from orchestration.publish.persona_tables import PERSONA_TABLES
from tests.measure.personas.conftest import Measured
from tests.measure.personas.persona_company import DAYS, FIRST, SECOND, THIRD, observed, persona

Finding = tuple[str, str | None, str | None]
LAST_DAY = Days(THIRD, THIRD)


def findings(connection: duckdb.DuckDBPyConnection) -> set[Finding]:
    return set(connection.execute("select kind, persona, other from metrics.persona_coverage").fetchall())


def message(connection: duckdb.DuckDBPyConnection, kind: str) -> str:
    [(said,)] = connection.execute(
        "select message from metrics.persona_coverage where kind = $kind", {"kind": kind}
    ).fetchall()
    return str(said)


def linked(segment: str, role: str = "evidence") -> dict[str, str]:
    return {"id": segment, "role": role}


def test_a_persona_with_customers_and_time_left_is_no_finding(measured: Measured) -> None:
    assert findings(measured([persona("regular")])) == set()


def test_a_segment_that_a_running_campaign_addresses_wants_a_persona(measured: Measured) -> None:
    connection = measured([persona("regular")], LAST_DAY)
    connection.execute("begin")
    connection.execute(
        "insert into metrics.campaigns (campaign_id, segment, channel, state, assigned_by) values "
        "('spring', 'active', 'email', 'running', 'us'), ('winter', 'lapsed', 'email', 'done', 'us')"
    )
    try:
        record_coverage(connection)
        assert findings(connection) == {("segment_without_persona", None, "active")}
        assert message(connection, "segment_without_persona").startswith("active is addressed by spring")
    finally:
        connection.execute("rollback")
    measured([persona("regular", segments=[linked("aged_65_and_over"), linked("active", "target")])], LAST_DAY)
    assert findings(connection) == set()


def test_a_persona_of_an_empty_segment_has_nobody(measured: Measured) -> None:
    connection = measured([persona("nobody", segments=[linked("men_18_25")])], LAST_DAY)
    assert ("persona_without_segment", "nobody", None) in findings(connection)


def test_a_persona_whom_no_channel_reaches_has_nobody_to_talk_to(measured: Measured) -> None:
    connection = measured([persona("silent", segments=[linked("unreachable")])], LAST_DAY)
    assert findings(connection) == {("persona_without_segment", "silent", None)}
    assert message(connection, "persona_without_segment") == (
        "Nobody in the segments of silent can be reached by any channel."
    )


def test_two_personas_of_the_same_customers_may_be_one(measured: Measured) -> None:
    one, other = (
        persona("one"),
        persona("other", segments=[linked("aged_65_and_over"), linked("men_18_25", "excluded")]),
    )
    connection = measured([one, other, persona("third", segments=[linked("large_households")])], LAST_DAY)
    assert findings(connection) == {("personas_overlap", "one", "other")}
    assert "share 100 % of their customers" in message(connection, "personas_overlap")


def test_a_review_is_late_from_the_day_after_it_was_due(measured: Measured) -> None:
    assert findings(measured([persona("regular", review_by=THIRD)])) == set()
    connection = measured([persona("regular", review_by=SECOND)])
    assert findings(connection) == {("past_review", "regular", None)}
    assert connection.execute("select since from metrics.persona_coverage").fetchall() == [(SECOND,)]


def test_a_retired_persona_is_listed_and_neither_tested_nor_missed(measured: Measured) -> None:
    retired = persona("old", status="retired", review_by=FIRST, segments=[linked("unreachable")])
    connection = measured([persona("regular"), retired])
    assert findings(connection) == set()
    assert connection.execute("select persona from metrics.personas order by all").fetchall() == [
        ("old",),
        ("regular",),
    ]
    assert connection.execute("select count(*) from metrics.persona_claims where persona = 'old'").fetchall() == [(0,)]


@pytest.fixture
def contradicted(measured: Measured) -> duckdb.DuckDBPyConnection:
    """A claim that is contradicted on the last day."""
    claim = observed("buys_daily", {"of": "orders", "in_last_days": 30}, at_least=30)
    connection = measured([persona("regular", claims=[claim])])
    verdicts = connection.execute("select distinct verdict from metrics.persona_claims").fetchall()
    assert verdicts == [("contradicted",)]
    return connection


def nights_before(connection: duckdb.DuckDBPyConnection, nights: int, what: str = "*") -> None:
    connection.execute(
        f"insert into metrics.persona_claims by name select {what} "
        f"from metrics.persona_claims cross join generate_series(1, {nights}) as night (n) where as_of_date = date '{FIRST}'".replace(
            "*", "persona_claims.* replace (as_of_date - n::integer as as_of_date)"
        )
    )


@pytest.mark.parametrize(("nights", "is_told"), [(10, False), (11, True), (40, True)])
def test_a_claim_contradicted_for_fourteen_nights_is_told(
    contradicted: duckdb.DuckDBPyConnection, nights: int, is_told: bool
) -> None:
    nights_before(contradicted, nights)
    record_coverage(contradicted)
    assert findings(contradicted) == ({("contradicted_long", "regular", "buys_daily")} if is_told else set())


def test_a_claim_that_was_written_anew_is_not_contradicted_for_long(contradicted: duckdb.DuckDBPyConnection) -> None:
    nights_before(contradicted, 40)
    contradicted.execute(
        "update metrics.persona_claims set claim_hash = 'as it was before' where as_of_date < $day", {"day": SECOND}
    )
    record_coverage(contradicted)
    assert findings(contradicted) == set()


# ---- evidence ----


@pytest.fixture
def evidence(measured: Measured) -> list[dict[str, Any]]:
    few = persona("few", segments=[linked("birthday_within_7_days"), linked("active", "excluded")])
    connection = measured(
        [persona("regular"), few, persona("many", segments=[linked("active"), linked("lapsed")])], LAST_DAY
    )
    found = connection.execute("select * from metrics.persona_evidence")
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def of(evidence: list[dict[str, Any]], who: str, topic: str) -> list[dict[str, Any]]:
    return [row for row in evidence if (row["persona"], row["topic"]) == (who, topic)]


def test_nothing_is_shown_of_fewer_than_twenty(evidence: list[dict[str, Any]]) -> None:
    for row in evidence:
        if not row["is_shown"]:
            assert (row["customers"], row["value"], row["rest"]) == (None, None, None)
        else:
            assert row["customers"] >= FLOOR
            assert row["value"] is not None
    assert {row["is_shown"] for row in evidence} == {True, False}
    assert not any(row["is_shown"] for row in evidence if row["persona"] == "few" and row["topic"] != "segment")


@pytest.mark.parametrize("topic", ["age", "gender", "household_size", "recency", "frequency", "weekday", "hour"])
def test_shares_add_up_to_one_where_all_are_shown(evidence: list[dict[str, Any]], topic: str) -> None:
    compared = 0
    for who in ("regular", "many"):
        rows = of(evidence, who, topic)
        assert rows
        assert sum(row["value"] or 0 for row in rows) <= 1 + 1e-9
        if all(row["is_shown"] for row in rows):
            assert sum(row["value"] for row in rows) == pytest.approx(1)
            compared += 1
    assert compared or any(not row["is_shown"] for row in of(evidence, "regular", topic))


def test_the_size_counts_everybody_of_the_base_on_one_side(evidence: list[dict[str, Any]]) -> None:
    for who in ("regular", "many"):
        size, share = of(evidence, who, "size")
        assert size["value"] + size["rest"] == 259
        assert share["value"] == pytest.approx(size["value"] / 259)


def test_what_sets_the_persona_apart_most_comes_first(evidence: list[dict[str, Any]]) -> None:
    for topic in ("category", "department"):
        rows = [row for row in of(evidence, "many", topic) if row["is_shown"]]
        apart = [row["value"] - row["rest"] for row in sorted(rows, key=lambda row: row["position"])]
        assert len(apart) >= 2
        assert apart == sorted(apart, reverse=True)


def test_every_item_of_a_topic_has_a_place_of_its_own(evidence: list[dict[str, Any]]) -> None:
    for who in ("regular", "few", "many"):
        for topic in {row["topic"] for row in evidence}:
            rows = of(evidence, who, topic)
            assert len({(row["position"], row["item"]) for row in rows}) == len(rows)


def test_evidence_and_coverage_are_of_the_last_day_whatever_was_measured_before(measured: Measured) -> None:
    def tables(*runs: Days) -> list[list[tuple[Any, ...]]]:
        connection = measured([persona("regular"), persona("many", segments=[linked("active")])], *runs)
        return [
            connection.execute(f"select * from metrics.{name} order by all").fetchall()
            for name in ("persona_claims", "persona_evidence", "persona_coverage")
        ]

    at_once = tables(Days(FIRST, THIRD))
    assert tables(*(Days(day, day) for day in DAYS)) == at_once
    assert tables(Days(SECOND, THIRD), Days(FIRST, THIRD), LAST_DAY) == at_once


def test_a_night_without_any_persona_has_empty_tables(measured: Measured) -> None:
    connection = measured([])
    for table in PERSONA_TABLES:
        if table.name != "metrics.persona_coverage":
            assert connection.execute(table.query).fetchall() == [], table.name


def test_a_persona_whose_file_was_gone_for_a_night_has_her_history_again(measured: Measured) -> None:
    asked = "select count(distinct as_of_date) from ({}) where persona = 'regular'".format(
        next(table.query for table in PERSONA_TABLES if table.name == "metrics.persona_claims")
    )
    ((before,),) = measured([persona("regular")], Days(FIRST, THIRD)).execute(asked).fetchall()
    measured([], Days(THIRD, THIRD))
    assert measured([persona("regular")], Days(THIRD, THIRD)).execute(asked).fetchall() == [(before,)]


def test_a_persona_that_names_a_segment_there_is_not_is_held_with_the_reason(measured: Measured) -> None:
    connection = measured([persona("regular")])
    measured([persona("regular", name="Anew", segments=[linked("aged_65_and_overr")])])
    [(name, since, because)] = connection.execute(
        "select name, held_since, held_because from metrics.personas"
    ).fetchall()
    assert (name, since) == ("Walter", THIRD)
    assert because.startswith("personas/regular.yml: `segments` names the segment aged_65_and_overr")
    assert "aged_65_and_over" in because


def test_dates_are_dates(evidence: list[dict[str, Any]]) -> None:
    assert {row["as_of_date"] for row in evidence} == {date(2024, 3, 11)}
