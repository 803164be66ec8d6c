"""What the morning is told: each segment once, days without a count seen as such, shifts as long as they are open."""

from __future__ import annotations

from datetime import date

from orchestration.read.opened import Release
from orchestration.read.tonight import read_tonight
from tests.builders import SHOP_DAYS, Changed

DAY = SHOP_DAYS[-1]


def shift(state: str, day: date, opened_on: date, segment: str | None = "active", message: str = "said") -> str:
    who = f"'{segment}'" if segment else "null"
    severity = "info" if state in ("recovered", "noted") else "warning"
    return (
        "insert into metrics.segment_shifts (as_of_date, segment, measure, kind, severity, state, message, opened_on) "
        f"values ('{day}', {who}, 'members', 'jump', '{severity}', '{state}', '{message}', '{opened_on}')"
    )


def test_each_segment_is_there_once_with_the_counts_of_its_days(release: Release) -> None:
    tonight = read_tonight(release)
    assert tonight.days == tuple(SHOP_DAYS)
    counted = release.rows(
        "select segment, list(members order by as_of_date) from metrics.segment_counts_daily group by segment order by segment"
    )
    assert [(segment.segment, list(segment.counts)) for segment in tonight.segments] == counted
    assert all(segment.members == segment.counts[-1] for segment in tonight.segments)
    assert tonight.missing == ()


def test_a_night_on_which_nothing_was_counted_is_seen_as_missing(changed: Changed) -> None:
    release = changed(f"delete from metrics.segment_counts_daily where as_of_date = '{SHOP_DAYS[1]}'")
    tonight = read_tonight(release)
    assert {segment.counts[1] for segment in tonight.segments} == {None}
    assert tonight.missing == (SHOP_DAYS[1],)


def test_of_a_long_past_the_last_sixty_days_are_shown(changed: Changed) -> None:
    release = changed()
    long = Release(release.connection, release.name, DAY, date(2023, 1, 1), release.published_at)
    tonight = read_tonight(long)
    assert (len(tonight.days), tonight.days[0], tonight.days[-1]) == (60, date(2024, 1, 13), DAY)


def test_new_is_what_has_no_earlier_day_while_others_have(changed: Changed) -> None:
    release = changed(
        f"delete from metrics.segment_counts_daily where segment = 'active' and as_of_date < '{DAY}'",
        "update catalog.segments set state = 'held' where segment = 'new'",
    )
    tonight = read_tonight(release)
    assert [segment.segment for segment in tonight.new] == ["active"]
    assert {segment.segment: segment.standing for segment in tonight.segments if segment.standing != "fresh"} == {
        "active": "new",
        "new": "held",
    }


def test_on_the_first_night_of_all_nothing_is_new(changed: Changed) -> None:
    release = changed(f"delete from metrics.segment_counts_daily where as_of_date < '{DAY}'")
    first = Release(release.connection, release.name, DAY, DAY, release.published_at)
    assert read_tonight(first).new == ()


def test_an_open_episode_is_told_with_its_last_sentence_though_the_day_says_nothing(changed: Changed) -> None:
    release = changed(
        shift("opened", SHOP_DAYS[0], SHOP_DAYS[0], message="it fell"),
        shift("continuing", SHOP_DAYS[1], SHOP_DAYS[0], message=""),
    )
    [told] = read_tonight(release).shifts
    assert (told.state, told.as_of_date, told.opened_on, told.message) == (
        "continuing",
        SHOP_DAYS[1],
        SHOP_DAYS[0],
        "it fell",
    )


def test_a_recovery_is_told_on_its_day_and_remembered_afterwards(changed: Changed) -> None:
    began = shift("opened", SHOP_DAYS[0], SHOP_DAYS[0])
    [today] = read_tonight(changed(began, shift("recovered", DAY, SHOP_DAYS[0]))).shifts
    assert today.state == "recovered"
    past = read_tonight(changed(began, shift("recovered", SHOP_DAYS[2], SHOP_DAYS[0])))
    assert past.shifts == ()
    assert past.last_shift is not None
    assert past.last_shift.as_of_date == SHOP_DAYS[2]


def test_of_a_segment_that_is_defined_no_more_nothing_is_open(changed: Changed) -> None:
    release = changed(shift("opened", SHOP_DAYS[1], SHOP_DAYS[1], segment="retired_one"))
    assert read_tonight(release).shifts == ()


def test_the_gravest_shift_comes_first(changed: Changed) -> None:
    release = changed(
        shift("noted", DAY, DAY, segment="at_risk"),
        shift("opened", DAY, DAY, segment="new"),
        shift("worse", DAY, SHOP_DAYS[0], segment="lapsed"),
        "update metrics.segment_shifts set severity = 'critical' where segment = 'lapsed'",
    )
    assert [told.segment for told in read_tonight(release).shifts] == ["lapsed", "new", "at_risk"]
