"""The output rules in a segment's YAML: what is possible is taken, what is not is one sentence that names the file."""

from __future__ import annotations

from typing import Any

import pytest

from orchestration.errors import ConfigurationError
from orchestration.transform.output_rules import Change, OutputRules, output_rules


def test_a_segment_without_rules_may_do_anything_but_lose_everybody() -> None:
    assert output_rules("s", None) == OutputRules(allow_empty=False)


def test_rules_are_read_as_they_stand() -> None:
    said = {"min_members": 10, "hold_if_changed_by": {"share": 0.5, "members": 20}, "on_breach": "warn"}
    assert output_rules("s", said) == OutputRules(
        min_members=10, hold_if_changed_by=Change(share=0.5, members=20), on_breach="warn"
    )


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"min_member": 1}, "unknown field `min_member`; did you mean `min_members`?"),
        ({"hold_if_changed_by": {"shares": 0.5}}, "did you mean `share`?"),
        ({"min_members": 9, "max_members": 3}, "min_members 9 is more than max_members 3"),
        ({"min_members": -1}, "`min_members` is -1"),
        ({"hold_if_changed_by": {"share": 0}}, "`hold_if_changed_by.share` is 0"),
        ({"on_breach": "shout"}, "`on_breach` is 'shout'"),
        ("none", "should be a valid dictionary"),
    ],
)
def test_an_impossible_rule_is_one_sentence(said: Any, sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=r"models/segments/s\.yml, output_rules: ") as refused:
        output_rules("s", said)
    assert sentence in str(refused.value)
