"""Why a segment moved between any two days: the causes add up to everybody who is in on one day and not on the other."""

from __future__ import annotations

import json
import random
from datetime import date, timedelta

import pytest
from click.testing import CliRunner

from orchestration.cli import main
from orchestration.publish.explanation import read_explanation
from orchestration.settings import Home
from tests.builders import ask

FIRST, LAST = date(2017, 1, 1), date(2017, 12, 31)


def members(home: Home, segment: str, day: date) -> set[str]:
    rows = ask(
        home,
        f"select customer_id from metrics.segment_membership_history where segment = '{segment}' "
        f"and entered_on <= date '{day}' and (exited_on is null or exited_on > date '{day}')",
    )
    return {customer_id for (customer_id,) in rows}


def test_the_causes_between_any_two_days_add_up(year_of_the_demo: Home) -> None:
    chance = random.Random(7)
    segments = [name for (name,) in ask(year_of_the_demo, "select segment from catalog.segments order by 1")]
    for _ in range(40):
        segment = chance.choice(segments)
        since, on = sorted(chance.sample([FIRST + timedelta(n) for n in range(365)], 2))
        before, present = members(year_of_the_demo, segment, since), members(year_of_the_demo, segment, on)
        reasons = read_explanation(year_of_the_demo, segment, on, since)
        assert reasons is not None
        moved = {"entered": len(present - before), "exited": len(before - present)}
        assert {
            direction: sum(cause.customers for cause in reasons.causes if cause.direction == direction)
            for direction in moved
        } == moved
        assert (reasons.members_before, reasons.members) == (len(before), len(present))


def explained(home: Home, *asked: str) -> tuple[int, str]:
    said = CliRunner().invoke(main, ["explain", *asked, "--home", str(home.path)])
    return said.exit_code, said.output


def test_the_command_says_it_in_one_sentence_and_a_table(year_of_the_demo: Home) -> None:
    code, said = explained(year_of_the_demo, "lapsed", "--date", "2017-12-31", "--since", "2017-11-30")
    assert code == 0
    assert " ".join(said.split()).startswith("lapsed gained 2 on 140 members in 31 days: 40 came as time passed")
    assert "time_passed" in said


def test_the_document_has_the_sentence_the_causes_and_the_inputs(year_of_the_demo: Home) -> None:
    code, said = explained(year_of_the_demo, "active", "--date", "2017-04-20", "--json")
    document = json.loads(said)
    assert code == 0
    assert document["members"] - document["members_before"] == sum(
        cause["customers"] * (1 if cause["direction"] == "entered" else -1) for cause in document["causes"]
    )
    assert {"segment", "before", "on", "causes", "inputs", "sentence"} <= document.keys()


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (["lapst"], "There is no segment lapst in release"),
        (["lapsed", "--date", "2018-01-01"], "lapsed has no record of 2018-01-01"),
        (["lapsed", "--date", "2017-01-01"], "lapsed has no record of 2016-12-31"),
        (["lapsed", "--date", "2017-02-01", "--since", "2017-02-01"], "2017-02-01 is not before 2017-02-01"),
        (["lapsed", "--date", "yesterday"], "is not a day"),
    ],
)
def test_a_wrong_question_is_told(year_of_the_demo: Home, asked: list[str], sentence: str) -> None:
    code, said = explained(year_of_the_demo, *asked)
    assert code == 2
    assert sentence in " ".join(said.split())
