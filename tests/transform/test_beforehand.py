"""Of a rule that compares customers, what is known of a day to come is what it asks of the customer alone."""

from __future__ import annotations

import pytest

from orchestration.transform.beforehand import UNKNOWN, Beforehand
from orchestration.transform.catalogue import Segment
from orchestration.transform.clauses import rule_of
from orchestration.transform.meaning import parse
from orchestration.transform.rules import Rules
from orchestration.transform.what_if import CustomerModels

#: A model of a customer's orders, two that compare customers, one that reads such a one, and the customers.
MODELS = {
    "versions": "",
    "history": "select as_of_date, customer_id, count(*) as orders from customers.versions group by all",
    "ranks": "select as_of_date, customer_id, rank() over (partition by as_of_date order by orders) as place, 1 as place_before from customers.history",
    "scores": "select as_of_date, customer_id, ntile(5) over (partition by as_of_date order by orders) as score from customers.history where orders > 0",
    "tiers": "select as_of_date, customer_id, score >= 4 as is_gold from customers.scores",
    "dim_customers": "select history.as_of_date, history.customer_id, history.orders, ranks.place, ranks.place_before, scores.score, tiers.is_gold "
    "from customers.history as history "
    + "".join(
        f"left join customers.{model} as {model} on {model}.as_of_date = history.as_of_date and {model}.customer_id = history.customer_id "
        for model in ("ranks", "scores", "tiers")
    ),
}
PARENTS = {
    "versions": [],
    "history": ["versions"],
    "ranks": ["history"],
    "scores": ["history"],
    "tiers": ["scores"],
    "dim_customers": ["history", "ranks", "scores", "tiers"],
}
COLUMNS = {
    "customers.versions": {"customer_id", "valid_from", "valid_to"},
    "customers.dim_customers": {"as_of_date", "customer_id", "orders", "place", "place_before", "score", "is_gold"},
}
RANK = {"place": {"config": {"meta": {"is_rank_among_all": True}}}}

BOUGHT = "(as_of_date, customer_id) IN (SELECT as_of_date, customer_id FROM {table} WHERE orders > 1)"
RULES = {
    "buyers": "orders > 0",
    "first": "place = 1",
    "first_buyers": "orders > 0 and place = 1",
    "newly_first": "orders > 0 and place = 1 and place_before > 1",
    "first_or_buyers": "(orders > 5 or place = 1) and orders > 0",
    "first_in_december": "place = month(as_of_date) - 11 and orders > 0",
    "scored": "score >= 4 and orders > 0",
    "gold": BOUGHT.format(table="customers.tiers"),
    "bought": f"{BOUGHT.format(table='customers.versions')} and place <= 3",
    "above_the_mean": "orders > (select avg(orders) from customers.versions)",
    "friends_of_buyers": BOUGHT.format(table="segments.buyers"),
    "friends_of_first_buyers": BOUGHT.format(table="segments.first_buyers"),
}
OF_SEVERAL = "its rule looks at several customers at once, or into a table of which the days ahead are not worked out"


@pytest.fixture(scope="module")
def beforehand() -> Beforehand:
    nodes = {
        name: {
            "name": name,
            "resource_type": "model",
            "database": "w",
            "schema": "customers",
            "alias": None,
            "depends_on": {"nodes": parents},
            "columns": RANK if name == "dim_customers" else {},
        }
        for name, parents in PARENTS.items()
    }
    written = {
        name: f"select as_of_date, customer_id from customers.dim_customers where {rule}"
        for name, rule in RULES.items()
    }
    return Beforehand(
        Rules(
            CustomerModels({"nodes": nodes}, MODELS, COLUMNS),
            [Segment(name, "-", "-", "-", "-", "-", "-", None, ()) for name in RULES],
            {name: rule_of(parse(sql), sql) for name, sql in written.items()},
            {},
            lambda model: {},
        )
    )


@pytest.mark.parametrize(
    ("segment", "known", "compared"),
    [
        ("buyers", ["orders > 0"], []),
        ("first_buyers", ["orders > 0"], ["place = 1"]),
        ("bought", [BOUGHT.format(table="customers.versions")], ["place <= 3"]),
        ("friends_of_buyers", [BOUGHT.format(table="segments.buyers")], []),
    ],
)
def test_a_condition_that_compares_stands_and_the_others_are_asked(
    beforehand: Beforehand, segment: str, known: list[str], compared: list[str]
) -> None:
    assert beforehand.untold(segment) == ""
    assert [clause.text for clause in beforehand.rules.rules[segment].clauses] == known
    stands = beforehand.comparing(segment)
    assert [clause.text for clause in (stands.clauses if stands else ())] == compared
    assert beforehand.taken_as_tonight(segment) == "".join(
        f"{one} is taken as it is tonight: {UNKNOWN}" for one in compared
    )


@pytest.mark.parametrize(
    ("segment", "because"),
    [
        ("first", f"it compares customers (place), and {UNKNOWN}"),
        ("newly_first", f"it compares customers (place, place_before), and {UNKNOWN}"),
        ("first_or_buyers", f"it compares customers (place), and {UNKNOWN}"),
        ("first_in_december", f"it compares customers (place), and {UNKNOWN}"),
        ("scored", f"it compares customers (score), and {UNKNOWN}"),
        ("gold", OF_SEVERAL),
        ("above_the_mean", OF_SEVERAL),
        ("friends_of_first_buyers", "it builds on first_buyers, which compares customers"),
    ],
)
def test_what_hangs_on_others_is_not_told(beforehand: Beforehand, segment: str, because: str) -> None:
    assert beforehand.untold(segment) == because
