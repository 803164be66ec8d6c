"""Causes sum to the change of every segment on every day of the year, and are those that an independent recount finds."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, timedelta

import pandas as pd
import pytest

from orchestration.settings import Home
from tests.builders import ask
from tests.end_to_end.cause_oracle import CauseOracle, Told

ONE_DAY = timedelta(1)
PAIRS, BYSTANDERS, SEED = 100, 100, 20170101
#: Segments that look at one customer alone, so that all of their rule can be recounted.
RECOUNTED = [
    "active",
    "aged_65_and_over",
    "at_risk",
    "big_baskets",
    "birthday_within_7_days",
    "bought_product_x_3m_over_500",
    "contactable_by_any_channel",
    "contactable_by_email",
    "discount_seekers",
    "first_time_buyers",
    "food_lovers",
    "frequent_buyers",
    "lapsed",
    "men_18_25",
    "never_bought",
    "new",
    "parents_of_babies",
    "slowing_down",
    "unreachable",
    "women_25_34",
    "won_back",
]
#: Those whose whole rule compares customers with each other.
RANKS = ["rfm_champions", "rfm_dormant", "rfm_loyal", "rfm_needs_attention", "rfm_promising", "top_spenders"]


Moves = dict[tuple[str, date], Told]


@pytest.fixture(scope="module")
def all_moves(year_of_the_demo: Home) -> Moves:
    """What the release tells of each mover, by segment and day."""
    told: Moves = {}
    for segment, day, customer, direction, cause in ask(
        year_of_the_demo, "select segment, as_of_date, customer_id, direction, cause from metrics.segment_moves"
    ):
        told.setdefault((segment, day), {})[customer] = (direction, cause)
    return told


@pytest.fixture(scope="module")
def held(year_of_the_demo: Home) -> set[tuple[str, date]]:
    return set(
        ask(year_of_the_demo, "select segment, as_of_date from metrics.segment_counts_daily where state = 'held'")
    )


@pytest.fixture(scope="module")
def moves(all_moves: Moves, held: set[tuple[str, date]]) -> Moves:
    """Without the days of a hold and those after them."""
    touched = held | {(segment, day + ONE_DAY) for segment, day in held}
    return {pair: told for pair, told in all_moves.items() if pair not in touched}


@pytest.fixture(scope="module")
def oracle(year_of_the_demo: Home) -> CauseOracle:
    return CauseOracle.of(year_of_the_demo.archive, "America/New_York")


@pytest.fixture(scope="module")
def with_what_came(all_moves: Moves, oracle: CauseOracle) -> pd.DataFrame:
    """Every move beside what came in of the customer with the extracts of its day."""
    rows = [
        (segment, pd.Timestamp(day), customer, *why)
        for (segment, day), told in all_moves.items()
        for customer, why in told.items()
    ]
    said = pd.DataFrame(rows, columns=["segment", "sent_on", "customer_id", "direction", "cause"])
    return said.join(oracle.came, on=["customer_id", "sent_on"]).fillna({"edits": False, "own": False, "others": False})


def test_causes_sum_to_the_change_of_every_segment_on_every_day(year_of_the_demo: Home) -> None:
    rows = ask(
        year_of_the_demo,
        "select counts.segment, as_of_date, coalesce(entered, 0), coalesce(exited, 0), "
        "coalesce(sum(customers) filter (where direction = 'entered'), 0), "
        "coalesce(sum(customers) filter (where direction = 'exited'), 0) "
        "from metrics.segment_counts_daily as counts left join metrics.segment_shift_causes using (segment, as_of_date) group by all",
    )
    assert len(rows) == 31 * 365
    assert [row for row in rows if row[2:4] != row[4:6]] == []


def test_every_mover_has_one_cause_and_nobody_else_has_any(year_of_the_demo: Home) -> None:
    of_the_history = """
        select segment, entered_on as as_of_date, customer_id, 'entered' as direction from metrics.segment_membership_history
        where entered_on > date '2017-01-01'
        union all
        select segment, exited_on, customer_id, 'exited' from metrics.segment_membership_history where exited_on is not null
    """
    told = "select segment, as_of_date, customer_id, direction from metrics.segment_moves where cause is not null"
    assert ask(year_of_the_demo, f"({of_the_history}) except all ({told})") == []
    assert ask(year_of_the_demo, f"({told}) except all ({of_the_history})") == []


def test_a_hundred_random_days_of_segments_are_as_recounted_from_the_rows_that_came(
    moves: Moves, oracle: CauseOracle
) -> None:
    dice = random.Random(SEED)
    everybody = sorted(set(oracle.customers["customer_id"]))
    causes = set()
    for segment, day in dice.sample(sorted(pair for pair in moves if pair[0] in RECOUNTED), PAIRS):
        said = moves[segment, day]
        # some who did not move, as they are said to
        told = oracle.told(segment, day - ONE_DAY, day, {*said, *dice.sample(everybody, BYSTANDERS)})
        assert told == said, f"{segment} on {day}"
        causes |= {cause for _, cause in told.values()}
    assert {"time_passed", "attribute_edited", "own_behaviour", "new_customer", "deleted"} <= causes


def test_after_a_hold_a_move_is_of_its_day_where_the_rule_turned_on_it_and_of_the_hold_where_not(
    all_moves: Moves, held: set[tuple[str, date]], oracle: CauseOracle
) -> None:
    """Among them are the year's only moves for late lines: of the day whose lines came with those of the next."""
    causes: Counter[str] = Counter()
    for segment, day in sorted((segment, day + ONE_DAY) for segment, day in held if segment in RECOUNTED):
        said = all_moves.get((segment, day), {})
        told = oracle.told(segment, day - ONE_DAY, day, said)
        for customer, (direction, cause) in said.items():
            turned, why = told.get(customer, (None, None))
            assert cause == (why if turned == direction else "held_or_released"), f"{segment} on {day}: {customer}"
            causes[cause] += 1
    assert causes["late_or_corrected_data"] > 0
    assert causes["held_or_released"] > 0


@pytest.mark.parametrize(
    ("cause", "needs"), [("attribute_edited", "edits"), ("own_behaviour", "own"), ("late_or_corrected_data", "others")]
)
def test_nobody_is_said_to_have_moved_for_what_did_not_come(
    with_what_came: pd.DataFrame, cause: str, needs: str
) -> None:
    so_caused = with_what_came[with_what_came["cause"] == cause]
    assert len(so_caused) > 0
    assert so_caused[~so_caused[needs].astype(bool)].empty


def test_others_moved_whoever_changed_rank_and_did_nothing(with_what_came: pd.DataFrame) -> None:
    by_rank = with_what_came[with_what_came["segment"].isin(RANKS)]
    in_the_base = by_rank[~by_rank["cause"].isin(["new_customer", "deleted", "held_or_released"])]
    did_nothing = ~(in_the_base["own"].astype(bool) | in_the_base["others"].astype(bool))
    assert set(in_the_base[did_nothing]["cause"]) == {"rank_moved"}
    of_others = with_what_came[with_what_came["cause"] == "rank_moved"]
    assert of_others[of_others["own"].astype(bool) | of_others["others"].astype(bool)].empty


def test_who_ceases_to_be_a_new_top_spender_on_the_morrow_does_so_as_time_passes(year_of_the_demo: Home) -> None:
    exits = ask(
        year_of_the_demo,
        "select distinct cause from metrics.segment_moves where segment = 'new_top_spenders' and direction = 'exited' "
        "and clause = 'spend_percentile_previous_day < 90'",
    )
    assert exits == [("time_passed",)]
