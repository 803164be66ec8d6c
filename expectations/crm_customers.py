"""What a change of a customer must look like.

A row may carry a withdrawn consent or a deletion, so it is refused only where its key, a consent or the deletion itself
is in doubt. A bad attribute is emptied instead: not to know a birth date is better than not to know of a withdrawal.
"""

from __future__ import annotations

from dataclasses import replace

from expectations.contracts import EXTRACT_TABLES
from expectations.past import (
    PastExpectation,
    changed_shares,
    empty_shares,
    levels,
    repeated_keys,
    row_count,
    unknown_reference,
    value_shares,
)
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

#: What a customer allows, and whether she is one at all, is never guessed.
NEVER_GUESSED = ("email_opt_in", "sms_opt_in", "post_opt_in", "push_opt_in", "is_deleted")
ATTRIBUTES = [column for column in TABLE.columns if column not in (*TABLE.key, *NEVER_GUESSED)]

EARLIEST_BIRTH_DATE = "1900-01-01"


def _unless_deleted(rule: Rule) -> Rule:
    """A deletion is believed whatever else its row says: refusing it would keep somebody who asked to leave."""
    return replace(rule, holds=f"is_deleted is true or ({rule.holds})")


RULES: list[AnyRule] = [
    partition_has_rows(),
    line_is_readable(),
    key_is_present(TABLE),
    *(_unless_deleted(rule) for rule in readable(TABLE, NEVER_GUESSED)),
    *readable(TABLE, ATTRIBUTES, remedy="null the value"),
    known(
        "gender",
        ("female", "male", "other"),
        "A segment that tests gender compares with exactly these words.",
        remedy="null the value",
    ),
    Rule(
        name="birth_date_is_possible",
        holds=f"birth_date is null or birth_date between date '{EARLIEST_BIRTH_DATE}' and extract_date",
        columns=("birth_date",),
        remedy="null the value",
        because=f"Nobody was born after the day of the extract or before {EARLIEST_BIRTH_DATE}; the age would be wrong.",
    ),
    known(
        "preferred_channel",
        ("email", "sms", "post", "push"),
        "A campaign sends through exactly these channels; a customer may prefer none.",
        remedy="null the value",
    ),
    dated_by_the_extract(
        "sign_up_is_not_in_the_future",
        "signed_up_on",
        "null the value",
        "A sign-up after the day of the extract is a slip; the days since then would be negative.",
    ),
    Rule(
        name="household_size_is_positive",
        holds="household_size is null or household_size > 0",
        columns=("household_size",),
        remedy="null the value",
        because="A household has at least the customer in it; sources that write 0 mean that they do not know.",
    ),
    Rule(
        name="email_looks_like_an_address",
        holds=r"email is null or regexp_matches(email, '^[^@\s]+@[^@\s]+\.[^@\s]+$')",
        columns=("email",),
        remedy="null the value",
        because="Nothing can be sent to text that is not an address.",
    ),
    key_is_unique(TABLE),
]

PAST: list[PastExpectation] = [
    *row_count(TABLE),
    repeated_keys(TABLE),
    *empty_shares([column for column in TABLE.columns if column not in TABLE.key]),
    *value_shares([*TABLE.categories, *NEVER_GUESSED]),
    *changed_shares([column for column in TABLE.columns if column not in TABLE.key]),
    *levels(["birth_date", "household_size"]),
    # Customers who were never sent before: a few new ones, or all of them under other ids.
    unknown_reference("customer_id"),
]
