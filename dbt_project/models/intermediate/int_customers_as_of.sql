select
    as_of_dates.as_of_date,
    customer.* {{ but('extract_date, is_deleted, valid_from, valid_to') }}
from {{ ref('int_customer_versions') }} as customer
inner join {{ source('refresh', 'as_of_dates') }} as as_of_dates
    on {{ valid_on('as_of_dates.as_of_date', 'customer') }}
where not customer.is_deleted
