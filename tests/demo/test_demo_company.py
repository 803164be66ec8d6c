"""The company that the extracts add up to: the retailer's orders to the cent, and customers worth segmenting."""

from __future__ import annotations

from datetime import date

import pytest

from orchestration.demo.company import CAME_BACK, DELETED, KNOWN_LATE, PRODUCT_X

MONTH_ENDS = [date(2017, month, 28 if month == 2 else 30 if month in (4, 6, 9, 11) else 31) for month in range(1, 13)]

_LINES_KNOWN_ON = """
    select order_line_id, order_id, customer_id, product_id, ordered_at::timestamptz::timestamp as ordered_at,
        quantity::decimal(18, 3) as quantity, amount::decimal(18, 2) as amount, discount::decimal(18, 2) as discount
    from (
        from order_lines_rows where extract_date <= date '{day}' and not is_refused
        qualify row_number() over (partition by order_line_id order by extract_date desc, row_number desc) = 1
    )
    where customer_id not like 'guest-%'
"""
_PACKAGE_LINES_UP_TO = """
    select basket_id || '-' || product_id, basket_id::varchar, household_id::varchar, product_id::varchar,
        transaction_timestamp, quantity::decimal(18, 3), sales_value::decimal(18, 2),
        retail_disc::decimal(18, 2) + coupon_disc::decimal(18, 2) + coupon_match_disc::decimal(18, 2)
    from transactions where bought_on <= date '{day}'
"""


def _customers_known_on(day: date) -> str:
    return f"""
        from household_rows where extract_date <= date '{day}'
        qualify row_number() over (partition by customer_id order by extract_date desc, row_number desc) = 1
    """


@pytest.mark.parametrize("day", [MONTH_ENDS[4], MONTH_ENDS[11]], ids=str)
def test_the_extracts_replayed_are_the_packages_order_lines_one_by_one(replayed, day):
    ours, theirs = _LINES_KNOWN_ON.format(day=day), _PACKAGE_LINES_UP_TO.format(day=day)
    assert replayed.execute(f"select count(*) from ({ours} except all {theirs})").fetchone() == (0,)
    assert replayed.execute(f"select count(*) from ({theirs} except all {ours})").fetchone() == (0,)


@pytest.mark.parametrize("day", MONTH_ENDS, ids=str)
def test_the_extracts_up_to_a_months_last_day_give_the_packages_totals_per_household(replayed, day):
    different = replayed.execute(f"""
        with ours as (
            select customer_id, count(*) as lines, sum(amount) as amount, sum(quantity) as quantity,
                sum(discount) as discount
            from ({_LINES_KNOWN_ON.format(day=day)}) group by 1
        ),
        theirs as (
            select household_id::varchar, count(*), sum(sales_value::decimal(18, 2)), sum(quantity),
                sum((retail_disc + coupon_disc + coupon_match_disc)::decimal(18, 2))
            from transactions where bought_on <= date '{day}' group by 1
        )
        select count(*) from ((from ours except from theirs) union all (from theirs except from ours))
    """).fetchone()
    assert different == (0,)


def test_12_customers_were_added_to_carry_a_wrong_value_and_buy_nothing(replayed):
    added = "select customer_id from customers_rows where not is_refused and contains(customer_id, '-')"
    assert replayed.execute(f"select count(distinct customer_id) from ({added})").fetchone() == (12,)
    assert replayed.execute(f"select count(*) from order_lines_rows where customer_id in ({added})").fetchone() == (0,)


def test_no_refused_row_carries_an_order_line_or_a_customer_of_the_retailer(replayed):
    assert replayed.execute("""
        select count(*) from order_lines_rows
        where is_refused and order_line_id in (select basket_id || '-' || product_id from transactions)
    """).fetchone() == (0,)
    assert replayed.execute("""
        select count(*) from customers_rows
        where is_refused and customer_id in (select household_id::varchar from transactions)
    """).fetchone() == (0,)


def test_every_household_is_a_customer_at_the_end_and_13_are_deleted(replayed):
    known = _customers_known_on(MONTH_ENDS[11])
    assert replayed.execute(f"select count(*) from ({known})").fetchone() == (2469,)
    deleted = replayed.execute(f"select customer_id from ({known}) where is_deleted = 'true'").fetchall()
    assert {int(household) for (household,) in deleted} == set(DELETED) - set(CAME_BACK)


def test_the_crm_knows_customers_before_they_buy_except_the_stated_ones(replayed):
    known_late = replayed.execute("""
        select customer_id::bigint
        from (select customer_id, min(extract_date) as known_on from household_rows group by 1)
        join (select household_id::varchar as customer_id, min(bought_on) as bought_on from transactions group by 1)
            using (customer_id)
        where known_on > bought_on
    """).fetchall()
    assert {household for (household,) in known_late} == set(KNOWN_LATE)


def test_a_customer_is_sent_on_the_day_of_signing_up_or_with_the_first_extract(replayed):
    assert replayed.execute("""
        select count(*) from (
            from household_rows
            qualify row_number() over (partition by customer_id order by extract_date) = 1
        ) where extract_date <> greatest(signed_up_on::date, date '2017-01-01')
    """).fetchone() == (0,)


@pytest.mark.parametrize("day", MONTH_ENDS[:11], ids=str)
def test_some_customers_have_never_bought_at_the_end_of_a_month(replayed, day):
    never = replayed.execute(f"""
        select count(*) from ({_customers_known_on(day)})
        where customer_id not in (select household_id::varchar from transactions where bought_on <= date '{day}')
    """).fetchone()
    assert never > (0,)


def test_a_birth_date_lies_in_the_households_real_age_band(replayed):
    outside = replayed.execute(f"""
        select count(*) from (
            select age_band, date_diff('year', birth_date::date, date '2017-12-31') as age
            from ({_customers_known_on(MONTH_ENDS[11])}) where birth_date is not null
        ) where case age_band
            when '65+' then age not between 65 and 85
            when '19-24' then age not between 19 and 24
            else age not between coalesce(left(age_band, 2)::int, 18) and coalesce(right(age_band, 2)::int, 85) end
    """).fetchone()
    assert outside == (0,)


def test_men_of_18_to_25_are_a_group_worth_writing_to(replayed):
    [(men,)] = replayed.execute(f"""
        select count(*) from ({_customers_known_on(MONTH_ENDS[11])})
        where gender = 'male' and is_deleted = 'false'
          and date_diff('year', birth_date::date, date '2017-12-31') between 18 and 25
    """).fetchall()
    assert 60 <= men <= 150


def test_about_a_quarter_of_the_customers_change_their_consent(replayed):
    [(share,)] = replayed.execute("""
        select count(*) filter (answers > 1) / count(*) from (
            select customer_id,
                count(distinct (email_opt_in, sms_opt_in, post_opt_in, push_opt_in)) as answers
            from household_rows group by 1)
    """).fetchall()
    assert 0.2 < share < 0.35


def test_product_x_has_150_to_400_buyers_in_the_last_three_months_who_spent_more_than_500(replayed):
    [(buyers,)] = replayed.execute(f"""
        select count(*) from (
            select household_id from transactions group by 1
            having sum(sales_value::decimal(18, 2)) > 500
               and bool_or(product_id = {PRODUCT_X} and quantity > 0
                   and bought_on > date '2017-12-31' - interval 3 month))
    """).fetchall()
    assert 150 <= buyers <= 400
