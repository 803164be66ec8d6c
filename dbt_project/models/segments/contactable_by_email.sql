select as_of_date, customer_id
from {{ ref('dim_customers') }}
where email_opt_in
    and has_email
