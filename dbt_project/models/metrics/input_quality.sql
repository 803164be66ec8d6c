with expectations as (

    select extract_date, source, table_name, expectation, column_name, severity, success, observed, rows, unexpected_rows
    from {{ source('quality', 'results') }}

),

known as (

    select extract_date, lines, 'customer_is_known' as expectation, 'customer_id' as column_name, lines_of_unknown_customers as unknown
    from {{ ref('int_order_references') }}

    union all

    select extract_date, lines, 'product_is_known' as expectation, 'product_id' as column_name, lines_of_unknown_products as unknown
    from {{ ref('int_order_references') }}

),

arrived as (

    select distinct extract_date
    from expectations
    where source = 'shop' and table_name = 'order_lines'

)

select * from expectations

union all

select
    extract_date,
    split_part(table_id, '/', 1) as source,
    split_part(table_id, '/', 2) as table_name,
    expectation,
    column_name,
    severity,
    success,
    observed,
    rows,
    unexpected_rows
from {{ source('quality', 'verdicts') }}
where is_shown

union all

select
    arrived.extract_date,
    'shop' as source,
    'order_lines' as table_name,
    rule.expectation,
    rule.column_name,
    'warning' as severity,
    coalesce(known.unknown, 0) = 0 as success,
    coalesce(known.unknown, 0) || ' rows' as observed,
    coalesce(known.lines, 0) as rows,
    coalesce(known.unknown, 0) as unexpected_rows
from arrived
cross join (
    values ('customer_is_known', 'customer_id'), ('product_is_known', 'product_id')
) as rule (expectation, column_name)
left join known
    on known.extract_date = arrived.extract_date and known.expectation = rule.expectation
