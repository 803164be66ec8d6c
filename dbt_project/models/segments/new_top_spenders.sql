select as_of_date, customer_id
from {{ ref('dim_customers') }}
where spend_percentile >= {{ var('top_spender_percentile') }}
    and spend_percentile_previous_day < {{ var('top_spender_percentile') }}
