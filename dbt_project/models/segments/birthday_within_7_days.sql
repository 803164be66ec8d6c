select as_of_date, customer_id
from {{ ref('dim_customers') }}
where days_until_birthday <= 7
