"""What is told of another program's error: the kind, the place, and no value, whatever DuckDB puts around it."""

from __future__ import annotations

import pytest

from orchestration.errors import WarehouseFailed, condition_of, without_values
from orchestration.settings import Home, Settings
from orchestration.warehouse import Warehouse

MARKER = 'O\'Brien "ann@marker.example"'
AMOUNT = "987654"


@pytest.fixture
def warehouse(home: Home) -> Warehouse:
    made = Warehouse(home, Settings())
    with made.connect() as connection:
        connection.execute("create table people (email varchar primary key, amount bigint, price decimal(18,2))")
        connection.execute("insert into people values (?, ?, ?)", [MARKER, AMOUNT, AMOUNT])
    return made


@pytest.mark.parametrize(
    "sql",
    [
        "select email::integer from people",
        "select email::date from people",
        "select email::json from people",
        "select email::integer[] from people",
        "select strptime(email, '%Y') from people",
        "select error(email) from people",
        "select error('Binder Error: ' || email) from people",
        "select regexp_matches('a', email || '(') from people",
        "select amount::tinyint from people",
        "select price::decimal(4, 2) from people",
        "select amount * 9223372036854775807 from people",
        "select make_date(amount, amount, amount) from people",
        "insert into people from people",
    ],
)
def test_an_error_about_a_row_is_told_without_the_row(sql: str, warehouse: Warehouse) -> None:
    with pytest.raises(WarehouseFailed) as told, warehouse.connect() as connection:
        connection.execute(sql).fetchall()
    assert "Error" in str(told.value)
    assert not [part for part in ("Brien", "ann", "marker", AMOUNT) if part in str(told.value)]
    assert told.value.__suppress_context__


def test_an_error_about_a_row_names_the_column(warehouse: Warehouse) -> None:
    with (
        pytest.raises(WarehouseFailed, match="Conversion Error in the column email"),
        warehouse.connect() as connection,
    ):
        connection.execute("select email::integer from people").fetchall()


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("select emial from people", 'Referenced column "emial" not found'),
        ("select email frm people", "syntax error"),
        ("select email from poeple", "Table with name poeple does not exist"),
    ],
)
def test_an_error_about_the_sql_is_told_whole(sql: str, told: str, warehouse: Warehouse) -> None:
    with pytest.raises(WarehouseFailed, match=told), warehouse.connect() as connection:
        connection.execute(sql)


def test_what_dbt_puts_around_an_error_says_which_model() -> None:
    said = (
        "Runtime Error in model int_customers (models/int_customers.sql)\n"
        "  Conversion Error: Could not convert string 'ann@marker.example' to INT32 when casting from source column email\n"
        "  \n  LINE 12: select email::int\n                ^"
    )
    assert without_values(said) == (
        "Runtime Error in model int_customers (models/int_customers.sql) Conversion Error in the column email "
        "(its words are left out: they may quote a customer)"
    )


def test_dbt_s_own_words_are_told_whole() -> None:
    said = "Compilation Error in model active (models/segments/active.sql)\n  'foo' is undefined"
    assert without_values(said) == "Compilation Error in model active (models/segments/active.sql) 'foo' is undefined"


def test_a_file_that_is_no_warehouse_is_told_with_the_remedy(home: Home) -> None:
    home.path.mkdir()
    home.warehouse.write_bytes(b"not a database")
    with pytest.raises(WarehouseFailed, match="segments rebuild"), Warehouse(home, Settings()).connect():
        raise AssertionError("it was opened")


def test_an_error_that_is_not_duckdb_s_goes_through_as_it_is(warehouse: Warehouse) -> None:
    with pytest.raises(KeyError), warehouse.connect():
        raise KeyError("a mistake of ours")


@pytest.mark.parametrize("said", [f"[CAST_INVALID_INPUT] The value '{MARKER}' of the type", f"Job aborted: {MARKER}"])
def test_of_what_spark_says_the_kind_alone_is_told(said: str) -> None:
    assert "marker" not in condition_of(said)
    assert ("CAST_INVALID_INPUT" in condition_of(said)) == ("CAST" in said)
