"""The profile of an extract lies in the archive with its rows, and is read from there alone."""

from __future__ import annotations

import json
from datetime import date

from expectations.contracts import EXTRACT_TABLES
from orchestration.ingest.archive import partition, register_archive
from orchestration.validate.profile import Profile
from tests.builders import CUSTOMERS, MARKER, ORDER_LINES, as_csv, customer, order_line
from tests.ingest.conftest import DAY, NEXT_DAY, Counter


def profiles_in(counter: Counter) -> dict[tuple[str, date], Profile]:
    register_archive(counter.connection, counter.home.archive)
    rows = counter.connection.execute("select source || '/' || table_name, extract_date, profile from quality.profiles")
    return {(table_id, day): Profile.from_json(json.loads(said)) for table_id, day, said in rows.fetchall()}


def test_an_archive_without_extracts_has_no_profiles(counter: Counter) -> None:
    assert profiles_in(counter) == {}


def test_each_archived_extract_has_the_profile_of_its_accepted_rows(counter: Counter) -> None:
    people = [customer(f"C{number}", region='Ohio\' "é"') for number in range(6)]
    counter.take(CUSTOMERS, f"{DAY}.csv", as_csv(CUSTOMERS, [*people, customer(""), customer("C7", gender="M")]))
    counter.take(ORDER_LINES, f"{DAY}.csv", as_csv(ORDER_LINES, [order_line("L1", ordered_at=f"{DAY} 17:45:00")]))
    found = profiles_in(counter)
    assert set(found) == {(CUSTOMERS, DAY), (ORDER_LINES, DAY)}
    of_customers, of_lines = found[CUSTOMERS, DAY], found[ORDER_LINES, DAY]
    assert (of_customers.rows, of_customers.columns["gender"].nulls) == (7, 1)
    assert of_customers.columns["region"].frequent == {'Ohio\' "é"': 6}
    assert (of_lines.on_the_day, of_lines.newest_on, of_lines.median_hour) == (1, DAY, 12.75)


def test_an_extract_without_rows_has_a_profile_and_a_day_without_extract_has_none(counter: Counter) -> None:
    counter.take(CUSTOMERS, f"{DAY}.csv", as_csv(CUSTOMERS, []))
    assert {key: found.rows for key, found in profiles_in(counter).items()} == {(CUSTOMERS, DAY): 0}


def test_a_corrected_extract_has_the_profile_of_its_correction(counter: Counter) -> None:
    for people in (1, 3):
        rows = [customer(f"C{number}") for number in range(people)]
        counter.take(CUSTOMERS, f"{DAY}.csv", as_csv(CUSTOMERS, rows))
    assert profiles_in(counter)[CUSTOMERS, DAY].rows == 3


def test_a_file_from_before_there_were_profiles_has_none_and_keeps_its_rows_and_quality(counter: Counter) -> None:
    for day in (DAY, NEXT_DAY):
        counter.take(CUSTOMERS, f"{day}.csv", as_csv(CUSTOMERS, [customer("C1")]))
    file = partition(counter.home.archive, EXTRACT_TABLES[CUSTOMERS], DAY)
    quality = counter.quality(CUSTOMERS)
    notes = counter.connection.execute(
        f"select decode(key), decode(value) from parquet_kv_metadata('{file}')"
    ).fetchall()
    kept = ", ".join(f"{key}: $${value}$$" for key, value in notes if key in ("origin", "quality"))
    counter.connection.execute(f"create table rows as from read_parquet('{file}', hive_partitioning = false)")
    counter.connection.execute(f"copy rows to '{file}' (format parquet, kv_metadata {{{kept}}})")
    assert set(profiles_in(counter)) == {(CUSTOMERS, NEXT_DAY)}
    assert counter.quality(CUSTOMERS) == quality
    assert len(counter.accepted(CUSTOMERS)) == 1


def test_an_address_is_in_the_rows_of_an_archive_file_and_not_in_its_profile(counter: Counter) -> None:
    counter.take(
        CUSTOMERS, f"{DAY}.csv", as_csv(CUSTOMERS, [customer(f"C{number}", region=MARKER) for number in range(9)])
    )
    profiles_in(counter)
    [(said,)] = counter.connection.execute("select profile from quality.profiles").fetchall()
    assert MARKER not in said
    assert counter.accepted(CUSTOMERS)[0]["email"] == MARKER
