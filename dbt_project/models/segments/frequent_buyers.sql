select as_of_date, customer_id
from {{ ref('dim_customers') }}
where orders_last_90_days >= {{ var('frequent_buyer_orders') }}
