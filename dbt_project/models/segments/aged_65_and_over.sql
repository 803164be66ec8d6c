select as_of_date, customer_id
from {{ ref('dim_customers') }}
where age >= 65
