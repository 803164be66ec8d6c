"""How members differ from the rest of the base: figures as pandas has them, the greatest first, and of too few nothing."""

from __future__ import annotations

from math import sqrt

import pandas as pd
import pytest

from orchestration.read.opened import Release
from orchestration.read.people import people
from tests.read.small_release import small_release

#: Three in ten are members, more often men, older, of two regions as the others are; a rare interest, and an age unknown here and there.
PEOPLE = """
create or replace table customers.dim_customers as
select
    date '2024-03-31' as as_of_date, 'c' || n as customer_id,
    if(n % 10 < 3, 'male', case n % 3 when 0 then null when 1 then 'female' else 'male' end) as gender,
    if(n % 7 = 0, null, 20 + n % 30 + if(n % 10 < 3, 12, 0))::integer as age,
    n % 4 = 0 as email_opt_in,
    ['Iowa', 'Utah'][1 + n % 2] as region,
    case when n % 5 = 0 then ['wine', 'wine'] when n = 1 then ['yachts'] else [] end::varchar[] as interests
from range(200) as numbers (n);
comment on column customers.dim_customers.age is 'Whole years.';
"""
IS_MEMBER = "customer_id[2:]::integer % 10 < 3"


@pytest.fixture(scope="module")
def release() -> Release:
    made = small_release({})
    made.connection.execute(PEOPLE)
    made.connection.execute(
        f"create table segments.mine as select customer_id from customers.dim_customers where {IS_MEMBER}"
    )
    made.connection.execute("create table segments.few as select customer_id from segments.mine limit 19")
    made.connection.execute("alter table catalog.segments add column columns_used varchar[]")
    made.connection.execute(
        "insert into catalog.segments by name select unnest(['mine', 'few']) as segment, ['gender'] as columns_used"
    )
    return made


def table(release: Release) -> pd.DataFrame:
    return release.connection.execute(
        f"select *, {IS_MEMBER} as is_member from customers.dim_customers"
    ).df()  # of all, as an analyst would take it


def test_a_number_s_difference_is_that_of_means_over_the_root_of_the_mean_variance(release: Release) -> None:
    [age] = [one for one in people(release, "mine").distinctions if one.attribute == "age"]
    known = table(release).dropna(subset="age")
    mine, others = (known.loc[known.is_member == one, "age"].astype(float) for one in (True, False))
    difference = (mine.mean() - others.mean()) / sqrt((mine.var() + others.var()) / 2)
    n1, n0 = len(mine), len(others)
    half = 1.959964 * sqrt((n1 + n0) / (n1 * n0) + difference**2 / (2 * (n1 + n0)))
    assert (age.members, age.others) == pytest.approx((mine.mean(), others.mean()))
    assert (age.difference, age.lower, age.upper) == pytest.approx((difference, difference - half, difference + half))
    assert (age.is_share, age.in_rule, age.description) == (False, False, "Whole years.")


@pytest.mark.parametrize(
    ("attribute", "value"), [("gender", "male"), ("gender", "not known"), ("email_opt_in", None), ("interests", "wine")]
)
def test_a_share_is_of_all_members_and_of_all_others(release: Release, attribute: str, value: str | None) -> None:
    [found] = [one for one in people(release, "mine").distinctions if (one.attribute, one.value) == (attribute, value)]
    everybody = table(release)
    has = {
        "gender": everybody.gender.fillna("not known") == value,
        "email_opt_in": everybody.email_opt_in,
        "interests": everybody.interests.map(lambda interests: value in interests),
    }[attribute]
    mine, others = has[everybody.is_member].mean(), has[~everybody.is_member].mean()
    spread = sqrt((mine * (1 - mine) + others * (1 - others)) / 2)
    assert (found.members, found.others, found.difference) == pytest.approx((mine, others, (mine - others) / spread))
    assert found.is_share


def test_the_greatest_differences_come_first_and_those_of_the_rule_are_marked(release: Release) -> None:
    told = people(release, "mine").distinctions
    sizes = [abs(one.difference) for one in told]
    assert sizes == sorted(sizes, reverse=True)
    assert {one.attribute for one in told if one.in_rule} == {"gender"}


def test_what_hardly_anybody_has_is_not_told(release: Release) -> None:
    assert "yachts" not in {one.value for one in people(release, "mine").distinctions}


def test_of_fewer_than_twenty_members_nothing_is_told(release: Release) -> None:
    told = people(release, "few")
    assert (told.members, told.others, told.distinctions) == (19, 181, ())


def test_at_half_a_million_customers_everybody_is_still_with_her_own_values() -> None:
    made = small_release({})
    made.connection.execute(
        "create or replace table customers.dim_customers as "
        "select date '2024-03-31' as as_of_date, 'c' || n as customer_id, (n % 90)::integer as age, "
        "['north', 'south'][1 + (n % 90 > 60)::integer] as region, n % 90 > 60 as email_opt_in from range(500000) as numbers (n)"
    )
    made.connection.execute(
        "create table segments.old as select customer_id from customers.dim_customers where age > 60 order by hash(customer_id)"
    )
    made.connection.execute("alter table catalog.segments add column columns_used varchar[]")
    made.connection.execute(
        "insert into catalog.segments by name select 'old' as segment, []::varchar[] as columns_used"
    )
    told = {(one.attribute, one.value): one for one in people(made, "old").distinctions}
    assert (told["age", None].members, told["age", None].others) == pytest.approx((75, 30), abs=0.01)
    # Who is a member lives in the south and agreed, and nobody else: neither group varies, so that there is no difference to state.
    assert ("region", "south") not in told
    assert ("email_opt_in", None) not in told
