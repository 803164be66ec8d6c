"""The demo company's year after one refresh: every day counted, the release lawful, the planted dirt seen and set aside."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import duckdb
import pytest

from orchestration.demo import PLANTED, Planted
from orchestration.settings import Home
from tests.builders import CUSTOMERS, ORDER_LINES, ask

ACCEPTANCE = Path(__file__).resolve().parents[3] / "shared" / "acceptance" / "release.py"
needs_acceptance = pytest.mark.skipif(not ACCEPTANCE.exists(), reason=f"{ACCEPTANCE} is not there")

#: Under which expectation each planted case shows in metrics.input_quality.
SHOWS_AS = {
    (CUSTOMERS, "missing key"): "key_is_present",
    (ORDER_LINES, "missing key"): "key_is_present",
    (CUSTOMERS, "day-first date"): "birth_date_is_readable",
    (ORDER_LINES, "day-first date"): "ordered_at_is_readable",
    (CUSTOMERS, "text in a number"): "household_size_is_readable",
    (ORDER_LINES, "malformed line"): "line_is_readable",
    (ORDER_LINES, "two time zones"): "times_are_in_one_zone",
    (ORDER_LINES, "extra column"): "no_unknown_columns",
    (CUSTOMERS, "quoted newlines"): "no_unknown_columns",
    (CUSTOMERS, "zero bytes"): "partition_has_rows",
    (ORDER_LINES, "skipped day"): "partition_has_rows",
    (ORDER_LINES, "no orders"): "partition_has_rows",
    ("crm/campaign_responses", "header only"): "partition_has_rows",
    (CUSTOMERS, "semicolons"): "columns_are_separated_by_commas",
    (CUSTOMERS, "Latin-1"): "text_is_utf8",
    (CUSTOMERS, "exact copies"): "key_is_unique",
    (ORDER_LINES, "exact copies"): "key_is_unique",
    (CUSTOMERS, "two versions"): "key_is_unique",
    (ORDER_LINES, "two versions"): "key_is_unique",
    (ORDER_LINES, "future order"): "order_is_not_in_the_future",
    (ORDER_LINES, "unknown customer"): "customer_is_known",
    (ORDER_LINES, "negative quantity"): "negative_quantity_is_a_return",
    (CUSTOMERS, "same file again"): "is_not_the_file_of_the_day_before",
    (CUSTOMERS, "future birth date"): "birth_date_is_possible",
    (CUSTOMERS, "ancient birth date"): "birth_date_is_possible",
    (CUSTOMERS, "unknown gender"): "gender_is_known",
}
#: Planted cases that are handled without a word: nothing is wrong with the files that carry them.
HANDLED = {
    "leap day",
    "missing values",
    "corrected birth date",
    "deleted customer",
    "deleted and back",
    "byte order mark",
    "late lines",
    "wrong amount",
    "sent again",
}
#: Planted cases that show on other days or under other names than their own.
SHOWN_ELSEWHERE = {"unknown product": "product_is_known", "known late": "customer_is_known"}

#: How many customers of which extract lost which value. No other value was lost.
EMPTIED = {
    (CUSTOMERS, date(2017, 1, 1)): {"birth_date_is_readable": 3, "household_size_is_readable": 2},
    (CUSTOMERS, date(2017, 7, 1)): {"birth_date_is_possible": 4, "gender_is_known": 3},
}
#: How many rows of which extract were refused, and why, besides the customers that were sent twice on one day.
REFUSED = {
    (CUSTOMERS, date(2017, 1, 1)): {"key_is_present": 2},
    (ORDER_LINES, date(2017, 1, 10)): {"line_is_readable": 1},
    (ORDER_LINES, date(2017, 2, 7)): {"quantity_is_readable": 4},
    (ORDER_LINES, date(2017, 2, 14)): {"amount_is_readable": 3},
    (ORDER_LINES, date(2017, 2, 21)): {"ordered_at_is_readable": 4},
    (ORDER_LINES, date(2017, 3, 7)): {"key_is_present": 3},
    (ORDER_LINES, date(2017, 3, 14)): {"key_is_unique": 5},
    (ORDER_LINES, date(2017, 3, 21)): {"order_is_not_in_the_future": 5},
    (ORDER_LINES, date(2017, 5, 16)): {"negative_quantity_is_a_return": 6},
    (ORDER_LINES, date(2017, 6, 13)): {"key_is_unique": 1},
}


def in_quarantine(home: Home, *, refused: bool) -> dict[tuple[str, date], dict[str, int]]:
    with duckdb.connect() as connection:
        rows = connection.execute(
            "select split_part(filename, '/', -4) || '/' || split_part(filename, '/', -3), extract_date, rule, count(*) "
            "from (select filename, extract_date, unnest(broken_rules) as rule from read_parquet($files, "
            "filename = true, union_by_name = true, hive_types = {'extract_date': date}) where is_refused = $refused) "
            "group by all",
            {"files": str(home.quarantine / "*" / "*" / "*" / "data.parquet"), "refused": refused},
        ).fetchall()
    found: dict[tuple[str, date], dict[str, int]] = {}
    for table_id, day, rule, count in rows:
        found.setdefault((table_id, day), {})[rule] = count
    return found


def test_every_segment_is_counted_on_every_day(year_of_the_demo: Home) -> None:
    [(rows, segments, days, first, last)] = ask(
        year_of_the_demo,
        "select count(*), count(distinct segment), count(distinct as_of_date), min(as_of_date), max(as_of_date) "
        "from metrics.segment_counts_daily",
    )
    assert (days, first, last) == (365, date(2017, 1, 1), date(2017, 12, 31))
    assert segments >= 24
    assert rows == segments * days


def test_zero_is_a_number(year_of_the_demo: Home) -> None:
    assert ask(
        year_of_the_demo,
        "select members, share_of_base, state from metrics.segment_counts_daily "
        "where segment = 'won_back' and as_of_date = date '2017-01-01'",
    ) == [(0, 0.0, "fresh")]


def test_on_the_first_day_nobody_knows_who_entered(year_of_the_demo: Home) -> None:
    first = ask(
        year_of_the_demo,
        "select as_of_date = date '2017-01-01', bool_and(entered is null and exited is null), "
        "bool_or(entered is null or exited is null) from metrics.segment_counts_daily group by 1 order by 1",
    )
    assert first == [(False, False, False), (True, True, True)]


def test_every_count_carries_the_hash_of_its_rule(year_of_the_demo: Home) -> None:
    assert (
        ask(
            year_of_the_demo,
            "select counts.segment from metrics.segment_counts_daily as counts "
            "left join catalog.segments as catalogue using (segment, definition_hash) where catalogue.segment is null",
        )
        == []
    )
    [(hashes, segments)] = ask(
        year_of_the_demo, "select count(distinct definition_hash), count(*) from catalog.segments"
    )
    assert hashes == segments


@needs_acceptance
def test_the_release_keeps_the_interface_and_its_laws(year_of_the_demo: Home) -> None:
    judged = subprocess.run(
        [sys.executable, str(ACCEPTANCE), str(year_of_the_demo.path)], capture_output=True, text=True, check=False
    )
    assert judged.returncode == 0, judged.stdout + judged.stderr


def test_every_planted_case_is_looked_for_below() -> None:
    known = {what for _, what in SHOWS_AS} | HANDLED | set(SHOWN_ELSEWHERE) | {"text in a number"}
    assert {planted.what for planted in PLANTED} == known


@pytest.mark.parametrize(
    "planted",
    [planted for planted in PLANTED if (planted.table, planted.what) in SHOWS_AS],
    ids=lambda planted: f"{planted.date}-{planted.what}".replace(" ", "-"),
)
def test_a_planted_case_shows_on_its_day(year_of_the_demo: Home, planted: Planted) -> None:
    source, table = planted.table.split("/")
    assert ask(
        year_of_the_demo,
        f"select success from metrics.input_quality where extract_date = date '{planted.date}' and source = '{source}' "
        f"and table_name = '{table}' and expectation = '{SHOWS_AS[planted.table, planted.what]}'",
    ) == [(False,)]


@pytest.mark.parametrize(("what", "expectation"), SHOWN_ELSEWHERE.items())
def test_a_reference_to_nothing_is_counted_and_kept(year_of_the_demo: Home, what: str, expectation: str) -> None:
    [(days, rows)] = ask(
        year_of_the_demo,
        "select count(*), sum(unexpected_rows) from metrics.input_quality "
        f"where expectation = '{expectation}' and not success and severity = 'warning'",
    )
    assert days > 0, what
    assert rows > 0, what


def test_the_orders_of_guests_are_counted_on_their_days(year_of_the_demo: Home) -> None:
    rows = dict(
        ask(
            year_of_the_demo,
            "select extract_date, unexpected_rows from metrics.input_quality where expectation = 'customer_is_known' "
            "and extract_date in ('2017-04-11', '2017-09-12')",
        )
    )
    assert rows[date(2017, 4, 11)] >= 12
    assert rows[date(2017, 9, 12)] >= 8


def test_exactly_the_planted_rows_are_in_quarantine(year_of_the_demo: Home) -> None:
    found = in_quarantine(year_of_the_demo, refused=True)
    resent = found.pop((CUSTOMERS, date(2017, 7, 1)))
    assert resent["key_is_unique"] >= 3
    assert set(resent) == {"key_is_unique"}
    assert found == REFUSED
    assert in_quarantine(year_of_the_demo, refused=False) == EMPTIED


def test_a_customer_who_lost_a_value_is_in_the_base(year_of_the_demo: Home) -> None:
    lost = "birth_date is null or gender is null or household_size is null"
    assert ask(
        year_of_the_demo,
        f"select count(*), count(*) filter ({lost}) from customers.dim_customers where contains(customer_id, '-')",
    ) == [(12, 12)]


def test_no_line_of_the_retailers_is_lost(year_of_the_demo: Home) -> None:
    files = str(year_of_the_demo.archive / ORDER_LINES / "*" / "data.parquet")
    with duckdb.connect() as connection:
        [(lines,)] = connection.execute(
            "select count(distinct order_line_id) from read_parquet($files) where customer_id not like 'guest-%'",
            {"files": files},
        ).fetchall()
    assert lines == 1_469_307


def test_the_manifest_counts_what_is_in_the_tables(year_of_the_demo: Home) -> None:
    said = json.loads((year_of_the_demo.releases / "current" / "manifest.json").read_text())
    for table, about in said["tables"].items():
        assert ask(year_of_the_demo, f"select count(*) from {table}") == [(about["rows"],)], table


@pytest.mark.parametrize("segment", ["men_18_25", "bought_product_x_3m_over_500"])
def test_the_two_segments_of_the_mission_are_tables_of_somebody(year_of_the_demo: Home, segment: str) -> None:
    [(rows, customers)] = ask(year_of_the_demo, f"select count(*), count(distinct customer_id) from segments.{segment}")
    assert rows == customers > 0


def test_no_address_of_a_customer_is_in_logs_events_or_the_release(year_of_the_demo: Home) -> None:
    home = year_of_the_demo
    files = [path for folder in (home.dagster, home.dbt, home.releases) for path in folder.rglob("*") if path.is_file()]
    assert [str(path) for path in files if b"@example.com" in path.read_bytes()] == []
