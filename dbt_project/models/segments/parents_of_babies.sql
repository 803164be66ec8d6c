select as_of_date, customer_id
from {{ ref('dim_customers') }}
where (
        {{ bought(category='DIAPERS & DISPOSABLES', within='3 months') }}
        or {{ bought(category='BABY FOODS', within='3 months') }}
    )
