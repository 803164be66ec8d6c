select
    as_of_date,
    customer_id,

    min(ordered_on) filter (where orders > 0) as first_ordered_on,
    max(ordered_on) filter (where orders > 0) as last_ordered_on,
    min(ordered_on) filter (where orders > 0 and recent) as first_recent_order_on,
    max(ordered_on) filter (where orders > 0 and not recent) as last_earlier_order_on,

    sum(orders)::bigint as orders_lifetime,
    coalesce(sum(orders) filter (where {{ in_last('30 days', 'ordered_on') }}), 0)::bigint as orders_last_30_days,
    coalesce(sum(orders) filter (where {{ in_last('90 days', 'ordered_on') }}), 0)::bigint as orders_last_90_days,
    coalesce(sum(orders) filter (where {{ in_last('365 days', 'ordered_on') }}), 0)::bigint as orders_last_365_days,

    sum(spend) as spend_lifetime,
    coalesce(sum(spend) filter (where {{ in_last('30 days', 'ordered_on') }}), 0) as spend_last_30_days,
    coalesce(sum(spend) filter (where {{ in_last('90 days', 'ordered_on') }}), 0) as spend_last_90_days,
    coalesce(sum(spend) filter (where {{ in_last('180 days', 'ordered_on') }}), 0) as spend_last_180_days,
    coalesce(sum(spend) filter (where {{ in_last('365 days', 'ordered_on') }}), 0) as spend_last_365_days,

    coalesce(sum(discount) filter (where {{ in_last('365 days', 'ordered_on') }}), 0) as discount_last_365_days,
    sum(returned_lines)::bigint as returned_lines_lifetime,
    -sum(returned_amount) as returned_amount_lifetime

from (
    select
        as_of_dates.as_of_date,
        purchases.*,
        {{ in_last(var('lifecycle_new_days') ~ ' days', 'purchases.ordered_on', 'as_of_dates.as_of_date') }} as recent
    from {{ ref('int_customer_days') }} as purchases
    inner join {{ source('refresh', 'as_of_dates') }} as as_of_dates
        on purchases.ordered_on <= as_of_dates.as_of_date
        and {{ valid_on('as_of_dates.as_of_date', 'purchases') }}
) as purchases_as_of
group by as_of_date, customer_id
