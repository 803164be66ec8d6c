"""What the accepted rows of an extract look like: exact figures, the same each time, and no value that tells who a customer is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path

import duckdb
import pytest

from expectations.contracts import EXTRACT_TABLES
from orchestration.validate import profile
from orchestration.validate.judging import judge
from orchestration.validate.profile import ColumnProfile, Profile, profiles
from tests.expectations.clean_rows import DAY, NEXT_DAY, PLANTED, Row, land

Connection = duckdb.DuckDBPyConnection

CUSTOMERS, ORDER_LINES = "crm/customers", "shop/order_lines"
NEW_YORK = "America/New_York"


@pytest.fixture
def connection() -> Iterator[Connection]:
    with duckdb.connect() as connection:
        yield connection


def profiles_of(
    connection: Connection, table_id: str, extracts: dict[date, Sequence[Row]], timezone: str = "UTC"
) -> dict[date, Profile]:
    """The profiles of the extracts once judged; the rows of each get a key of their own unless they say one."""
    key = EXTRACT_TABLES[table_id].key[0]
    keyed = {day: [{key: f"K{number}"} | row for number, row in enumerate(rows)] for day, rows in extracts.items()}
    relation = land(connection, table_id, keyed)
    table = EXTRACT_TABLES[table_id]
    judge(connection, relation, table, business_timezone=timezone, days=list(extracts))
    return profiles(connection, relation, table, business_timezone=timezone, days=list(extracts))


def customers(connection: Connection, rows: Sequence[Row]) -> Profile:
    return profiles_of(connection, CUSTOMERS, {DAY: rows})[DAY]


def lines(connection: Connection, rows: Sequence[Row], timezone: str = "UTC") -> Profile:
    return profiles_of(connection, ORDER_LINES, {DAY: rows}, timezone)[DAY]


def made_up_lines(connection: Connection, rows: int, day: date = DAY) -> str:
    """So many judged lines of a day; their amounts go from 0.00 upwards in cents, each once."""
    relation = land(connection, ORDER_LINES, {})
    connection.execute(
        f"insert into {relation} by name select 'L' || n as order_line_id, 'O' || n // 4 as order_id, 'C' || n % 977 as customer_id, "
        "'P' || n % 31 as product_id, $day + to_seconds(n * 7919 % 86400) as ordered_at, (n % 7) / 3 as quantity, n / 100 as amount, "
        "(n * 7919 % 100) / 100 as discount, $day as extract_date, n as file_row from range($rows) as numbers (n)",
        {"rows": rows, "day": day},
    )
    return relation


def test_a_number_has_its_least_greatest_mean_and_quantiles(connection: Connection) -> None:
    amounts = [{"amount": amount} for amount in (0.1, 0.2, 0.3, 0.4, 10)]
    amount = lines(connection, amounts).columns["amount"]
    assert amount == ColumnProfile(
        nulls=0, distinct=5, least=0.1, greatest=10.0, mean=2.2, quantiles=[0.1, 0.2, 0.3, 0.4, 10.0], zeros=0
    )


def test_a_date_has_them_too_as_text(connection: Connection) -> None:
    born = [*[date(1960, 1, 1), date(1980, 2, 29), date(1980, 3, 2)] * 2, None]
    birth_date = customers(connection, [{"birth_date": day} for day in born]).columns["birth_date"]
    assert birth_date == ColumnProfile(
        nulls=1,
        distinct=3,
        least="1960-01-01",
        greatest="1980-03-02",
        mean="1973-06-11",
        quantiles=["1960-01-01", "1960-01-01", "1980-02-29", "1980-03-02", "1980-03-02"],
    )


def test_the_spread_of_a_few_values_is_a_customer_s_own_and_is_left_out(connection: Connection) -> None:
    few = customers(connection, [{"birth_date": date(1960, 1, 1)}] * 4).columns["birth_date"]
    assert few == ColumnProfile(nulls=0, distinct=1)


def test_a_time_is_kept_in_utc(connection: Connection) -> None:
    times = [datetime(2017, 3, 1, 6), datetime(2017, 3, 1, 9)] * 3
    ordered_at = lines(connection, [{"ordered_at": at} for at in times], NEW_YORK).columns["ordered_at"]
    assert (ordered_at.least, ordered_at.mean) == ("2017-03-01 06:00:00", "2017-03-01 07:30:00")


def test_no_value_a_blank_text_and_an_empty_list_are_nulls(connection: Connection) -> None:
    rows: list[Row] = [{"region": None, "interests": None}, {"region": " ", "interests": []}, {}]
    columns = customers(connection, rows).columns
    assert (columns["region"].nulls, columns["interests"].nulls) == (2, 2)
    assert (columns["region"].distinct, columns["interests"].distinct) == (1, 1)


def test_a_boolean_counts_both_values_whatever_their_number(connection: Connection) -> None:
    rows = [{"email_opt_in": True}, {"email_opt_in": True}, {"email_opt_in": None}]
    email_opt_in = customers(connection, rows).columns["email_opt_in"]
    assert email_opt_in == ColumnProfile(nulls=1, distinct=1, frequent={"true": 2, "false": 0})


def test_a_category_lists_its_values_by_rows_and_then_by_name(connection: Connection) -> None:
    regions = ["Utah"] * 5 + ["Ohio"] * 5 + ["Iowa"] * 6 + ["Maine"] * 4
    region = customers(connection, [{"region": name} for name in regions]).columns["region"]
    assert list((region.frequent or {}).items()) == [("Iowa", 6), ("Ohio", 5), ("Utah", 5)]
    assert region.distinct == 4


def test_a_category_lists_its_forty_most_frequent_values(connection: Connection) -> None:
    regions = [f"{number:02}" for number in range(41) for _ in range(5)] + ["40"]
    region = customers(connection, [{"region": name} for name in regions]).columns["region"]
    assert list(region.frequent or {}) == ["40", *(f"{number:02}" for number in range(39))]


def test_refused_rows_do_not_count_and_an_emptied_value_counts_as_none(connection: Connection) -> None:
    rows: list[Row] = [{"customer_id": None, "household_size": 9}, {"household_size": 0}, *[{"household_size": 2}] * 5]
    found = customers(connection, rows)
    household_size = found.columns["household_size"]
    assert found.rows == 6
    assert (household_size.nulls, household_size.least, household_size.greatest) == (1, 2.0, 2.0)


def test_the_columns_stand_in_the_order_of_the_contract(connection: Connection) -> None:
    assert list(customers(connection, [{}]).columns) == list(EXTRACT_TABLES[CUSTOMERS].columns)


@pytest.mark.parametrize("table_id", list(EXTRACT_TABLES))
def test_a_day_without_rows_has_a_profile_of_zeros(connection: Connection, table_id: str) -> None:
    found = profiles_of(connection, table_id, {DAY: [{}], NEXT_DAY: []})
    assert (found[DAY].rows, found[NEXT_DAY].rows) == (1, 0)
    assert list(found[NEXT_DAY].columns) == list(EXTRACT_TABLES[table_id].columns)
    assert {(column.nulls, column.distinct, column.least) for column in found[NEXT_DAY].columns.values()} == {
        (0, 0, None)
    }
    assert found[NEXT_DAY].on_the_day == (0 if EXTRACT_TABLES[table_id].happened_at else None)


def test_events_are_on_the_day_by_the_business_time_zone(connection: Connection) -> None:
    """In New York the first is of the evening before, and the last of the last minute of the day."""
    times = [datetime(2017, 3, 1, 4, 59), datetime(2017, 3, 1, 19, 30), datetime(2017, 3, 2, 4, 59)]
    rows = [{"ordered_at": at} for at in times]
    assert _events(lines(connection, rows, NEW_YORK)) == (2, DAY, 23 + 59 / 60)
    assert _events(lines(connection, rows[:2], "UTC")) == (2, DAY, 4 + 59 / 60)


def test_a_late_extract_has_nothing_on_the_day(connection: Connection) -> None:
    rows = [{"ordered_at": datetime(2017, 2, day, 14, 30, 59)} for day in (26, 27, 28)]
    assert _events(lines(connection, rows)) == (0, date(2017, 2, 28), 14.5)


def test_a_table_without_events_says_nothing_of_them(connection: Connection) -> None:
    assert _events(customers(connection, [{}])) == (None, None, None)


def test_an_address_in_any_column_of_text_is_not_in_the_profile(connection: Connection) -> None:
    of_text = [name for name, type_ in EXTRACT_TABLES[CUSTOMERS].columns.items() if type_ == "VARCHAR"]
    free = [name for name in of_text if name not in ("gender", "preferred_channel")]
    rows: list[Row] = [dict.fromkeys(free, PLANTED), *({"region": PLANTED} for _ in range(9)), *({} for _ in range(9))]
    found = customers(connection, [*rows, {"gender": PLANTED, "interests": [PLANTED], "preferred_channel": PLANTED}])
    assert found.rows == 20
    assert PLANTED not in json.dumps(found.as_json())
    assert found.columns["region"].frequent == {"Ohio": 10}


def test_a_category_s_value_that_few_rows_have_is_not_in_the_profile(connection: Connection) -> None:
    found = customers(connection, [{"region": "5 Elm Street"}] * 4 + [{"region": "Ohio"}] * 5)
    assert "Elm" not in json.dumps(found.as_json())


@pytest.mark.parametrize("table_id", list(EXTRACT_TABLES))
def test_text_that_is_no_category_is_only_counted(connection: Connection, table_id: str) -> None:
    table = EXTRACT_TABLES[table_id]
    found = profiles_of(connection, table_id, {DAY: [{} for _ in range(10)]})[DAY]
    told = {name for name, column in found.columns.items() if set(column.as_json()) != {"nulls", "distinct"}}
    assert told == {
        name for name, type_ in table.columns.items() if not type_.startswith("VARCHAR") or name in table.categories
    }


def test_the_categories_are_columns_of_text_and_no_one_s_key_or_address() -> None:
    for table in EXTRACT_TABLES.values():
        assert {table.columns[column] for column in table.categories} <= {"VARCHAR"}
        assert not {"customer_id", "email"} & set(table.categories)
        assert table.happened_at is None or table.columns[table.happened_at] == "TIMESTAMP"


def test_a_profile_is_the_same_from_one_thread_and_from_two(tmp_path: Path) -> None:
    found = []
    for threads in (1, 2, 2):
        with duckdb.connect(tmp_path / f"{len(found)}.duckdb", config={"threads": threads}) as connection:
            relation = made_up_lines(connection, 300_000)
            found.append(_profile_of_lines(connection, relation))
    assert found[0] == found[1] == found[2]


def test_a_profile_does_not_depend_on_the_days_it_is_measured_with(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(profile, "ROWS_MEASURED_WHOLE", 1_000)
    alone = _profile_of_lines(connection, made_up_lines(connection, 1_000))
    relation = made_up_lines(connection, 1_000)
    connection.execute(f"insert into {relation} select * replace (date '{NEXT_DAY}' as extract_date) from {relation}")
    assert _profile_of_lines(connection, relation) == alone


def test_quantiles_of_a_large_extract_are_those_of_one_row_in_ten(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    relation = made_up_lines(connection, 100_000)
    exact = _profile_of_lines(connection, relation).columns["amount"]
    assert exact.quantiles == [49.99, 249.99, 499.99, 749.99, 949.99]
    monkeypatch.setattr(profile, "ROWS_MEASURED_WHOLE", 99_999)
    sampled = _profile_of_lines(connection, relation).columns["amount"]
    assert sampled.quantiles != exact.quantiles
    assert sampled.quantiles == pytest.approx(exact.quantiles, abs=20)
    assert (sampled.least, sampled.greatest, sampled.mean) == (exact.least, exact.greatest, exact.mean)


def test_dates_that_no_calendar_has_stop_nothing(connection: Connection) -> None:
    relation = land(connection, CUSTOMERS, {DAY: [{}] * 6})
    connection.execute(
        f"update {relation} set birth_date = ['infinity', '-infinity', '200000-01-01'][1 + file_row % 3]::date, customer_id = file_row"
    )
    table = EXTRACT_TABLES[CUSTOMERS]
    birth_date = profiles(connection, relation, table, business_timezone=NEW_YORK, days=[])[DAY].columns["birth_date"]
    assert (birth_date.least, birth_date.greatest, birth_date.mean) == ("-infinity", "infinity", "200000-01-01")


@pytest.mark.parametrize("table_id", list(EXTRACT_TABLES))
def test_a_profile_comes_back_from_its_json_as_it_was(connection: Connection, table_id: str) -> None:
    for found in profiles_of(connection, table_id, {DAY: [{}] * 6, NEXT_DAY: []}).values():
        assert Profile.from_json(json.loads(json.dumps(found.as_json()))) == found


def _profile_of_lines(connection: Connection, relation: str) -> Profile:
    return profiles(connection, relation, EXTRACT_TABLES[ORDER_LINES], business_timezone=NEW_YORK, days=[DAY])[DAY]


def _events(found: Profile) -> tuple[int | None, date | None, float | None]:
    return found.on_the_day, found.newest_on, found.median_hour
