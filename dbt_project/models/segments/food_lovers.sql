select as_of_date, customer_id
from {{ ref('dim_customers') }}
where ({{ interested_in('cooking') }} or {{ interested_in('baking') }} or {{ interested_in('wine') }})
