{{ config(materialized='view') }}

select
    sizes.segment,
    sizes.as_of_date,
    lag(sizes.as_of_date) over days_of_segment as previous_as_of_date,
    lead(sizes.as_of_date) over days_of_segment as next_as_of_date
from {{ ref('segment_sizes') }} as sizes
where not sizes.is_held
    and {{ is_not_left_alone('sizes.segment') }}
    and sizes.as_of_date in (select as_of_date from {{ source('refresh', 'as_of_dates') }})
window days_of_segment as (partition by sizes.segment order by sizes.as_of_date)
