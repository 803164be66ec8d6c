"""What an order line must look like. Whether anybody knows its customer and its product is not asked here."""

from __future__ import annotations

from expectations.contracts import EXTRACT_TABLES
from expectations.past import (
    PastExpectation,
    empty_shares,
    events,
    levels,
    orders_of_lines,
    regions_of_customers,
    repeated_keys,
    row_count,
    rows_sent_again,
    unknown_reference,
    zero_shares,
)
from expectations.rules import (
    AnyRule,
    Rule,
    below,
    happened_by_the_extract,
    key_is_present,
    key_is_unique,
    line_is_readable,
    not_negative,
    partition_has_rows,
    present,
    readable,
)

TABLE = EXTRACT_TABLES["shop/order_lines"]

#: Of pieces and of money, in one line.
IMPOSSIBLE = 1_000_000_000

RULES: list[AnyRule] = [
    partition_has_rows(),
    line_is_readable(),
    key_is_present(TABLE),
    *readable(TABLE),
    present(TABLE, "order_id", "Orders are counted by it."),
    present(TABLE, "customer_id", "A line without a customer changes no segment and would vanish in silence."),
    present(TABLE, "product_id", "What was bought decides product and category segments."),
    present(TABLE, "ordered_at", "Every window of every segment is measured from it."),
    present(TABLE, "quantity", "Without it a purchase cannot be told from a return."),
    present(TABLE, "amount", "Spend would silently be too low."),
    happened_by_the_extract(
        "order_is_not_in_the_future",
        "ordered_at",
        "refuse the row",
        "An order dated after the day of its extract, in the business time zone, has not happened yet.",
    ),
    Rule(
        name="negative_quantity_is_a_return",
        holds="coalesce(quantity >= 0 or amount <= 0, true)",
        columns=("quantity", "amount"),
        remedy="refuse the row",
        because="A negative quantity is a return and gives money back; with a positive amount one of the two is wrong.",
    ),
    Rule(
        name="negative_amount_is_a_return",
        holds="coalesce(amount >= 0 or quantity <= 0, true)",
        columns=("quantity", "amount"),
        remedy="keep the row",
        because="Money given back for goods that were kept is possible, and worth a look.",
    ),
    *(below(column, IMPOSSIBLE) for column in ("quantity", "amount", "discount")),
    not_negative("discount", "A negative discount is a surcharge and makes a discount seeker look like the opposite."),
    key_is_unique(TABLE),
]

PAST: list[PastExpectation] = [
    *row_count(TABLE),
    repeated_keys(TABLE),
    *empty_shares([column for column in TABLE.columns if column not in TABLE.key]),
    *levels(["quantity", "amount", "discount"]),
    *events("ordered_at"),
    unknown_reference("customer_id"),
    unknown_reference("product_id"),
    *zero_shares(["quantity", "amount", "discount"]),
    rows_sent_again(TABLE),
    *orders_of_lines("order_id", "customer_id"),
    regions_of_customers(TABLE),
]
