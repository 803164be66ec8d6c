select
    extract_date,
    product_id,
    product_name,
    category,
    department,
    brand
from {{ source('shop', 'products') }}
