-- That nobody is in two stages is another test; so equal numbers mean the same customers. Where a stage is held nothing is claimed.
{{ config(meta={'dagster': {'ref': {'name': 'segment_sizes'}}}) }}

select
    sizes.as_of_date,
    max(sizes.base_customers) as base_customers,
    sum(sizes.members) as customers_in_a_lifecycle_stage
from {{ ref('segment_sizes') }} as sizes
inner join {{ current_segments() }} as segments on segments.segment = sizes.segment
inner join {{ source('refresh', 'as_of_dates') }} as as_of_dates on as_of_dates.as_of_date = sizes.as_of_date
where segments.scheme = 'lifecycle'
group by sizes.as_of_date
having sum(sizes.members) <> max(sizes.base_customers) and not bool_or(sizes.is_held)
