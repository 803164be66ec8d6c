select as_of_date, customer_id, count(*) as times_in_dim_customers
from {{ ref('dim_customers') }}
group by as_of_date, customer_id
having count(*) > 1
