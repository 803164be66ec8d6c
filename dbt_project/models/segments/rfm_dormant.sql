select as_of_date, customer_id
from {{ ref('dim_customers') }}
where {{ in_rfm_group('dormant') }}
