"""The lifecycle's conditions over customers of every kind, for stages of any length: exclusive, and without a gap."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import duckdb
import jinja2
import pytest
from dbt.context import exceptions_jinja
from dbt_common.exceptions import CompilationError

from orchestration.transform.project import PROJECT_DIR

STAGES = ["never_bought", "new", "won_back", "active", "at_risk", "lapsed"]

#: One who never ordered, and everybody who ordered on one, two or three of the $days ago.
CUSTOMERS = """
create table customers as
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


def conditions(**days: int) -> Callable[[str], str]:
    """The macro, rendered by the engine that dbt has, for stages of so many days."""

    def variable(name: str) -> int:
        return days[name.removeprefix("lifecycle_").removesuffix("_days")]

    macros = jinja2.Environment().from_string((PROJECT_DIR / "macros" / "lifecycle.sql").read_text())
    rendered: Any = macros.make_module({"var": variable, "return": str, "exceptions": exceptions_jinja})
    assert rendered.lifecycle_stages().strip() == str(STAGES)
    return lambda stage: rendered.in_lifecycle_stage(stage).strip()


@pytest.mark.parametrize(
    ("new", "active", "won_back", "lapsed"),
    [(30, 30, 30, 90), (20, 45, 60, 120), (60, 30, 20, 90), (45, 20, 50, 60), (10, 90, 90, 90), (1, 1, 1, 1)],
)
def test_every_customer_is_in_exactly_one_stage(new: int, active: int, won_back: int, lapsed: int) -> None:
    condition = conditions(new=new, active=active, won_back=won_back, lapsed=lapsed)
    edges = {days + step for days in (0, new, active, won_back, lapsed) for step in (-1, 0, 1)}
    days = sorted({*range(0, 200, 20), *edges} - {-1})
    stages = ", ".join(f"coalesce({condition(stage)}, false) as {stage}" for stage in STAGES)
    with duckdb.connect() as connection:
        connection.execute(CUSTOMERS, {"days": days, "recent": won_back})
        in_stages = connection.execute(f"select * from (select {stages} from customers)").fetchall()
    assert {sum(row) for row in in_stages} == {1}
    assert [any(stage) for stage in zip(*in_stages, strict=True)] == [True] * len(STAGES)


@pytest.mark.parametrize("longer", ["active", "won_back"])
def test_days_above_those_after_which_a_customer_has_lapsed_are_refused(longer: str) -> None:
    days = {"new": 30, "active": 30, "won_back": 30, "lapsed": 90}
    with pytest.raises(CompilationError, match=f"lifecycle_{longer}_days .91. is above lifecycle_lapsed_days .90."):
        conditions(**days | {longer: 91})("lapsed")
