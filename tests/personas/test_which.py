"""Which tool a task wants: by rules that can be read, and never by more than they say."""

from __future__ import annotations

from itertools import pairwise

import click
import pytest

from dashboard.places import PLACES
from orchestration.cli import main
from orchestration.personas.which import KNOWN_TASKS, RULES, which


@pytest.mark.parametrize("task", KNOWN_TASKS)
def test_each_known_task_is_answered_by_its_own_words(task: str) -> None:
    [rule] = [rule for rule in RULES if rule.task == task]
    answer = which(task)
    assert answer.tool == rule.tool
    assert rule in [match.rule for match in answer.matches]


@pytest.mark.parametrize(
    ("task", "tool"),
    [
        ("Choose an audience for the spring letter", "segment"),
        ("plan the business case of a campaign", "segment"),
        ("Did the January coupons work?", "segment"),
        ("measure the impact of our campaign", "segment"),
        ("TRACKING a trend in the base", "segment"),
        ("Through which channel, and when?", "segment"),
        ("shape a value proposition for young families", "persona"),
        ("Design services for parents", "persona"),
        ("find moments of pain at the check-out", "persona"),
        ("friction", "persona"),
        ("the tone of an e-mail", "persona"),
        ("write effective copy", "persona"),
        ("brief a writer", "both"),
        ("run our January campaign end to end", "both"),
        ("a campaign", "both"),
        ("Launch the loyalty card", "both"),
    ],
)
def test_a_task_in_words_gets_its_tool(task: str, tool: str) -> None:
    assert which(task).tool == tool


def test_where_rules_of_both_tools_match_it_is_both_with_both_reasons_and_the_words() -> None:
    answer = which("the right message through the right channel")
    assert answer.tool == "both"
    assert [(match.rule.tool, match.words) for match in answer.matches] == [
        ("segment", ("channel",)),
        ("persona", ("message",)),
    ]
    assert answer.sentence == "Both, a segment and a persona: it goes by “channel”, “message”."


@pytest.mark.parametrize("task", ["", "   ", "paint the wall", "?!", "nothing of the kind", "*", "…", "(", "\\w+"])
def test_what_no_rule_knows_is_said_not_to_be_known_with_what_is(task: str) -> None:
    answer = which(task)
    assert (answer.tool, answer.matches) == (None, ())
    assert all(known in answer.sentence for known in KNOWN_TASKS)


@pytest.mark.parametrize(
    ("task", "is_known"),
    [
        ("toner", False),
        ("monotone", False),
        ("paint", False),
        ("TONE", True),
        ("tone.", True),
        ("audiences", True),
        ("value-propositions", True),
        ("A/B test", True),
        ("who of them should get", True),
        ("who of them should by the end get", False),
    ],
)
def test_a_keyword_matches_whole_words_and_a_stem_any_ending(task: str, is_known: bool) -> None:
    assert (which(task).tool is not None) == is_known


def test_a_weak_keyword_counts_only_where_nothing_else_does() -> None:
    assert which("campaign").tool == "both"
    assert [match.rule.task for match in which("the impact of the campaign").matches] == ["measure impact"]


def test_the_rules_are_in_plain_keywords() -> None:
    for rule in RULES:
        for keyword in (*rule.keywords, *rule.weak):
            assert keyword == keyword.casefold()
            assert all(part == "…" or part.rstrip("*").isalnum() for part in keyword.split()), keyword
            assert not keyword.startswith("…")
            assert not keyword.endswith("…")


def test_the_tools_are_in_one_order() -> None:
    order = ["segment", "persona", "both"]
    assert all(order.index(one.tool) <= order.index(other.tool) for one, other in pairwise(RULES))


def test_every_place_is_a_command_and_a_page() -> None:
    pages = {place.title for place in PLACES} | {"Personas"}
    for rule in RULES:
        program, *words = rule.place.command.split()
        assert program == "segments"
        at: click.Command = main
        while isinstance(at, click.Group):
            at = at.commands[words.pop(0)]
        assert rule.place.page in pages
