"""What is usual of a figure: a true fault is out of bounds, chance is not, and a fault is no past for the days after it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.validate.usual import DAYS_NEEDED, ONCE_IN, Bounds, Course, counts, levels, shares

WEEK = [day % 7 for day in range(400)]


def share_bounds(hits: list[int], rows: list[int]) -> list[Bounds]:
    return shares(hits, rows, Course.unjudged(len(rows)))


def count_bounds(rows: list[int]) -> list[Bounds]:
    return counts(rows, WEEK[: len(rows)], Course.unjudged(len(rows)))


def is_inside(figure: float, bounds: Bounds) -> bool:
    return not (figure < bounds.lower or figure > bounds.upper)


def test_nothing_is_judged_before_a_week_of_history() -> None:
    bounds = share_bounds([0] * 10, [50] * 10)
    assert [known.is_known for known in bounds] == [False] * DAYS_NEEDED + [True] * 3


def test_a_column_emptied_in_a_file_of_eight_rows_is_out_of_bounds_and_one_empty_row_is_not() -> None:
    past = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0]
    [*_, known] = share_bounds([*past, 8], [8] * 11)
    assert not is_inside(8 / 8, known)
    assert is_inside(1 / 8, known)
    assert is_inside(2 / 8, known)


@pytest.mark.parametrize(("usual", "today"), [(0.5, 0.95), (0.5, 0.1), (0.14, 0.0), (0.02, 0.4), (0.98, 0.6)])
def test_a_large_file_with_another_share_is_out_of_bounds(usual: float, today: float) -> None:
    [*_, known] = share_bounds([round(1000 * usual)] * 10 + [0], [1000] * 11)
    assert not is_inside(today, known)
    assert is_inside(usual, known)


def test_an_export_of_everybody_is_held_against_small_files_with_their_uncertainty() -> None:
    few_rows = share_bounds([4] * 10 + [0], [8] * 10 + [2400])[-1]
    assert is_inside(0.62, few_rows)
    assert not is_inside(1.0, few_rows)


@settings(max_examples=25)
@given(p=st.floats(0.01, 0.99), rows=st.integers(3, 400), seed=st.integers(0, 2**32 - 1))
def test_chance_alone_stays_in_bounds(p: float, rows: int, seed: int) -> None:
    hits = np.random.default_rng(seed).binomial(rows, p, size=60).tolist()
    assert all(is_inside(k / rows, known) for k, known in zip(hits, share_bounds(hits, [rows] * 60), strict=True))


def test_a_share_that_scatters_from_day_to_day_has_wider_bounds() -> None:
    steady = share_bounds([200] * 20, [1000] * 20)[-1]
    restless = share_bounds([50, 350] * 10, [1000] * 20)[-1]
    assert restless.upper - restless.lower > 1.5 * (steady.upper - steady.lower)


def test_a_day_out_of_bounds_is_no_past_for_the_days_after_it() -> None:
    rows = [500] * 40
    hits = [10] * 20 + [480] * 20
    assert not any(is_inside(480 / 500, known) for known in share_bounds(hits, rows)[20:])


def test_with_a_day_that_somebody_released_the_past_is_another() -> None:
    hits, rows = [10] * 20 + [480] * 20, [500] * 40
    course = Course([None] * 40, [day == 20 for day in range(40)])
    bounds = shares(hits, rows, course)
    assert not is_inside(480 / 500, bounds[20])
    assert [known.is_known for known in bounds[21:28]] == [False] * (DAYS_NEEDED - 1) + [True]
    assert all(is_inside(480 / 500, known) for known in bounds[21:])


def test_a_release_blinds_nothing_that_was_as_usual() -> None:
    course = Course([None] * 40, [day == 20 for day in range(40)])
    bounds = shares([10] * 40, [500] * 40, course)
    assert all(known.is_known for known in bounds[DAYS_NEEDED:])


def test_of_a_warning_a_lasting_change_becomes_usual() -> None:
    rows = [1000] * 20 + [5000] * 40
    tolerant = counts(rows, WEEK[:60], Course([None] * 60, [False] * 60, is_tolerant=True), "above")
    assert not is_inside(5000, tolerant[20])
    assert is_inside(5000, tolerant[-1])


def test_days_that_were_judged_before_give_the_same_bounds_to_the_next() -> None:
    hits, rows = [3, 5, 4, 6, 2, 5, 4, 90, 3, 4, 5, 4], [100] * 12
    at_once = share_bounds(hits, rows)
    believed = [is_inside(k / n, known) for k, n, known in zip(hits, rows, at_once, strict=True)]
    later = shares(hits, rows, Course([*believed[:11], None], [False] * 12))
    assert later[-1] == at_once[-1]
    assert not any(known.is_known for known in later[:11])


def test_a_value_that_is_rare_is_not_missed() -> None:
    course = Course.unjudged(11)
    rare = shares([10] * 10 + [0], [1000] * 11, course, fewest_missed=20)[-1]
    common = shares([150] * 10 + [0], [1000] * 11, course, fewest_missed=20)[-1]
    assert is_inside(0, rare)
    assert not is_inside(0, common)


def test_half_a_file_is_out_of_bounds_and_a_slow_day_is_not() -> None:
    week = [4000, 3500, 3400, 3450, 3800, 4700, 5100]
    known = count_bounds([*week * 4, 0])[-1]
    assert not is_inside(2000, known)
    assert is_inside(3000, known)


def test_weekdays_are_compared_among_themselves() -> None:
    closed_on_sundays = [1000, 1000, 1000, 1000, 1000, 1000, 0] * 6
    bounds = count_bounds(closed_on_sundays)
    assert all(is_inside(rows, known) for rows, known in zip(closed_on_sundays, bounds, strict=True))
    assert not is_inside(0, count_bounds([*closed_on_sundays, 0])[-1])


def test_few_rows_a_day_may_fall_to_none() -> None:
    assert not count_bounds([8] * 20 + [0])[-1].is_known


def test_on_one_side_there_is_no_bound_on_the_other() -> None:
    course = Course.unjudged(20)
    below, above = (counts([1000] * 20, WEEK[:20], course, side)[-1] for side in ("below", "above"))
    assert (below.upper, above.lower) == (math.inf, -math.inf)
    assert below.lower > 0
    assert above.upper < math.inf


def test_a_level_may_move_as_it_did_and_at_least_as_far_as_allowed() -> None:
    restless = [2.0, 3.0, 4.0, 3.0, 2.0, 4.0, 3.0, 2.5, 3.5, 3.0]
    assert is_inside(5.0, levels([*restless, 0.0], 0.1, Course.unjudged(11))[-1])
    steady = levels([3.0] * 10 + [0.0], 0.7, Course.unjudged(11))[-1]
    assert is_inside(3.6, steady)
    assert not is_inside(3.8, steady)


def test_a_day_without_the_figure_has_no_bounds_and_is_no_past() -> None:
    values = [3.0, math.nan] * 10
    bounds = levels(values, 0.5, Course.unjudged(20))
    assert [known.is_known for known in bounds[1::2]] == [False] * 10
    assert bounds[18].is_known


def test_the_bounds_are_as_rarely_left_as_they_say() -> None:
    """Of 40,000 days of chance alone, none in a million is expected out of bounds; a handful would be a fault."""
    assert ONCE_IN == 1_000_000
    random = np.random.default_rng(7)
    outside = 0
    for p in (0.02, 0.1, 0.3, 0.5):
        for rows in (8, 50, 500, 4000):
            hits = random.binomial(rows, p, size=250).tolist()
            bounds = share_bounds(hits, [rows] * 250)
            outside += sum(not is_inside(k / rows, known) for k, known in zip(hits, bounds, strict=True))
    assert outside == 0
