-- A favourite can only change on a day on which the customer's purchases of the last 365 days change: it is worked out on
-- those days (and on the run's first) and stands until the next.

with changes as (

    select customer_id, valid_from as changed_on
    from {{ ref('int_customer_category_days') }}
    where valid_from > {{ first_as_of_date() }}

    union

    select customer_id, valid_to as changed_on
    from {{ ref('int_customer_category_days') }}
    where valid_to > {{ first_as_of_date() }}

    union

    select customer_id, ordered_on + 365 as changed_on
    from {{ ref('int_customer_category_days') }}
    where ordered_on + 365 > {{ first_as_of_date() }}
        and ordered_on + 365 <= (select max(as_of_date) from {{ source('refresh', 'as_of_dates') }})

),

evaluations as (

    select distinct changes.customer_id, as_of_dates.as_of_date
    from changes
    inner join {{ source('refresh', 'as_of_dates') }} as as_of_dates
        on changes.changed_on <= as_of_dates.as_of_date
        and changes.changed_on > as_of_dates.previous_as_of_date

),

spend_by_category as (

    select
        customer_id,
        {{ first_as_of_date() }} as as_of_date,
        department,
        category,
        sum(spend) as spend
    from {{ ref('int_customer_category_days') }} as purchases
    where {{ in_last('365 days', 'ordered_on', first_as_of_date()) }}
        and {{ valid_on(first_as_of_date(), 'purchases') }}
    group by all

    union all

    select
        evaluations.customer_id,
        evaluations.as_of_date,
        purchases.department,
        purchases.category,
        sum(purchases.spend) as spend
    from evaluations
    inner join {{ ref('int_customer_category_days') }} as purchases
        on purchases.customer_id = evaluations.customer_id
        and {{ in_last('365 days', 'purchases.ordered_on', 'evaluations.as_of_date') }}
        and {{ valid_on('evaluations.as_of_date', 'purchases') }}
    group by all

),

spend_by_department as (

    select customer_id, as_of_date, department, sum(spend) as spend
    from spend_by_category
    group by all

),

favourite_categories as (

    select customer_id, as_of_date, first(category order by spend desc, category) as favourite_category
    from spend_by_category
    where spend > 0
    group by customer_id, as_of_date

),

favourite_departments as (

    select customer_id, as_of_date, first(department order by spend desc, department) as favourite_department
    from spend_by_department
    where spend > 0
    group by customer_id, as_of_date

)

select
    customer_id,
    as_of_date as stands_from,
    lead(as_of_date) over (partition by customer_id order by as_of_date) as stands_until,
    favourite_categories.favourite_category,
    favourite_departments.favourite_department
from (
    select customer_id, as_of_date from evaluations
    union
    select customer_id, as_of_date from spend_by_department
) as evaluated
left join favourite_categories using (customer_id, as_of_date)
left join favourite_departments using (customer_id, as_of_date)
