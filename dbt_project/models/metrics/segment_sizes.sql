{{ config(
    materialized='incremental', incremental_strategy='append',
    pre_hook="{{ forget_as_of_dates() }}",
) }}

with sizes as (

    select segment, as_of_date, count(*) as members
    from {{ ref('segment_membership') }}
    group by all

),

base as (

    select as_of_date, count(*) as base_customers
    from {{ ref('dim_customers') }}
    group by all

)

select
    as_of_dates.as_of_date,
    segments.segment,
    coalesce(sizes.members, 0) as members,
    coalesce(base.base_customers, 0) as base_customers
from {{ source('refresh', 'as_of_dates') }} as as_of_dates
cross join {{ source('refresh', 'segments') }} as segments
left join sizes using (as_of_date, segment)
left join base using (as_of_date)
