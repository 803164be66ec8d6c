-- Day after day: a size is held against the last one that was believed. A day is held where its inputs are not believed, or where
-- its size is not.
{{ config(
    materialized='incremental', incremental_strategy='append',
    pre_hook="{{ forget_as_of_dates() }}",
) }}

with recursive sizes as (

    select segment, as_of_date, count(*) as members
    from {{ ref('segment_membership') }}
    group by all

),

base as (

    select days.as_of_date, count(*) as base_customers
    from {{ source('refresh', 'as_of_dates') }} as days
    inner join {{ ref('int_customer_versions') }} as customer
        on {{ valid_on('days.as_of_date', 'customer') }}
    where not customer.is_deleted
    group by all

),

held as (

    select days.as_of_date, held.segment, {{ where_least('held.because', 'held.number') }} as because
    from {{ source('refresh', 'held_segments') }} as held
    inner join {{ source('refresh', 'as_of_dates') }} as days
        on days.as_of_date >= held.held_from and days.as_of_date < coalesce(held.held_until, date '9999-12-31')
    group by all

),

evaluated as (

    select
        segments.*,
        held.because,
        days.as_of_date,
        coalesce(sizes.members, 0) as members,
        coalesce(base.base_customers, 0) as base_customers,
        released.segment is not null as is_released,
        row_number() over (partition by segments.segment order by days.as_of_date) as turn
    from {{ source('refresh', 'as_of_dates') }} as days
    cross join {{ source('refresh', 'segments') }} as segments
    left join sizes on sizes.as_of_date = days.as_of_date and sizes.segment = segments.segment
    left join base on base.as_of_date = days.as_of_date
    left join held on held.as_of_date = days.as_of_date and held.segment = segments.segment
    left join {{ source('refresh', 'released_segments') }} as released
        on released.as_of_date = days.as_of_date and released.segment = segments.segment

),

judged as (

    {{ judged_day_after_day() }}

)

select as_of_date, segment, members, base_customers, {{ is_held('judged') }} as is_held, coalesce(because, broken_rule) as remark
from judged
