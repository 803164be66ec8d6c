-- Orders may come before the CRM knows their customer, and sales before the product list knows the product: such lines
-- are kept, and counted here against what was known at the end of their extract date.
{{ config(
    materialized='incremental', incremental_strategy='append',
    pre_hook="{{ forget_extract_dates() }}",
) }}

with first_known as (

    select customer_id, min(valid_from) as known_from
    from {{ ref('int_customer_versions') }}
    group by customer_id

)

select
    line.valid_from as extract_date,
    count(*) as lines,
    count(*) filter (where customer.known_from is null or customer.known_from > line.valid_from) as lines_of_unknown_customers,
    count(*) filter (where product.known_from is null or product.known_from > line.valid_from) as lines_of_unknown_products
from {{ ref('int_order_lines') }} as line
left join first_known as customer using (customer_id)
left join (
    select product_id, min(valid_from) as known_from
    from {{ ref('int_product_versions') }}
    group by product_id
) as product using (product_id)
where line.valid_from >= {{ rebuild_from() }}
group by line.valid_from
