"""Held segments, end to end: the others go on, a hold that heals leaves no trace, and who ends one by hand is named.

Held here by the output rule that no segment loses all of its members in silence: everybody's gender goes missing for a day.
"""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from orchestration.settings import Home
from tests.builders import (
    CUSTOMERS,
    SHOP_DAYS,
    Company,
    Refreshed,
    Row,
    Stage,
    ask,
    corner_shop,
    current_contents,
    drop_company,
    refreshed,
)

FIRST, SECOND, THIRD, FOURTH = SHOP_DAYS


def with_genders_missing(day: date) -> Company:
    """The corner shop, whose CRM sends everybody again on the day, without a gender."""
    company = corner_shop()
    everybody = {
        row["customer_id"]: row for at in sorted(company[CUSTOMERS]) if at <= day for row in company[CUSTOMERS][at]
    }
    nameless: list[Row] = [row | {"gender": ""} for row in everybody.values()]
    return company | {CUSTOMERS: company[CUSTOMERS] | {day: nameless}}


def states(home: Home) -> dict[str, tuple[str, date | None]]:
    return {
        segment: (state, since)
        for segment, state, since in ask(home, "select segment, state, held_since from catalog.segments")
    }


@pytest.fixture(scope="module")
def held_aside(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = stage.home(with_genders_missing(THIRD))
    refreshed(home, FIRST, SECOND)
    refreshed(home, THIRD)
    refreshed(home, FOURTH)
    return stage.set_aside(tmp_path_factory.mktemp("held") / "home")


@pytest.fixture
def held(stage: Stage, held_aside: Path) -> Home:
    return stage.restore(held_aside)


def test_only_the_segments_that_would_be_emptied_are_held_and_keep_their_last_good_version(held: Home) -> None:
    good = ask(
        held,
        f"select customer_id, entered_on from segments.women_25_34 where entered_on <= date '{SECOND}' order by all",
    )
    assert good
    assert states(held)["women_25_34"] == ("held", THIRD)
    assert ask(held, "select customer_id, entered_on from segments.women_25_34 order by all") == good
    counted = ask(
        held,
        "select as_of_date, members, entered, exited, state, held_because from metrics.segment_counts_daily "
        "where segment = 'women_25_34' order by 1",
    )
    size = len(good)
    assert [row[1:5] for row in counted[2:]] == [(size, 0, 0, "held")] * 2
    assert counted[2][5] == (
        "it would lose its only member" if size == 1 else f"it would lose all of its {size:,} members"
    )
    assert states(held)["active"] == ("fresh", None)


def test_a_corrected_extract_heals_a_hold_as_if_it_had_never_been(held: Home, shop: Refreshed) -> None:
    drop_company(held, {CUSTOMERS: {THIRD: corner_shop()[CUSTOMERS][THIRD]}})
    refreshed(held, FOURTH)
    assert current_contents(held) == shop.contents


def test_a_day_at_a_time_and_all_at_once_hold_the_same(held: Home, stage: Stage) -> None:
    day_by_day = current_contents(held)
    at_once = stage.home(with_genders_missing(THIRD))
    refreshed(at_once, FIRST, FOURTH)
    assert current_contents(at_once) == day_by_day


def test_whoever_releases_a_held_segment_is_named_and_it_is_published(held: Home) -> None:
    told = segments(
        "release-held", "women_25_34", "--reason", "the CRM asks for no gender any more", "--json", home=held
    )
    assert json.loads(told.stdout)["as_of_date"] == str(FOURTH), told.stderr
    assert states(held)["women_25_34"] == ("fresh", None)
    assert ask(held, "select count(*) from segments.women_25_34") == [(0,)]
    [(released_by,)] = ask(held, "select released_by from catalog.segments where segment = 'women_25_34'")
    assert released_by.endswith(": the CRM asks for no gender any more")
    left = ask(held, "select distinct exited_on from metrics.segment_membership_history where segment = 'women_25_34'")
    assert (THIRD,) in left


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("women_25_34", "--reason", "  "), "Say why"),
        (("women_25_34",), "Missing option '--reason'"),
        (("active", "--reason", "r"), "active is not held"),
        (("woman_25_34", "--reason", "r"), "did you mean women_25_34?"),
    ],
)
def test_an_override_that_makes_no_sense_changes_nothing(held: Home, arguments: tuple[str, ...], sentence: str) -> None:
    before = current_contents(held)
    told = segments("release-held", *arguments, home=held)
    assert told.returncode == 2
    assert sentence in told.stderr
    assert not (held.path / "overrides.jsonl").exists()
    assert current_contents(held) == before


def segments(*arguments: str, home: Home) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "orchestration.cli", *arguments, "--home", str(home.path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)
