{{ config(meta={'dagster': {'ref': {'name': 'segment_membership'}}}) }}

select membership.as_of_date, membership.segment, membership.customer_id as member_who_is_not_in_the_base
from {{ ref('segment_membership') }} as membership
anti join {{ ref('dim_customers') }} as customers
    on customers.as_of_date = membership.as_of_date and customers.customer_id = membership.customer_id
