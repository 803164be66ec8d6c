-- Day after day: a size is held against the last one that was believed, and a held day is not.
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

    select as_of_date, count(*) as base_customers
    from {{ ref('dim_customers') }}
    group by all

),

evaluated as (

    select
        segments.*,
        days.as_of_date,
        coalesce(sizes.members, 0) as members,
        coalesce(base.base_customers, 0) as base_customers,
        released.segment is not null as is_released,
        row_number() over (partition by segments.segment order by days.as_of_date) as turn
    from {{ source('refresh', 'as_of_dates') }} as days
    cross join {{ source('refresh', 'segments') }} as segments
    left join sizes on sizes.as_of_date = days.as_of_date and sizes.segment = segments.segment
    left join base on base.as_of_date = days.as_of_date
    left join {{ source('refresh', 'released_segments') }} as released
        on released.as_of_date = days.as_of_date and released.segment = segments.segment

),

judged as (

    select * exclude (members_before), members_before, {{ broken_output_rule('members', 'members_before') }} as broken_rule
    from evaluated
    where turn = 1

    union all

    select
        today.* exclude (members_before),
        case when {{ breaks_and_holds('yesterday') }} then yesterday.members_before else yesterday.members end as members_before,
        {{ broken_output_rule('today.members', 'case when ' ~ breaks_and_holds('yesterday') ~ ' then yesterday.members_before else yesterday.members end', 'today') }} as broken_rule
    from evaluated as today
    inner join judged as yesterday on yesterday.segment = today.segment and yesterday.turn = today.turn - 1

)

select as_of_date, segment, members, base_customers, {{ breaks_and_holds('judged') }} as is_held, broken_rule as remark
from judged
