with by_category as (
    select customer_id, department, category, sum(spend) as spend
    from category_days
    where ordered_on > :today - 365 and ordered_on <= :today
    group by customer_id, department, category
),
by_department as (
    select customer_id, department, sum(spend) as spend from by_category group by customer_id, department
),
categories as (
    select customer_id, category, row_number() over (partition by customer_id order by spend desc, category) as place
    from by_category where spend > 0
),
departments as (
    select customer_id, department, row_number() over (partition by customer_id order by spend desc, department) as place
    from by_department where spend > 0
)
select
    coalesce(categories.customer_id, departments.customer_id) as customer_id,
    category as favourite_category,
    department as favourite_department
from (select * from categories where place = 1) as categories
full join (select * from departments where place = 1) as departments on departments.customer_id = categories.customer_id
