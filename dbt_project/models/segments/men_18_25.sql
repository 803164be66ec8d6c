select as_of_date, customer_id
from {{ ref('dim_customers') }}
where gender = 'male'
    and age between 18 and 25
