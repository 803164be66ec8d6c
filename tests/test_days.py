"""Days, and which of them a run evaluates."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.days import ONE_DAY, Days, Record, chunks, days_to_evaluate

A_DAY = date(2024, 2, 28)
a_date = st.dates(date(2023, 1, 1), date(2025, 12, 31))


@st.composite
def some_days(draw: st.DrawFn) -> Days:
    first = draw(a_date)
    return Days(first, first + timedelta(days=draw(st.integers(0, 40))))


def day(number: int) -> date:
    return date(2024, 3, number)


def test_a_range_has_both_of_its_ends() -> None:
    days = Days(A_DAY, date(2024, 3, 1))
    assert list(days) == [A_DAY, date(2024, 2, 29), date(2024, 3, 1)]
    assert len(days) == 3


def test_a_single_day_is_a_range_and_reads_as_a_day() -> None:
    assert list(Days(A_DAY, A_DAY)) == [A_DAY]
    assert str(Days(A_DAY, A_DAY)) == "2024-02-28"
    assert str(Days(A_DAY, A_DAY + ONE_DAY)) == "2024-02-28 to 2024-02-29"


def test_a_range_that_ends_before_it_begins_is_refused_with_both_days() -> None:
    with pytest.raises(ValueError, match="begins on 2024-02-28 and ends before it, on 2024-02-27"):
        Days(A_DAY, A_DAY - ONE_DAY)


@given(some_days(), a_date)
def test_a_range_contains_exactly_the_days_that_it_lists(days: Days, one: date) -> None:
    assert (one in days) == (one in list(days))


@given(some_days(), some_days())
def test_the_union_is_the_shortest_range_that_has_both(one: Days, other: Days) -> None:
    both = one | other
    assert {both.first, both.last} <= {one.first, one.last, other.first, other.last}
    assert all(end in both for end in (one.first, one.last, other.first, other.last))
    assert both == other | one


def test_on_an_empty_record_the_days_asked_for_are_evaluated() -> None:
    assert days_to_evaluate(Days(day(3), day(5)), None, None) == Days(day(3), day(5))
    assert days_to_evaluate(Days(day(3), day(5)), None, day(1)) == Days(day(3), day(5))


@pytest.mark.parametrize(
    ("requested", "changed", "evaluated"),
    [
        ((6, 6), None, (6, 6)),  # the next night
        ((8, 8), None, (6, 8)),  # nights were missed
        ((5, 5), None, (5, 5)),  # the last night again
        ((4, 4), None, (4, 5)),  # an earlier night again: the later ones follow
        ((2, 2), None, (2, 5)),  # a day before the record
        ((6, 6), 6, (6, 6)),  # its own extract is new
        ((6, 6), 4, (4, 6)),  # an old extract was corrected
        ((6, 6), 1, (3, 6)),  # one from before the record was
        ((6, 6), 9, (6, 6)),  # one of a later day was
    ],
)
def test_a_record_of_the_3rd_to_the_5th(
    requested: tuple[int, int], changed: int | None, evaluated: tuple[int, int]
) -> None:
    record = Record(Days(day(3), day(5)), complete_until=day(5))
    found = days_to_evaluate(Days(*map(day, requested)), record, day(changed) if changed else None)
    assert found == Days(*map(day, evaluated))


def test_a_segment_that_was_away_gets_the_days_that_it_lacks() -> None:
    record = Record(Days(day(3), day(9)), complete_until=day(6))
    assert days_to_evaluate(Days(day(10), day(10)), record, None) == Days(day(7), day(10))
    assert days_to_evaluate(Days(day(4), day(4)), record, None) == Days(day(4), day(9))


@given(some_days(), some_days(), st.none() | a_date)
def test_a_run_leaves_no_gap_and_nothing_stale_behind(requested: Days, record: Days, changed: date | None) -> None:
    evaluated = days_to_evaluate(requested, Record(record, complete_until=record.last), changed)
    assert requested.first in evaluated
    assert requested.last in evaluated
    assert evaluated.last == max(requested.last, record.last)
    assert evaluated.first <= record.last + ONE_DAY
    if changed is not None and changed <= record.last:
        assert evaluated.first <= max(changed, record.first)


@given(some_days(), st.integers(1, 20))
def test_chunks_are_the_days_in_order_and_none_is_too_long(days: Days, size: int) -> None:
    parts = chunks(list(days), size)
    assert [one for part in parts for one in part] == list(days)
    assert all(0 < len(part) <= size for part in parts)


def test_no_days_make_no_chunks() -> None:
    assert chunks([], 5) == []
