-- A line of which the day, the customer or the id itself is not believed is left out whole.
with arrived as (

    {{ with_left_out('shop', 'order_lines') }}

)

select
    extract_date,
    order_line_id,
    {{ unless_left_out('order_id') }} as order_id,
    customer_id,
    {{ unless_left_out('product_id') }} as product_id,
    {{ local_date('ordered_at') }} as ordered_on,
    {{ unless_left_out('quantity') }} as quantity,
    cast({{ unless_left_out('amount') }} as decimal(18, 2)) as amount,
    cast(coalesce({{ unless_left_out('discount') }}, 0) as decimal(18, 2)) as discount
from arrived
where not {{ has_any('left_out', list_of("'order_line_id', 'customer_id', 'ordered_at'")) }}
