select as_of_date, customer_id
from {{ ref('dim_customers') }}
where ({{ member_of('top_spenders') }} or {{ member_of('rfm_champions') }})
    and not {{ member_of('discount_seekers') }}
