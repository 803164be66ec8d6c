select
    customer_id,
    min(case when orders > 0 then ordered_on end) as first_ordered_on,
    max(case when orders > 0 then ordered_on end) as last_ordered_on,
    min(case when orders > 0 and ordered_on > :today - 30 then ordered_on end) as first_recent_order_on,
    max(case when orders > 0 and ordered_on <= :today - 30 then ordered_on end) as last_earlier_order_on,
    sum(orders)::bigint as orders_lifetime,
    coalesce(sum(case when ordered_on > :today - 30 then orders end), 0)::bigint as orders_last_30_days,
    coalesce(sum(case when ordered_on > :today - 90 then orders end), 0)::bigint as orders_last_90_days,
    coalesce(sum(case when ordered_on > :today - 365 then orders end), 0)::bigint as orders_last_365_days,
    sum(spend)::decimal(18, 2) as spend_lifetime,
    coalesce(sum(case when ordered_on > :today - 30 then spend end), 0)::decimal(18, 2) as spend_last_30_days,
    coalesce(sum(case when ordered_on > :today - 90 then spend end), 0)::decimal(18, 2) as spend_last_90_days,
    coalesce(sum(case when ordered_on > :today - 180 then spend end), 0)::decimal(18, 2) as spend_last_180_days,
    coalesce(sum(case when ordered_on > :today - 365 then spend end), 0)::decimal(18, 2) as spend_last_365_days,
    coalesce(sum(case when ordered_on > :today - 365 then discount end), 0)::decimal(18, 2) as discount_last_365_days,
    sum(returned_lines)::bigint as returned_lines_lifetime,
    (-sum(returned_amount))::decimal(18, 2) as returned_amount_lifetime
from customer_days
where ordered_on <= :today
group by customer_id
