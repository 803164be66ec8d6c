"""How a batch is judged: refused rows, repeated keys, days, and that no value of a customer gets out."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pytest

from expectations import RULES
from expectations.contracts import EXTRACT_TABLES
from expectations.rules import AnyRule, Remedy, Rule, TableRule, partition_has_rows
from orchestration.ingest.archive import Quality
from orchestration.validate.judging import Judgement, _failing_days, _in_timezone, judge
from orchestration.validate.refusal import Refusal
from orchestration.validate.verdicts import RuleError, validation
from tests.expectations.clean_rows import BROKEN, DAY, NEXT_DAY, PLANTED, Row, land

Connection = duckdb.DuckDBPyConnection

CUSTOMERS = EXTRACT_TABLES["crm/customers"]
RESPONSES = EXTRACT_TABLES["crm/campaign_responses"]


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    with duckdb.connect(tmp_path / "warehouse.duckdb") as connection:
        yield connection


def judge_customers(
    connection: Connection,
    extracts: dict[date, list[Row]],
    rules: list[AnyRule] | None = None,
    refused_share_limit: float = 1.0,
) -> Judgement:
    relation = land(connection, "crm/customers", extracts)
    return judge(
        connection,
        relation,
        CUSTOMERS,
        business_timezone="UTC",
        days=list(extracts),
        rules=rules,
        refused_share_limit=refused_share_limit,
    )


def broken_rules(connection: Connection, relation: str = "incoming.crm__customers") -> list[list[str]]:
    rows = connection.execute(f"select broken_rules from {relation} order by extract_date, file_row").fetchall()
    return [row[0] for row in rows]


def result_of(judgement: Judgement, expectation: str, day: date = DAY) -> Quality:
    return next(found for found in judgement.quality[day] if found.expectation == expectation)


def row_rule(holds: str) -> Rule:
    return Rule("made_up_rule", holds, ("email",), "refuse the row", "A rule for a test.")


def marks(connection: Connection) -> list[tuple[list[str], list[str], bool]]:
    """Of each row the rules that it broke, the columns that it loses, and whether it is refused."""
    return connection.execute(
        "select broken_rules, nulled_columns, is_refused from incoming.crm__customers order by extract_date, file_row"
    ).fetchall()


def test_a_refused_row_says_every_rule_it_broke_and_a_good_row_has_an_empty_list(connection: Connection) -> None:
    judgement = judge_customers(connection, {DAY: [{}, {"customer_id": None, "gender": "M"}]})
    assert marks(connection) == [([], [], False), (["gender_is_known", "key_is_present"], [], True)]
    assert judgement.refused[DAY] == Refusal(rows=2, refused=1, by_rule={"key_is_present": 1})


def test_a_bad_attribute_costs_the_row_its_value_and_nothing_else(connection: Connection) -> None:
    judgement = judge_customers(connection, {DAY: [{}, {"customer_id": "C2", "gender": "M", "birth_date": NEXT_DAY}]})
    lost = (["birth_date_is_possible", "gender_is_known"], ["birth_date", "gender"], False)
    assert marks(connection) == [([], [], False), lost]
    assert judgement.refused[DAY] == Refusal(rows=2, refused=0, by_rule={})


def test_an_emptied_value_is_a_warning_and_is_counted(connection: Connection) -> None:
    judgement = judge_customers(connection, {DAY: [{"household_size": 0}, {"customer_id": "C2", "household_size": -1}]})
    assert result_of(judgement, "household_size_is_positive") == Quality(
        expectation="household_size_is_positive",
        column_name="household_size",
        severity="warning",
        success=False,
        observed="2 rows",
        rows=2,
        unexpected_rows=2,
    )


def test_a_row_that_is_kept_as_it_is_bears_no_mark_and_is_counted(connection: Connection) -> None:
    rule = replace(row_rule("region = 'Ohio'"), remedy="keep the row")
    judgement = judge_customers(connection, {DAY: [{"region": "Utah"}]}, rules=[rule])
    assert marks(connection) == [([], [], False)]
    assert result_of(judgement, "made_up_rule").unexpected_rows == 1


def test_an_earlier_row_with_a_bad_attribute_is_refused_for_its_key_and_says_both(connection: Connection) -> None:
    judgement = judge_customers(connection, {DAY: [{"gender": "M"}, {"gender": "male"}]})
    assert marks(connection) == [(["gender_is_known", "key_is_unique"], [], True), ([], [], False)]
    assert judgement.refused[DAY].by_rule == {"key_is_unique": 1}


def test_the_last_row_of_a_key_is_believed_though_it_loses_a_value(connection: Connection) -> None:
    judge_customers(connection, {DAY: [{}, {"gender": "M"}]})
    assert marks(connection) == [(["key_is_unique"], [], True), (["gender_is_known"], ["gender"], False)]


def test_the_last_of_several_rows_with_one_key_wins(connection: Connection) -> None:
    rows = [{"region": "Ohio"}, {"customer_id": "C2"}, {"region": "Utah"}, {"region": "Iowa"}]
    judgement = judge_customers(connection, {DAY: rows})
    assert broken_rules(connection) == [["key_is_unique"], [], ["key_is_unique"], []]
    assert result_of(judgement, "key_is_unique").unexpected_rows == 2


def test_a_row_refused_for_another_reason_does_not_displace_a_good_one_with_its_key(connection: Connection) -> None:
    consent = "email_opt_in"
    judgement = judge_customers(connection, {DAY: [{}, {consent: None, "unreadable": {consent: "perhaps"}}]})
    assert broken_rules(connection) == [[], ["email_opt_in_is_readable"]]
    assert result_of(judgement, "key_is_unique").success


def test_the_same_key_on_two_days_is_a_change_and_no_repetition(connection: Connection) -> None:
    judge_customers(connection, {DAY: [{}], NEXT_DAY: [{}]})
    assert broken_rules(connection) == [[], []]


def test_a_key_of_several_columns_repeats_only_as_a_whole(connection: Connection) -> None:
    relation = land(connection, "crm/campaign_responses", {DAY: [{}, {"response": "click"}, {}]})
    judge(connection, relation, RESPONSES, business_timezone="UTC")
    assert broken_rules(connection, relation) == [["key_is_unique"], [], []]


def test_a_file_delivered_twice_over_loses_nothing(connection: Connection) -> None:
    whole_file = [{"customer_id": f"C{number}"} for number in range(10)]
    judgement = judge_customers(connection, {DAY: whole_file + whole_file})
    assert judgement.refused[DAY].refused == 10
    assert judgement.refused[DAY].by_rule == {"key_is_unique": 10}
    assert judgement.refused[DAY].share == 0


def test_a_column_that_breaks_its_rule_beyond_the_limit_is_emptied_and_its_rows_go_on(connection: Connection) -> None:
    rows = [{"customer_id": f"C{number}", "unreadable": {"email_opt_in": "ja"}} for number in range(10)]
    judgement = judge_customers(
        connection,
        {DAY: rows, NEXT_DAY: [{"customer_id": f"D{n}"} for n in range(9)] + rows[:1]},
        refused_share_limit=0.2,
    )
    assert (judgement.refused[DAY].refused, judgement.refused[NEXT_DAY].refused) == (0, 1)
    nulled = connection.execute(
        f"select distinct nulled_columns from incoming.crm__customers where extract_date = '{DAY}'"
    ).fetchall()
    assert nulled == [(["email_opt_in"],)]
    broken = result_of(judgement, "email_opt_in_is_readable", DAY)
    assert (broken.success, broken.severity, broken.unexpected_rows) == (False, "critical", 10)


def test_an_empty_relation_is_warned_about_on_every_given_day(connection: Connection) -> None:
    judgement = judge_customers(connection, {DAY: [], NEXT_DAY: []})
    assert set(judgement.quality) == {DAY, NEXT_DAY}
    for day in (DAY, NEXT_DAY):
        assert len(judgement.quality[day]) == len(RULES["crm/customers"])
        failed = [(r.expectation, r.severity, r.observed) for r in judgement.quality[day] if not r.success]
        assert failed == [("partition_has_rows", "warning", "0 rows")]
        assert judgement.refused[day].share == 0


def test_a_range_is_narrowed_to_its_days_with_and_without_rows(connection: Connection) -> None:
    third_day = date(2017, 3, 3)
    days = (DAY, NEXT_DAY, third_day)
    extracts = {third_day: [{"customer_id": None}, {"customer_id": "C2"}], DAY: [{}], NEXT_DAY: []}
    judgement = judge_customers(connection, extracts)
    key = [result_of(judgement, "key_is_present", day) for day in days]
    assert [(r.success, r.rows, r.unexpected_rows) for r in key] == [(True, 1, 0), (True, 0, 0), (False, 2, 1)]
    assert [result_of(judgement, "partition_has_rows", day).success for day in days] == [True, False, True]
    assert [(day, refusal.refused) for day, refusal in judgement.refused.items()] == list(
        zip(days, [0, 0, 1], strict=True)
    )


def test_judging_twice_gives_the_same(connection: Connection) -> None:
    first = judge_customers(connection, {DAY: [{}, {}, {"customer_id": None}]})
    marked = broken_rules(connection)
    again = judge(connection, "incoming.crm__customers", CUSTOMERS, business_timezone="UTC")
    assert again == first
    assert broken_rules(connection) == marked


def test_rows_of_an_open_transaction_are_judged_and_stay_in_it(connection: Connection) -> None:
    connection.execute("begin")
    judgement = judge_customers(connection, {DAY: [{"customer_id": None}]})
    assert judgement.refused[DAY].refused == 1
    connection.execute("rollback")
    assert connection.execute("select count(*) from duckdb_tables()").fetchone() == (0,)


def test_the_connection_is_usable_afterwards(connection: Connection) -> None:
    judge_customers(connection, {DAY: [{}]})
    assert connection.execute("select count(*) from incoming.crm__customers").fetchone() == (1,)


def test_a_predicate_that_yields_null_counts_as_broken(connection: Connection) -> None:
    judgement = judge_customers(connection, {DAY: [{"region": None}]}, rules=[row_rule("region = 'Ohio'")])
    assert result_of(judgement, "made_up_rule").unexpected_rows == 1
    assert broken_rules(connection) == [["made_up_rule"]]


def test_a_rule_may_hold_braces_colons_and_percent_signs(connection: Connection) -> None:
    holds = r"regexp_matches(email, '^.{3,}$') and region not in ('10:30 :a {batch}', '%{%', '%s') and 1::int = 1"
    assert result_of(judge_customers(connection, {DAY: [{}]}, rules=[row_rule(holds)]), "made_up_rule").success


def test_a_rule_that_does_not_fit_the_table_is_named(connection: Connection) -> None:
    with pytest.raises(RuleError, match=r"crm/customers: the rule made_up_rule cannot be evaluated .*nowhere"):
        judge_customers(connection, {DAY: [{}]}, rules=[*RULES["crm/customers"], row_rule("nowhere > 1")])


@pytest.mark.parametrize("remedy", ["refuse the row", "null the value", "keep the row"])
def test_a_rule_that_fails_on_a_value_is_named_and_the_value_is_not(
    connection: Connection, remedy: Remedy, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    rule = replace(row_rule("cast(email as integer) > 0"), remedy=remedy)
    with pytest.raises(RuleError, match="crm/customers: the rule made_up_rule cannot be evaluated") as caught:
        judge_customers(connection, {DAY: [{}]}, rules=[*RULES["crm/customers"], rule])
    assert PLANTED not in repr(caught.value) + caplog.text + "".join(capfd.readouterr())
    assert caught.value.__suppress_context__


def test_a_rule_that_fails_in_an_open_transaction_is_among_the_named(connection: Connection) -> None:
    connection.execute("begin")
    with pytest.raises(RuleError, match=r"crm/customers: these rules cannot be evaluated .*ConversionEx.*made_up_rule"):
        judge_customers(connection, {DAY: [{}]}, rules=[partition_has_rows(), row_rule("cast(email as integer) > 0")])
    connection.execute("rollback")


def test_an_expectation_that_great_expectations_does_not_accept_is_named(connection: Connection) -> None:
    with pytest.raises(RuleError, match="partition_has_rows"):
        judge_customers(connection, {DAY: [{}]}, rules=[replace(partition_has_rows(), expectation="ExpectMiracles")])


def test_an_expectation_that_only_great_expectations_cannot_evaluate_is_named(
    connection: Connection, capfd: pytest.CaptureFixture[str]
) -> None:
    parameters = {"column": "nowhere", "max_value": 1}
    nowhere = replace(partition_has_rows(), expectation="ExpectColumnMaxToBeBetween", parameters=parameters)
    with pytest.raises(RuleError, match=r"crm/customers.*partition_has_rows"):
        judge_customers(connection, {DAY: [{}]}, rules=[nowhere])
    assert "".join(capfd.readouterr()) == ""


def test_great_expectations_and_sql_must_agree(connection: Connection) -> None:
    at_odds = TableRule(
        name="at_odds",
        expectation="ExpectTableRowCountToBeBetween",
        parameters={"min_value": 5},
        holds="count(*) >= 1",
        measure="count(*)",
        unit="row",
        severity="warning",
        because="A rule for a test.",
    )
    with pytest.raises(RuleError, match="disagree about the rule at_odds"):
        judge_customers(connection, {DAY: [{}]}, rules=[at_odds])


@pytest.mark.parametrize("table_id", RULES)
def test_no_value_of_a_row_is_in_any_result_or_log(
    connection: Connection, table_id: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    rows = [row for rows in BROKEN[table_id].values() for row in rows] + [{"email": f"{PLANTED} "}]
    relation = land(connection, table_id, {DAY: rows})
    judgement = judge(connection, relation, EXTRACT_TABLES[table_id], business_timezone="UTC")
    asked = [(rule, _failing_days(_in_timezone(rule, "UTC"))) for rule in RULES[table_id]]
    outcome = validation(connection, relation, asked)
    assert not outcome.success
    told = [repr(judgement), str(outcome), caplog.text, *capfd.readouterr()]
    assert PLANTED not in "".join(told)


def test_nothing_is_printed_not_even_when_the_interpreter_ends() -> None:
    program = (
        "import duckdb; from datetime import date\n"
        "from expectations.contracts import EXTRACT_TABLES\n"
        "from orchestration.validate.judging import judge\n"
        "from tests.expectations.clean_rows import land\n"
        "connection = duckdb.connect()\n"
        "relation = land(connection, 'shop/products', {date(2017, 3, 1): [{}, {}]})\n"
        "judge(connection, relation, EXTRACT_TABLES['shop/products'], business_timezone='UTC')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
