{%- set carried_from = carried_from() -%}

with evaluations as (

    {{ evaluations(ref('int_customer_category_days'), [365], carried_from) }}

),

spend_by_category as (

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

    select customer_id, as_of_date, {{ with_most('category', 'spend') }} as favourite_category
    from spend_by_category
    where spend > 0
    group by customer_id, as_of_date

),

favourite_departments as (

    select customer_id, as_of_date, {{ with_most('department', 'spend') }} as favourite_department
    from spend_by_department
    where spend > 0
    group by customer_id, as_of_date

),

evaluated as (

    select
        as_of_date,
        customer_id,
        favourite_categories.favourite_category,
        favourite_departments.favourite_department
    from evaluations
    left join favourite_categories using (customer_id, as_of_date)
    left join favourite_departments using (customer_id, as_of_date)

)

{{ carried_on(carried_from) }}
