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
where {{ number_of_items('left_out') }} = 0
