with attributes as (
    select
        :today as as_of_date,
        customers.customer_id, gender, birth_date,
        (extract(year from :today) - extract(year from birth_date)
            - case
                when extract(month from :today) * 100 + extract(day from :today)
                    < extract(month from birth_date) * 100 + extract(day from birth_date) then 1
                else 0
            end)::integer as age,
        country, region, household_size, age_band, income_band, interests, signed_up_on,
        (:today - signed_up_on)::integer as days_since_sign_up,
        preferred_channel, has_email, email_opt_in, sms_opt_in, post_opt_in, push_opt_in,
        email_opt_in and has_email as is_contactable_by_email,
        first_ordered_on, last_ordered_on,
        (:today - first_ordered_on)::integer as days_since_first_order,
        (:today - last_ordered_on)::integer as days_since_last_order,
        (first_recent_order_on - last_earlier_order_on)::integer as days_away_before_recent_order,
        coalesce(orders_lifetime, 0) as orders_lifetime,
        coalesce(orders_last_30_days, 0) as orders_last_30_days,
        coalesce(orders_last_90_days, 0) as orders_last_90_days,
        coalesce(orders_last_365_days, 0) as orders_last_365_days,
        coalesce(spend_lifetime, 0)::decimal(18, 2) as spend_lifetime,
        coalesce(spend_last_30_days, 0)::decimal(18, 2) as spend_last_30_days,
        coalesce(spend_last_90_days, 0)::decimal(18, 2) as spend_last_90_days,
        coalesce(spend_last_180_days, 0)::decimal(18, 2) as spend_last_180_days,
        coalesce(spend_last_365_days, 0)::decimal(18, 2) as spend_last_365_days,
        (floor(100 * spend_lifetime::double precision / nullif(orders_lifetime, 0) + 0.5) / 100)::decimal(18, 2) as average_order_lifetime,
        (floor(100 * spend_last_365_days::double precision / nullif(orders_last_365_days, 0) + 0.5) / 100)::decimal(18, 2) as average_order_last_365_days,
        percentiles.spend_percentile, percentiles.spend_percentile_previous_day,
        favourite_category, favourite_department,
        case
            when spend_last_365_days >= 0 then discount_last_365_days::double precision
                / nullif((discount_last_365_days + spend_last_365_days)::double precision, 0)
        end as discount_share_last_365_days,
        coalesce(returned_lines_lifetime, 0) as returned_lines_lifetime,
        coalesce(returned_amount_lifetime, 0)::decimal(18, 2) as returned_amount_lifetime,
        recency_score, frequency_score, monetary_score
    from customers
    left join order_history on order_history.customer_id = customers.customer_id
    left join favourites on favourites.customer_id = customers.customer_id
    left join scores on scores.customer_id = customers.customer_id
    left join percentiles on percentiles.customer_id = customers.customer_id
    where not customers.is_deleted
),
with_birthdays as (
    select
        *,
        (birth_date + age * interval '1 year')::date as last_birthday,
        (birth_date + (age + 1) * interval '1 year')::date as next_birthday,
        extract(month from birth_date) = 2 and extract(day from birth_date) = 29 as on_29_february
    from attributes
)
select
    *,
    (case
        when last_birthday + case when on_29_february and extract(day from last_birthday) = 28 then 1 else 0 end = :today then 0
        else next_birthday + case when on_29_february and extract(day from next_birthday) = 28 then 1 else 0 end - :today
    end)::integer as days_until_birthday,
    is_contactable_by_email or sms_opt_in or post_opt_in or push_opt_in as is_contactable,
    case
        when first_ordered_on is null then 'never_bought'
        when days_since_first_order < 30 then 'new'
        when days_away_before_recent_order > 90 then 'won_back'
        when days_since_last_order < 30 then 'active'
        when days_since_last_order <= 90 then 'at_risk'
        else 'lapsed'
    end as lifecycle_stage,
    case
        when recency_score >= 4 and frequency_score >= 4 and monetary_score >= 4 then 'champions'
        when recency_score >= 3 and frequency_score >= 3 then 'loyal'
        when recency_score >= 3 then 'promising'
        when frequency_score >= 3 or monetary_score >= 3 then 'needs_attention'
        when recency_score is not null then 'dormant'
    end as rfm_group
from with_birthdays
