{{ config(
    materialized='incremental', incremental_strategy='append',
    pre_hook="{{ forget_versions() }}", post_hook="{{ close_versions(['customer_id']) }}",
) }}

select
    *,
    extract_date as valid_from,
    lead(extract_date) over (partition by customer_id order by extract_date) as valid_to
from {{ ref('stg_crm__customers') }}
where extract_date >= {{ rebuild_from() }}
