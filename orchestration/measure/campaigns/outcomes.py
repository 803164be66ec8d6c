"""Who was assigned to a campaign, and what each of them bought before and since, day by day: the sufficient statistics of every comparison.

A customer counts in the arm assigned, whatever happened later. Knows no test and no verdict.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from orchestration.days import chunks
from orchestration.measure.campaigns.moments import UNITS, covariance, mean
from orchestration.measure.campaigns.running import Running
from orchestration.sql import literal

#: Net spend, whether there was an order, orders, whether there was an answer: each per customer, over the window.
METRICS = ("spend", "ordered", "orders", "responded")

#: Customers times as-of dates that are worked out at once.
CUSTOMER_DAYS_AT_ONCE = 4_000_000

#: Read once for all campaigns, for they are many small files.
ANSWERS = """
create or replace temp table answers as
select campaign_id, customer_id, response, responded_at, extract_date from crm.campaign_responses
"""

#: What the sender reports of our campaign, or all that is known of another's. The arm that came first is the arm; a contact that is planned is known once
#: its day has come.
CONTACTS = """
create or replace temp table contacts as
select
    customer_id,
    min(extract_date) as known_on,
    arg_min(arm, extract_date) filter (where arm is not null) as arm,
    min(extract_date) filter (where arm is not null) as arm_known_on,
    min(extract_date) filter (where arm is not null and arm <> first_arm) as arm_changed_on,
    arg_min(contacted_on, extract_date) filter (where contacted_on is not null) as contacted_on,
    min(greatest(extract_date, contacted_on)) filter (where contacted_on is not null) as contact_known_on
from (
    select *, first_value(arm ignore nulls) over (partition by customer_id order by extract_date rows between unbounded preceding and unbounded following) as first_arm
    from crm.campaign_contacts
    where campaign_id = $campaign and extract_date <= $last
)
group by customer_id
"""

#: Since when both arms are known.
DRAWN_ON = """
select case when count(distinct arm) = 2 then max(known_on) end
from (select arm, min(arm_known_on) as known_on from contacts where arm is not null group by arm)
"""
OURS = (
    "create or replace temp table assigned as "
    "select customer_id, arm, date '0001-01-01' as known_on, null::date as known_until from read_parquet({file})"
)
THEIRS = (
    "create or replace temp table assigned as "
    "select customer_id, arm, arm_known_on as known_on, null::date as known_until from contacts where arm is not null"
)
#: Without a holdout those who were contacted stand beside everybody else who ever ordered.
CONTACTED_AND_OTHERS = """
create or replace temp table assigned as
select customer_id, 'treatment' as arm, contact_known_on as known_on, null::date as known_until
from contacts
where contacted_on is not null
union all
select customers.customer_id, 'control' as arm, greatest(customers.known_on, buyers.known_on) as known_on, contacts.known_on as known_until
from (select customer_id, min(valid_from) as known_on from intermediate.int_customer_versions group by customer_id) as customers
inner join (
    select customer_id, min(valid_from) as known_on from intermediate.int_customer_days where lines > 0 group by customer_id
) as buyers on buyers.customer_id = customers.customer_id
left join contacts on contacts.customer_id = customers.customer_id
"""

MEMBERS = """
create or replace temp table members as
select history.customer_id, history.segment
from metrics.segment_membership_history as history
where history.entered_on <= $day and coalesce(history.exited_on > $day, true)
    and history.segment in (select segment from refresh.definitions)
    and history.customer_id in (select customer_id from assigned)
"""

#: As many days before the launch are looked at as have passed since: like beside like. Money is counted in hundredths, so that sums are exact and a
#: night that is run again says the same to the last digit.
OUTCOMES = """
create or replace temp table outcomes as
with bought as (
    select
        days.as_of_date,
        bought.customer_id,
        (100 * sum(bought.spend) filter (where bought.ordered_on >= $launched))::bigint as spend,
        sum(bought.orders) filter (where bought.ordered_on >= $launched)::bigint as orders,
        (100 * sum(bought.spend) filter (where bought.ordered_on < $launched))::bigint as spend_before,
        sum(bought.orders) filter (where bought.ordered_on < $launched)::bigint as orders_before
    from intermediate.int_customer_days as bought
    inner join days
        on bought.ordered_on between days.first_before and days.last_day
        and bought.valid_from <= days.as_of_date and coalesce(bought.valid_to > days.as_of_date, true)
    where bought.ordered_on between $first and $last and bought.customer_id in (select customer_id from assigned)
    group by all
),
answered as (
    select distinct days.as_of_date, answer.customer_id
    from answers as answer
    inner join days on answer.extract_date <= days.as_of_date
    where answer.campaign_id = $campaign and answer.response in ('click', 'redeem')
        and timezone($timezone, timezone('UTC', answer.responded_at))::date between $launched and days.last_day
)
select
    days.as_of_date,
    assigned.customer_id,
    assigned.arm,
    coalesce(bought.spend, 0) as spend,
    coalesce(bought.orders, 0) as orders,
    (coalesce(bought.orders, 0) > 0)::bigint as ordered,
    (answered.customer_id is not null)::bigint as responded,
    coalesce(bought.spend_before, 0) as spend_before,
    coalesce(bought.orders_before, 0) as orders_before,
    (coalesce(bought.orders_before, 0) > 0)::bigint as ordered_before,
    0::bigint as responded_before
from days
inner join assigned on assigned.known_on <= days.as_of_date and coalesce(assigned.known_until > days.as_of_date, true)
left join bought on bought.as_of_date = days.as_of_date and bought.customer_id = assigned.customer_id
left join answered on answered.as_of_date = days.as_of_date and answered.customer_id = assigned.customer_id
"""


def _figures(metric: str) -> str:
    """Mean, variance, the same before, and the covariance of the two."""
    before, unit = f"{metric}_before", UNITS[metric]
    return (
        f"{mean(metric, unit)} as {metric}_mean, {covariance(metric, metric, unit)} as {metric}_var, "
        f"{mean(before, unit)} as {metric}_before_mean, {covariance(before, before, unit)} as {metric}_before_var, "
        f"{covariance(metric, before, unit)} as {metric}_cov"
    )


_FIGURES = ",\n    ".join(_figures(metric) for metric in METRICS)
STATISTICS = f"""
select
    as_of_date,
    null::varchar as segment,
    arm,
    count(*) as n,
    count(*) filter (where ordered > 0) as buyers,
    {_FIGURES}
from outcomes
group by all
union all
select
    outcomes.as_of_date,
    members.segment,
    outcomes.arm,
    count(*) as n,
    count(*) filter (where ordered > 0) as buyers,
    {_FIGURES}
from outcomes
inner join members on members.customer_id = outcomes.customer_id
group by all
"""

#: Troubles of a campaign by the end of each day, by what they are called in ``flags``.
TROUBLES = """
select
    days.as_of_date,
    count(*) filter (where assigned.arm = 'control' and contacts.contact_known_on <= days.as_of_date) as controls_contacted,
    count(*) filter (where contacts.contacted_on < $launched and contacts.contact_known_on <= days.as_of_date) as contacted_before_launch,
    count(*) filter (
        where coalesce(versions.known_on > days.as_of_date, true) or ($is_randomised and coalesce(assigned.known_on > days.as_of_date, true))
    ) as contacts_of_others,
    count(*) filter (where contacts.arm_changed_on <= days.as_of_date) as in_both_arms,
    count(*) filter (where contacts.arm <> assigned.arm and contacts.arm_known_on <= days.as_of_date) as arms_unlike_the_receipt,
    count(*) filter (where contacts.contact_known_on <= days.as_of_date) as contacted,
    count(*) filter (where assigned.arm = 'treatment' and contacts.contact_known_on <= days.as_of_date) as treated_contacted,
    count(*) filter (where contacts.arm = 'treatment' and contacts.arm_known_on <= days.as_of_date) as reported_treatment,
    count(*) filter (where contacts.arm = 'control' and contacts.arm_known_on <= days.as_of_date) as reported_control
from days
left join contacts on contacts.known_on <= days.as_of_date
left join assigned on assigned.customer_id = contacts.customer_id and coalesce(assigned.known_until > days.as_of_date, true)
left join (select customer_id, min(valid_from) as known_on from intermediate.int_customer_versions group by customer_id) as versions
    on versions.customer_id = contacts.customer_id
where contacts.customer_id is not null
group by days.as_of_date
"""
ANSWERS_WITHOUT_CONTACT = """
select days.as_of_date, count(distinct answer.customer_id) as responses_without_contact
from days
inner join answers as answer on answer.campaign_id = $campaign and answer.extract_date <= days.as_of_date
left join contacts on contacts.customer_id = answer.customer_id
where contacts.contact_known_on is null or contacts.contact_known_on > days.as_of_date
group by days.as_of_date
"""

FIRST_ORDERS = """
with versions as (
    select valid_from, valid_to, min(ordered_on) as ordered_on
    from intermediate.int_customer_days
    where lines > 0
    group by all
)
select days.as_of_date, min(versions.ordered_on)
from days
inner join versions on versions.valid_from <= days.as_of_date and coalesce(versions.valid_to > days.as_of_date, true)
group by days.as_of_date
"""


def read_answers(connection: duckdb.DuckDBPyConnection) -> None:
    """Has the answers to all campaigns at hand, as ``outcomes_of`` asks for them."""
    connection.execute(ANSWERS)


def outcomes_of(connection: duckdb.DuckDBPyConnection, campaign: Running, timezone: str) -> Iterator[Outcomes]:
    """The outcomes of the campaign's days: in one part, or, where the sender told the arms only after some days, the days before that apart."""
    connection.execute(CONTACTS, {"campaign": campaign.campaign_id, "last": campaign.days[-1]})
    drawn_on = date.min if campaign.assignment is not None else connection.execute(DRAWN_ON).fetchall()[0][0]
    for is_randomised in (False, True):
        days = tuple(day for day in campaign.days if (drawn_on is not None and day >= drawn_on) is is_randomised)
        if days:
            yield Outcomes(connection, replace(campaign, days=days), is_randomised, timezone)


#: Days of the window whose order lines never came, or are not believed and so not counted.
ORDERS_MISSING = """
with extracts as (
    select distinct extract_date from quality.extracts where source = 'shop' and table_name = 'order_lines'
),
believed as (
    select extract_date from extracts
    where extract_date not in (select extract_date from refresh.left_out where table_id = 'shop/order_lines')
)
select days.as_of_date, count(window_days.day) as orders_missing
from days
left join (select unnest(generate_series($launched::date, $last::date, interval 1 day))::date as day) as window_days
    on window_days.day <= days.last_day
    and window_days.day >= (select min(extract_date) from extracts)
    and window_days.day not in (select extract_date from believed)
group by days.as_of_date
"""


class Outcomes:
    """What the customers of one campaign bought on some of its days. ``is_randomised`` where arms were drawn; else the contacted stand beside all others.

    Leaves temporary tables behind that the next one replaces: ``assigned`` (customer_id, arm, known_on, known_until), ``members`` (customer_id, segment).
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, campaign: Running, is_randomised: bool, timezone: str
    ) -> None:
        self.campaign, self.is_randomised = campaign, is_randomised
        self._connection = connection
        self._asked: dict[str, Any] = {"campaign": campaign.campaign_id, "timezone": timezone}
        if campaign.assignment is not None:
            connection.execute(OURS.format(file=literal(campaign.assignment)))
        elif is_randomised:
            connection.execute(THEIRS)
        else:
            connection.execute(CONTACTED_AND_OTHERS)
        connection.execute(MEMBERS, {"day": campaign.segments_on})

    def first_orders(self) -> dict[date, date]:
        """The first day of which orders were on record by the end of each day; without the days by which there were none."""
        self._tell_days(self.campaign.days)
        return dict(self._connection.execute(FIRST_ORDERS).fetchall())

    def statistics(self) -> Iterator[pd.DataFrame]:
        """For a part of the days at a time: one row per as_of_date, segment (null for all) and arm, with n, buyers, and of each metric the mean, variance,
        the same before, and the covariance of the two. While it is a part's turn, ``values`` tells of its days.
        """
        ((customers,),) = self._connection.execute("select count(*) from assigned").fetchall()
        size = max(1, CUSTOMER_DAYS_AT_ONCE // max(1, customers))
        for part in chunks(list(self.campaign.days), size):
            self._work_out(part)
            yield self._connection.execute(STATISTICS).df()

    def values(self, day: date) -> pd.DataFrame:
        """Customers of a day in order: customer_id, arm, each metric and the same before."""
        columns = ", ".join(
            f"{figure}::double / {UNITS[metric]} as {figure}"
            for metric in METRICS
            for figure in (metric, f"{metric}_before")
        )
        query = f"select customer_id, arm, {columns} from outcomes where as_of_date = $day order by customer_id"
        return self._connection.execute(query, {"day": day}).df()

    def places(self, day: date, segments: list[str]) -> dict[str, NDArray[np.int64]]:
        """By segment, of those that are asked for, where those who were its members before the launch stand among the customers of ``values``."""
        query = (
            "with everybody as (select customer_id, row_number() over (order by customer_id) - 1 as place from outcomes where as_of_date = $day) "
            "select members.segment, list(everybody.place order by everybody.place) from everybody "
            "inner join members on members.customer_id = everybody.customer_id where members.segment in (select unnest($segments::varchar[])) "
            "group by members.segment"
        )
        found = self._connection.execute(query, {"day": day, "segments": segments}).fetchnumpy()
        return dict(zip(*found.values(), strict=True))

    def troubles(self) -> pd.DataFrame:
        """What is wrong with the contacts, answers and orders that came by each day: as_of_date and a count per kind of trouble."""
        self._tell_days(self.campaign.days)
        asked = {"launched": self.campaign.launched_on, "is_randomised": self.is_randomised}
        found = self._connection.execute(TROUBLES, asked).df()
        answers = self._connection.execute(ANSWERS_WITHOUT_CONTACT, {"campaign": self.campaign.campaign_id}).df()
        asked = {"launched": self.campaign.launched_on, "last": self.campaign.days[-1]}
        missing = self._connection.execute(ORDERS_MISSING, asked).df()
        return missing.merge(found, how="left", on="as_of_date").merge(answers, how="left", on="as_of_date").fillna(0)

    def earlier(self, periods: int) -> pd.DataFrame:
        """Spend and orders of each customer in the window, and in each of the stretches of the same length before it, by the campaign's last day: customer_id,
        arm, spend_0, orders_0 (the window), spend_1, orders_1 (just before), and so on.
        """
        campaign, day = self.campaign, self.campaign.days[-1]
        length = campaign.day_index(day)
        sums = ", ".join(
            f"coalesce(sum(bought.{figure}) filter (where bought.ordered_on >= $launched - {length * n} and bought.ordered_on < $launched - {length * (n - 1)}), 0)::double "
            f"as {figure}_{n}"
            for n in range(periods)
            for figure in ("spend", "orders")
        )
        return self._connection.execute(
            f"select assigned.customer_id, any_value(assigned.arm) as arm, {sums} from assigned left join intermediate.int_customer_days as bought "
            "on bought.customer_id = assigned.customer_id and bought.valid_from <= $day and coalesce(bought.valid_to > $day, true) "
            "where assigned.known_on <= $day and coalesce(assigned.known_until > $day, true) group by assigned.customer_id order by assigned.customer_id",
            {"launched": campaign.launched_on, "day": day},
        ).df()

    def _work_out(self, days: Sequence[date]) -> None:
        campaign = self.campaign
        self._tell_days(days)
        longest = campaign.day_index(days[-1])
        asked = self._asked | {
            "launched": campaign.launched_on,
            "first": campaign.launched_on - timedelta(longest),
            "last": days[-1],
        }
        self._connection.execute(OUTCOMES, asked)

    def _tell_days(self, days: Sequence[date]) -> None:
        passed = [self.campaign.day_index(day) for day in days]
        self._connection.execute(
            "create or replace temp table days as select unnest($days::date[]) as as_of_date, $launched::date - unnest($passed::integer[]) as first_before, "
            "$launched::date + unnest($passed::integer[]) - 1 as last_day",
            {"days": list(days), "passed": passed, "launched": self.campaign.launched_on},
        )
