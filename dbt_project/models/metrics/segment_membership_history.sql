-- The change log of membership, each exit beside its entry: its size follows the changes, not members times days.
{{ config(
    materialized='incremental', incremental_strategy='append',
    pre_hook="{{ forget_memberships() }}", post_hook="{{ close_memberships() }}",
) }}

with before as (

    {% if is_incremental() -%}
    select history.segment, history.customer_id
    from {{ this }} as history
    inner join {{ source('refresh', 'segments') }} using (segment)
    where history.exited_on is null
    {%- else -%}
    select segment, customer_id from {{ ref('segment_membership') }} where false
    {%- endif %}

),

changes_of_the_first_day as (

    select
        coalesce(today.segment, before.segment) as segment,
        coalesce(today.customer_id, before.customer_id) as customer_id,
        {{ first_as_of_date() }} as changed_on,
        case when before.segment is null then 1 else -1 end as change
    from (
        select segment, customer_id from {{ ref('segment_membership') }} where as_of_date = {{ first_as_of_date() }}
    ) as today
    full join before on before.segment = today.segment and before.customer_id = today.customer_id
    where before.segment is null or today.segment is null

),

-- A membership counts +1 on its day and -1 on the next evaluated day; what does not cancel out entered or exited.
edges as (

    select segment, customer_id, as_of_date as changed_on, 1 as edge
    from {{ ref('segment_membership') }}
    where as_of_date > {{ first_as_of_date() }}

    union all

    select membership.segment, membership.customer_id, days.next_as_of_date as changed_on, -1 as edge
    from {{ ref('segment_membership') }} as membership
    inner join {{ source('refresh', 'as_of_dates') }} as days using (as_of_date)
    where days.next_as_of_date is not null

),

changes as (

    select segment, customer_id, changed_on, change from changes_of_the_first_day

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
