"""What a change of a customer must look like.

A deletion is believed whatever else its row says: refusing it would keep somebody in the base who asked to leave.
"""

from __future__ import annotations

from dataclasses import replace

from expectations.contracts import EXTRACT_TABLES
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

TABLE = EXTRACT_TABLES["crm/customers"]


def _unless_deleted(rule: Rule) -> Rule:
    return replace(rule, holds=f"is_deleted is true or ({rule.holds})")


RULES: list[AnyRule] = [
    partition_has_rows(),
    line_is_readable(),
    key_is_present(TABLE),
    *(_unless_deleted(rule) for rule in readable(TABLE)),
    _unless_deleted(
        known("gender", ("female", "male", "other"), "A segment that tests gender compares with exactly these words.")
    ),
    _unless_deleted(
        Rule(
            name="birth_date_is_possible",
            holds="birth_date is null or birth_date between date '1900-01-01' and extract_date",
            columns=("birth_date",),
            severity="critical",
            because="No customer was born after the day of the extract or before 1900; the age would be wrong.",
        )
    ),
    _unless_deleted(
        known(
            "preferred_channel",
            ("email", "sms", "post", "push"),
            "A campaign sends through exactly these channels; a customer may prefer none.",
        )
    ),
    _unless_deleted(
        dated_by_the_extract(
            "sign_up_is_not_in_the_future",
            "signed_up_on",
            "warning",
            "A sign-up after the day of the extract is a slip, and no reason to miss the customer's consent.",
        )
    ),
    _unless_deleted(
        Rule(
            name="household_size_is_positive",
            holds="household_size is null or household_size > 0",
            columns=("household_size",),
            severity="warning",
            because="A household has at least the customer in it; sources that write 0 mean that they do not know.",
        )
    ),
    _unless_deleted(
        Rule(
            name="email_looks_like_an_address",
            holds=r"email is null or regexp_matches(email, '^[^@\s]+@[^@\s]+\.[^@\s]+$')",
            columns=("email",),
            severity="warning",
            because="Nothing can be sent to text that is not an address.",
        )
    ),
    key_is_unique(TABLE),
]
