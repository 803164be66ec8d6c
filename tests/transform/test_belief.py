"""What findings mean for the segments: exactly those are held that depend on a column, and what is released is used."""

from __future__ import annotations

from datetime import date

import duckdb
import pytest

from orchestration.transform.belief import write_held_segments, write_left_out
from orchestration.transform.lineage import RawColumn
from orchestration.validate.findings import Finding
from orchestration.validate.overrides import Doubt, Override

DAY = date(2024, 5, 12)
LINEAGE = {
    "reach": frozenset({RawColumn("crm", "customers", "email_opt_in"), RawColumn("crm", "customers", "customer_id")}),
    "men": frozenset({RawColumn("crm", "customers", "gender"), RawColumn("crm", "customers", "customer_id")}),
}


def finding(*columns: str, leaves_out: bool = True, until: date | None = None) -> Finding:
    return Finding("crm/customers", DAY, "digest", "rule", columns, f"{columns[0]} was empty", leaves_out, until)


def override(segment: str, column: str, digest: str = "digest") -> Override:
    doubt = Doubt("crm/customers", DAY, digest, (column,))
    return Override(segment, "ann", "2024-05-13T08:00:00", "it is so", (), (doubt,))


@pytest.fixture
def connection() -> duckdb.DuckDBPyConnection:
    made = duckdb.connect()
    made.execute("create schema refresh")
    return made


def held(connection: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    return connection.execute(
        "select segment, held_from, held_until, because from refresh.held_segments order by number"
    ).fetchall()


def test_exactly_the_segments_that_depend_on_a_column_are_held(connection: duckdb.DuckDBPyConnection) -> None:
    write_held_segments(connection, [finding("email_opt_in"), finding("region")], [], LINEAGE)
    assert held(connection) == [("reach", DAY, None, "email_opt_in was empty")]


def test_a_finding_about_everybody_holds_all(connection: duckdb.DuckDBPyConnection) -> None:
    write_held_segments(connection, [finding("customer_id", until=date(2024, 5, 13))], [], LINEAGE)
    assert [row[:3] for row in held(connection)] == [(name, DAY, date(2024, 5, 13)) for name in ("men", "reach")]


def test_a_released_segment_is_not_held_for_that_extract_and_the_others_still_are(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    write_held_segments(connection, [finding("customer_id")], [override("men", "customer_id")], LINEAGE)
    assert [row[0] for row in held(connection)] == ["reach"]


def test_an_extract_that_was_corrected_since_is_judged_anew(connection: duckdb.DuckDBPyConnection) -> None:
    write_held_segments(
        connection, [finding("gender")], [override("men", "gender", digest="of the first version")], LINEAGE
    )
    assert [row[0] for row in held(connection)] == ["men"]


def test_values_are_left_out_unless_rows_are_only_missing_or_somebody_released_the_extract(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    write_left_out(connection, [finding("gender"), finding("region"), finding("country", leaves_out=False)], ())
    assert connection.execute("from refresh.left_out").fetchall() == [("crm/customers", DAY, ["gender", "region"])]
    doubted = [finding("gender"), finding("region")]
    write_left_out(connection, doubted, {finding("gender").doubt})
    assert connection.execute("from refresh.left_out").fetchall() == [("crm/customers", DAY, ["region"])]
