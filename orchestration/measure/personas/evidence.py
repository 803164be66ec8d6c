"""``metrics.persona_evidence``: on the newest day, who the customers of each persona are and what they do, beside the rest of the base. Tests no claim.

Each topic is a query of persona, position, item, customers, value, rest and unit; needs the temporary tables of ``members``, told of that one day.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import get_args

import duckdb

from orchestration.campaigns.files import Channel
from orchestration.measure.personas.figures import values_of
from orchestration.measure.personas.verdicts import FLOOR
from orchestration.measure.unsubscribes import unsubscribes
from orchestration.personas.claims import Measure

#: Days that a figure of behaviour looks back, and that a trend compares with.
BEHAVIOUR_DAYS, TREND_DAYS = 90, (28, 91, 364)
#: Of categories and departments, those that distinguish the persona most.
MOST = 10

CREATE = """
create table if not exists metrics.persona_evidence (
    as_of_date date, persona varchar, topic varchar, position bigint, item varchar, customers bigint, value double, rest double, unit varchar, is_shown boolean
)
"""

CHANNELS: tuple[Channel, ...] = get_args(Channel)

#: Everybody of a persona and everybody else, once per persona.
SIDES = """
create or replace temp table sides as
select personas.persona, base.as_of_date, base.customer_id, members.customer_id is not null as is_persona
from base
cross join (select distinct persona from links) as personas
left join persona_members as members on members.customer_id = base.customer_id and members.persona = personas.persona
"""

#: What each customer bought lately, as far as it is known today.
LATELY = f"""
create or replace temp table lately as
select bought.customer_id, bought.ordered_on, bought.orders, bought.spend
from intermediate.int_customer_days as bought
inner join days on bought.ordered_on > days.as_of_date - {BEHAVIOUR_DAYS} and bought.ordered_on <= days.as_of_date
    and bought.valid_from <= days.as_of_date and coalesce(bought.valid_to > days.as_of_date, true)
where bought.lines > 0
"""

SIZE = """
select persona, 1 as position, 'customers' as item, count(*) filter (is_persona) as customers,
    count(*) filter (is_persona) as value, count(*) filter (not is_persona) as rest, 'customers' as unit
from sides
group by persona
union all
select persona, 2, 'share of the base', count(*) filter (is_persona), count(*) filter (is_persona) / count(*), null, 'share'
from sides
group by persona
"""

SEGMENT = """
select links.persona, row_number() over (partition by links.persona order by links.role, links.segment) as position,
    links.segment || ' (' || links.role || ')' as item, counts.members as customers, counts.members as value, null as rest, 'customers' as unit
from links
inner join metrics.segment_counts_daily as counts on counts.segment = links.segment and counts.as_of_date = (select as_of_date from days)
"""

TREND = """
with moments as (select unnest($back::integer[]) as back),
were as (
    select links.persona, moments.back, history.customer_id
    from links
    cross join moments
    cross join days
    inner join metrics.segment_membership_history as history
        on history.segment = links.segment and history.entered_on <= days.as_of_date - moments.back
        and coalesce(history.exited_on > days.as_of_date - moments.back, true)
    where links.role in ('evidence', 'excluded')
        and days.as_of_date - moments.back >= (select min(as_of_date) from metrics.segment_counts_daily)
    group by all
    having bool_and(links.role = 'evidence')
)
select persona, back as position, back || ' days ago' as item, count(*) as customers, count(*) as value, null as rest, 'customers' as unit
from were
group by all
"""

REVENUE = """
with spent as (
    select sides.persona, sides.is_persona, sides.customer_id, coalesce(sum(lately.spend), 0) as spend
    from sides
    left join lately on lately.customer_id = sides.customer_id
    group by all
)
select persona, 1 as position, 'net spend' as item, count(*) filter (is_persona) as customers,
    sum(spend) filter (is_persona) as value, sum(spend) filter (not is_persona) as rest, 'money' as unit
from spent
group by persona
union all
select persona, 2, 'net spend per customer', count(*) filter (is_persona), (100 * sum(spend) filter (is_persona))::bigint / 100 / nullif(count(*) filter (is_persona), 0),
    (100 * sum(spend) filter (not is_persona))::bigint / 100 / nullif(count(*) filter (not is_persona), 0), 'money'
from spent
group by persona
"""

#: A share of customers per value of something that each of them has once.
SHARES = """
with asked as ({asked}),
counted as (
    select sides.persona, asked.position, asked.item,
        count(*) filter (sides.is_persona) as customers, count(*) filter (not sides.is_persona) as others
    from sides
    inner join asked on asked.customer_id = sides.customer_id
    group by all
),
known as (
    select sides.persona, count(distinct asked.customer_id) filter (sides.is_persona) as customers, count(distinct asked.customer_id) filter (not sides.is_persona) as others
    from sides
    inner join asked on asked.customer_id = sides.customer_id
    group by sides.persona
)
select counted.persona, {position} as position, counted.item, counted.customers,
    counted.customers / nullif(known.customers, 0) as value, counted.others / nullif(known.others, 0) as rest, 'share' as unit
from counted
inner join known on known.persona = counted.persona
{only}
"""

AGE = """
select customer_id, least(greatest(age // 10, 1), 8) as position,
    case when age < 20 then 'under 20' when age >= 80 then '80 and over' else (age // 10 * 10) || ' to ' || (age // 10 * 10 + 9) end as item
from base
where age is not null
"""
ONE_OF = "select customer_id, 0 as position, {column}::varchar as item from base where {column} is not null"
INTERESTS = (
    "select distinct customer_id, 0 as position, unnest(interests) as item from base where interests is not null"
)

RECENCY = """
select base.customer_id, band.position, band.item
from base
left join (
    select customer_id, max(ordered_on) as last from intermediate.int_customer_days cross join days
    where lines > 0 and valid_from <= as_of_date and coalesce(valid_to > as_of_date, true) and ordered_on <= as_of_date group by customer_id
) as bought on bought.customer_id = base.customer_id
inner join (
    values (1, 0, 7, 'the last 7 days'), (2, 7, 30, '8 to 30 days ago'), (3, 30, 90, '31 to 90 days ago'), (4, 90, 1000000, 'longer ago'), (5, -1, 0, 'never')
) as band(position, above, upto, item)
    on coalesce(base.as_of_date - bought.last + 1, 0) > band.above and coalesce(base.as_of_date - bought.last + 1, 0) <= band.upto
"""

FREQUENCY = """
select base.customer_id, band.position, band.item
from base
left join (select customer_id, sum(orders) as orders from lately group by customer_id) as bought on bought.customer_id = base.customer_id
inner join (
    values (1, 0, 0, 'no order'), (2, 1, 1, '1 order'), (3, 2, 4, '2 to 4 orders'), (4, 5, 9, '5 to 9 orders'), (5, 10, 19, '10 to 19 orders'), (6, 20, 1000000, '20 orders and more')
) as band(position, least, most, item) on coalesce(bought.orders, 0) between band.least and band.most
"""

#: Share of customers who bought of it; those by which the persona stands out most come first.
GOODS = """
select distinct bought.customer_id, 0 as position, bought.{column} as item
from intermediate.int_customer_category_days as bought
inner join days on bought.ordered_on > days.as_of_date - {days} and bought.ordered_on <= days.as_of_date
    and bought.valid_from <= days.as_of_date and coalesce(bought.valid_to > days.as_of_date, true)
where bought.spend > 0 and bought.{column} is not null
union all
select customer_id, -1, '' from base
"""
ONLY_MOST = "where counted.position = 0 qualify {position} <= {most}"
BY_DISTINCTION = f"""
row_number() over (
    partition by counted.persona
    order by (counted.customers >= {FLOOR}) desc, counted.customers / known.customers - counted.others / known.others desc, counted.item
)
"""

#: Of orders, and not of customers.
WEEKDAY = """
with counted as (
    select sides.persona, isodow(lately.ordered_on) as position, strftime(lately.ordered_on, '%A') as item, sides.is_persona,
        count(distinct lately.customer_id) as customers, sum(lately.orders) as orders
    from sides
    inner join lately on lately.customer_id = sides.customer_id
    group by all
)
select persona, position, item, coalesce(sum(customers) filter (is_persona), 0)::bigint as customers,
    sum(orders) filter (is_persona) / (sum(sum(orders) filter (is_persona)) over (partition by persona)) as value,
    sum(orders) filter (not is_persona) / (sum(sum(orders) filter (not is_persona)) over (partition by persona)) as rest, 'share' as unit
from counted
group by persona, position, item
"""

HOUR = """
with orders as (
    select customer_id, order_id, hour(min(timezone($timezone, timezone('UTC', ordered_at)))) as hour
    from (
        select line.*
        from shop.order_lines as line
        inner join days on line.extract_date <= days.as_of_date and line.ordered_at > days.as_of_date - {days} - 2
        qualify line.extract_date = max(line.extract_date) over (partition by line.order_line_id)
    )
    cross join days
    where quantity > 0 and timezone($timezone, timezone('UTC', ordered_at))::date between as_of_date - {days} + 1 and as_of_date
    group by all
),
counted as (
    select sides.persona, orders.hour, sides.is_persona, count(distinct orders.customer_id) as customers, count(*) as orders
    from sides
    inner join orders on orders.customer_id = sides.customer_id
    group by all
)
select persona, hour as position, printf('%02d:00', hour) as item, coalesce(sum(customers) filter (is_persona), 0)::bigint as customers,
    sum(orders) filter (is_persona) / (sum(sum(orders) filter (is_persona)) over (partition by persona)) as value,
    sum(orders) filter (not is_persona) / (sum(sum(orders) filter (not is_persona)) over (partition by persona)) as rest, 'share' as unit
from counted
group by persona, hour
"""

#: Whoever agreed to be contacted by the channel, to whom, by e-mail, there is an address, and who did not ask to be left alone since.
REACHED = f"""
create or replace temp table reached as
with unsubscribed as ({unsubscribes("(select as_of_date from days)")})
select agreed.customer_id, agreed.position, agreed.channel
from (
    select customer_id, unnest([
        {{'position': 1, 'channel': 'email', 'is_so': email_opt_in and has_email}},
        {{'position': 2, 'channel': 'sms', 'is_so': sms_opt_in}},
        {{'position': 3, 'channel': 'post', 'is_so': post_opt_in}},
        {{'position': 4, 'channel': 'push', 'is_so': push_opt_in}}
    ], recursive := true)
    from base
) as agreed
anti join unsubscribed on unsubscribed.customer_id = agreed.customer_id and unsubscribed.channel = agreed.channel
where agreed.is_so
"""
REACH = "select customer_id, position, channel as item from reached union all select customer_id, -1, '' from base"

#: Of the contacts of a year.
RESPONSE = " union all ".join(
    f"""
    select sides.persona, {place} as position, '{channel}' as item, count(*) filter (sides.is_persona) as customers,
        sum(answered.num) filter (sides.is_persona) / sum(answered.den) filter (sides.is_persona) as value,
        sum(answered.num) filter (not sides.is_persona) / sum(answered.den) filter (not sides.is_persona) as rest, 'share' as unit
    from sides
    inner join ({values_of(Measure(of="answered", channel=channel, in_last_days=365))}) as answered on answered.customer_id = sides.customer_id
    group by sides.persona
    """
    for place, channel in enumerate(CHANNELS, start=1)
)

#: What a campaign did to the segments of the persona: only of arms that were drawn by lot.
CAMPAIGN = """
with newest as (
    select * from metrics.campaign_impact
    where evidence = 'randomised' and relative_lift is not null
    qualify as_of_date = max(as_of_date) over (partition by campaign_id)
)
select links.persona, row_number() over (partition by links.persona order by impact.campaign_id, impact.segment, impact.metric) as position,
    impact.campaign_id || ', ' || impact.metric || ' of ' || impact.segment || ': ' || impact.verdict as item,
    impact.n_treatment + impact.n_control as customers, impact.relative_lift as value, null as rest, 'share' as unit
from newest as impact
inner join (select distinct persona, segment from links where role <> 'excluded') as links on links.segment = impact.segment
left join metrics.campaigns as campaign on campaign.campaign_id = impact.campaign_id
where impact.metric = coalesce(campaign.primary_metric, 'spend')
"""

#: Customers who went from or to another segment of the same exclusive scheme.
FLOW = """
select links.persona, row_number() over (partition by links.persona order by sum(flows.customers) desc, flows.from_segment, flows.to_segment) as position,
    case when '{side}' = 'to' then coalesce(flows.from_segment, 'new to the base') || ' → ' || flows.to_segment
    else flows.from_segment || ' → ' || coalesce(flows.to_segment, 'left the base') end as item,
    sum(flows.customers)::bigint as customers, sum(flows.customers) as value, null as rest, 'customers' as unit
from metrics.segment_flows_daily as flows
inner join days on flows.as_of_date > days.as_of_date - 28 and flows.as_of_date <= days.as_of_date
inner join (select persona, segment from links where role = 'evidence') as links on links.segment = flows.{side}_segment
where flows.from_segment is distinct from flows.to_segment
group by links.persona, flows.from_segment, flows.to_segment
"""


def record_evidence(connection: duckdb.DuckDBPyConnection, timezone: str, kept: Iterable[str] = ()) -> int:
    """Writes ``metrics.persona_evidence``, one row per persona, topic and item, for the one day that is told; gives the rows there are.

    Of fewer than 20 customers ``customers``, ``value`` and ``rest`` are null, and ``is_shown`` is false. What was said last of personas that are ``kept`` stays.
    Makes the temporary table ``reached``: one row per customer and channel by which she can be contacted.
    """
    connection.execute(REACHED)
    connection.execute(CREATE)
    connection.execute(
        "delete from metrics.persona_evidence where not list_contains($kept::varchar[], persona)", {"kept": [*kept]}
    )
    topics = _topics() if connection.execute("select 1 from links limit 1").fetchall() else {}
    if topics:
        connection.execute(SIDES)
        connection.execute(LATELY)
    for topic, query in topics.items():
        connection.execute(
            "insert into metrics.persona_evidence "
            f"select days.as_of_date, persona, $topic, position, item, {', '.join(f'if(customers >= {FLOOR}, {figure}, null)' for figure in ('customers', 'value', 'rest'))}, "
            f"unit, customers >= {FLOOR} from ({query}) as said cross join days order by persona, position, item",
            {"topic": topic}
            | ({"timezone": timezone} if topic == "hour" else {})
            | ({"back": list(TREND_DAYS)} if topic == "trend" else {}),
        )
    ((rows,),) = connection.execute("select count(*) from metrics.persona_evidence").fetchall()
    return int(rows)


def _shares(asked: str, only: str = "") -> str:
    return SHARES.format(asked=asked, only=only, position="counted.position")


def _topics() -> dict[str, str]:
    shares = {
        "age": AGE,
        **{column: ONE_OF.format(column=column) for column in ("gender", "household_size", "income_band")},
        "interests": INTERESTS,
        "recency": RECENCY,
        "frequency": FREQUENCY,
    }
    most = ONLY_MOST.format(position=BY_DISTINCTION, most=MOST)
    goods = {
        column: SHARES.format(
            asked=GOODS.format(column=column, days=BEHAVIOUR_DAYS), only=most, position=BY_DISTINCTION
        )
        for column in ("category", "department")
    }
    return {
        "size": SIZE,
        "segment": SEGMENT,
        "trend": TREND,
        "revenue": REVENUE,
        **{topic: _shares(asked) for topic, asked in shares.items()},
        **goods,
        "weekday": WEEKDAY,
        "hour": HOUR.format(days=BEHAVIOUR_DAYS),
        "channel_reach": _shares(REACH, "where counted.position > 0"),
        "channel_response": RESPONSE,
        "campaign": CAMPAIGN,
        "flow_in": FLOW.format(side="to"),
        "flow_out": FLOW.format(side="from"),
    }
