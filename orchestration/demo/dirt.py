"""The dirt that the demo's extracts carry on purpose: what, on which date, in which table and in which file shape.

Nothing of the retailer's is lost to it: a row that ought to be refused, or to lose a value, is always an extra row under
an id of its own or a copy, and a row that comes late or wrong comes right within the same month.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

import duckdb

from expectations.contracts import EXTRACT_TABLES
from orchestration.demo.company import (
    BIRTH_DATE_CORRECTED,
    BORN_ON_LEAP_DAY,
    CAME_BACK,
    DELETED,
    FIRST_DAY,
    KNOWN_LATE,
    LEAP_DAY,
    PASTRY,
    PASTRY_LOVED_ON,
    PASTRY_LOVER,
    QUIET_CRM_DAYS,
)

CUSTOMERS = "crm/customers"
ORDER_LINES = "shop/order_lines"
PRODUCTS = "shop/products"
RESPONSES = "crm/campaign_responses"

ZERO_BYTES_ON, SENT_AGAIN_ON = QUIET_CRM_DAYS
SENT_FIRST_ON = date(2017, 6, 20)
SEMICOLONS_ON = date(2017, 2, 22)
BOM_AND_CRLF_ON = date(2017, 4, 12)
LATIN_1_ON = PASTRY_LOVED_ON
NOTES_ON = date(2017, 6, 7)
EXPORTED_AGAIN_ON = date(2017, 7, 1)

MALFORMED_ON = date(2017, 1, 10)
TWO_TIME_ZONES_ON = date(2017, 1, 17)
STORE_COLUMN_ON = date(2017, 1, 24)
QUANTITY_IN_WORDS_ON = date(2017, 2, 7)
AMOUNT_NOT_GIVEN_ON = date(2017, 2, 14)
DAY_FIRST_ON = date(2017, 2, 21)
NO_KEY_ON = date(2017, 3, 7)
COPIES_ON = date(2017, 3, 14)
FROM_THE_FUTURE_ON = date(2017, 3, 21)
GUESTS_ON = date(2017, 4, 11)
SKIPPED_ON = date(2017, 4, 18)
DELIVERED_LATE_ON = date(2017, 4, 19)
SENT_WRONG_ON = date(2017, 5, 9)
CORRECTED_ON = date(2017, 5, 11)
NEGATIVE_ON = date(2017, 5, 16)
TWO_VERSIONS_ON = date(2017, 6, 13)
NO_RESPONSES_ON = date(2017, 8, 2)
GUESTS_AGAIN_ON = date(2017, 9, 12)
CHRISTMAS = date(2017, 12, 25)

#: An order line first sent with ten times its amount, and one sent twice in one file, the wrong amount first.
CORRECTED_LINE = "33065585590-1084587"
TWO_VERSIONS_LINE = "33655842788-891505"
#: Sold from 2017-02-02 on, but in the catalogue only from its second snapshot on.
LATE_PRODUCT = "1116791"
LATE_PRODUCT_KNOWN_ON = date(2017, 4, 1)
#: Customers whose row is in the CRM's July export twice.
COPIED_CUSTOMERS = ("1", "2", "3")

Format = Literal["parquet", "csv", "csv.gz", "jsonl"]


@dataclass(frozen=True)
class Planted:
    """One case that the demo plants: the extract date and table where it shows, its name, and what it is in words."""

    date: date
    table: str
    what: str
    sentence: str


@dataclass(frozen=True)
class FileShape:
    """How one extract is written. ``extra_columns`` and ``columns`` map a column to the SQL that fills it."""

    format: Format
    delimiter: str = ","
    encoding: Literal["utf-8", "utf-8-sig", "latin-1"] = "utf-8"
    line_end: Literal["\n", "\r\n"] = "\n"
    zero_bytes: bool = False
    same_as: date | None = None
    stray_line: str | None = None
    extra_columns: dict[str, str] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)


def _listed(ids: Iterable[object]) -> str:
    return ", ".join(str(one) for one in ids)


#: The files that are not written in their table's usual shape.
SHAPES: dict[tuple[str, date], FileShape] = {
    (CUSTOMERS, FIRST_DAY): FileShape("csv"),
    (CUSTOMERS, ZERO_BYTES_ON): FileShape("csv", zero_bytes=True),
    (CUSTOMERS, SEMICOLONS_ON): FileShape("csv", delimiter=";"),
    (CUSTOMERS, BOM_AND_CRLF_ON): FileShape("csv", encoding="utf-8-sig", line_end="\r\n"),
    (CUSTOMERS, LATIN_1_ON): FileShape("csv", encoding="latin-1"),
    (CUSTOMERS, NOTES_ON): FileShape(
        "csv", extra_columns={"note": "'Called about the card.' || chr(10) || 'Said \"no post\", please.'"}
    ),
    (CUSTOMERS, SENT_FIRST_ON): FileShape("csv"),
    (CUSTOMERS, SENT_AGAIN_ON): FileShape("csv", same_as=SENT_FIRST_ON),
    (CUSTOMERS, EXPORTED_AGAIN_ON): FileShape("csv"),
    (ORDER_LINES, MALFORMED_ON): FileShape(
        "csv", stray_line="malformed-1,malformed,1,995242,2017-01-10 12:00:00,1,2.49,0.00,the rest,of another line"
    ),
    (ORDER_LINES, TWO_TIME_ZONES_ON): FileShape(
        "csv",
        columns={
            "ordered_at": "case when right(order_id, 1) in ('0', '1', '2', '3', '4')"
            " then strftime(ordered_at, '%Y-%m-%dT%H:%M:%SZ')"
            " else strftime(ordered_at - interval 5 hour, '%Y-%m-%dT%H:%M:%S-05:00') end"
        },
    ),
    (ORDER_LINES, STORE_COLUMN_ON): FileShape("parquet", extra_columns={"store_id": "store_id::varchar"}),
    (ORDER_LINES, QUANTITY_IN_WORDS_ON): FileShape("csv"),
    (ORDER_LINES, AMOUNT_NOT_GIVEN_ON): FileShape("jsonl"),
    (ORDER_LINES, DAY_FIRST_ON): FileShape("csv.gz"),
    (ORDER_LINES, SKIPPED_ON): FileShape("csv"),
    (RESPONSES, NO_RESPONSES_ON): FileShape("csv"),
    (PRODUCTS, LATE_PRODUCT_KNOWN_ON): FileShape("csv.gz"),
}


@dataclass(frozen=True)
class BrokenRows:
    """Extra rows for one file: copies of its first rows, with these columns filled by SQL (``n`` counts from 1)."""

    table: str
    date: date
    rows: int
    columns: dict[str, str]


def _lines(day: date, rows: int, prefix: str, **columns: str) -> BrokenRows:
    ids = {"order_line_id": f"'{prefix}-' || n", "order_id": f"'{prefix}'"}
    return BrokenRows(ORDER_LINES, day, rows, ids | columns)


def _customers(day: date, rows: int, prefix: str, **columns: str) -> BrokenRows:
    ids = {"customer_id": f"'{prefix}-' || n", "email": "null"}
    return BrokenRows(CUSTOMERS, day, rows, ids | columns)


_GUEST = {"customer_id": "'guest-' || (1 + (n - 1) // 4)", "order_id": "'guest-order-{day}-' || (1 + (n - 1) // 4)"}

#: The extra rows. The order lines ought to be refused, except the guests', which are right: the CRM lacks them. The
#: customers ought to lose the value that is wrong and to be in the base, except those without an id, who are refused.
BROKEN_ROWS = (
    _customers(FIRST_DAY, 2, "no-key", customer_id="null"),
    _customers(FIRST_DAY, 3, "day-first-birthday", birth_date="'31/12/1980'"),
    _customers(FIRST_DAY, 2, "size-in-words", household_size="'two'"),
    _customers(EXPORTED_AGAIN_ON, 2, "unborn", birth_date="case n when 1 then '2017-12-24' else '2071-03-02' end"),
    _customers(EXPORTED_AGAIN_ON, 2, "ancient", birth_date="case n when 1 then '1899-12-31' else '1817-05-04' end"),
    _customers(EXPORTED_AGAIN_ON, 3, "other-gender", gender="['M', 'woman', '?'][n]"),
    _lines(QUANTITY_IN_WORDS_ON, 4, "words", quantity="'two'"),
    _lines(AMOUNT_NOT_GIVEN_ON, 3, "not-given", amount="'n/a'"),
    _lines(DAY_FIRST_ON, 4, "day-first", ordered_at="'31/12/2017 10:15:00'"),
    _lines(NO_KEY_ON, 3, "no-key", order_line_id="null"),
    _lines(FROM_THE_FUTURE_ON, 5, "future", ordered_at="(ordered_at + interval 40 day)::varchar"),
    _lines(NEGATIVE_ON, 6, "negative", quantity="'-2'", amount="'3.98'"),
    _lines(GUESTS_ON, 12, "guest-line-0411", **{name: sql.format(day="0411") for name, sql in _GUEST.items()}),
    _lines(GUESTS_AGAIN_ON, 8, "guest-line-0912", **{name: sql.format(day="0912") for name, sql in _GUEST.items()}),
)

#: Every planted case, by date.
PLANTED: tuple[Planted, ...] = (
    Planted(FIRST_DAY, CUSTOMERS, "missing key", "2 extra customers come without an id."),
    Planted(FIRST_DAY, CUSTOMERS, "day-first date", "3 extra customers are born on '31/12/1980'."),
    Planted(FIRST_DAY, CUSTOMERS, "text in a number", "2 extra customers have the household size 'two'."),
    Planted(FIRST_DAY, CUSTOMERS, "leap day", f"Customer {BORN_ON_LEAP_DAY} is born on {LEAP_DAY}."),
    Planted(
        FIRST_DAY,
        CUSTOMERS,
        "missing values",
        "Some customers lack an e-mail, gender, birth date, region, channel, interests or an answer on consent.",
    ),
    Planted(
        FIRST_DAY,
        PRODUCTS,
        "unknown product",
        f"Product {LATE_PRODUCT} is sold from 2017-02-02 on and in the catalogue from {LATE_PRODUCT_KNOWN_ON} on; "
        "17 other products that the retailer sells are never in it.",
    ),
    Planted(MALFORMED_ON, ORDER_LINES, "malformed line", "One extra line of the CSV file has two fields too many."),
    Planted(
        TWO_TIME_ZONES_ON,
        ORDER_LINES,
        "two time zones",
        "ordered_at ends in 'Z' on some lines of the CSV file and in '-05:00' on the others.",
    ),
    Planted(STORE_COLUMN_ON, ORDER_LINES, "extra column", "The Parquet file has a column store_id that nobody knows."),
    Planted(QUANTITY_IN_WORDS_ON, ORDER_LINES, "text in a number", "4 extra lines have the quantity 'two'."),
    Planted(AMOUNT_NOT_GIVEN_ON, ORDER_LINES, "text in a number", "3 extra lines have the amount 'n/a'."),
    Planted(ZERO_BYTES_ON, CUSTOMERS, "zero bytes", "The CSV file of a day without changes lacks even its header."),
    Planted(DAY_FIRST_ON, ORDER_LINES, "day-first date", "4 extra lines are ordered at '31/12/2017 10:15:00'."),
    Planted(SEMICOLONS_ON, CUSTOMERS, "semicolons", "The CSV file separates its columns by ';'."),
    Planted(NO_KEY_ON, ORDER_LINES, "missing key", "3 extra lines come without an id."),
    Planted(
        min(day for day, _ in BIRTH_DATE_CORRECTED.values()),
        CUSTOMERS,
        "corrected birth date",
        f"The first of the customers whose birth date is corrected: {_listed(BIRTH_DATE_CORRECTED)}.",
    ),
    Planted(COPIES_ON, ORDER_LINES, "exact copies", "5 lines are in the file twice."),
    Planted(
        min(KNOWN_LATE.values()),
        CUSTOMERS,
        "known late",
        f"The first of the customers who bought days before the CRM knew them: {_listed(KNOWN_LATE)}.",
    ),
    Planted(
        FROM_THE_FUTURE_ON, ORDER_LINES, "future order", "5 extra lines are ordered 40 days after the extract date."
    ),
    Planted(
        min(DELETED.values()),
        CUSTOMERS,
        "deleted customer",
        f"The first of the customers who are deleted: {_listed(DELETED)}.",
    ),
    Planted(
        GUESTS_ON, ORDER_LINES, "unknown customer", "12 good extra lines are of guest-1 to guest-3, unknown to the CRM."
    ),
    Planted(
        BOM_AND_CRLF_ON,
        CUSTOMERS,
        "byte order mark",
        "The CSV file begins with a byte order mark and ends its lines with CRLF.",
    ),
    Planted(SKIPPED_ON, ORDER_LINES, "skipped day", "The file has a header and none of the day's lines."),
    Planted(DELIVERED_LATE_ON, ORDER_LINES, "late lines", f"The file holds the lines of {SKIPPED_ON} too."),
    Planted(
        LATIN_1_ON,
        CUSTOMERS,
        "Latin-1",
        f"The CSV file is in Latin-1; customer {PASTRY_LOVER} likes '{PASTRY}'.",
    ),
    Planted(
        SENT_WRONG_ON,
        ORDER_LINES,
        "wrong amount",
        f"Line {CORRECTED_LINE} has ten times its amount and is corrected on {CORRECTED_ON}.",
    ),
    Planted(
        NEGATIVE_ON, ORDER_LINES, "negative quantity", "6 extra lines have a quantity of -2 and a positive amount."
    ),
    Planted(NOTES_ON, CUSTOMERS, "quoted newlines", "The CSV file has an unknown column note whose texts span lines."),
    Planted(
        TWO_VERSIONS_ON,
        ORDER_LINES,
        "two versions",
        f"Line {TWO_VERSIONS_LINE} is in the file twice, first with a wrong amount.",
    ),
    Planted(SENT_AGAIN_ON, CUSTOMERS, "same file again", f"The file is byte for byte the one of {SENT_FIRST_ON}."),
    Planted(EXPORTED_AGAIN_ON, CUSTOMERS, "sent again", "The CRM sends every customer it knows, changed or not."),
    Planted(EXPORTED_AGAIN_ON, CUSTOMERS, "future birth date", "2 extra customers are born after the extract date."),
    Planted(EXPORTED_AGAIN_ON, CUSTOMERS, "ancient birth date", "2 extra customers are born before 1900."),
    Planted(EXPORTED_AGAIN_ON, CUSTOMERS, "unknown gender", "3 extra customers have the gender 'M', 'woman' or '?'."),
    Planted(
        EXPORTED_AGAIN_ON, CUSTOMERS, "exact copies", f"Customers {_listed(COPIED_CUSTOMERS)} are in the file twice."
    ),
    Planted(
        EXPORTED_AGAIN_ON,
        CUSTOMERS,
        "two versions",
        "Customers who changed that day are in the file twice, first as they were before.",
    ),
    Planted(NO_RESPONSES_ON, RESPONSES, "header only", "The file has a header and no rows."),
    Planted(GUESTS_AGAIN_ON, ORDER_LINES, "unknown customer", "8 good extra lines are of guest-1 and guest-2."),
    Planted(
        min(CAME_BACK.values()),
        CUSTOMERS,
        "deleted and back",
        f"The first of the deleted customers who come back: {_listed(CAME_BACK)}.",
    ),
    Planted(CHRISTMAS, ORDER_LINES, "no orders", "The shops are closed (the retailer's own): the file has no rows."),
)


def plant(con: duckdb.DuckDBPyConnection) -> None:
    """Plant every case in the tables of `company.build_company`.

    Rows that fit a table's types join it, before (position -1) or after (1) the day's own rows (0); the others go to
    ``<table>_extra``, whose columns are all text.
    """
    con.execute(
        f"delete from products where product_id = '{LATE_PRODUCT}' and extract_date < date '{LATE_PRODUCT_KNOWN_ON}'"
    )
    con.execute(f"""
        insert into order_lines by name
        select * replace (1 as position) from order_lines where extract_date = date '{COPIES_ON}'
        order by order_line_id limit 5;

        update order_lines set extract_date = date '{DELIVERED_LATE_ON}' where extract_date = date '{SKIPPED_ON}';

        insert into order_lines by name
        select * replace (amount * 10 as amount) from order_lines where order_line_id = '{CORRECTED_LINE}';
        update order_lines set extract_date = date '{CORRECTED_ON}'
        where order_line_id = '{CORRECTED_LINE}' and amount = (
            select min(amount) from order_lines where order_line_id = '{CORRECTED_LINE}');

        insert into order_lines by name
        select * replace (amount + 1 as amount, -1 as position) from order_lines
        where order_line_id = '{TWO_VERSIONS_LINE}';
    """)
    _export_every_customer_again(con)
    for table in (CUSTOMERS, ORDER_LINES):
        columns = ", ".join(f"{column} varchar" for column in EXTRACT_TABLES[table].columns)
        con.execute(f"create table {EXTRACT_TABLES[table].name}_extra (extract_date date, position integer, {columns})")
    for broken in BROKEN_ROWS:
        _break_rows(con, broken)


def _export_every_customer_again(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(f"""
        create temp table known_before as
        from customers where extract_date < date '{EXPORTED_AGAIN_ON}'
        qualify row_number() over (partition by customer_id order by extract_date desc) = 1;

        create temp table changed_today as
        select customer_id from customers where extract_date = date '{EXPORTED_AGAIN_ON}';

        insert into customers by name
        select * replace (
            date '{EXPORTED_AGAIN_ON}' as extract_date,
            case when customer_id in (from changed_today) then -1 else 0 end as position)
        from known_before;

        insert into customers by name
        select * replace (1 as position) from customers
        where extract_date = date '{EXPORTED_AGAIN_ON}' and position = 0 and customer_id in {COPIED_CUSTOMERS};
    """)


def _break_rows(con: duckdb.DuckDBPyConnection, broken: BrokenRows) -> None:
    table = EXTRACT_TABLES[broken.table]
    as_text = {
        column: f"array_to_string({column}, ';')" if kind == "VARCHAR[]" else f"{column}::varchar"
        for column, kind in table.columns.items()
    }
    selected = ", ".join(f"{sql} as {column}" for column, sql in (as_text | broken.columns).items())
    con.execute(f"""
        insert into {table.name}_extra by name
        select extract_date, 1 as position, {selected}
        from (
            select *, row_number() over (order by {table.key[0]}) as n
            from {table.name} where extract_date = date '{broken.date}' and position = 0
        )
        where n <= {broken.rows}
    """)
