select as_of_date, customer_id
from {{ ref('dim_customers') }}
where {{ bought(product_id=var('product_x'), within='3 months') }}
    and spend_lifetime > {{ var('product_x_buyer_spend') }}
