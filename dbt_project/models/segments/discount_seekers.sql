select as_of_date, customer_id
from {{ ref('dim_customers') }}
where discount_share_last_365_days >= {{ var('discount_seeker_share') }}
