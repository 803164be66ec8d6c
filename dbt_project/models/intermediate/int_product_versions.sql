{{ config(
    materialized='incremental', incremental_strategy='append',
    pre_hook="{{ forget_versions() }}", post_hook="{{ close_versions(['product_id']) }}",
) }}

with arrived as (

    select product_id, category, department, extract_date as valid_from
    from {{ ref('stg_shop__products') }}
    where extract_date >= {{ rebuild_from() }}

),

known as (

    select product_id, category, department, valid_from from arrived
    {% if is_incremental() %}
    union all
    select product_id, category, department, valid_from from {{ this }} where valid_to is null
    {% endif %}

),

compared as (

    select
        *,
        lag(valid_from) over history as previous_from,
        lag({{ together('category, department') }}) over history as previous
    from known
    window history as (partition by product_id order by valid_from)

),

changed as (

    select product_id, category, department, valid_from
    from compared
    where valid_from >= {{ rebuild_from() }}
        and (previous_from is null or previous is distinct from {{ together('category, department') }})

)

select *, lead(valid_from) over (partition by product_id order by valid_from) as valid_to
from changed
