"""What marks a segment as defined anew, and what does not: each test changes one thing of the project as dbt read it."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import pytest

from orchestration.errors import ConfigurationError
from orchestration.transform.meaning import definition_hashes, foundation_of
from orchestration.transform.project import DbtProjectOfHome
from tests.dbt_project.conftest import Results

BY_AGE = {"men_18_25", "women_25_34", "aged_65_and_over"}
BY_PERCENTILE = {"top_spenders", "new_top_spenders", "at_risk_but_valuable", "vips_at_full_price"}
RFM = {"rfm_champions", "rfm_loyal", "rfm_promising", "rfm_needs_attention", "rfm_dormant"}
#: Those that know the customers and nothing of their orders.
WITHOUT_ORDERS = BY_AGE | {
    "birthday_within_7_days",
    "contactable_by_any_channel",
    "contactable_by_email",
    "food_lovers",
    "large_households",
    "unreachable",
}


@dataclass(frozen=True)
class Project:
    manifest: dict[str, Any]
    variables: dict[str, Any]
    compiled: dict[str, str]

    def changed(self, where: str, before: str, after: str) -> Project:
        """The project with one text of it changed: ``models/x``, ``macros/x`` or ``compiled/x``."""
        copy = deepcopy(self)
        kind, name = where.split("/")
        if kind == "compiled":
            holder: dict[str, Any] = copy.compiled
            key = name
        elif kind == "macros":
            holder, key = copy.manifest["macros"][f"macro.nightly_segments.{name}"], "macro_sql"
        else:
            holder, key = copy.manifest["nodes"][f"model.nightly_segments.{name}"], "raw_code"
        assert before in holder[key], (where, before)
        holder[key] = holder[key].replace(before, after)
        return copy

    def with_variable(self, name: str, value: Any) -> Project:
        assert self.variables[name] != value
        return Project(self.manifest, self.variables | {name: value}, self.compiled)

    def redefined_in(self, other: Project) -> set[str]:
        before, after = (definition_hashes(it.manifest, it.variables, it.compiled) for it in (self, other))
        return {segment for segment in before if after[segment] != before[segment]}

    def foundation(self) -> str:
        return foundation_of(self.manifest, self.variables)


@pytest.fixture(scope="module")
def read(project: DbtProjectOfHome, dbt: Callable[..., Results]) -> Project:
    """The project as dbt reads and compiles it."""
    compiled = dbt("compile", "--select", "dim_customers", "tag:segment")
    by_name = {result["unique_id"].split(".")[-1]: result["compiled_code"] for result in compiled}
    return Project(project.manifest(), project.variables, by_name)


@pytest.fixture(scope="module")
def every_segment(read: Project) -> set[str]:
    return set(definition_hashes(read.manifest, read.variables, read.compiled))


@pytest.mark.parametrize(
    ("where", "before", "after", "redefined"),
    [
        ("compiled/men_18_25", "18 and 25", "18 and 26", {"men_18_25"}),
        ("compiled/dim_customers", "as age,", "+ 1 as age,", BY_AGE),
        ("compiled/dim_customers", "percentiles.ranked_on = customers.as_of_date", "percentiles.ranked_on is null", BY_PERCENTILE),
        ("compiled/dim_customers", "scores.monetary_score", "6 - scores.monetary_score", {*RFM, "vips_at_full_price"} - {"rfm_promising"}),
        ("compiled/discount_seekers", "0.2", "0.3", {"discount_seekers", "vips_at_full_price"}),
        ("macros/fifth", "5 * percent_rank", "5 * cume_dist", {*RFM, "vips_at_full_price"}),
        ("models/int_spend_percentiles", "365 days", "180 days", BY_PERCENTILE),
    ],
)  # fmt: skip
def test_exactly_those_that_rest_on_the_change_are_defined_anew(
    read: Project, where: str, before: str, after: str, redefined: set[str]
) -> None:
    assert read.redefined_in(read.changed(where, before, after)) == redefined


@pytest.mark.parametrize(
    ("where", "before", "after"),
    [
        ("compiled/men_18_25", "select", "-- young men\nselect"),
        ("compiled/men_18_25", "    and age", "  /* years */  AND\n age"),
        ("compiled/men_18_25", "and age", "and Age"),
        ("compiled/dim_customers", "-- how to reach", "-- the customer's channels"),
        ("compiled/dim_customers", "customers.country,", "upper(customers.country) as country,"),
        ("models/int_rfm_scores", "-- Fifths", "-- A customer's fifths"),
        ("macros/fifth", "-%}\n", "-%}\n    {# of the customer's day #}\n"),
    ],
)
def test_a_comment_the_layout_and_what_nobody_asks_for_define_nothing_anew(
    read: Project, where: str, before: str, after: str
) -> None:
    assert read.redefined_in(read.changed(where, before, after)) == set()


@pytest.mark.parametrize(
    "rule",
    [
        "select as_of_date, customer_id from warehouse.customers.dim_customers where AGE < 26",
        "select c.as_of_date, c.customer_id from warehouse.customers.dim_customers as c where c.age < 26",
        "with c as (select * from warehouse.customers.dim_customers) select c.as_of_date, c.customer_id from c where c.age < 26",
    ],
)
def test_a_rule_rests_on_an_attribute_however_it_names_it(read: Project, rule: str) -> None:
    renamed = read.changed("compiled/men_18_25", read.compiled["men_18_25"], rule)
    assert renamed.redefined_in(renamed.changed("compiled/dim_customers", "as age,", "+ 1 as age,")) == BY_AGE


def test_a_variable_marks_those_that_are_made_with_it(read: Project, every_segment: set[str]) -> None:
    longer = read.with_variable("lifecycle_won_back_days", 45)
    redefined = read.redefined_in(longer)
    assert {"won_back", "at_risk_but_valuable"} <= redefined
    assert not redefined & WITHOUT_ORDERS
    assert read.redefined_in(read.with_variable("business_timezone", "Asia/Tokyo")) == every_segment - WITHOUT_ORDERS


def test_a_text_in_quotes_is_no_comment(read: Project) -> None:
    changed = read.changed("models/int_rfm_scores", "where orders", "where '--' <> '--' and orders")
    assert read.redefined_in(changed) == {*RFM, "vips_at_full_price"}


def test_a_union_of_customers_is_refused_because_its_attributes_cannot_be_told_apart(read: Project) -> None:
    twice = read.changed("compiled/dim_customers", "from attributes", "from (from attributes union from attributes)")
    with pytest.raises(ConfigurationError, match=r"dim_customers\.sql has a union"):
        read.redefined_in(twice)


def test_whatever_marks_a_segment_beneath_the_customers_makes_the_next_run_evaluate_every_day(read: Project) -> None:
    for changed in (
        read.changed("macros/fifth", "5 * percent_rank", "5 * cume_dist"),
        read.changed("models/int_spend_percentiles", "365 days", "180 days"),
        read.with_variable("lifecycle_won_back_days", 45),
        read.with_variable("business_timezone", "Asia/Tokyo"),
    ):
        assert read.redefined_in(changed)
        assert changed.foundation() != read.foundation()


def test_a_rule_over_the_customers_leaves_the_foundation_as_it_is(read: Project) -> None:
    for changed in (
        read.with_variable("product_x", "another"),
        read.with_variable("lifecycle_active_days", 20),
        read.changed("models/men_18_25", "25", "26"),
        read.changed("models/int_rfm_scores", "-- Fifths", "-- A customer's fifths"),
        read.changed("macros/duckdb__forget_versions", "delete", "-- gone\n delete  "),
    ):
        assert changed.foundation() == read.foundation()
