"""The faults that are drilled, as data: in which table, what happens to its rows or its bytes, and which columns are wrong.

Each has happened to somebody. How a fault gets into a file is in `planting`; what a night makes of it, in `outcomes`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from expectations.contracts import EXTRACT_TABLES, ExtractTable

CUSTOMERS, ORDER_LINES = EXTRACT_TABLES["crm/customers"], EXTRACT_TABLES["shop/order_lines"]

#: What a byte becomes that cannot be read as UTF-8.
REPLACEMENT_CHARACTER = "chr(65533)"


@dataclass(frozen=True)
class Fault:
    """One thing that can be wrong with an extract of tonight.

    ``columns`` are the columns whose values are wrong; empty means that the rows themselves are, and with them every
    column. ``rows`` is a query over ``extract`` (tonight's rows as they should be, in the order of their keys),
    ``yesterday`` (the same table's extract of the day before) and ``customers`` (everybody, as last known).
    With ``everybody``, tonight's extract is the whole base and not only what changed: where a column goes missing upstream
    every row counts as changed. ``damage`` is done to the bytes of the file; with ``same_file`` it is yesterday's file.
    """

    name: str
    sentence: str
    table: ExtractTable
    columns: tuple[str, ...] = ()
    rows: str = "from extract"
    format: Literal["parquet", "csv"] = "parquet"
    everybody: bool = False
    damage: Callable[[bytes], bytes] | None = None
    same_file: bool = False

    @property
    def raw_columns(self) -> frozenset[str]:
        """The wrong columns as the catalogue spells them: ``crm/customers.email_opt_in``."""
        return frozenset(f"{self.table.id}.{column}" for column in self.columns or self.table.columns)


def _values(table: ExtractTable, name: str, sentence: str, **said: str) -> Fault:
    """Some columns have other values: for each, the SQL of its value."""
    replaced = ", ".join(f"{sql} as {column}" for column, sql in said.items())
    rows = f"select * replace ({replaced}) from extract"
    return Fault(name, sentence, table, tuple(said), rows, everybody=table is CUSTOMERS)


def _rows(table: ExtractTable, name: str, sentence: str, rows: str) -> Fault:
    """Other rows than there should be."""
    return Fault(name, sentence, table, rows=rows, everybody=table is CUSTOMERS)


def _half(bytes_: bytes) -> bytes:
    return bytes_[: len(bytes_) // 2]


def _moved_right(table: ExtractTable, first: str) -> tuple[tuple[str, ...], str]:
    """The columns from the first one on, and the rows in which each has the value of the column before."""
    columns = list(table.columns)
    start = columns.index(first)
    moved = {
        column: f"array_to_string({before}, ';')" if table.columns[before] == "VARCHAR[]" else f"{before}::varchar"
        for before, column in zip(columns[start - 1 :], columns[start:], strict=False)
    }
    values = ", ".join(f"{sql} as {column}" for column, sql in moved.items())
    return tuple(moved), f"select * replace ({values}) from extract"


_FROM_GENDER, _MOVED_FROM_GENDER = _moved_right(CUSTOMERS, "gender")

#: Every fault, by name.
FAULTS: dict[str, Fault] = {
    fault.name: fault
    for fault in (
        # ---- the CRM: a column is empty, gone, or under another name ----
        _values(
            CUSTOMERS, "email_opt_in_emptied", "No customer has an answer on e-mail.", email_opt_in="null::boolean"
        ),
        _values(CUSTOMERS, "gender_emptied", "No customer has a gender.", gender="null::varchar"),
        _values(CUSTOMERS, "birth_date_emptied", "No customer has a birth date.", birth_date="null::date"),
        Fault(
            "sms_opt_in_removed",
            "The file lacks the column sms_opt_in.",
            CUSTOMERS,
            ("sms_opt_in",),
            "select * exclude (sms_opt_in) from extract",
            everybody=True,
        ),
        Fault(
            "email_opt_in_renamed",
            "The column email_opt_in is called email_optin.",
            CUSTOMERS,
            ("email_opt_in",),
            "select * rename (email_opt_in as email_optin) from extract",
            everybody=True,
        ),
        # ---- the CRM: values are not where they belong ----
        Fault(
            "values_one_column_to_the_right",
            "From gender on, each column of the CSV file has the value of the column before.",
            CUSTOMERS,
            _FROM_GENDER,
            _MOVED_FROM_GENDER,
            format="csv",
            everybody=True,
        ),
        _values(
            CUSTOMERS,
            "consents_one_column_to_the_right",
            "Each consent has the value of the one before; the first is empty.",
            email_opt_in="null::boolean",
            sms_opt_in="email_opt_in",
            post_opt_in="sms_opt_in",
            push_opt_in="post_opt_in",
        ),
        Fault(
            "birth_date_of_the_row_above",
            "Each customer has the birth date of the row above.",
            CUSTOMERS,
            ("birth_date",),
            "select * replace (lag(birth_date) over (order by customer_id) as birth_date) from extract order by customer_id",
            everybody=True,
        ),
        _values(
            CUSTOMERS,
            "email_and_sms_opt_in_swapped",
            "The columns email_opt_in and sms_opt_in have each other's values.",
            email_opt_in="sms_opt_in",
            sms_opt_in="email_opt_in",
        ),
        # ---- the CRM: values mean something else ----
        _values(
            CUSTOMERS,
            "gender_recoded",
            "Gender is 1, 2 and 3 instead of male, female and other.",
            gender="case gender when 'male' then '1' when 'female' then '2' when 'other' then '3' end",
        ),
        Fault(
            "region_recoded",
            "Regions are numbers instead of names.",
            CUSTOMERS,
            ("region",),
            "select * replace (case when region is not null then 'R' || dense_rank() over (order by region) end as region) "
            "from extract order by customer_id",
            everybody=True,
        ),
        _values(
            CUSTOMERS,
            "preferred_channel_in_capitals",
            "The preferred channel is EMAIL instead of email, and so on.",
            preferred_channel="upper(preferred_channel)",
        ),
        _values(
            CUSTOMERS,
            "interests_run_together",
            "Interests are separated by bars instead of semicolons, and read as one.",
            interests="case when len(interests) > 0 then [array_to_string(interests, '|')] else interests end",
        ),
        _values(
            CUSTOMERS,
            "region_in_a_broken_encoding",
            "Regions were read in the wrong encoding: replacement characters stand for some letters.",
            region=f"regexp_replace(region, '[aio]', {REPLACEMENT_CHARACTER}, 'g')",
        ),
        _values(
            CUSTOMERS,
            "birth_dates_in_the_future",
            "Two-digit years were read as of this century's second half: born a hundred years later.",
            birth_date="(birth_date + interval 100 year)::date",
        ),
        _values(
            CUSTOMERS,
            "birth_date_is_a_placeholder",
            "Everybody is born on 1970-01-01.",
            birth_date="date '1970-01-01'",
        ),
        _values(
            CUSTOMERS,
            "opt_ins_all_true",
            "Everybody allows everything.",
            email_opt_in="true",
            sms_opt_in="true",
            post_opt_in="true",
            push_opt_in="true",
        ),
        _values(CUSTOMERS, "everybody_deleted", "Every customer is marked as deleted.", is_deleted="true"),
        _values(
            CUSTOMERS,
            "customer_ids_rekeyed",
            "The CRM moved to new ids: everybody comes as somebody new.",
            customer_id="'N-' || customer_id",
        ),
        # ---- the CRM: other rows ----
        _rows(
            CUSTOMERS,
            "customers_half_the_file",
            "The second half of the customers is missing.",
            "from extract qualify row_number() over (order by customer_id) <= count(*) over () // 2 order by customer_id",
        ),
        _rows(
            CUSTOMERS,
            "customers_twice",
            "Every customer is in the file twice.",
            "select * exclude (copy) from (from extract cross join range(2) as copies (copy)) order by customer_id",
        ),
        _rows(
            CUSTOMERS,
            "one_region_missing",
            "The customers of the largest region are missing.",
            "from extract where region is distinct from (select mode(region) from customers)",
        ),
        Fault(
            "customers_of_yesterday_again",
            "The file is byte for byte that of the day before, and today's changes are nowhere.",
            CUSTOMERS,
            same_file=True,
        ),
        # ---- the shop: a column is empty or gone ----
        _values(ORDER_LINES, "amount_emptied", "No line has an amount.", amount="null::decimal(18, 2)"),
        _values(ORDER_LINES, "product_id_emptied", "No line has a product.", product_id="null::varchar"),
        Fault(
            "discount_removed",
            "The file lacks the column discount.",
            ORDER_LINES,
            ("discount",),
            "select * exclude (discount) from extract",
        ),
        # ---- the shop: values are not where they belong, or mean something else ----
        _values(
            ORDER_LINES,
            "quantity_and_discount_swapped",
            "The columns quantity and discount have each other's values.",
            quantity="discount::decimal(18, 3)",
            discount="quantity::decimal(18, 2)",
        ),
        _values(
            ORDER_LINES,
            "discount_filled_with_amount",
            "The discount of each line is its amount.",
            discount="greatest(amount, 0)",
        ),
        _values(
            ORDER_LINES,
            "amount_in_cents",
            "Amounts are a hundred times too high.",
            amount="(amount * 100)::decimal(18, 2)",
        ),
        _values(
            ORDER_LINES,
            "amount_in_thousands",
            "Amounts are in thousands, and cut to two places.",
            amount="(amount / 1000)::decimal(18, 2)",
        ),
        Fault(
            "amount_with_a_decimal_comma",
            "Amounts in the CSV file are written 7,98.",
            ORDER_LINES,
            ("amount",),
            "select * replace (replace(amount::varchar, '.', ',') as amount) from extract",
            format="csv",
        ),
        _values(
            ORDER_LINES,
            "quantities_negative",
            "Every quantity is negative.",
            quantity="-abs(quantity)",
        ),
        # ---- the shop: time ----
        _values(
            ORDER_LINES,
            "ordered_at_in_local_time",
            "Times are those of a clock five hours behind UTC.",
            ordered_at="ordered_at - interval 5 hour",
        ),
        _values(
            ORDER_LINES,
            "ordered_at_12_hours_late",
            "Times are twelve hours late: the morning was read as the afternoon.",
            ordered_at="ordered_at + interval 12 hour",
        ),
        _values(
            ORDER_LINES,
            "ordered_at_without_its_hour",
            "Every line was ordered at midnight: the time of day was cut off.",
            ordered_at="date_trunc('day', ordered_at)",
        ),
        Fault(
            "orders_in_the_future",
            "Three lines in ten are dated a year late.",
            ORDER_LINES,
            ("ordered_at",),
            "select * replace (if(row_number() over (order by order_line_id) % 10 < 3, ordered_at + interval 1 year, ordered_at) "
            "as ordered_at) from extract order by order_line_id",
        ),
        Fault(
            "ordered_at_with_the_day_first",
            "Times in the CSV file are written 31/12/2017 10:15:00.",
            ORDER_LINES,
            ("ordered_at",),
            "select * replace (strftime(ordered_at, '%d/%m/%Y %H:%M:%S') as ordered_at) from extract",
            format="csv",
        ),
        # ---- the shop: ids ----
        _values(
            ORDER_LINES,
            "customer_ids_of_orders_prefixed",
            "The shop writes its customer ids with a prefix that the CRM does not know.",
            customer_id="'shop-' || customer_id",
        ),
        Fault(
            "orders_without_customers",
            "Two lines in five are of customers whom nobody knows.",
            ORDER_LINES,
            ("customer_id",),
            "select * replace (if(row_number() over (order by order_line_id) % 5 < 2, 'unknown-' || order_id, customer_id) "
            "as customer_id) from extract order by order_line_id",
        ),
        _rows(
            ORDER_LINES,
            "order_lines_renumbered",
            "Yesterday's lines come again under new ids, and count as new.",
            "from extract union all by name select * replace ('again-' || order_line_id as order_line_id) from yesterday",
        ),
        # ---- the shop: other rows ----
        _rows(
            ORDER_LINES,
            "order_lines_half_the_file",
            "The second half of the lines is missing.",
            "from extract qualify row_number() over (order by order_line_id) <= count(*) over () // 2 order by order_line_id",
        ),
        _rows(
            ORDER_LINES,
            "order_lines_twice",
            "Every line is in the file twice.",
            "select * exclude (copy) from (from extract cross join range(2) as copies (copy)) order by order_line_id",
        ),
        _rows(
            ORDER_LINES,
            "one_store_missing",
            "The orders of the largest region's customers are missing.",
            "from extract where customer_id not in "
            "(select customer_id from customers where region = (select mode(region) from customers))",
        ),
        Fault(
            "order_lines_of_yesterday_again",
            "The file is byte for byte that of the day before, and today's orders are nowhere.",
            ORDER_LINES,
            same_file=True,
        ),
        _rows(ORDER_LINES, "order_lines_empty", "The file has no rows.", "from extract limit 0"),
        Fault("order_lines_cut_short", "The Parquet file ends in the middle.", ORDER_LINES, damage=_half),
    )
}
