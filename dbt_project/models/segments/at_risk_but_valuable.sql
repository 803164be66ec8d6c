select as_of_date, customer_id
from {{ ref('dim_customers') }}
where lifecycle_stage = 'at_risk'
    and spend_percentile >= {{ var('valuable_percentile') }}
