"""The case for which the gate exists, end to end on the demo's November: an opt-in column goes missing overnight.

Only the segments that depend on it are held, with a sentence that names it; every other is fresh; the corrected extract heals all.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pytest

from orchestration.days import Days
from orchestration.drill.nights import Rehearsal
from orchestration.drill.opt_in_case import (
    BAD_NIGHT,
    COLUMN,
    FIRST_NIGHT,
    NEXT_NIGHT,
    OptInCase,
    deliver_without_fault,
    play,
)
from orchestration.settings import Home
from tests.builders import Rows, current_contents

DEPEND_ON_IT = {"contactable_by_email", "contactable_by_any_channel", "unreachable"}


@dataclass(frozen=True)
class Played:
    """The case, and all that the release holds at its end."""

    case: OptInCase
    contents: dict[str, Rows]


@pytest.fixture(scope="module")
def november(year_of_the_demo: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """What the demo had on the day after the bad night: extracts and archive, and none of its releases."""
    rehearsal = Rehearsal(tmp_path_factory.mktemp("november"))
    rehearsal.copy_facts(year_of_the_demo, before=date(2017, 11, 16))
    return rehearsal.home


@pytest.fixture(scope="module")
def played(november: Home, tmp_path_factory: pytest.TempPathFactory) -> Played:
    folder = tmp_path_factory.mktemp("played")
    case = play(november, folder)
    return Played(case, current_contents(Rehearsal(folder).home))


def test_before_it_nothing_is_held(played: Played) -> None:
    assert (played.case.before.exit_code, played.case.before.held) == (0, frozenset())


def test_the_night_is_published_with_exactly_the_segments_held_that_depend_on_the_column(played: Played) -> None:
    night = played.case.bad
    assert night.exit_code == 3, night.said
    assert night.held == DEPEND_ON_IT
    assert night.held == {name for name, segment in night.segments.items() if COLUMN in segment.raw_columns}
    assert {night.segments[name].held_since for name in night.held} == {BAD_NIGHT}


def test_the_sentence_names_the_column_the_share_and_the_day(played: Played) -> None:
    for name in DEPEND_ON_IT:
        because = played.case.bad.segments[name].held_because
        assert because is not None
        for words in ("email_opt_in", "93", str(BAD_NIGHT), "usually"):
            assert words in because, because


def test_a_held_segment_keeps_the_members_of_the_night_before_and_nobody_enters_or_leaves(played: Played) -> None:
    before, bad = played.case.before, played.case.bad
    assert all(bad.segments[name].members == before.segments[name].members > 0 for name in DEPEND_ON_IT)
    assert all(bad.segments[name].checksum == before.segments[name].checksum for name in DEPEND_ON_IT)
    assert {(bad.segments[name].entered, bad.segments[name].exited) for name in DEPEND_ON_IT} == {(0, 0)}


def test_the_corrected_extract_heals_it_all(played: Played) -> None:
    assert (played.case.corrected.exit_code, played.case.corrected.held) == (0, frozenset()), played.case.corrected.said
    states = {row for row in played.contents["catalog.segments"] if "held" in row}
    assert states == set()


def test_the_history_is_that_of_a_company_whose_extract_was_never_bad(
    played: Played, november: Home, tmp_path_factory: pytest.TempPathFactory
) -> None:
    never_bad = Rehearsal(tmp_path_factory.mktemp("never_bad"))
    never_bad.copy_facts(november, before=BAD_NIGHT)
    deliver_without_fault(never_bad.home, november)
    night = never_bad.refresh(Days(FIRST_NIGHT, NEXT_NIGHT))
    assert night.exit_code == 0, night.said
    expected = current_contents(never_bad.home)
    assert set(played.contents) == set(expected)
    assert [table for table in expected if played.contents[table] != expected[table]] == []


def test_every_other_segment_of_the_bad_night_is_the_true_one(played: Played) -> None:
    counted = {
        name: (one.members, one.entered, one.exited)
        for name, one in played.case.bad.segments.items()
        if one.state == "fresh"
    }
    true = {row[1]: row[2:5] for row in played.contents["metrics.segment_counts_daily"] if row[0] == BAD_NIGHT}
    assert set(counted) == set(true) - DEPEND_ON_IT
    assert counted == {name: true[name] for name in counted}
