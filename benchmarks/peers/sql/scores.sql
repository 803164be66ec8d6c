select
    order_history.customer_id,
    least(5, 1 + floor(5 * percent_rank() over (order by last_ordered_on)))::integer as recency_score,
    least(5, 1 + floor(5 * percent_rank() over (order by orders_last_365_days)))::integer as frequency_score,
    least(5, 1 + floor(5 * percent_rank() over (order by spend_last_365_days)))::integer as monetary_score
from order_history
inner join customers on customers.customer_id = order_history.customer_id and not customers.is_deleted
where orders_last_365_days > 0
