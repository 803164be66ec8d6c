"""Files that are odd as files: where they can be read they are, and where not the sentence says why. Nothing is lost."""

from __future__ import annotations

import gzip
from datetime import date
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from expectations.contracts import EXTRACT_TABLES
from orchestration.days import Days
from orchestration.errors import ExtractMissing, ExtractUnreadable
from orchestration.ingest.archive import partition
from orchestration.ingest.assets import FILE_CHECK, check_results
from orchestration.instance import first_and_newest_day
from tests.builders import CUSTOMERS, MARKER, ORDER_LINES, PRODUCTS, as_csv, customer, drop, order_line
from tests.ingest.conftest import DAY, NEXT_DAY, Counter

PEOPLE = [customer("C1"), customer("C2", region="Québec, the old town"), customer("C3")]


def parquet(tmp_path: Path, select: str) -> bytes:
    path = tmp_path / "made.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"copy ({select}) to '{path}' (format parquet)")
    return path.read_bytes()


def sentence_of(refusal: pytest.ExceptionInfo[Exception]) -> str:
    """The message, which never quotes a customer."""
    message = str(refusal.value)
    assert MARKER not in message
    assert message.endswith(".")
    return message


def regions(counter: Counter, day: date = DAY) -> dict[str, str]:
    return {row["customer_id"]: row["region"] for row in counter.accepted(CUSTOMERS, day)}


def test_a_missing_required_extract_is_named_with_the_place_where_it_was_expected(counter: Counter) -> None:
    with pytest.raises(ExtractMissing) as refusal:
        counter.ingest(CUSTOMERS, Days(DAY, DAY))
    assert str(counter.home.extracts / "crm" / "customers" / f"{DAY}.parquet") in sentence_of(refusal)


def test_an_optional_extract_may_be_absent(counter: Counter) -> None:
    assert counter.ingest(PRODUCTS, Days(DAY, DAY)).new == []


def test_a_file_of_zero_bytes_is_a_day_without_rows(counter: Counter) -> None:
    counter.take(CUSTOMERS, f"{DAY}.csv", b"")
    assert counter.accepted(CUSTOMERS) == []
    assert set(counter.failed(CUSTOMERS)) == {"partition_has_rows"}


def test_a_file_of_nothing_but_a_header_is_a_day_without_rows(counter: Counter) -> None:
    counter.take(CUSTOMERS, f"{DAY}.csv", as_csv(CUSTOMERS, []))
    assert counter.accepted(CUSTOMERS) == []
    assert set(counter.failed(CUSTOMERS)) == {"partition_has_rows"}


def test_a_json_lines_file_of_nothing_but_a_line_end_is_a_day_without_rows(counter: Counter) -> None:
    counter.take(CUSTOMERS, f"{DAY}.jsonl", "\n")
    assert counter.accepted(CUSTOMERS) == []


def test_an_empty_gzip_is_a_day_without_rows(counter: Counter) -> None:
    counter.take(CUSTOMERS, f"{DAY}.csv.gz", gzip.compress(b""))
    assert counter.accepted(CUSTOMERS) == []


@pytest.mark.parametrize("text", ["\n", "\r\n \r\n"], ids=["line end", "blank lines"])
def test_a_csv_file_of_nothing_but_blank_lines_is_a_day_without_rows(counter: Counter, text: str) -> None:
    counter.take(CUSTOMERS, f"{DAY}.csv", text)
    assert set(counter.failed(CUSTOMERS)) == {"partition_has_rows"}


@pytest.mark.parametrize("name", [f"{DAY}.csv", f"{DAY}.csv.gz"])
def test_a_blank_line_before_the_header_stops_the_file(counter: Counter, name: str) -> None:
    lines = ("\n" + as_csv(CUSTOMERS, PEOPLE)).encode()
    with pytest.raises(ExtractUnreadable, match="begins with a blank line") as refusal:
        counter.take(CUSTOMERS, name, gzip.compress(lines) if name.endswith(".gz") else lines)
    sentence_of(refusal)
    assert counter.accepted(CUSTOMERS) == []


def test_a_file_without_its_header_stops_and_its_first_row_is_not_quoted(counter: Counter) -> None:
    _, *rows = as_csv(CUSTOMERS, PEOPLE).splitlines(keepends=True)
    with pytest.raises(ExtractUnreadable, match="does not name the columns of crm/customers") as refusal:
        counter.take(CUSTOMERS, f"{DAY}.csv", "".join(rows))
    assert "Ohio" not in sentence_of(refusal)
    assert "twice" not in str(refusal.value)


def test_a_parquet_file_of_zero_bytes_is_no_parquet(counter: Counter) -> None:
    with pytest.raises(ExtractUnreadable, match="cannot be read as parquet") as refusal:
        counter.take(CUSTOMERS, f"{DAY}.parquet", b"")
    sentence_of(refusal)


def test_a_parquet_file_without_rows_is_a_day_without_rows(counter: Counter, tmp_path: Path) -> None:
    columns = ", ".join(f"null::{type_} as {name}" for name, type_ in EXTRACT_TABLES[CUSTOMERS].columns.items())
    counter.take(CUSTOMERS, f"{DAY}.parquet", parquet(tmp_path, f"select {columns} where false"))
    assert set(counter.failed(CUSTOMERS)) == {"partition_has_rows"}


def test_a_truncated_parquet_file_is_refused_whole_and_stays_where_it_is(counter: Counter, tmp_path: Path) -> None:
    whole = parquet(tmp_path, f"select 'C' || range as customer_id, '{MARKER}' as email from range(1000)")
    with pytest.raises(ExtractUnreadable, match="cannot be read as parquet") as refusal:
        counter.take(CUSTOMERS, f"{DAY}.parquet", whole[: len(whole) // 2])
    assert f"crm/customers of {DAY}" in sentence_of(refusal)
    assert (counter.home.extracts / CUSTOMERS / f"{DAY}.parquet").exists()
    assert counter.accepted(CUSTOMERS) == []


def test_a_gzip_cut_short_is_refused_whole(counter: Counter) -> None:
    lines = as_csv(CUSTOMERS, [customer(f"C{number}", region=f"R{number * 7919}") for number in range(5000)])
    whole = gzip.compress(lines.encode())
    with pytest.raises(ExtractUnreadable, match=r"cannot be read as csv\.gz") as refusal:
        counter.take(CUSTOMERS, f"{DAY}.csv.gz", whole[: len(whole) // 2])
    sentence_of(refusal)
    assert counter.accepted(CUSTOMERS) == []


def test_a_parquet_file_that_is_no_parquet_is_refused_whole(counter: Counter) -> None:
    with pytest.raises(ExtractUnreadable, match="cannot be read as parquet") as refusal:
        counter.take(CUSTOMERS, f"{DAY}.parquet", as_csv(CUSTOMERS, PEOPLE))
    sentence_of(refusal)


def test_every_unreadable_file_is_named_at_once(counter: Counter) -> None:
    drop(counter.home, CUSTOMERS, f"{DAY}.parquet", b"PAR1 no more")
    with pytest.raises(ExtractUnreadable) as refusal:
        counter.take(CUSTOMERS, f"{NEXT_DAY}.parquet", b"PAR1 no more", Days(DAY, NEXT_DAY))
    assert str(DAY) in sentence_of(refusal)
    assert str(NEXT_DAY) in sentence_of(refusal)


@pytest.mark.parametrize(("delimiter", "name"), [(";", "semicolons"), ("\t", "tabs"), ("|", "bars")])
def test_another_delimiter_is_read_and_reported(counter: Counter, delimiter: str, name: str) -> None:
    people = [person | {"interests": "wine"} for person in PEOPLE]
    counter.take(CUSTOMERS, f"{DAY}.csv", as_csv(CUSTOMERS, people, delimiter=delimiter))
    assert regions(counter) == {"C1": "Ohio", "C2": "Québec, the old town", "C3": "Ohio"}
    assert counter.failed(CUSTOMERS) == {"columns_are_separated_by_commas": f"separated by {name}"}


def test_a_byte_order_mark_is_not_part_of_the_first_column(counter: Counter) -> None:
    counter.take(CUSTOMERS, f"{DAY}.csv", as_csv(CUSTOMERS, PEOPLE).encode("utf-8-sig"))
    assert set(regions(counter)) == {"C1", "C2", "C3"}
    assert counter.failed(CUSTOMERS) == {}


def test_latin_1_is_read_and_reported(counter: Counter) -> None:
    counter.take(CUSTOMERS, f"{DAY}.csv", as_csv(CUSTOMERS, PEOPLE).encode("latin-1"))
    assert regions(counter)["C2"] == "Québec, the old town"
    assert set(counter.failed(CUSTOMERS)) == {"text_is_utf8"}


def test_latin_1_in_a_gzip_is_read_and_reported(counter: Counter) -> None:
    counter.take(CUSTOMERS, f"{DAY}.csv.gz", gzip.compress(as_csv(CUSTOMERS, PEOPLE).encode("latin-1")))
    assert regions(counter)["C2"] == "Québec, the old town"
    assert set(counter.failed(CUSTOMERS)) == {"text_is_utf8"}


def test_crlf_ends_a_line_and_is_no_value(counter: Counter) -> None:
    counter.take(CUSTOMERS, f"{DAY}.csv", as_csv(CUSTOMERS, PEOPLE, line_end="\r\n"))
    assert {row["is_deleted"] for row in counter.accepted(CUSTOMERS)} == {False}
    assert counter.failed(CUSTOMERS) == {}


def test_crlf_in_a_file_whose_last_column_is_text(counter: Counter) -> None:
    columns = [name for name in PEOPLE[0] if name != "region"] + ["region"]
    people = [{name: person[name] for name in columns} for person in PEOPLE]
    header = ",".join(columns)
    lines = [",".join(f'"{value}"' for value in person.values()) for person in people]
    counter.take(CUSTOMERS, f"{DAY}.csv", "\r\n".join([header, *lines, ""]))
    assert regions(counter) == {"C1": "Ohio", "C2": "Québec, the old town", "C3": "Ohio"}


def test_the_check_of_a_file_tells_of_everything_that_is_odd_about_it(counter: Counter) -> None:
    lines = as_csv(CUSTOMERS, [person | {"interests": "wine"} for person in PEOPLE], delimiter=";")
    counter.take(CUSTOMERS, f"{DAY}.csv", lines.encode("latin-1"))
    results = check_results(dg.AssetKey("customers"), [], {DAY: counter.quality(CUSTOMERS)})
    [said] = [result.description for result in results if result.check_name == FILE_CHECK]
    assert said == f"{DAY}: separated by semicolons, read as Latin-1"


def test_the_days_of_a_home_are_those_of_well_named_extracts_and_of_the_archive(counter: Counter) -> None:
    drop(counter.home, CUSTOMERS, "2024-02-30.csv", "")
    drop(counter.home, CUSTOMERS, "2023-01-01.csv.part", "")
    drop(counter.home, CUSTOMERS, f"{NEXT_DAY}.csv.gz", b"")
    partition(counter.home.archive, EXTRACT_TABLES[PRODUCTS], DAY).parent.mkdir(parents=True)
    partition(counter.home.archive, EXTRACT_TABLES[PRODUCTS], DAY).touch()
    assert first_and_newest_day(counter.home) == (DAY, NEXT_DAY)


def test_a_quoted_newline_is_part_of_its_value(counter: Counter) -> None:
    counter.take(CUSTOMERS, f"{DAY}.csv", as_csv(CUSTOMERS, [customer("C1", region='West\n"End"'), customer("C2")]))
    assert regions(counter) == {"C1": 'West\n"End"', "C2": "Ohio"}


def test_a_missing_column_is_named_and_read_as_empty(counter: Counter) -> None:
    lines = as_csv(ORDER_LINES, [order_line("L1")]).replace(",amount,", ",").replace(",7.98,", ",")
    counter.take(ORDER_LINES, f"{DAY}.csv", lines)
    assert [line["amount"] for line in counter.accepted(ORDER_LINES)] == [None]
    assert counter.failed(ORDER_LINES)["every_column_is_in_the_file"] == "missing from the file"


def test_a_renamed_column_is_guessed(counter: Counter) -> None:
    counter.take(CUSTOMERS, f"{DAY}.csv", as_csv(CUSTOMERS, PEOPLE).replace("birth_date", "birthdate"))
    found = counter.failed(CUSTOMERS)["every_column_is_in_the_file"]
    assert found == "missing from the file (birthdate may be it, renamed)"


@pytest.mark.parametrize("name", ["id", "customerid"])
def test_without_its_key_a_file_cannot_be_read(counter: Counter, name: str) -> None:
    lines = as_csv(CUSTOMERS, PEOPLE).replace("customer_id", name)
    with pytest.raises(
        ExtractUnreadable, match=f"lacks the column customer_id.*{name} may be customer_id renamed"
    ) as refusal:
        counter.take(CUSTOMERS, f"{DAY}.csv", lines)
    sentence_of(refusal)


def test_a_column_given_twice_stops_the_file(counter: Counter) -> None:
    lines = as_csv(CUSTOMERS, PEOPLE).replace("country", "region")
    with pytest.raises(ExtractUnreadable, match="region twice") as refusal:
        counter.take(CUSTOMERS, f"{DAY}.csv", lines)
    sentence_of(refusal)


def test_an_extra_column_is_kept_out_and_reported(counter: Counter) -> None:
    counter.take(CUSTOMERS, f"{DAY}.csv", as_csv(CUSTOMERS, [customer("C1", store="Main street"), customer("C2")]))
    assert len(counter.accepted(CUSTOMERS)) == 2
    assert "store" not in counter.accepted(CUSTOMERS)[0]
    assert counter.failed(CUSTOMERS) == {"no_unknown_columns": "kept out: store"}


def test_columns_in_another_order_are_told_by_their_names(counter: Counter) -> None:
    rows = [{name: row[name] for name in reversed(row)} for row in (order_line("L1"), order_line("L2"))]
    lines = "\n".join([",".join(rows[0]), *(",".join(row.values()) for row in rows), ""])
    counter.take(ORDER_LINES, f"{DAY}.csv", lines)
    assert [row["order_line_id"] for row in counter.accepted(ORDER_LINES)] == ["L1", "L2"]


def test_two_files_of_one_day_are_a_question_and_no_choice(counter: Counter) -> None:
    drop(counter.home, CUSTOMERS, f"{DAY}.csv", as_csv(CUSTOMERS, PEOPLE))
    with pytest.raises(ExtractUnreadable, match=f"two files for {DAY}") as refusal:
        counter.take(CUSTOMERS, f"{DAY}.jsonl", "{}")
    sentence_of(refusal)


@pytest.mark.parametrize("name", ["customers.csv", "2024-02-30.csv", "20240309.csv", f"{DAY}.xlsx", f"{DAY} (1).csv"])
def test_a_badly_named_file_is_not_passed_over_in_silence(counter: Counter, name: str) -> None:
    drop(counter.home, CUSTOMERS, name, as_csv(CUSTOMERS, PEOPLE))
    with pytest.raises(ExtractUnreadable, match="is not named") as refusal:
        counter.ingest(CUSTOMERS, Days(DAY, DAY))
    assert name in sentence_of(refusal)


@pytest.mark.parametrize("name", [f".{DAY}.csv", f"_{DAY}.csv", f"{DAY}.csv.part", f"{DAY}.csv.tmp"])
def test_a_file_still_being_written_is_left_alone(counter: Counter, name: str) -> None:
    drop(counter.home, CUSTOMERS, name, as_csv(CUSTOMERS, PEOPLE))
    with pytest.raises(ExtractMissing):
        counter.ingest(CUSTOMERS, Days(DAY, DAY))


def test_the_same_file_twice_changes_nothing(counter: Counter) -> None:
    counter.take(CUSTOMERS, f"{DAY}.csv", as_csv(CUSTOMERS, PEOPLE))
    archived = next(counter.home.archive.rglob("data.parquet"))
    before = archived.stat().st_mtime_ns
    assert counter.take(CUSTOMERS, f"{DAY}.csv", as_csv(CUSTOMERS, PEOPLE)).new == []
    assert archived.stat().st_mtime_ns == before


def test_yesterdays_file_again_is_read_and_reported(counter: Counter) -> None:
    counter.take(CUSTOMERS, f"{DAY}.csv", as_csv(CUSTOMERS, PEOPLE))
    counter.take(CUSTOMERS, f"{NEXT_DAY}.csv", as_csv(CUSTOMERS, PEOPLE))
    assert len(counter.accepted(CUSTOMERS, NEXT_DAY)) == 3
    assert set(counter.failed(CUSTOMERS, NEXT_DAY)) == {"is_not_the_file_of_the_day_before"}


def test_yesterdays_file_delivered_late_is_seen_to_be_todays_again(counter: Counter) -> None:
    """In any order the same: the day that follows is judged against a day before that came after it."""
    counter.take(CUSTOMERS, f"{NEXT_DAY}.csv", as_csv(CUSTOMERS, PEOPLE))
    counter.take(CUSTOMERS, f"{DAY}.csv", as_csv(CUSTOMERS, PEOPLE), Days(NEXT_DAY, NEXT_DAY))
    assert set(counter.failed(CUSTOMERS, NEXT_DAY)) == {"is_not_the_file_of_the_day_before"}


def test_a_corrected_file_replaces_what_it_corrects(counter: Counter) -> None:
    broken = [customer("C1"), customer("C2", is_deleted="yesterday")]
    counter.take(CUSTOMERS, f"{DAY}.csv", as_csv(CUSTOMERS, broken))
    assert len(counter.refused(CUSTOMERS)) == 1
    assert counter.take(CUSTOMERS, f"{DAY}.csv", as_csv(CUSTOMERS, PEOPLE)).new == [DAY]
    assert (len(counter.accepted(CUSTOMERS)), counter.refused(CUSTOMERS)) == (3, [])


def test_a_correction_in_another_format_replaces_what_it_corrects(counter: Counter) -> None:
    wrong = drop(counter.home, CUSTOMERS, f"{DAY}.csv", as_csv(CUSTOMERS, PEOPLE))
    counter.ingest(CUSTOMERS, Days(DAY, DAY))
    wrong.unlink()
    counter.take(CUSTOMERS, f"{DAY}.csv.gz", gzip.compress(as_csv(CUSTOMERS, PEOPLE[:1]).encode()))
    assert set(regions(counter)) == {"C1"}


def test_an_extract_that_was_cleared_away_after_its_night_is_still_there(counter: Counter) -> None:
    counter.take(CUSTOMERS, f"{DAY}.csv", as_csv(CUSTOMERS, PEOPLE))
    (counter.home.extracts / CUSTOMERS / f"{DAY}.csv").unlink()
    assert counter.ingest(CUSTOMERS, Days(DAY, DAY)).new == []
    assert len(counter.accepted(CUSTOMERS)) == 3
