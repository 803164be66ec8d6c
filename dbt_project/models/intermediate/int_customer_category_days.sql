{{ config(
    materialized='incremental', incremental_strategy='append',
    pre_hook="{{ forget_versions() }}", post_hook="{{ close_versions(['customer_id', 'department', 'category', 'ordered_on']) }}",
) }}

with touched as (

    select customer_id, department, category, ordered_on, valid_from as touched_on
    from {{ ref('int_order_lines') }}
    where valid_from >= {{ rebuild_from() }} and category is not null

    union

    select customer_id, department, category, ordered_on, valid_to as touched_on
    from {{ ref('int_order_lines') }}
    where valid_to >= {{ rebuild_from() }} and category is not null

),

totals as (

    select
        touched.customer_id,
        touched.department,
        touched.category,
        touched.ordered_on,
        touched.touched_on as valid_from,
        coalesce(sum(line.amount), 0)::decimal(18, 2) as spend
    from touched
    left join {{ ref('int_order_lines') }} as line
        on line.customer_id = touched.customer_id
        and line.ordered_on = touched.ordered_on
        and line.category = touched.category
        and line.department is not distinct from touched.department
        and {{ valid_on('touched.touched_on', 'line') }}
    group by touched.customer_id, touched.department, touched.category, touched.ordered_on, touched.touched_on

)

select *, lead(valid_from) over (partition by customer_id, department, category, ordered_on order by valid_from) as valid_to
from totals
