-- Ranks the whole base by spend on every as-of date, and on the day before it where no run has yet. Equal spend has equal rank.

with days_before as (

    select as_of_date - 1 as ranked_on
    from {{ source('refresh', 'as_of_dates') }}
    where as_of_date - 1 not in (select as_of_date from {{ source('refresh', 'as_of_dates') }})
    {%- if is_built_before() %}
        and as_of_date - 1 not in (select ranked_on from {{ this }})
    {%- endif %}

),

base as (

    select as_of_date as ranked_on, customer_id from {{ ref('int_customers_as_of') }}

    union all

    select days_before.ranked_on, customer.customer_id
    from days_before
    inner join {{ ref('int_customer_versions') }} as customer
        on {{ valid_on('days_before.ranked_on', 'customer') }}
    where not customer.is_deleted

),

spend as (

    select as_of_date as ranked_on, customer_id, spend_last_365_days from {{ ref('int_order_history_as_of') }}

    union all

    select days_before.ranked_on, purchases.customer_id, sum(purchases.spend) as spend_last_365_days
    from days_before
    inner join {{ ref('int_customer_days') }} as purchases
        on {{ in_last('365 days', 'purchases.ordered_on', 'days_before.ranked_on') }}
        and {{ valid_on('days_before.ranked_on', 'purchases') }}
    group by all

)

select
    ranked_on,
    customer_id,
    100 * percent_rank() over (partition by ranked_on order by coalesce(spend_last_365_days, 0)) as spend_percentile
from base
left join spend using (ranked_on, customer_id)
{%- if is_built_before() %}

union all

select ranked_on, customer_id, spend_percentile
from {{ this }}
where ranked_on not in (select as_of_date from {{ source('refresh', 'as_of_dates') }})
    and ranked_on in (select as_of_date - 1 from {{ source('refresh', 'as_of_dates') }})
{%- endif %}
