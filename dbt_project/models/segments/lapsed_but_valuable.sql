select as_of_date, customer_id
from {{ ref('dim_customers') }}
where spend_percentile >= {{ var('valuable_percentile') }}
    and days_since_last_order > {{ var('lifecycle_active_days') }}
