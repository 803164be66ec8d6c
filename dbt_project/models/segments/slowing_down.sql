select as_of_date, customer_id
from {{ ref('dim_customers') }}
where orders_last_90_days > 0
    and spend_last_90_days < {{ var('slowing_down_share') }} * (spend_last_180_days - spend_last_90_days)
