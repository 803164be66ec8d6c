select
    extract_date,
    order_line_id,
    order_id,
    customer_id,
    product_id,
    {{ local_date('ordered_at') }} as ordered_on,
    quantity,
    cast(amount as decimal(18, 2)) as amount,
    cast(coalesce(discount, 0) as decimal(18, 2)) as discount
from {{ source('shop', 'order_lines') }}
