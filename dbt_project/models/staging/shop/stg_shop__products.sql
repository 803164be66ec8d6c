-- A list of which anything is not believed is left out: the products are as the one before it says.
with arrived as (

    {{ with_left_out('shop', 'products') }}

)

select
    extract_date,
    product_id,
    product_name,
    category,
    department,
    brand
from arrived
where len(left_out) = 0
