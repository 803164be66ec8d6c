"""What each measure of a claim asks of a customer, in SQL: a numerator and a denominator in whole numbers, so that their sums are exact.

A measure of a group is the sum of the one divided by the sum of the other: of a mean per customer the denominator is 1. Needs the temporary tables of ``members``,
and of what customers bought in each window, which measures share.
"""

from __future__ import annotations

from collections.abc import Iterable

import duckdb

from orchestration.measure.personas.members import VALID
from orchestration.personas.claims import Measure
from orchestration.sql import literal

ISO_WEEKDAYS = {
    name: number
    for number, name in enumerate(
        ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"), start=1
    )
}

#: What a customer bought in the window of each day, from a table of her days with an order.
BOUGHT = """
select days.as_of_date, bought.customer_id, {figures}
from intermediate.{table} as bought
inner join days on bought.ordered_on > days.as_of_date - {days} and bought.ordered_on <= days.as_of_date and {valid}
where bought.ordered_on > (select min(as_of_date) - {days} from days) and bought.ordered_on <= (select max(as_of_date) from days){further}
group by all
"""
#: What all measures of whole orders are made of, once per window. Money is counted in hundredths.
OF_ORDERS = ", ".join(
    [
        "(100 * sum(bought.spend))::bigint as spend",
        "sum(bought.orders)::bigint as orders",
        "(100 * sum(bought.discount))::bigint as discount",
        *(
            f"(100 * coalesce(sum(bought.spend) filter (isodow(bought.ordered_on) = {number}), 0))::bigint as spend_on_{name}"
            for name, number in ISO_WEEKDAYS.items()
        ),
    ]
)

#: The contact that came first is the contact; the channel is what was known of it on the day.
ANSWERED = """
select days.as_of_date, contact.customer_id, count(distinct answer.campaign_id)::bigint as num, count(distinct contact.campaign_id)::bigint as den
from (
    select campaign_id, customer_id, arg_min(contacted_on, extract_date) as contacted_on, min(extract_date) as known_on
    from crm.campaign_contacts
    where contacted_on is not null
    group by all
) as contact
inner join days
    on contact.known_on <= days.as_of_date and contact.contacted_on > days.as_of_date - {days} and contact.contacted_on <= days.as_of_date
inner join (
    select days.as_of_date, listed.campaign_id, arg_max(listed.channel, listed.extract_date) as channel
    from crm.campaigns as listed
    inner join days on listed.extract_date <= days.as_of_date
    group by all
    union
    select days.as_of_date, ours.campaign_id, ours.channel from metrics.campaigns as ours cross join days where ours.assigned_by = 'us'
) as campaign
    on campaign.as_of_date = days.as_of_date and campaign.campaign_id = contact.campaign_id and campaign.channel = {channel}
left join crm.campaign_responses as answer
    on answer.campaign_id = contact.campaign_id and answer.customer_id = contact.customer_id
    and answer.response in ('click', 'redeem') and answer.extract_date <= days.as_of_date
group by all
"""

ALSO_IN = """
select base.as_of_date, base.customer_id, bool_or(history.customer_id is not null)::bigint as num, 1 as den
from base
left join metrics.segment_membership_history as history
    on history.segment = {segment} and history.customer_id = base.customer_id
    and history.entered_on <= base.as_of_date and coalesce(history.exited_on > base.as_of_date, true)
group by all
"""

#: Figures of whole orders: those that are divided by customers, and those that are divided by another figure.
PER_CUSTOMER = {"spend": "spend", "orders": "orders", "ordered": "(orders > 0)::bigint"}
PER_FIGURE = {"order_value": ("spend", "orders"), "discount_share": ("discount", "spend + discount")}
#: What stands above or below is counted in hundredths of what it is told in.
HUNDREDTHS = ("spend", "order_value")


def make_windows(connection: duckdb.DuckDBPyConnection, measures: Iterable[Measure]) -> None:
    """Makes the temporary tables that ``values_of`` reads of whole orders, one for each length of window that is asked."""
    for days in sorted({measure.in_last_days for measure in measures if _is_of_orders(measure)}):
        connection.execute(
            f"create or replace temp table bought_in_{days} as {_bought(days, 'int_customer_days', OF_ORDERS)}"
        )


def values_of(measure: Measure) -> str:
    """A query of as_of_date, customer_id, num and den: one row per as-of date and customer of the base who counts."""
    if measure.of == "customers_with":
        return _customers_with(measure)
    if measure.of == "also_in":
        return ALSO_IN.format(segment=literal(measure.segment))
    if measure.of == "answered":
        return _of_the_base(ANSWERED.format(channel=literal(measure.channel), days=measure.in_last_days))
    if _is_of_orders(measure):
        return _of_orders(measure)
    goods = _goods(measure)
    if measure.of == "spend_share_of":
        share = f"(100 * coalesce(sum(bought.spend) filter ({goods}), 0))::bigint as num, (100 * sum(bought.spend))::bigint as den"
        return _of_the_base(_bought(measure.in_last_days, "int_customer_category_days", share))
    figure = "1" if measure.of == "buyers_of" else "count(distinct bought.ordered_on)"
    further = f" and {goods} and bought.spend > 0"
    return _per_customer(
        _bought(measure.in_last_days, "int_customer_category_days", f"{figure}::bigint as num", further)
    )


def unit_of(measure: Measure) -> int:
    """By what the quotient is to be divided."""
    return 100 if measure.of in HUNDREDTHS else 1


def _is_of_orders(measure: Measure) -> bool:
    return measure.of in (*PER_CUSTOMER, *PER_FIGURE, "spend_on_weekdays")


def _of_orders(measure: Measure) -> str:
    window = f"from bought_in_{measure.in_last_days}"
    if measure.of in PER_CUSTOMER:
        return _per_customer(f"select as_of_date, customer_id, {PER_CUSTOMER[measure.of]} as num {window}")
    if measure.of == "spend_on_weekdays":
        num, den = " + ".join(f"spend_on_{day}" for day in measure.weekdays), "spend"
    else:
        num, den = PER_FIGURE[measure.of]
    return _of_the_base(f"select as_of_date, customer_id, {num} as num, {den} as den {window}")


def _bought(days: int, table: str, figures: str, further: str = "") -> str:
    return BOUGHT.format(table=table, figures=figures, days=days, valid=VALID.format(version="bought"), further=further)


def _goods(measure: Measure) -> str:
    column, goods = ("category", measure.category) if measure.category else ("department", measure.department)
    return f"lower(bought.{column}) = lower({literal(goods)})"


def _per_customer(bought: str) -> str:
    """Everybody in the base counts, whoever bought nothing with nought."""
    return (
        f"select base.as_of_date, base.customer_id, coalesce(values.num, 0)::bigint as num, 1 as den from base left join ({bought}) as values "
        "on values.as_of_date = base.as_of_date and values.customer_id = base.customer_id"
    )


def _of_the_base(values: str) -> str:
    """Those in the base who have something to divide by."""
    return (
        f"select values.as_of_date, values.customer_id, values.num, values.den from ({values}) as values "
        "semi join base on values.as_of_date = base.as_of_date and values.customer_id = base.customer_id where values.den <> 0"
    )


def _customers_with(measure: Measure) -> str:
    asked = []
    if measure.is_:
        values = ", ".join(literal(str(value).lower() if isinstance(value, bool) else value) for value in measure.is_)
        is_list = measure.attribute == "interests"
        asked.append(
            f"list_has_any(interests, [{values}])" if is_list else f"{measure.attribute}::varchar in ({values})"
        )
    asked += [] if measure.at_least is None else [f"{measure.attribute} >= {measure.at_least}"]
    asked += [] if measure.at_most is None else [f"{measure.attribute} <= {measure.at_most}"]
    # Of whoever has none the interests are not known.
    known = "len(interests) > 0" if measure.attribute == "interests" else f"{measure.attribute} is not null"
    return f"select as_of_date, customer_id, ({' and '.join(asked)})::bigint as num, 1 as den from base where {known}"
