"""Each fault does to an extract what it declares: compared are two files, the one as it should be and the one with the fault."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pytest

from expectations.contracts import EXTRACT_TABLES, ExtractTable
from orchestration.days import ONE_DAY
from orchestration.drill.faults import CUSTOMERS, FAULTS, ORDER_LINES, Fault
from orchestration.drill.opt_in_case import OPT_IN_GOES_MISSING
from orchestration.drill.planting import Tonight, write_extract
from orchestration.settings import Home
from orchestration.sql import literal
from tests.builders import Company, customer, drop_company, order_line

DAY = date(2024, 1, 9)
REGIONS = ("Ohio", "Ohio", "Texas", "Iowa", "")


def people(day: date, *numbers: int) -> list[dict[str, str]]:
    return [
        customer(
            f"C{number:02}",
            gender=("male", "female", "other", "")[number % 4],
            birth_date=f"{1950 + number}-03-0{1 + number % 9}",
            region=REGIONS[number % len(REGIONS)],
            email_opt_in=str(number % 3 == 0).lower(),
            sms_opt_in=str(number % 2 == 0).lower(),
            household_size=str(1 + day.day % 5),
        )
        for number in numbers
    ]


def lines(day: date) -> list[dict[str, str]]:
    return [
        order_line(
            f"{day}-{number:02}",
            customer_id=f"C{number:02}",
            product_id=f"P{number % 3}",
            ordered_at=f"{day} {number:02}:15:00",
            amount=f"{5 + number}.98",
        )
        for number in range(20)
    ]


COMPANY: Company = {
    CUSTOMERS.id: {
        DAY - ONE_DAY: people(DAY - ONE_DAY, *range(20)),
        DAY: people(DAY, 3, 11),
    },
    ORDER_LINES.id: {DAY - ONE_DAY: lines(DAY - ONE_DAY), DAY: lines(DAY)},
}


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("company"))
    drop_company(home, COMPANY)
    return home


@pytest.fixture
def copy(tmp_path: Path) -> Home:
    """A copy that has yesterday's extracts, and its archive."""
    home = Home(tmp_path / "copy")
    drop_company(home, {table: {DAY - ONE_DAY: rows[DAY - ONE_DAY]} for table, rows in COMPANY.items()})
    with duckdb.connect() as connection:
        for table in (CUSTOMERS, ORDER_LINES):
            path = home.archive / table.id / f"extract_date={DAY - ONE_DAY}" / "data.parquet"
            path.parent.mkdir(parents=True)
            connection.execute(f"copy ({_typed(table, home)}) to {literal(path)} (format parquet)")
    return home


def _typed(table: ExtractTable, home: Home) -> str:
    file = literal(home.extracts / table.id / f"{DAY - ONE_DAY}.csv")
    columns = ", ".join(
        f"string_split({column}, ';') as {column}" if type_ == "VARCHAR[]" else f"{column}::{type_} as {column}"
        for column, type_ in table.columns.items()
    )
    return f"select {columns} from read_csv({file}, all_varchar = true)"


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def planted(company: Home, copy: Home, fault: Fault) -> Path:
    Tonight(company, DAY).plant(copy, fault)
    [path] = (copy.extracts / fault.table.id).glob(f"{DAY}.*")
    return path


def values(path: Path) -> dict[str, list[str | None]]:
    """Every column of a file as texts, in the order of its rows."""
    read = "read_parquet" if path.suffix == ".parquet" else "read_csv"
    options = "" if path.suffix == ".parquet" else ", all_varchar = true"
    with duckdb.connect() as connection:
        found = connection.execute(f"select columns(*)::varchar from {read}({literal(path)}{options})")
        names = [column[0] for column in found.description or []]
        return dict(zip(names, map(list, zip(*found.fetchall(), strict=True)), strict=False)) or {
            name: [] for name in names
        }


def as_it_should_be(company: Home, copy: Home, fault: Fault) -> dict[str, list[str | None]]:
    clean = replace(fault, rows="from extract", damage=None, same_file=False)
    return values(planted(company, copy, clean))


WITH_ROWS = [fault for fault in FAULTS.values() if not fault.damage and not fault.same_file]


@pytest.mark.parametrize(
    "fault", [fault for fault in [*WITH_ROWS, OPT_IN_GOES_MISSING] if fault.columns], ids=lambda fault: fault.name
)
def test_exactly_the_declared_columns_are_wrong(company: Home, copy: Home, fault: Fault) -> None:
    good = as_it_should_be(company, copy, fault)
    bad = values(planted(company, copy, fault))
    assert {column for column in good if bad.get(column) != good[column]} == set(fault.columns)
    assert {len(column) for column in bad.values()} == {len(column) for column in good.values()}


@pytest.mark.parametrize("fault", [fault for fault in WITH_ROWS if not fault.columns], ids=lambda fault: fault.name)
def test_a_fault_of_rows_changes_which_rows_there_are_and_no_column(company: Home, copy: Home, fault: Fault) -> None:
    good = as_it_should_be(company, copy, fault)
    bad = values(planted(company, copy, fault))
    assert list(bad) == list(good)
    assert len(bad[fault.table.key[0]]) != len(good[fault.table.key[0]])


@pytest.mark.parametrize("fault", [fault for fault in FAULTS.values() if fault.same_file], ids=lambda fault: fault.name)
def test_yesterdays_file_comes_again_byte_for_byte(company: Home, copy: Home, fault: Fault) -> None:
    yesterday = company.extracts / fault.table.id / f"{DAY - ONE_DAY}.csv"
    assert planted(company, copy, fault).read_bytes() == yesterday.read_bytes()


def test_a_file_that_is_cut_short_cannot_be_read(company: Home, copy: Home) -> None:
    with pytest.raises(duckdb.Error):
        values(planted(company, copy, FAULTS["order_lines_cut_short"]))


def test_the_whole_base_is_everybody_as_last_known(company: Home, copy: Home) -> None:
    Tonight(company, DAY).drop_whole_base(copy)
    found = values(copy.extracts / CUSTOMERS.id / f"{DAY}.parquet")
    assert found["customer_id"] == [f"C{number:02}" for number in range(20)]
    changed = [str(1 + DAY.day % 5) if number in (3, 11) else str(1 + (DAY.day - 1) % 5) for number in range(20)]
    assert found["household_size"] == changed


def test_all_other_extracts_of_the_night_are_as_they_are(company: Home, copy: Home) -> None:
    planted(company, copy, FAULTS["gender_emptied"])
    name = f"{ORDER_LINES.id}/{DAY}.csv"
    assert (copy.extracts / name).read_bytes() == (company.extracts / name).read_bytes()


def test_the_opt_in_goes_missing_in_93_percent_of_the_rows(tmp_path: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute(
            "create table extract as select 'C' || range as customer_id, true as email_opt_in from range(1000)"
        )
        write_extract(connection, OPT_IN_GOES_MISSING, tmp_path / "x.parquet")
    opt_ins = values(tmp_path / "x.parquet")["email_opt_in"]
    assert (len(opt_ins), opt_ins.count(None)) == (1000, 930)


def test_there_are_enough_faults_and_each_is_told_in_a_sentence() -> None:
    assert len(FAULTS) >= 28
    assert {fault.table.id for fault in FAULTS.values()} == {CUSTOMERS.id, ORDER_LINES.id}
    assert len({fault.sentence for fault in FAULTS.values()}) >= len(FAULTS) - 2
    assert all(fault.sentence.endswith(".") for fault in FAULTS.values())


@pytest.mark.parametrize("fault", FAULTS.values(), ids=lambda fault: fault.name)
def test_a_fault_names_columns_of_its_table(fault: Fault) -> None:
    assert set(fault.columns) <= set(EXTRACT_TABLES[fault.table.id].columns)
    assert fault.raw_columns
