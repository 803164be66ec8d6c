"""What a product of the catalogue must look like. Names and categories may be missing: a product is known by its id."""

from __future__ import annotations

from expectations.contracts import EXTRACT_TABLES
from expectations.past import PastExpectation, empty_shares, repeated_keys, row_count, value_shares
from expectations.rules import AnyRule, key_is_present, key_is_unique, line_is_readable, partition_has_rows, readable

TABLE = EXTRACT_TABLES["shop/products"]

RULES: list[AnyRule] = [
    partition_has_rows(),
    line_is_readable(),
    key_is_present(TABLE),
    *readable(TABLE),
    key_is_unique(TABLE),
]

PAST: list[PastExpectation] = [
    *row_count(TABLE),
    repeated_keys(TABLE),
    *empty_shares([column for column in TABLE.columns if column not in TABLE.key]),
    *value_shares(TABLE.categories),
]
