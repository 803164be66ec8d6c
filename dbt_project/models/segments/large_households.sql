select as_of_date, customer_id
from {{ ref('dim_customers') }}
where household_size >= {{ var('large_household_size') }}
