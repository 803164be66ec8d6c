-- Fifths of the customers who ordered in the last 365 days, 5 the best. Equal values have equal scores.
select
    as_of_date,
    customer_id,
    {{ fifth('last_ordered_on') }} as recency_score,
    {{ fifth('orders_last_365_days') }} as frequency_score,
    {{ fifth('spend_last_365_days') }} as monetary_score
from {{ ref('int_order_history_as_of') }}
inner join {{ ref('int_customers_as_of') }} using (as_of_date, customer_id)
where orders_last_365_days > 0
