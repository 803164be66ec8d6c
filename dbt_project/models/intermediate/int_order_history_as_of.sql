{%- set windows = [30, 90, 180, 365] -%}
{%- set carried_from = carried_from() -%}

with evaluations as (

    {{ evaluations(ref('int_customer_days'), windows + [var('lifecycle_won_back_days')], carried_from) }}

),

purchases_as_of as (

    select
        evaluations.as_of_date,
        evaluations.customer_id,
        purchases.* {{ but('customer_id') }},
        {{ in_last(var('lifecycle_won_back_days') ~ ' days', 'purchases.ordered_on', 'evaluations.as_of_date') }} as recent
    from evaluations
    left join {{ ref('int_customer_days') }} as purchases
        on purchases.customer_id = evaluations.customer_id
        and purchases.ordered_on <= evaluations.as_of_date
        and {{ valid_on('evaluations.as_of_date', 'purchases') }}

),

evaluated as (

    select
        as_of_date,
        customer_id,

        min(ordered_on) filter (where orders > 0) as first_ordered_on,
        max(ordered_on) filter (where orders > 0) as last_ordered_on,
        min(ordered_on) filter (where orders > 0 and recent) as first_recent_order_on,
        max(ordered_on) filter (where orders > 0 and not recent) as last_earlier_order_on,

        coalesce(sum(orders), 0)::bigint as orders_lifetime,
        {% for days in [30, 90, 365] -%}
        coalesce(sum(orders) filter (where {{ in_last(days ~ ' days', 'ordered_on') }}), 0)::bigint as orders_last_{{ days }}_days,
        {% endfor %}
        coalesce(sum(spend), 0) as spend_lifetime,
        {% for days in windows -%}
        coalesce(sum(spend) filter (where {{ in_last(days ~ ' days', 'ordered_on') }}), 0) as spend_last_{{ days }}_days,
        {% endfor %}
        coalesce(sum(discount) filter (where {{ in_last('365 days', 'ordered_on') }}), 0) as discount_last_365_days,
        coalesce(sum(returned_lines), 0)::bigint as returned_lines_lifetime,
        coalesce(-sum(returned_amount), 0) as returned_amount_lifetime

    from purchases_as_of
    group by customer_id, as_of_date

)

{{ carried_on(carried_from) }}
