"""The waterfall of a rule is exact: each step is a count of its own, and the last is the members."""

from __future__ import annotations

from itertools import pairwise

import duckdb
import pytest

from orchestration.errors import ConfigurationError
from orchestration.read.opened import Release
from orchestration.read.waterfall import Waterfall, waterfall
from orchestration.transform.clauses import rule_of
from orchestration.transform.meaning import parse
from tests.builders import Refreshed
from tests.read.small_release import BOUGHT_FRUIT, select, small_release, with_answers


def counts(told: Waterfall) -> list[tuple[int, int, int, int]]:
    return [(step.left, step.dropped, step.dropped_alone, step.kept_out) for step in told.steps]


def told_of(condition: str) -> Waterfall:
    return waterfall(small_release({"mine": select(condition)}), "mine")


def test_each_step_of_every_shipped_segment_equals_a_direct_count(release: Release, shop: Refreshed) -> None:
    with duckdb.connect(str(shop.aside / "warehouse.duckdb"), read_only=True) as warehouse:
        warehouse.execute(f"set variable day = date '{release.as_of_date}'")

        def counted(conditions: list[str]) -> int:
            """Order lines are in the warehouse, the members of one day in the release."""
            where = " and ".join(f"({condition})" for condition in conditions) or "true"
            if "int_order_lines" not in where:
                return int(release.rows(f"select count(*) from customers.dim_customers where {where}")[0][0])
            of_the_day = f"from customers.dim_customers where as_of_date = getvariable('day') and {where}"
            return int(warehouse.execute(f"select count(*) {of_the_day}").fetchall()[0][0])

        for segment, sql, members in release.rows("select segment, sql, members from catalog.segments"):
            told, clauses = waterfall(release, segment), [one.sql for one in rule_of(parse(sql), sql).clauses]
            assert (told.remark, [step.sql for step in told.steps]) == (None, clauses), segment
            assert told.base == counted([])
            assert [step.left for step in told.steps] == [counted(clauses[: n + 1]) for n in range(len(clauses))]
            assert [told.base - step.dropped_alone for step in told.steps] == [counted([one]) for one in clauses]
            assert [step.kept_out + members for step in told.steps] == [
                counted([other for other in clauses if other != one]) for one in clauses
            ], segment
            assert told.steps[-1].left == told.members == members, segment


def test_whoever_is_dropped_at_a_step_is_missing_after_it(release: Release) -> None:
    told = waterfall(release, "men_18_25")
    lefts = [told.base, *(step.left for step in told.steps)]
    assert [step.dropped for step in told.steps] == [before - after for before, after in pairwise(lefts)]  # fmt: skip


@pytest.mark.parametrize(
    ("condition", "steps"),
    [
        ("gender = 'male' and age < 50", [(3, 3, 3, 2), (1, 2, 3, 2)]),
        ("age < 50 and gender = 'male'", [(3, 3, 3, 2), (1, 2, 3, 2)]),
        ("not (gender = 'male')", [(1, 5, 5, 5)]),  # who has no gender is not known not to be male
        ("gender = 'male' or age < 50", [(5, 1, 1, 1)]),
        ("gender is null and not (age > 26 or gender = 'male')", [(2, 4, 4, 0), (0, 2, 6, 2)]),
        ("coalesce(age, 0) >= 0 and true", [(6, 0, 0, 0), (6, 0, 0, 0)]),
        ("null", [(0, 6, 6, 6)]),
    ],
)
def test_who_cannot_be_told_to_meet_a_clause_is_dropped_by_it(condition: str, steps: list[tuple[int, ...]]) -> None:
    told = told_of(condition)
    assert counts(told) == steps
    assert told.members == steps[-1][0]


def test_members_of_another_segment_are_looked_up_in_the_release() -> None:
    release = small_release(
        {
            "men": select("gender = 'male'"),
            "others_under_50": select("not customer_id in (select customer_id from segments.men) and age < 50"),
        }
    )
    told = waterfall(release, "others_under_50")
    assert [step.clause for step in told.steps] == ["NOT member_of('men')", "age < 50"]
    assert counts(told) == [(3, 3, 3, 1), (2, 1, 3, 1)]


@pytest.mark.parametrize(
    ("condition", "listed", "steps"),
    [
        (BOUGHT_FRUIT, ["bert", "fred"], [(2, 4, 4, 2), (1, 1, 3, 1)]),
        (BOUGHT_FRUIT, [], [(0, 6, 6, 3), (0, 0, 3, 0)]),
        (f"not {BOUGHT_FRUIT}", ["bert", "fred"], [(4, 2, 2, 1), (2, 2, 3, 2)]),
        (f"(gender = 'female' or {BOUGHT_FRUIT})", ["anna", "bert", "fred"], [(3, 3, 3, 1), (2, 1, 3, 1)]),
    ],
)
def test_a_condition_on_order_lines_is_answered_by_who_met_it_and_one_that_begins_with_not_by_who_did_not(
    condition: str, listed: list[str], steps: list[tuple[int, ...]]
) -> None:
    # Without order lines the rule cannot run here: it is told who its members are.
    mine = small_release({"mine": select(f"{condition} and age < 50")}, {"mine": []})
    release = with_answers(mine, {condition: listed})
    told = waterfall(release, "mine")
    assert (counts(told), told.is_split, told.remark) == (steps, True, None)
    assert "an order line with (category = 'FRUIT' and quantity > 0 and ordered_on > as_of_date - " in told.steps[0].clause  # fmt: skip


def test_without_the_answer_it_says_so_and_shows_everybody_and_the_members() -> None:
    told = waterfall(small_release({"mine": select(f"{BOUGHT_FRUIT} and age < 50")}, {"mine": ["bert"]}), "mine")
    assert (counts(told), told.is_split, told.members) == ([(1, 5, 5, 5)], False, 1)
    assert told.remark is not None
    assert "order lines" in told.remark


@pytest.mark.parametrize(
    "sql",
    [
        select("age < 50") + " union select as_of_date, customer_id from customers.dim_customers where age > 50",
        select("age < 100 and gender = 'male'") + " qualify row_number() over (order by age) <= 2",
        "with known as (select * from customers.dim_customers where age < 50) select as_of_date, customer_id from known",
    ],
)
def test_a_rule_that_cannot_be_split_says_so_and_guesses_nothing(sql: str) -> None:
    release = small_release({"mine": sql})
    told = waterfall(release, "mine")
    members = release.rows("select count(*) from segments.mine")[0][0]
    assert counts(told) == [(members, 6 - members, 6 - members, 6 - members)]
    assert told.is_split is False
    assert told.remark is not None
    assert "cannot be told clause by clause" in told.remark


def test_of_a_held_segment_it_shows_todays_data_and_says_whose_the_members_are() -> None:
    release = small_release({"men": select("gender = 'male'")}, {"men": ["anna"]})
    release.connection.execute("update catalog.segments set state = 'held', held_since = date '2024-03-29'")
    told = waterfall(release, "men")
    assert told.members == 3
    assert told.remark is not None
    assert "held since 2024-03-29: its 1 members are those of the last good day" in told.remark


def test_an_unknown_segment_is_named_with_the_nearest(release: Release) -> None:
    with pytest.raises(ConfigurationError, match="did you mean men_18_25"):
        waterfall(release, "men_18_26")
