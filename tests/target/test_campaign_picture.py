"""The picture of a campaign: small, the same every time, and honest about who was compared."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from orchestration.errors import ConfigurationError
from orchestration.settings import Home
from orchestration.target.outcome import Outcome, read_outcome
from orchestration.target.picture import draw, write_picture
from tests.target.small_release import Shop, known, measured

FIRST = date(2024, 3, 1)


def days(number: int = 28, **said: Any) -> list[dict[str, Any]]:
    """An effect that comes to rest at 4, and bands that narrow."""
    return [
        measured(as_of_date=FIRST + timedelta(day - 1), day_index=day, information_fraction=day / 28, lift=4.0, lower=4 - 10 / day**0.5,
                 upper=4 + 10 / day**0.5, lower_anytime=4 - 18 / day**0.5, upper_anytime=4 + 18 / day**0.5) | said
        for day in range(1, number + 1)
    ]  # fmt: skip


def outcome_of(home: Home, rows: list[dict[str, Any]], **said: Any) -> Outcome:
    Shop(campaigns=[known(**said)], impact=rows).publish(home)
    outcome = read_outcome(home, "spring")
    assert outcome is not None
    return outcome


def test_the_same_outcome_gives_the_same_svg_to_the_byte_without_a_clock(home: Home) -> None:
    outcome = outcome_of(home, days())
    drawn = draw(outcome, "svg")
    assert drawn == draw(outcome, "svg")
    assert b"dc:date" not in drawn
    assert len(drawn) < 60_000


def test_the_picture_says_in_words_what_came_of_it(home: Home) -> None:
    said = re.findall(r"<text[^>]*>([^<]*)</text>", draw(outcome_of(home, days()), "svg").decode())
    assert {
        "Spring: it worked",
        "planned end",
        "last contacts",
        "95 %, for one look",
        "holds however often one looks",
    } <= set(said)


def test_without_a_holdout_the_picture_claims_no_effect(home: Home) -> None:
    rows = days(evidence="matched", verdict="not_randomised", lower_anytime=None, upper_anytime=None)
    drawn = draw(outcome_of(home, rows), "svg").decode()
    assert "Spring: nobody was held out, so this is not what it did" in drawn
    assert "difference of changes" in drawn
    assert ">effect<" not in drawn


def test_one_day_and_days_without_a_figure_can_be_drawn(home: Home) -> None:
    gap = [row | dict.fromkeys(("lift", "lower", "upper", "lower_anytime", "upper_anytime")) for row in days(3)[1:]]
    assert draw(outcome_of(home, days(1) + gap, ends_on=None, measured_until=None), "png").startswith(b"\x89PNG")


def test_the_first_days_do_not_flatten_the_others(home: Home) -> None:
    rows = days()
    rows[0] |= {"lower_anytime": -1e6, "upper_anytime": 1e6}
    drawn = draw(outcome_of(home, rows), "svg").decode()
    assert not re.search(r">[^<]*\d{4,}</text>", drawn.replace("2024", ""))


@pytest.mark.parametrize("name", ["effect.gif", "effect", "no-such-folder/effect.svg"])
def test_a_file_that_cannot_be_drawn_into_is_told(home: Home, tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match=name.replace(".", r"\.") if "/" not in name else "There is no folder"):
        write_picture(outcome_of(home, days()), tmp_path / name)


def test_nothing_is_drawn_where_nothing_could_be_compared(home: Home, tmp_path: Path) -> None:
    rows = days(2, lift=None, lower=None, upper=None)
    assert not write_picture(outcome_of(home, rows), tmp_path / "effect.svg")
    assert list(tmp_path.glob("*.svg")) == []


def test_what_may_not_be_claimed_is_drawn_as_a_difference(home: Home) -> None:
    drawn = draw(outcome_of(home, days(verdict="invalid_sample_ratio")), "svg").decode()
    assert "Spring: not to be believed" in drawn
    assert ">effect<" not in drawn
