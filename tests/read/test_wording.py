"""A condition is told in plain words, and one that has none as SQL has it."""

from __future__ import annotations

import pytest

from orchestration.read.wording import in_words
from tests.read.small_release import BOUGHT_FRUIT

FRUIT = "an order line of which category is 'FRUIT' and quantity is more than 0, ordered in the last 3 months"


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("age between 18 and 25", "age is between 18 and 25"),
        ("spend_lifetime > 1500", "spend lifetime is more than 1,500"),
        ("gender <> 'male' or age >= 65", "gender is not 'male' or age is at least 65"),
        ("not (gender = 'male' and age < 65)", "not (gender is 'male' and age is less than 65)"),
        ("region in ('a', 'b')", "region is one of 'a', 'b'"),
        ("first_ordered_on is null", "first ordered on has no value"),
        ("first_ordered_on is not null", "first ordered on has a value"),
        ("signed_up_on >= date '2024-03-01'", "signed up on is at least 2024-03-01"),
        ("coalesce(age, 0) <= 90", "age (0 where it has no value) is at most 90"),
        ("list_contains(interests, 'wine')", "interests include 'wine'"),
        ("is_contactable", "is contactable"),
        ("not is_contactable", "is not contactable"),
        ("not customer_id in (select customer_id from segments.men)", "is not a member of men"),
        (BOUGHT_FRUIT, f"has {FRUIT}"),
        (f"not {BOUGHT_FRUIT}", f"has no {FRUIT.removeprefix('an ')}"),
        ("lower(region) like 'a%'", "LOWER(region) LIKE 'a%'"),
        ("age in (select 1 from customers.dim_customers)", "age IN (SELECT 1 FROM customers.dim_customers)"),
    ],
)
def test_a_condition_in_words(condition: str, words: str) -> None:
    assert in_words(condition) == words
