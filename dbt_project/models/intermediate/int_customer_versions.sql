select
    *,
    extract_date as valid_from,
    lead(extract_date) over (partition by customer_id order by extract_date) as valid_to
from {{ ref('stg_crm__customers') }}
