select
    customer_id,
    ordered_on,
    count(distinct case when quantity > 0 then order_id end) as orders,
    count(case when quantity < 0 then 1 end) as returned_lines,
    coalesce(sum(amount), 0)::decimal(18, 2) as spend,
    coalesce(sum(case when amount < 0 then amount end), 0)::decimal(18, 2) as returned_amount,
    coalesce(sum(discount), 0)::decimal(18, 2) as discount
from lines_of_days
group by customer_id, ordered_on
