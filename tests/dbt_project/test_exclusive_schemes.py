"""The conditions of the exclusive schemes over customers of every kind, for thresholds of any size: nobody is in two, and
nobody falls between them.
"""

from __future__ import annotations

from typing import Any

import duckdb
import jinja2
import pytest
from dbt.context import exceptions_jinja
from dbt_common.exceptions import CompilationError

from orchestration.transform.project import PROJECT_DIR

LIFECYCLE = ["never_bought", "new", "won_back", "active", "at_risk", "lapsed"]
RFM = ["champions", "loyal", "promising", "needs_attention", "dormant"]

#: One who never ordered, and everybody who ordered on one, two or three of the $days ago.
BUYERS = """
with orders as (
    select [a, b, c] as days_ago
    from (select unnest($days) as a), (select unnest($days) as b), (select unnest($days) as c)
)
select
    'ordered' as first_ordered_on,
    list_max(days_ago) as days_since_first_order,
    list_min(days_ago) as days_since_last_order,
    list_min(list_filter(days_ago, lambda day: day >= $recent)) - list_max(list_filter(days_ago, lambda day: day < $recent))
        as days_away_before_recent_order
from orders
union
select null, null, null, null
"""

SCORES = """
select recency_score, frequency_score, monetary_score
from (select unnest(range(1, 6)) as recency_score)
cross join (select unnest(range(1, 6)) as frequency_score)
cross join (select unnest(range(1, 6)) as monetary_score)
"""


def macros(file: str, variables: dict[str, int]) -> Any:
    """The macros of a file, rendered by the engine that dbt has."""
    text = (PROJECT_DIR / "macros" / file).read_text()
    given = {"var": variables.__getitem__, "return": str, "exceptions": exceptions_jinja}
    return jinja2.Environment().from_string(text).make_module(given)


def lifecycle(**days: int) -> dict[str, str]:
    rendered = macros("lifecycle.sql", {f"lifecycle_{name}_days": value for name, value in days.items()})
    assert rendered.lifecycle_stages().strip() == str(LIFECYCLE)
    return {stage: rendered.in_lifecycle_stage(stage).strip() for stage in LIFECYCLE}


def rfm(**scores: int) -> dict[str, str]:
    rendered = macros("rfm.sql", {f"rfm_{name}_score": value for name, value in scores.items()})
    assert rendered.rfm_groups().strip() == str(RFM)
    return {group: rendered.in_rfm_group(group).strip() for group in RFM}


def assert_each_is_in_exactly_one(customers: str, given: dict[str, Any], conditions: dict[str, str]) -> None:
    """And that no condition is in vain."""
    columns = ", ".join(f"coalesce({condition}, false) as {name}" for name, condition in conditions.items())
    with duckdb.connect() as connection:
        found = connection.execute(f"select {columns} from ({customers})", given).fetchall()
    assert {sum(row) for row in found} == {1}
    assert [any(column) for column in zip(*found, strict=True)] == [True] * len(conditions)


@pytest.mark.parametrize(
    ("new", "active", "won_back", "lapsed"),
    [(30, 30, 30, 90), (20, 45, 60, 120), (60, 30, 20, 90), (45, 20, 50, 60), (10, 90, 90, 90), (1, 1, 1, 1)],
)
def test_every_customer_is_in_exactly_one_lifecycle_stage(new: int, active: int, won_back: int, lapsed: int) -> None:
    edges = {days + step for days in (0, new, active, won_back, lapsed) for step in (-1, 0, 1)}
    days = sorted({*range(0, 200, 20), *edges} - {-1})
    stages = lifecycle(new=new, active=active, won_back=won_back, lapsed=lapsed)
    assert_each_is_in_exactly_one(BUYERS, {"days": days, "recent": won_back}, stages)


@pytest.mark.parametrize("longer", ["active", "won_back"])
def test_days_above_those_after_which_a_customer_has_lapsed_are_refused(longer: str) -> None:
    days = {"new": 30, "active": 30, "won_back": 30, "lapsed": 90}
    with pytest.raises(
        CompilationError, match=rf"lifecycle_{longer}_days \(91\) is above lifecycle_lapsed_days \(90\)"
    ):
        lifecycle(**days | {longer: 91})


@pytest.mark.parametrize(("champion", "fair"), [(4, 3), (5, 2), (3, 3)])
def test_whoever_has_scores_is_in_exactly_one_rfm_group(champion: int, fair: int) -> None:
    assert_each_is_in_exactly_one(SCORES, {}, rfm(champion=champion, fair=fair))


def test_a_champion_with_less_than_fair_scores_is_refused() -> None:
    with pytest.raises(CompilationError, match=r"rfm_champion_score \(2\) is below rfm_fair_score \(3\)"):
        rfm(champion=2, fair=3)
