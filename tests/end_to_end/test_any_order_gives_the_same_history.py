"""Four days at once, or one after the other, out of order and some twice: the same history, counts, flows and release."""

from __future__ import annotations

from datetime import date

from tests.builders import SHOP_DAYS, Refreshed, Stage, ask, corner_shop, current_contents, refreshed

TABLES = [
    "metrics.segment_counts_daily",
    "metrics.segment_membership_history",
    "metrics.segment_moves",
    "metrics.segment_flows_daily",
    "metrics.segment_overlap",
    "metrics.input_quality",
    "metrics.input_findings",
    "metrics.input_profile",
    "customers.dim_customers",
]
FIRST, SECOND, THIRD, FOURTH = SHOP_DAYS


#: Out of order, and some of them twice. Days one by one and in order are what every other test refreshes.
ORDER = [THIRD, THIRD, FIRST, FOURTH, FOURTH, SECOND]


def test_days_refreshed_one_by_one_equal_the_days_refreshed_at_once(stage: Stage, shop: Refreshed) -> None:
    home = stage.home(corner_shop())
    published: dict[date, str] = {}
    for day in ORDER:
        release = refreshed(home, day).release
        assert published.setdefault(day, release) == release, f"{day} a second time gave another release"
    found = current_contents(home)
    for table in TABLES:
        assert found[table] == shop.contents[table], table
    assert found == shop.contents
    assert release == shop.manifest.release


def test_the_four_days_have_something_to_disagree_about(shop: Refreshed) -> None:
    """The comparison above would be idle if nothing moved."""
    history = shop.contents["metrics.segment_membership_history"]
    assert {row[2] for row in history} == set(SHOP_DAYS)
    assert {row[3] for row in history} > set(SHOP_DAYS[1:])
    assert shop.contents["metrics.segment_flows_daily"]
    assert any(row[4] for row in shop.contents["metrics.segment_overlap"])


def test_a_customer_who_came_back_has_two_memberships_and_not_one(stage: Stage, shop: Refreshed) -> None:
    home = stage.restore(shop.aside)
    rows = ask(
        home,
        "select segment, count(*), min(entered_on), min(exited_on), max(entered_on) "
        "from metrics.segment_membership_history where customer_id = 'C5' group by segment",
    )
    assert rows
    assert {row[1:] for row in rows} == {(2, FIRST, THIRD, FOURTH)}


def test_an_order_one_second_before_midnight_counts_on_its_local_day(stage: Stage, shop: Refreshed) -> None:
    home = stage.restore(shop.aside)
    [(last_ordered_on,)] = ask(home, "select last_ordered_on from customers.dim_customers where customer_id = 'C4'")
    assert last_ordered_on == SECOND


def test_a_customer_known_after_her_order_is_in_the_base_from_then_on(stage: Stage, shop: Refreshed) -> None:
    home = stage.restore(shop.aside)
    rows = ask(
        home, "select min(entered_on) from metrics.segment_membership_history where customer_id = 'guest'"
    ) + ask(home, "select first_ordered_on from customers.dim_customers where customer_id = 'guest'")
    assert rows == [(THIRD,), (SECOND,)]


def test_a_customer_whom_the_crm_never_knew_is_in_no_table(shop: Refreshed) -> None:
    assert "stranger" not in str(shop.contents)
