-- The change log of membership, each exit beside its entry: its size follows the changes, not members times days.
{{ config(
    materialized='incremental', incremental_strategy='append',
    pre_hook="{{ forget_memberships() }}", post_hook="{{ close_memberships() }}",
) }}

with departures as (

    select segment, customer_id, believed_on, left_on
    from {{ ref('segment_departures') }}

),

membership as (

    select
        membership.segment,
        membership.customer_id,
        membership.as_of_date,
        days.previous_as_of_date,
        coalesce(departures.left_on, days.next_as_of_date) as until
    from {{ ref('segment_membership') }} as membership
    inner join {{ ref('segment_days') }} as days
        on days.segment = membership.segment and days.as_of_date = membership.as_of_date
    left join departures
        on departures.segment = membership.segment
        and departures.customer_id = membership.customer_id
        and departures.believed_on = membership.as_of_date

),

members_before as (

    {% if is_incremental() -%}
    select history.segment, history.customer_id, days.as_of_date as first_as_of_date, departures.left_on
    from {{ this }} as history
    left join {{ ref('segment_days') }} as days on days.segment = history.segment and days.previous_as_of_date is null
    left join departures
        on departures.segment = history.segment
        and departures.customer_id = history.customer_id
        and departures.left_on < coalesce(days.as_of_date, date '9999-12-31')
    where history.exited_on is null and {{ is_not_left_alone('history.segment') }}
    {%- else -%}
    select segment, customer_id, as_of_date as first_as_of_date, as_of_date as left_on from membership where false
    {%- endif %}

),

before as (

    select segment, customer_id, first_as_of_date
    from members_before
    where left_on is null and first_as_of_date is not null

),

changes_of_the_first_day as (

    select
        coalesce(first_day.segment, before.segment) as segment,
        coalesce(first_day.customer_id, before.customer_id) as customer_id,
        coalesce(first_day.as_of_date, before.first_as_of_date) as changed_on,
        case when before.segment is null then 1 else -1 end as change
    from (
        select segment, customer_id, as_of_date from membership where previous_as_of_date is null
    ) as first_day
    full join before on before.segment = first_day.segment and before.customer_id = first_day.customer_id
    where before.segment is null or first_day.segment is null

),

-- A membership counts +1 on its day and -1 on the next one believed, or on that of a departure before it; what does not cancel out entered or exited.
edges as (

    select segment, customer_id, as_of_date as changed_on, 1 as edge
    from membership
    where previous_as_of_date is not null

    union all

    select segment, customer_id, until as changed_on, -1 as edge
    from membership
    where until is not null

),

changes as (

    select segment, customer_id, changed_on, change from changes_of_the_first_day

    union all

    select segment, customer_id, left_on as changed_on, -1 as change
    from members_before
    where left_on is not null

    union all

    select segment, customer_id, changed_on, sum(edge) as change
    from edges
    group by segment, customer_id, changed_on
    having sum(edge) <> 0

),

paired as (

    select
        *,
        lag(changed_on) over member as previous_changed_on,
        lead(changed_on) over member as next_changed_on
    from changes
    window member as (partition by segment, customer_id order by changed_on)

)

select segment, customer_id, changed_on as entered_on, next_changed_on as exited_on
from paired
where change = 1

union all

-- somebody who was a member before this run: the post-hook ends her open interval and drops this row
select segment, customer_id, null as entered_on, changed_on as exited_on
from paired
where change = -1 and previous_changed_on is null
