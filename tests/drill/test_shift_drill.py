"""The drill of the alerts on the demo's own figures."""

from __future__ import annotations

import pytest

from orchestration.drill.shifts import SHIFTS, PlantedShift, drill_shifts
from orchestration.errors import ExtractMissing
from orchestration.settings import Home
from tests.builders import Refreshed, current_contents


def quietly(done: int, total: int, what: str) -> None:
    assert done < total
    assert what


def test_half_of_the_members_gone_is_found_on_the_day_in_most_segments_and_the_home_is_left_as_it_was(
    year_of_the_demo: Home,
) -> None:
    before = current_contents(year_of_the_demo)
    halved = next(shift for shift in SHIFTS if shift.name == "falls by 50 % for a day")
    drilled = drill_shifts(year_of_the_demo, quietly, [halved], ["members"])
    (found,) = drilled.found
    assert found.planted == drilled.segments - len(drilled.too_small["members"])
    assert found.found > found.planted / 2
    assert found.days_until_found == 0
    assert current_contents(year_of_the_demo) == before


def test_what_is_not_planted_is_found_by_false_alarm_alone(year_of_the_demo: Home) -> None:
    drilled = drill_shifts(year_of_the_demo, quietly, [PlantedShift("nothing", "level", 0.0, 7)], ["members"])
    assert drilled.found[0].found <= 1
    assert drilled.alerts_per_segment_and_year < 4


def test_a_history_of_days_is_too_short(shop: Refreshed) -> None:
    with pytest.raises(ExtractMissing, match=r"The release has 4 days; the drill of shifts needs 107"):
        drill_shifts(Home(shop.aside), quietly)


def test_without_a_release_there_is_nothing_to_drill(home: Home) -> None:
    with pytest.raises(ExtractMissing, match="There is no release"):
        drill_shifts(home, quietly)
