with customers as (

    select * from {{ ref('int_customers_as_of') }}

),

attributes as (

    select
        customers.as_of_date,
        customers.customer_id,

        -- who
        customers.gender,
        customers.birth_date,
        {{ completed_years('customers.birth_date', 'customers.as_of_date') }}::integer as age,
        {{ days_until_birthday('customers.birth_date', 'customers.as_of_date') }}::integer as days_until_birthday,
        customers.country,
        customers.region,
        customers.household_size,
        customers.age_band,
        customers.income_band,
        customers.interests,
        customers.signed_up_on,
        {{ days_between('customers.signed_up_on', 'customers.as_of_date') }}::integer as days_since_sign_up,

        -- how to reach
        customers.preferred_channel,
        customers.has_email,
        customers.email_opt_in,
        customers.sms_opt_in,
        customers.post_opt_in,
        customers.push_opt_in,
        customers.email_opt_in and customers.has_email as is_contactable_by_email,

        -- when they ordered
        history.first_ordered_on,
        history.last_ordered_on,
        {{ days_between('history.first_ordered_on', 'customers.as_of_date') }}::integer as days_since_first_order,
        {{ days_between('history.last_ordered_on', 'customers.as_of_date') }}::integer as days_since_last_order,
        {{ days_between('history.last_earlier_order_on', 'history.first_recent_order_on') }}::integer as days_away_before_recent_order,

        -- how often
        coalesce(history.orders_lifetime, 0)::bigint as orders_lifetime,
        coalesce(history.orders_last_30_days, 0)::bigint as orders_last_30_days,
        coalesce(history.orders_last_90_days, 0)::bigint as orders_last_90_days,
        coalesce(history.orders_last_365_days, 0)::bigint as orders_last_365_days,

        -- how much
        coalesce(history.spend_lifetime, 0)::decimal(18, 2) as spend_lifetime,
        coalesce(history.spend_last_30_days, 0)::decimal(18, 2) as spend_last_30_days,
        coalesce(history.spend_last_90_days, 0)::decimal(18, 2) as spend_last_90_days,
        coalesce(history.spend_last_180_days, 0)::decimal(18, 2) as spend_last_180_days,
        coalesce(history.spend_last_365_days, 0)::decimal(18, 2) as spend_last_365_days,
        {{ money_per('history.spend_lifetime', 'history.orders_lifetime') }} as average_order_lifetime,
        {{ money_per('history.spend_last_365_days', 'history.orders_last_365_days') }} as average_order_last_365_days,
        percentiles.spend_percentile,
        percentiles_before.spend_percentile as spend_percentile_previous_day,

        -- on what, and on what terms
        favourites.favourite_category,
        favourites.favourite_department,
        case
            when history.spend_last_365_days >= 0
                then {{ share_of('history.discount_last_365_days', 'history.discount_last_365_days + history.spend_last_365_days') }}
        end::double as discount_share_last_365_days,
        coalesce(history.returned_lines_lifetime, 0)::bigint as returned_lines_lifetime,
        coalesce(history.returned_amount_lifetime, 0)::decimal(18, 2) as returned_amount_lifetime,

        -- scores
        scores.recency_score,
        scores.frequency_score,
        scores.monetary_score

    from customers
    left join {{ ref('int_order_history_as_of') }} as history
        on history.as_of_date = customers.as_of_date and history.customer_id = customers.customer_id
    left join {{ ref('int_favourites_as_of') }} as favourites
        on favourites.as_of_date = customers.as_of_date and favourites.customer_id = customers.customer_id
    left join {{ ref('int_rfm_scores') }} as scores
        on scores.as_of_date = customers.as_of_date and scores.customer_id = customers.customer_id
    left join {{ ref('int_spend_percentiles') }} as percentiles
        on percentiles.ranked_on = customers.as_of_date and percentiles.customer_id = customers.customer_id
    left join {{ ref('int_spend_percentiles') }} as percentiles_before
        on percentiles_before.ranked_on = customers.as_of_date - 1 and percentiles_before.customer_id = customers.customer_id

)

select
    *,
    is_contactable_by_email or sms_opt_in or post_opt_in or push_opt_in as is_contactable,
    case
        {% for stage in lifecycle_stages() -%}
        when {{ in_lifecycle_stage(stage) }} then '{{ stage }}'
        {% endfor %}
    end as lifecycle_stage,
    case
        {% for group in rfm_groups() -%}
        when {{ in_rfm_group(group) }} then '{{ group }}'
        {% endfor %}
    end as rfm_group
from attributes
