{{ config(meta={'dagster': {'ref': {'name': 'segment_membership'}}}) }}

select
    segments.scheme,
    membership.as_of_date,
    membership.customer_id,
    min(membership.segment) as in_segment,
    max(membership.segment) as and_in_segment
from {{ ref('segment_membership') }} as membership
inner join {{ current_segments() }} as segments on segments.segment = membership.segment
where segments.scheme is not null
group by segments.scheme, membership.as_of_date, membership.customer_id
having count(*) > 1
