select as_of_date, customer_id
from {{ ref('dim_customers') }}
where spend_percentile >= {{ var('top_spender_percentile') }}
