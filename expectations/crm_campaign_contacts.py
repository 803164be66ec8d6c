"""What the assignment of a customer to a campaign must look like: the arm, and when the contact was made."""

from __future__ import annotations

from expectations.contracts import EXTRACT_TABLES
from expectations.past import PastExpectation, empty_shares, repeated_keys, row_count, value_shares
from expectations.rules import (
    AnyRule,
    Rule,
    dated_by_the_extract,
    key_is_present,
    key_is_unique,
    known,
    line_is_readable,
    partition_has_rows,
    readable,
)

TABLE = EXTRACT_TABLES["crm/campaign_contacts"]

RULES: list[AnyRule] = [
    partition_has_rows(),
    line_is_readable(),
    key_is_present(TABLE),
    *readable(TABLE),
    known(
        "arm",
        ("treatment", "control"),
        "Impact compares exactly these two arms; empty means that there was no holdout.",
    ),
    dated_by_the_extract(
        "contact_is_not_in_the_future",
        "contacted_on",
        "keep the row",
        "A contact dated after the day of the extract is planned and not made.",
    ),
    Rule(
        name="control_is_not_contacted",
        holds="arm is null or arm <> 'control' or contacted_on is null",
        columns=("arm", "contacted_on"),
        remedy="keep the row",
        because="A control customer who was contacted makes the measured impact too small.",
    ),
    key_is_unique(TABLE),
]

PAST: list[PastExpectation] = [
    *row_count(TABLE),
    repeated_keys(TABLE),
    *empty_shares([column for column in TABLE.columns if column not in TABLE.key]),
    *value_shares(TABLE.categories),
]
