"""What counts as caught, missed, needless and lost, on nights made by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from orchestration.drill.drill import CleanNights, Control, Drill, FalseHold
from orchestration.drill.faults import CUSTOMERS, ORDER_LINES, Fault
from orchestration.drill.nights import Failure, Night, Published
from orchestration.drill.outcomes import Outcome, judge, summarise
from orchestration.drill.report import HEADING, as_markdown, write_page
from orchestration.errors import ConfigurationError

DAY = date(2024, 1, 9)
EMAIL, AMOUNT = "crm/customers.email_opt_in", "shop/order_lines.amount"
FAULT = Fault("email_opt_in_emptied", "No answers.", CUSTOMERS, ("email_opt_in",))
FAILED = Failure("crm/customers", "email_opt_in", "null_share_is_usual", "critical", "93 %")

FRESH = {
    "contactable": Published("fresh", None, None, frozenset({EMAIL}), 10, 1),
    "spenders": Published("fresh", None, None, frozenset({AMOUNT}), 20, 2),
}


def night(
    exit_code: int = 0, said: str = "", failures: frozenset[Failure] = frozenset(), **segments: Published
) -> Night:
    return Night(DAY, exit_code, said, FRESH | segments, failures)


def held(name: str, since: date = DAY) -> Published:
    return replace(FRESH[name], state="held", held_since=since, held_because=f"{name} cannot be believed")


def wrong(name: str) -> Published:
    return replace(FRESH[name], checksum=99)


CONTROL = night()


def test_a_fault_is_caught_where_what_it_changes_is_held() -> None:
    outcome = judge(FAULT, night(3, failures=frozenset({FAILED}), contactable=held("contactable")), CONTROL)
    assert (outcome.verdict, outcome.held, outcome.needless) == ("caught", ["contactable"], [])
    assert outcome.rules == ["null_share_is_usual (email_opt_in)"]
    assert outcome.said == ["contactable cannot be believed"]
    assert outcome.hours_lost == 24


def test_a_fault_is_missed_where_a_fresh_segment_is_not_the_true_one() -> None:
    outcome = judge(FAULT, night(contactable=wrong("contactable")), CONTROL)
    assert (outcome.verdict, outcome.published_wrong, outcome.hours_lost) == ("missed", ["contactable"], 0)


def test_a_warning_does_not_make_up_for_a_wrong_segment() -> None:
    failures = frozenset({replace(FAILED, severity="warning")})
    outcome = judge(FAULT, night(failures=failures, contactable=wrong("contactable")), CONTROL)
    assert (outcome.verdict, outcome.rules) == ("missed", ["null_share_is_usual (email_opt_in)"])


def test_a_fault_that_changes_no_segment_is_caught_by_a_failed_expectation() -> None:
    assert judge(FAULT, night(failures=frozenset({FAILED})), CONTROL).verdict == "caught"


def test_a_fault_that_changes_nothing_in_silence_is_harmless() -> None:
    assert judge(FAULT, night(), CONTROL).verdict == "harmless"


def test_an_expectation_that_fails_without_the_fault_too_says_nothing_of_it() -> None:
    with_noise = frozenset({FAILED})
    outcome = judge(FAULT, night(failures=with_noise), night(failures=with_noise))
    assert (outcome.verdict, outcome.rules) == ("harmless", [])


def test_an_expectation_on_another_table_does_not_catch_a_fault() -> None:
    failures = frozenset({replace(FAILED, table="shop/order_lines")})
    assert judge(FAULT, night(failures=failures), CONTROL).verdict == "harmless"


def test_a_held_segment_that_depends_on_no_wrong_column_is_needless() -> None:
    outcome = judge(FAULT, night(3, contactable=held("contactable"), spenders=held("spenders")), CONTROL)
    assert (outcome.needless, outcome.rules) == (["spenders"], ["output rule"])


def test_what_is_held_without_the_fault_too_is_not_counted_and_has_no_truth_to_miss() -> None:
    control = night(3, spenders=held("spenders"))
    outcome = judge(FAULT, night(3, contactable=held("contactable"), spenders=wrong("spenders")), control)
    assert (outcome.verdict, outcome.held) == ("caught", ["contactable"])


def test_where_rows_are_wrong_every_column_of_the_table_is() -> None:
    half = Fault("half", "Half of it.", ORDER_LINES)
    outcome = judge(half, night(3, contactable=held("contactable"), spenders=held("spenders")), CONTROL)
    assert outcome.needless == ["contactable"]


def test_a_night_that_stops_and_names_the_table_has_caught_the_fault_and_lost_a_day() -> None:
    outcome = judge(FAULT, night(1, "crm/customers of 2024-01-09 lacks the column email_opt_in."), CONTROL)
    assert (outcome.verdict, outcome.stopped, outcome.hours_lost) == ("caught", True, 24)
    assert outcome.a_part_would_do
    assert outcome.held == []


@pytest.mark.parametrize(
    ("code", "said"), [(1, "Something unforeseen went wrong."), (2, "crm/customers is misspelt."), (-9, "")]
)
def test_a_night_that_ends_otherwise_has_missed_it(code: int, said: str) -> None:
    assert judge(FAULT, night(code, said), CONTROL).verdict == "missed"


def test_no_part_would_do_where_every_segment_depends_on_what_is_wrong() -> None:
    everything = {name: replace(one, raw_columns=frozenset({EMAIL})) for name, one in FRESH.items()}
    outcome = judge(FAULT, night(1, "crm/customers cannot be read."), night(**everything))
    assert (outcome.stopped, outcome.a_part_would_do) == (True, False)


def test_hours_are_those_of_the_segment_that_is_furthest_behind() -> None:
    outcome = judge(FAULT, night(3, contactable=held("contactable", date(2024, 1, 8))), CONTROL)
    assert outcome.hours_lost == 48


def outcomes() -> list[Outcome]:
    return [
        judge(FAULT, night(3, contactable=held("contactable"), spenders=held("spenders")), CONTROL),
        judge(FAULT, night(contactable=wrong("contactable")), CONTROL),
        judge(FAULT, night(), CONTROL),
        judge(FAULT, night(1, "crm/customers cannot be read."), CONTROL),
    ]


def test_the_sum_adds_up() -> None:
    total = summarise(outcomes())
    assert (total.faults, total.caught, total.missed, total.harmless) == (4, 2, 1, 1)
    assert (total.stopped, total.stopped_where_a_part_would_do) == (1, 1)
    assert (total.needless, total.hours_lost) == (1, 48)


@pytest.fixture
def drilled() -> Drill:
    clean = CleanNights(60, 120, 2, [FalseHold(date(2024, 1, 2), ["contactable", "spenders"], ["it | shrank"])])
    return Drill(DAY, summarise(outcomes()), outcomes(), [Control("the night as it is", [], [])], clean)


def test_each_fault_and_each_false_hold_is_a_row_of_the_page(drilled: Drill) -> None:
    said = as_markdown(drilled)
    assert "2 of 4 faults caught, 1 missed, 1 without effect" in said
    assert "| email_opt_in_emptied | caught | output rule | 2 | 1 | 0 |  | 24 |" in said
    assert "| email_opt_in_emptied | caught |  | 0 | 0 | 0 | yes, a part would do | 24 |" in said
    assert "In 60 clean nights before it 2 of 120 segment-nights were held, in 1 night." in said
    assert "| 2024-01-02 | 2 | it / shrank |" in said


def test_a_page_keeps_its_words_and_has_only_the_last_drill(drilled: Drill, tmp_path: Path) -> None:
    page = tmp_path / "drill.md"
    page.write_text(f"# The drill\n\nWords.\n\n{HEADING}\n\nan older one\n")
    for _ in range(2):
        write_page(page, drilled)
    assert page.read_text() == f"# The drill\n\nWords.\n\n{as_markdown(drilled)}"


def test_a_page_without_the_heading_is_left_alone(drilled: Drill, tmp_path: Path) -> None:
    page = tmp_path / "drill.md"
    page.write_text("# Something else\n")
    with pytest.raises(ConfigurationError, match="has no line"):
        write_page(page, drilled)
    assert page.read_text() == "# Something else\n"


def test_the_page_of_the_docs_has_the_heading() -> None:
    assert f"\n{HEADING}\n" in (Path(__file__).parents[2] / "docs" / "drill.md").read_text()
