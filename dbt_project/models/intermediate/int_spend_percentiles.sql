-- Ranks the whole base by spend on every as-of date and on the day before it. Equal spend has equal rank.

with days as (

    select as_of_date as ranked_on from {{ source('refresh', 'as_of_dates') }}
    union
    select as_of_date - 1 from {{ source('refresh', 'as_of_dates') }}

),

base as (

    select days.ranked_on, customer.customer_id
    from days
    inner join {{ ref('int_customer_versions') }} as customer
        on {{ valid_on('days.ranked_on', 'customer') }}
    where not customer.is_deleted

),

spend as (

    select days.ranked_on, purchases.customer_id, sum(purchases.spend) as spend_last_365_days
    from days
    inner join {{ ref('int_customer_days') }} as purchases
        on {{ in_last('365 days', 'purchases.ordered_on', 'days.ranked_on') }}
        and {{ valid_on('days.ranked_on', 'purchases') }}
    group by all

)

select
    ranked_on,
    customer_id,
    100 * percent_rank() over (partition by ranked_on order by coalesce(spend_last_365_days, 0)) as spend_percentile
from base
left join spend using (ranked_on, customer_id)
