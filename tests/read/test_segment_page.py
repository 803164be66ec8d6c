"""What is read of one segment: its days and what is known of them, its neighbours, its reach, its days ahead, its words."""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import date, timedelta

import pytest

from orchestration.errors import ConfigurationError
from orchestration.read.neighbours import Passage, passages, shared
from orchestration.read.opened import Release
from orchestration.read.outlook import Ahead, outlook, who_changes
from orchestration.read.portrait import names, words_of
from orchestration.read.reach import CHANNELS, reach
from orchestration.read.series import Mark, daily_series, marks
from tests.builders import SHOP_DAYS, Changed

FIRST, SECOND, THIRD, LAST = SHOP_DAYS


def outlook_of(*rows: tuple[str, str, str, date | None]) -> str:
    values = ", ".join(
        str((segment, customer, change, on and str(on))).replace("None", "null")
        for segment, customer, change, on in rows
    )
    return f"insert into metrics.segment_outlook (segment, customer_id, change, expected_on) values {values}"


def test_the_days_are_those_counted_and_the_first_has_no_moves(release: Release) -> None:
    days = daily_series(release, "active")
    assert [day.as_of_date for day in days] == SHOP_DAYS
    assert (days[0].entered, days[0].exited) == (None, None)
    for before, day in itertools.pairwise(days):
        assert day.members == before.members + (day.entered or 0) - (day.exited or 0)


def test_days_in_a_row_of_which_the_same_is_known_are_one_mark(changed: Changed) -> None:
    release = changed(
        f"update metrics.segment_counts_daily set state = 'held', held_because = 'no file' where segment = 'active' and as_of_date in ('{FIRST}', '{SECOND}', '{LAST}')",
        f"update metrics.segment_counts_daily set definition_hash = 'another' where segment = 'active' and as_of_date >= '{THIRD}'",
    )
    told = [mark for mark in marks(release, "active") if mark.kind in ("held", "new definition")]
    assert told == [
        Mark(FIRST, SECOND, "held", "no file"),
        Mark(THIRD, THIRD, "new definition", "defined anew"),
        Mark(LAST, LAST, "held", "no file"),
    ]


def test_a_shift_is_marked_on_the_day_on_which_it_opened(changed: Changed) -> None:
    release = changed(
        "insert into metrics.segment_shifts (as_of_date, segment, measure, kind, severity, state, message, opened_on) values "
        f"('{THIRD}', 'active', 'members', 'jump', 'warning', 'opened', 'active fell', '{THIRD}'), "
        f"('{LAST}', 'active', 'members', 'jump', 'warning', 'continuing', 'active is still low', '{THIRD}')"
    )
    assert [mark for mark in marks(release, "active") if mark.kind == "shift"] == [
        Mark(THIRD, THIRD, "shift", "active fell")
    ]


def test_passages_are_the_opposite_moves_of_the_same_customer_on_the_same_day(release: Release) -> None:
    moves = release.rows(
        "select as_of_date, customer_id, direction, segment from metrics.segment_moves where as_of_date > $1",
        [LAST - timedelta(30)],
    )
    expected: Counter[tuple[str, str | None]] = Counter()
    for day, customer, direction, segment in moves:
        if segment != "active":
            continue
        others = [
            other
            for at, who, way, other in moves
            if (at, who) == (day, customer) and way != direction and other != "active"
        ]
        expected.update(("from" if direction == "entered" else "to", other) for other in others or [None])
    assert expected
    assert {(one.direction, one.segment): one.customers for one in passages(release, "active")} == expected


def test_who_passed_between_no_segments_is_counted_too(changed: Changed) -> None:
    release = changed(
        "delete from metrics.segment_moves",
        "insert into metrics.segment_moves (as_of_date, customer_id, direction, segment) values "
        f"('{LAST}', 'C1', 'exited', 'active'), ('{LAST}', 'C2', 'exited', 'active'), ('{LAST}', 'C2', 'entered', 'lapsed')",
    )
    assert passages(release, "active") == [Passage("to", "lapsed", 1), Passage("to", None, 1)]


def test_those_that_share_the_most_come_first(release: Release) -> None:
    found = shared(release, "active")
    own = {customer for (customer,) in release.rows("select customer_id from segments.active")}
    for other in found:
        theirs = {customer for (customer,) in release.rows(f"select customer_id from segments.{other.segment}")}
        assert (other.members, other.members_both) == (len(theirs), len(own & theirs))
        assert other.jaccard == pytest.approx(len(own & theirs) / len(own | theirs))
    assert [one.jaccard for one in found] == sorted((one.jaccard for one in found), reverse=True)


def test_a_channel_reaches_who_agreed_can_be_reached_and_did_not_unsubscribe(changed: Changed) -> None:
    release = changed("insert into customers.unsubscribes (customer_id, channel) values ('C0', 'email'), ('C3', 'sms')")
    told = {one.channel: one for one in reach(release, "active")}
    assert tuple(told) == CHANNELS
    members = release.rows(
        "select customer_id, email_opt_in, sms_opt_in, post_opt_in, has_email from customers.dim_customers semi join segments.active using (customer_id)"
    )
    by_mail = [customer for customer, email, _, _, has in members if email and has]
    assert told["email"].members == len(members)
    assert told["email"].consented == sum(email for _, email, *_ in members)
    assert (told["email"].reachable, told["email"].targetable) == (len(by_mail), len({*by_mail} - {"C0"}))
    assert "C0" in by_mail
    assert told["post"].targetable == told["post"].reachable == told["post"].consented == sum(m[3] for m in members)


def test_the_days_ahead_count_who_leaves_and_enters_until_then(changed: Changed) -> None:
    soon, late = LAST + timedelta(7), LAST + timedelta(8)
    release = changed(
        "delete from metrics.segment_outlook",
        outlook_of(
            ("active", "C1", "leaves", soon),
            ("active", "C2", "leaves", soon),
            ("active", "C3", "enters", late),
            ("active", "C4", "one_order_away", None),
            ("lapsed", "C5", "leaves", soon),
        ),
        "delete from metrics.segment_outlook_gaps",
    )
    told = outlook(release, "active")
    assert told is not None
    assert told.days == (Ahead(soon, 2, 0), Ahead(late, 0, 1))
    assert (told.within(LAST, 7), told.within(LAST, 30)) == (Ahead(soon, 2, 0), Ahead(LAST + timedelta(30), 2, 1))
    assert told.one_order_away == 1
    assert who_changes(release, "active", "leaves") == [("C1", soon), ("C2", soon)]


def test_what_is_not_told_of_the_days_ahead_says_why_and_an_old_release_has_none(changed: Changed) -> None:
    release = changed(
        "delete from metrics.segment_outlook_gaps",
        "insert into metrics.segment_outlook_gaps (segment, change, because) values ('active', 'one_order_away', 'it is held')",
    )
    told = outlook(release, "active")
    assert told is not None
    assert (told.one_order_away, told.gaps) == (None, {"one_order_away": "it is held"})
    assert outlook(changed("drop table metrics.segment_outlook"), "active") is None


def test_a_segment_that_there_is_not_is_refused_with_the_nearest_name(release: Release) -> None:
    assert words_of(release, "men_18_25").label == "Men aged 18 to 25"
    assert "men_18_25" in names(release)
    with pytest.raises(ConfigurationError, match=r"There is no segment men_18_52 in release .*; .*men_18_25"):
        words_of(release, "men_18_52")
