select as_of_date, customer_id
from {{ ref('dim_customers') }}
where gender = 'female'
    and age between 25 and 34
