select
    customers.customer_id,
    100 * percent_rank() over (order by coalesce(spend_last_365_days, 0)) as spend_percentile
from customers
left join order_history on order_history.customer_id = customers.customer_id
where not customers.is_deleted
