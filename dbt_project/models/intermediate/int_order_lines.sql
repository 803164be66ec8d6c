{{ config(
    materialized='incremental', incremental_strategy='append',
    pre_hook="{{ forget_versions() }}", post_hook="{{ close_versions(['order_line_id']) }}",
) }}

with arrived as (

    select * from {{ ref('stg_shop__order_lines') }}
    where extract_date >= {{ rebuild_from() }}

),

corrected as (

    select order_line_id
    from arrived
    group by order_line_id
    having count(*) > 1

),

next_versions as (

    select
        order_line_id,
        extract_date,
        lead(extract_date) over (partition by order_line_id order by extract_date) as valid_to
    from arrived
    where order_line_id in (select order_line_id from corrected)

)

select
    arrived.order_line_id,
    arrived.order_id,
    arrived.customer_id,
    arrived.product_id,
    product.category,
    product.department,
    arrived.ordered_on,
    arrived.quantity,
    arrived.amount,
    arrived.discount,
    arrived.extract_date as valid_from,
    next_versions.valid_to
from arrived
left join next_versions
    on next_versions.order_line_id = arrived.order_line_id
    and next_versions.extract_date = arrived.extract_date
left join {{ ref('int_product_versions') }} as product
    on product.product_id = arrived.product_id
    and {{ valid_on('arrived.extract_date', 'product') }}
