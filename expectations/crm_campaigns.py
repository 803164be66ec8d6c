"""What a campaign must look like: when it ran and through which channel. What it cost is only warned about."""

from __future__ import annotations

from expectations.contracts import EXTRACT_TABLES
from expectations.past import PastExpectation, empty_shares, repeated_keys, row_count, value_shares
from expectations.rules import (
    AnyRule,
    Rule,
    key_is_present,
    key_is_unique,
    known,
    line_is_readable,
    not_negative,
    partition_has_rows,
    present,
    readable,
)

TABLE = EXTRACT_TABLES["crm/campaigns"]

RULES: list[AnyRule] = [
    partition_has_rows(),
    line_is_readable(),
    key_is_present(TABLE),
    *readable(TABLE),
    known("channel", ("email", "sms", "post", "push"), "A campaign is sent through exactly these channels."),
    present(TABLE, "starts_on", "Impact is measured from the first day of the campaign."),
    Rule(
        name="dates_are_in_order",
        holds="coalesce(starts_on <= ends_on, true)",
        columns=("starts_on", "ends_on"),
        remedy="refuse the row",
        because="A campaign cannot end before it starts; one without an end is still running.",
    ),
    not_negative("contact_cost", "A contact that earns money by being made flatters every business case."),
    not_negative("fixed_cost", "A campaign that earns money by existing flatters every business case."),
    key_is_unique(TABLE),
]

PAST: list[PastExpectation] = [
    *row_count(TABLE),
    repeated_keys(TABLE),
    *empty_shares([column for column in TABLE.columns if column not in TABLE.key]),
    *value_shares(TABLE.categories),
]
