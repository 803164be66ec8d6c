{{ config(
    materialized='incremental', incremental_strategy='append',
    pre_hook="{{ forget_versions() }}", post_hook="{{ close_versions(['customer_id', 'ordered_on']) }}",
) }}

with touched as (

    select customer_id, ordered_on, valid_from as touched_on
    from {{ ref('int_order_lines') }}
    where valid_from >= {{ rebuild_from() }}

    union

    select customer_id, ordered_on, valid_to as touched_on
    from {{ ref('int_order_lines') }}
    where valid_to >= {{ rebuild_from() }}

),

totals as (

    select
        touched.customer_id,
        touched.ordered_on,
        touched.touched_on as valid_from,
        count(distinct line.order_id) filter (where line.quantity > 0) as orders,
        count(line.order_line_id) as lines,
        count(line.order_line_id) filter (where line.quantity < 0) as returned_lines,
        coalesce(sum(line.amount), 0)::decimal(18, 2) as spend,
        coalesce(sum(line.amount) filter (where line.amount < 0), 0)::decimal(18, 2) as returned_amount,
        coalesce(sum(line.discount), 0)::decimal(18, 2) as discount
    from touched
    left join {{ ref('int_order_lines') }} as line
        on line.customer_id = touched.customer_id
        and line.ordered_on = touched.ordered_on
        and {{ valid_on('touched.touched_on', 'line') }}
    group by touched.customer_id, touched.ordered_on, touched.touched_on

)

select *, lead(valid_from) over (partition by customer_id, ordered_on order by valid_from) as valid_to
from totals
