-- A held segment keeps its members, but for those who are no customers any more: of that there is no doubt.
{{ config(materialized='view') }}

with days as (

    select
        segment,
        as_of_date,
        is_held,
        lag(as_of_date) over so_far as previous_as_of_date,
        max(case when not is_held then as_of_date end) over so_far as believed_on
    from {{ ref('segment_sizes') }}
    window so_far as (partition by segment order by as_of_date)

)

select
    days.segment,
    customer.customer_id,
    days.believed_on,
    min(days.as_of_date) as left_on
from days
inner join {{ ref('int_customer_versions') }} as customer
    on {{ valid_on('days.as_of_date', 'customer') }}
    and customer.valid_from > coalesce(days.previous_as_of_date, date '0001-01-01')
where days.is_held
    and customer.is_deleted
    and days.as_of_date in (select as_of_date from {{ source('refresh', 'as_of_dates') }})
group by all
