select
    extract_date,
    split_part(table_id, '/', 1) as source,
    split_part(table_id, '/', 2) as table_name,
    expectation,
    columns,
    because,
    held_until,
    is_left_out,
    is_released
from {{ source('refresh', 'findings') }}
