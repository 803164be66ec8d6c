"""What was found in the extracts, as the release's tables say it, counted once more."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from orchestration.read.opened import Release
from orchestration.read.quality import DAYS_SHOWN, Failure, column_history, columns, quality
from tests.builders import SHOP_DAYS, Changed

DAY = SHOP_DAYS[-1]


def finding(segment_column: str, held_until: str, is_released: bool = False) -> str:
    return (
        "insert into metrics.input_findings by name select "
        f"date '{DAY}' as extract_date, 'crm' as source, 'customers' as table_name, 'empty_share_is_as_usual' as expectation, "
        f"['{segment_column}'] as columns, '{segment_column} was empty' as because, {held_until} as held_until, false as is_left_out, {is_released} as is_released"
    )


def check(success: bool, severity: str, rule: str) -> str:
    return (
        "insert into metrics.input_quality by name select "
        f"date '{DAY}' as extract_date, 'crm' as source, 'customers' as table_name, '{rule}' as expectation, 'gender' as column_name, "
        f"'{severity}' as severity, {success} as success, '2 rows' as observed, 9 as rows, 2 as unexpected_rows"
    )


def test_a_table_s_newest_extract_is_counted_by_what_its_broken_rules_did(changed: Changed) -> None:
    before = {table.table: table for table in quality(changed()).tables}["crm/customers"]
    told = quality(
        changed(check(True, "critical", "a"), check(False, "critical", "b"), check(False, "warning", "c"))
    ).tables
    after = {table.table: table for table in told}["crm/customers"]
    assert after.extract_date == DAY
    assert (after.checks, after.refusing, after.counted) == (
        before.checks + 3,
        before.refusing + 1,
        before.counted + 1,
    )


def test_each_extract_has_its_day_and_each_broken_rule_its_line(release: Release) -> None:
    told = quality(release)
    checks = release.rows(
        "select source || '/' || table_name, extract_date, severity from metrics.input_quality where not success"
    )
    broken = Counter((table, on) for table, on, _ in checks)
    assert {(one.table, one.extract_date): one.refusing + one.counted for one in told.days if one.refusing + one.counted} == broken  # fmt: skip
    assert len(told.failures) == len(checks) > 0
    assert told.since == DAY - timedelta(DAYS_SHOWN - 1)
    assert [one.extract_date for one in told.failures] == sorted((one.extract_date for one in told.failures), reverse=True)  # fmt: skip


def test_a_broken_rule_says_in_how_many_of_how_many_rows(changed: Changed) -> None:
    told = quality(changed(check(False, "critical", "gender_is_known_to_us")))
    assert Failure(DAY, "crm/customers", "gender_is_known_to_us", "gender", "critical", "2 rows", 9, 2) in told.failures


def test_what_is_not_believed_names_the_segments_that_depend_on_it(changed: Changed) -> None:
    told = quality(changed(finding("gender", "null"), finding("email_opt_in", f"date '{DAY}'")))
    first, second = told.findings[:2]
    assert (first.because, first.is_open, first.segments) == ("gender was empty", True, ["men_18_25", "women_25_34"])
    assert (second.because, second.is_open) == ("email_opt_in was empty", False)
    assert {"contactable_by_email", "unreachable"} <= set(second.segments)


def test_a_column_over_time_is_its_extracts_and_a_mean_of_dates_is_no_number(release: Release) -> None:
    assert "household_size" in columns(release)["crm/customers"]
    sizes = column_history(release, "crm/customers", "household_size")
    assert [one.extract_date for one in sizes] == sorted(one.extract_date for one in sizes)
    assert sizes[0].rows == 24
    assert {one.mean for one in column_history(release, "crm/customers", "birth_date")} == {None}
