"""Every rule of every table twice: clean rows pass, one broken row fails, and the result names the rule."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from functools import cache

import duckdb
import pytest

from expectations import RULES
from expectations.contracts import EXTRACT_TABLES
from expectations.rules import Rule, TableRule
from orchestration.validate.judging import Judgement, judge
from tests.expectations.clean_rows import BROKEN, DAY, Row, land

EVERY_RULE = [(table_id, rule.name) for table_id, rules in RULES.items() for rule in rules]


def judged(table_id: str, extracts: dict[date, list[Row]], timezone: str = "America/New_York") -> Judgement:
    with duckdb.connect() as connection:
        relation = land(connection, table_id, extracts)
        return judge(connection, relation, EXTRACT_TABLES[table_id], business_timezone=timezone, days=list(extracts))


def failed(judgement: Judgement, day: date = DAY) -> list[str]:
    return [found.expectation for found in judgement.quality[day] if not found.success]


@cache
def broken_once_each(table_id: str) -> tuple[dict[str, date], Judgement]:
    """One extract for each rule, on its own day, in which exactly that rule is broken."""
    days = {name: DAY - timedelta(days=number) for number, name in enumerate(BROKEN[table_id])}
    return days, judged(table_id, {days[name]: rows for name, rows in BROKEN[table_id].items()})


@pytest.mark.parametrize("table_id", RULES)
def test_clean_rows_pass_every_rule(table_id: str) -> None:
    judgement = judged(table_id, {DAY: [{}]})
    assert failed(judgement) == []
    assert [found.expectation for found in judgement.quality[DAY]] == [rule.name for rule in RULES[table_id]]
    assert judgement.refused[DAY].refused == 0


@pytest.mark.parametrize(("table_id", "rule"), EVERY_RULE)
def test_a_broken_row_fails_its_rule_and_no_other(table_id: str, rule: str) -> None:
    days, judgement = broken_once_each(table_id)
    assert failed(judgement, days[rule]) == [rule]


@pytest.mark.parametrize(("table_id", "rule"), EVERY_RULE)
def test_a_row_is_refused_for_a_critical_rule_and_goes_on_with_a_warning(table_id: str, rule: str) -> None:
    days, judgement = broken_once_each(table_id)
    severity = {known.name: known.severity for known in RULES[table_id]}[rule]
    assert judgement.refused[days[rule]].by_rule == ({rule: 1} if severity == "critical" else {})


@pytest.mark.parametrize("table_id", RULES)
def test_every_table_has_rules_and_every_rule_a_broken_row(table_id: str) -> None:
    assert set(RULES) == set(EXTRACT_TABLES)
    assert set(BROKEN[table_id]) == {rule.name for rule in RULES[table_id]}


@pytest.mark.parametrize("table_id", RULES)
def test_rules_have_speaking_unique_names_a_reason_and_columns_of_the_contract(table_id: str) -> None:
    names = [rule.name for rule in RULES[table_id]]
    assert len(names) == len(set(names))
    for rule in RULES[table_id]:
        assert re.fullmatch(r"[a-z]+(_[a-z]+)+", rule.name)
        assert rule.because.endswith(".")
        assert set(rule.columns) <= set(EXTRACT_TABLES[table_id].columns)


#: What a change of a customer is refused for; for anything else it only loses a value.
REFUSES_A_CUSTOMER = {
    "line_is_readable",
    "key_is_present",
    "key_is_unique",
    "email_opt_in_is_readable",
    "sms_opt_in_is_readable",
    "post_opt_in_is_readable",
    "push_opt_in_is_readable",
    "is_deleted_is_readable",
}


def test_a_change_of_a_customer_is_refused_for_its_key_and_consent_alone() -> None:
    rules = [rule for rule in RULES["crm/customers"] if not isinstance(rule, TableRule)]
    assert {rule.name for rule in rules if rule.remedy == "refuse the row"} == REFUSES_A_CUSTOMER
    assert {rule.name for rule in rules if rule.remedy == "keep the row"} == set()


@pytest.mark.parametrize("table_id", RULES)
def test_a_rule_empties_columns_that_are_no_part_of_the_key_and_may_be_empty(table_id: str) -> None:
    table = EXTRACT_TABLES[table_id]
    for rule in RULES[table_id]:
        if isinstance(rule, Rule) and rule.remedy == "null the value":
            assert rule.columns
            assert not set(rule.columns) & set(table.key)
            emptied = judged(table_id, {DAY: [dict.fromkeys(rule.columns)]})
            assert rule.name not in failed(emptied)


@pytest.mark.parametrize("table_id", RULES)
def test_the_first_rule_counts_rows_because_the_others_pass_without_any(table_id: str) -> None:
    first = RULES[table_id][0]
    assert isinstance(first, TableRule)
    assert first.expectation == "ExpectTableRowCountToBeBetween"


def test_a_customer_may_be_born_on_the_first_possible_day_and_on_the_day_of_the_extract() -> None:
    assert failed(judged("crm/customers", {DAY: [{"birth_date": date(1900, 1, 1)}]})) == []
    assert failed(judged("crm/customers", {DAY: [{"birth_date": DAY}]})) == []
    assert failed(judged("crm/customers", {DAY: [{"birth_date": date(1899, 12, 31)}]})) == ["birth_date_is_possible"]


def test_a_customer_needs_nothing_but_an_id() -> None:
    nothing = dict.fromkeys(EXTRACT_TABLES["crm/customers"].columns)
    assert failed(judged("crm/customers", {DAY: [nothing | {"customer_id": "C1"}]})) == []


def test_a_deletion_is_believed_whatever_else_is_wrong() -> None:
    wrong = {
        "gender": "M",
        "birth_date": date(2090, 1, 1),
        "email_opt_in": None,
        "unreadable": {"email_opt_in": "perhaps"},
    }
    assert judged("crm/customers", {DAY: [wrong | {"is_deleted": True}]}).refused[DAY].refused == 0
    assert judged("crm/customers", {DAY: [wrong | {"is_deleted": False}]}).refused[DAY].refused == 1


@pytest.mark.parametrize(
    ("last_minute", "timezone"), [((2017, 3, 2, 4, 59), "America/New_York"), ((2017, 3, 1, 23, 59), "UTC")]
)
def test_an_order_of_the_last_minute_of_the_business_day_counts_and_one_minute_later_does_not(
    last_minute: tuple[int, int, int, int, int], timezone: str
) -> None:
    ordered_at = datetime(*last_minute)
    assert failed(judged("shop/order_lines", {DAY: [{"ordered_at": ordered_at}]}, timezone)) == []
    too_late = {"ordered_at": ordered_at + timedelta(minutes=1)}
    assert failed(judged("shop/order_lines", {DAY: [too_late]}, timezone)) == ["order_is_not_in_the_future"]


def test_a_return_has_a_negative_quantity_and_gives_money_back() -> None:
    assert failed(judged("shop/order_lines", {DAY: [{"quantity": -1, "amount": -3.99}]})) == []


def test_an_assigned_customer_need_not_be_contacted_nor_have_an_arm() -> None:
    assert failed(judged("crm/campaign_contacts", {DAY: [{"arm": None, "contacted_on": None}]})) == []


def test_a_campaign_may_be_without_end_and_without_channel() -> None:
    assert failed(judged("crm/campaigns", {DAY: [{"ends_on": None, "channel": None}]})) == []
