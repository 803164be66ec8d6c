select as_of_date, customer_id
from {{ ref('dim_customers') }}
where orders_lifetime = 1
    and orders_last_30_days = 1
