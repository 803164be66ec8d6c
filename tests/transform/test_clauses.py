"""A segment's rule is read as the conditions that a member meets, in their words and in their SQL."""

from __future__ import annotations

import pytest

from orchestration.transform.clauses import Rule, rule_of
from orchestration.transform.meaning import parse

CUSTOMERS = '"warehouse"."customers"."dim_customers"'
SELECT = "select as_of_date, customer_id from {} "
#: Two macros, as they are written and as they are compiled.
BOUGHT = "{{ bought(product_id=var('product_x'),\n    within='3 months') }}"
BOUGHT_COMPILED = (
    "(as_of_date, customer_id) in (select days.as_of_date, bought.customer_id "
    'from "warehouse"."intermediate"."int_order_lines" as bought '
    f"inner join (select distinct as_of_date from {CUSTOMERS}) as days on bought.ordered_on <= days.as_of_date)"
)
MEMBER_OF = "{{ member_of('top_spenders') }}"
MEMBER_OF_COMPILED = (
    '(as_of_date, customer_id) in (select as_of_date, customer_id from "warehouse"."segments"."top_spenders")'
)


def rule(written: str, compiled: str | None = None) -> Rule:
    """The rule of the conditions, which compile to themselves where nothing else is said."""
    head = SELECT.format(CUSTOMERS) + "where "
    return rule_of(
        parse(head + (compiled or written)), SELECT.format("{{ ref('dim_customers') }}") + "where " + written
    )


def texts(written: str, compiled: str | None = None) -> list[str]:
    return [clause.text for clause in rule(written, compiled).clauses]


@pytest.mark.parametrize(
    ("written", "clauses"),
    [
        ("age > 18", ["age > 18"]),
        ("gender = 'male'\n  and age between 18 and 25", ["gender = 'male'", "age BETWEEN 18 AND 25"]),
        ("age > 18 and (gender = 'male' and (region = 'Ohio' and country = 'US'))",
         ["age > 18", "gender = 'male'", "region = 'Ohio'", "country = 'US'"]),
        ("(age > 18 and gender = 'male')", ["age > 18", "gender = 'male'"]),
        ("gender = 'male' or age > 18", ["(gender = 'male' OR age > 18)"]),
        ("age > 18 and (gender = 'male' or region = 'Ohio')", ["age > 18", "(gender = 'male' OR region = 'Ohio')"]),
        ("gender = 'male' or age > 18 and region = 'Ohio'", ["(gender = 'male' OR age > 18 AND region = 'Ohio')"]),
        ("not is_contactable", ["NOT is_contactable"]),
        ("not (age > 18 and gender = 'male')", ["NOT (age > 18 AND gender = 'male')"]),
        ("case when age > 18 and gender = 'male' then true end", ["CASE WHEN age > 18 AND gender = 'male' THEN TRUE END"]),
        ("age > 18 -- of age\n and /* lives */ region = 'and'", ["age > 18", "region = 'and'"]),
    ],
)  # fmt: skip
def test_what_a_member_must_meet_is_a_clause_each_and_an_or_is_one(written: str, clauses: list[str]) -> None:
    assert texts(written) == clauses


def test_a_condition_that_looks_into_other_tables_is_told_as_it_was_written() -> None:
    found = rule(
        f"age > 18 and {BOUGHT} and not {MEMBER_OF}", f"age > 18 and {BOUGHT_COMPILED} and not {MEMBER_OF_COMPILED}"
    )
    assert [clause.text for clause in found.clauses] == [
        "age > 18",
        "bought(product_id=var('product_x'), within='3 months')",
        "NOT member_of('top_spenders')",
    ]
    assert "int_order_lines" in found.clauses[1].sql


def test_a_remark_is_no_part_of_the_words() -> None:
    assert texts(f"{MEMBER_OF} {{# the best #}} -- the very best", MEMBER_OF_COMPILED) == ["member_of('top_spenders')"]


def test_several_macros_in_one_condition_are_all_told() -> None:
    assert texts(f"({BOUGHT} or {MEMBER_OF})", f"({BOUGHT_COMPILED} or {MEMBER_OF_COMPILED})") == [
        "(bought(product_id=var('product_x'), within='3 months') OR member_of('top_spenders'))"
    ]


def test_a_value_from_the_variables_is_told_as_the_value() -> None:
    assert texts("spend_lifetime > {{ var('product_x_buyer_spend') }}", "spend_lifetime > 500") == [
        "spend_lifetime > 500"
    ]


def test_a_macro_of_several_conditions_is_told_by_the_conditions() -> None:
    compiled = "days_since_first_order >= 30 and days_since_last_order < 30"
    assert texts("{{ in_lifecycle_stage('active') }}", compiled) == compiled.split(" and ")


def test_where_the_written_words_cannot_be_read_what_ran_is_told() -> None:
    [clause] = rule(f"{MEMBER_OF} {{% if true %}}{{% endif %}}", MEMBER_OF_COMPILED).clauses
    assert clause.text == "(as_of_date, customer_id) IN (SELECT as_of_date, customer_id FROM segments.top_spenders)"


def test_a_clause_knows_the_attributes_the_segments_and_the_tables_that_it_asks() -> None:
    age, bought, member = rule(
        f"age between 18 and days_since_sign_up and {BOUGHT} and not {MEMBER_OF}",
        f"age between 18 and days_since_sign_up and {BOUGHT_COMPILED} and not {MEMBER_OF_COMPILED}",
    ).clauses
    assert (age.columns, age.segments, age.tables) == ({"age", "days_since_sign_up"}, (), set())
    assert (bought.columns, bought.segments, bought.tables) == (set(), (), {"intermediate.int_order_lines"})
    assert (member.columns, member.segments, member.tables) == (set(), ("top_spenders",), set())


def test_a_rule_may_give_the_customers_another_name() -> None:
    sql = f"select c.as_of_date, c.customer_id from {CUSTOMERS} as c where c.age > 18 and gender = 'male'"
    found = rule_of(parse(sql), sql)
    assert found.source == "customers.dim_customers AS c"
    assert [(clause.sql, clause.columns) for clause in found.clauses] == [
        ("c.age > 18", {"age"}),
        ("gender = 'male'", {"gender"}),
    ]


@pytest.mark.parametrize(
    "sql",
    [
        SELECT.format(CUSTOMERS),
        "select distinct as_of_date, customer_id " + f"from {CUSTOMERS} where age > 18",
        SELECT.format(CUSTOMERS) + "where age > 18 limit 10",
        SELECT.format(CUSTOMERS) + "where age > 18 qualify row_number() over (order by age) = 1",
        SELECT.format(CUSTOMERS) + "where age > 18 group by all having count(*) > 0",
        SELECT.format(f"{CUSTOMERS} inner join warehouse.segments.active using (as_of_date, customer_id)") + "where age > 18",
        SELECT.format(f"{CUSTOMERS}, warehouse.segments.active") + "where age > 18",
        SELECT.format(f"(from {CUSTOMERS})") + "where age > 18",
        f"with adults as (from {CUSTOMERS} where age > 18) " + SELECT.format("adults") + "where gender = 'male'",
        SELECT.format(CUSTOMERS) + "where age > 18 union " + SELECT.format(CUSTOMERS) + "where gender = 'male'",
        f"select as_of_date - 1 as as_of_date, customer_id, age from {CUSTOMERS} where age > 18",
    ],
)  # fmt: skip
def test_a_rule_that_does_more_than_filter_customers_is_one_clause(sql: str) -> None:
    found = rule_of(parse(sql), sql)
    [clause] = found.clauses
    assert clause.text == "the rule"
    assert clause.sql.startswith("(as_of_date, customer_id) IN (")
    assert found.source == "customers.dim_customers"


@pytest.mark.parametrize(
    "sql",
    [
        SELECT.format(CUSTOMERS) + "where AGE > 18",
        f"with adults as (select * from {CUSTOMERS}) " + SELECT.format("adults") + "where adults.age > 18",
        f"with all_of_them as (from {CUSTOMERS}), adults as (from all_of_them) select a.as_of_date, a.customer_id from adults as a where a.Age > 18",
        f"with adults as (with all_of_them as (from {CUSTOMERS}) from all_of_them as them where them.age > 18) " + SELECT.format("adults"),
        f"with bought as (select customer_id, age from warehouse.intermediate.int_order_lines) select c.as_of_date, c.customer_id from {CUSTOMERS} as c "
        "inner join bought on bought.customer_id = c.customer_id where c.age > 18 and bought.quantity > 1",
    ],
)  # fmt: skip
def test_an_attribute_is_known_however_the_rule_names_it(sql: str) -> None:
    assert {column for clause in rule_of(parse(sql), sql).clauses for column in clause.columns} == {"age"}


def test_a_rule_of_one_clause_knows_what_it_asks_too() -> None:
    sql = (
        f"with adults as (from {CUSTOMERS} where age > 18) select as_of_date, customer_id from adults "
        "inner join warehouse.segments.active using (as_of_date, customer_id) "
        "where customer_id in (select customer_id from warehouse.intermediate.int_order_lines)"
    )
    [clause] = rule_of(parse(sql), sql).clauses
    assert clause.columns == {"age"}
    assert clause.segments == ("active",)
    assert clause.tables == {"intermediate.int_order_lines"}


@pytest.mark.parametrize(
    ("compiled", "is_of_one"),
    [
        ("age > 18", True),
        (BOUGHT_COMPILED, True),
        (MEMBER_OF_COMPILED, True),
        (f"not {MEMBER_OF_COMPILED} or {BOUGHT_COMPILED}", True),
        ("percent_rank() over (order by age) > 0.9", False),
        (f"age > (select avg(age) from {CUSTOMERS})", False),
        (f"(as_of_date, region) in (select as_of_date, region from {CUSTOMERS} where age > 90)", False),
        ("(as_of_date, customer_id) in (select as_of_date, customer_id from warehouse.segments.active limit 9)", False),
    ],
)  # fmt: skip
def test_a_clause_is_of_one_where_no_other_customer_is_asked(compiled: str, is_of_one: bool) -> None:
    [clause] = rule(compiled).clauses
    assert clause.is_of_one is is_of_one
