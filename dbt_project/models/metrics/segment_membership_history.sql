-- The change log of membership, each exit beside its entry: its size follows the changes, not members times days.
-- A membership counts +1 on its day and -1 on the next evaluated day; what does not cancel out entered or exited.
{{ config(
    materialized='incremental', incremental_strategy='append',
    pre_hook="{{ forget_memberships() }}", post_hook="{{ close_memberships() }}",
) }}

with edges as (

    select membership.segment, membership.customer_id, membership.as_of_date as changed_on, 1 as edge
    from {{ ref('segment_membership') }} as membership

    union all

    select membership.segment, membership.customer_id, days.next_as_of_date as changed_on, -1 as edge
    from {{ ref('segment_membership') }} as membership
    inner join {{ source('refresh', 'as_of_dates') }} as days using (as_of_date)
    where days.next_as_of_date is not null

    {% if is_incremental() %}
    union all

    select before.segment, before.customer_id, {{ first_as_of_date() }} as changed_on, -1 as edge
    from {{ this }} as before
    inner join {{ source('refresh', 'segments') }} using (segment)
    where before.exited_on is null
    {% endif %}

),

changes as (

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
