select as_of_date, customer_id
from {{ ref('dim_customers') }}
where not ((email_opt_in and has_email) or sms_opt_in or post_opt_in or push_opt_in)
