select as_of_date, customer_id
from {{ ref('dim_customers') }}
where average_order_last_365_days >= {{ var('big_basket_value') }}
    and orders_last_365_days >= {{ var('big_basket_orders') }}
