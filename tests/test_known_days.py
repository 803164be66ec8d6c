"""The calendar of a home: holidays and single days, and a typo in it."""

from __future__ import annotations

from datetime import date

import pytest

from orchestration.errors import ConfigurationError
from orchestration.known_days import read_known_days
from orchestration.settings import Home

CHRISTMAS, EVE, INVENTORY = date(2017, 12, 25), date(2017, 12, 24), date(2017, 6, 1)


def calendar(home: Home, text: str) -> Home:
    home.path.mkdir()
    (home.path / "calendar.yml").write_text(text)
    return home


def test_holidays_of_a_country_and_single_days_are_known_with_their_reason(home: Home) -> None:
    known = read_known_days(calendar(home, "country: US\ndays:\n  2017-06-01: inventory, the shops are closed\n"))
    assert known.among([CHRISTMAS, EVE, INVENTORY]) == {
        CHRISTMAS: "Christmas Day",
        INVENTORY: "inventory, the shops are closed",
    }


def test_an_event_is_known_on_all_of_its_days_and_only_for_its_segments(home: Home) -> None:
    known = read_known_days(
        calendar(
            home,
            "country: US\n"
            "events:\n"
            "  - {name: winter sale, from: 2017-12-24, to: 2017-12-25}\n"
            "  - {name: a letter to them, from: 2017-06-01, to: 2017-06-01, segments: [at_risk]}\n",
        )
    )
    assert known.among([CHRISTMAS, EVE, INVENTORY]) == {
        EVE: "winter sale",
        CHRISTMAS: "Christmas Day and winter sale",
    }
    assert known.among([INVENTORY], "at_risk") == {INVENTORY: "a letter to them"}


def test_without_a_calendar_no_day_is_known(home: Home) -> None:
    assert read_known_days(home).among([CHRISTMAS]) == {}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("contry: US\n", "field `contry`; did you mean `country`?"),
        ("country: XX\n", "no holidays are known of 'XX'"),
        ("days: {Christmas: closed}\n", r"field `days\.Christmas"),
        ("country: [\n", "is not valid YAML"),
        ("days: {2017-02-30: closed}\n", "is not valid YAML: day is out of range"),
        (
            "events: [{name: sale, from: 2017-02-01, to: 2017-01-01}]\n",
            "ends on 2017-01-01, before it begins on 2017-02-01",
        ),
        (
            "events: [{name: sale, from: 2017-01-01, to: 2017-01-09}, {name: sale, from: 2017-01-09, to: 2017-01-12}]\n",
            "'sale' is there twice on 2017-01-09",
        ),
        ("events: [{name: sale, form: 2017-01-01, to: 2017-01-09}]\n", r"field `events\.0\."),
        ("country: US\nsubdivision: Bavaria\n", "US has no subdivision 'Bavaria'"),
    ],
)
def test_a_calendar_with_a_slip_says_which_field(home: Home, text: str, sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        read_known_days(calendar(home, text))
