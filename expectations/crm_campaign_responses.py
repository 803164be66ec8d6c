"""What a response to a campaign must look like: who, what and when; all of it is the key."""

from __future__ import annotations

from expectations.contracts import EXTRACT_TABLES
from expectations.past import PastExpectation, empty_shares, events, repeated_keys, row_count, value_shares
from expectations.rules import (
    AnyRule,
    happened_by_the_extract,
    key_is_present,
    key_is_unique,
    known,
    line_is_readable,
    partition_has_rows,
    readable,
)

TABLE = EXTRACT_TABLES["crm/campaign_responses"]

RULES: list[AnyRule] = [
    partition_has_rows(),
    line_is_readable(),
    key_is_present(TABLE),
    *readable(TABLE),
    known("response", ("open", "click", "redeem", "unsubscribe"), "Exactly these responses are counted."),
    happened_by_the_extract(
        "response_is_not_in_the_future",
        "responded_at",
        "refuse the row",
        "A response dated after the day of its extract, in the business time zone, has not happened yet.",
    ),
    key_is_unique(TABLE),
]

PAST: list[PastExpectation] = [
    *row_count(TABLE),
    repeated_keys(TABLE),
    *empty_shares([column for column in TABLE.columns if column not in TABLE.key]),
    *value_shares(TABLE.categories),
    *events("responded_at"),
]
