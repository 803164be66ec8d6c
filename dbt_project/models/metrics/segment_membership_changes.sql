{{ config(materialized='view') }}

select segment, customer_id, entered_on as as_of_date, 'entered' as change
from {{ ref('segment_membership_history') }}

union all

select segment, customer_id, exited_on as as_of_date, 'exited' as change
from {{ ref('segment_membership_history') }}
where exited_on is not null
