"""A made-up company, rich enough that every dependence shows: nulling a raw column changes what hangs on it.

Customers of every kind, some of them deleted; lines corrected later in each of their columns, to another customer too;
products that change their category. Fixed hashes decide, so that it is the same each time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import duckdb

from expectations.contracts import EXTRACT_TABLES
from orchestration.transform.lineage import RawColumn

TODAY = date(2024, 6, 30)
AS_OF_DATES = [TODAY - timedelta(1), TODAY]
RAW_COLUMNS = [
    RawColumn(table.source, table.name, column) for table in EXTRACT_TABLES.values() for column in table.columns
]

PICK = "create macro pick(row, about, choices) as (hash(row || about) % choices)::integer"

CUSTOMERS = f"""
create table sample.crm_customers as
with people as (
    select i, unnest([0, 1]) as version from range(900) as people(i)
)
select
    'C' || i as customer_id,
    case when pick(i, 'email', 4) > 0 then 'c' || i || '@example.com' end as email,
    ['male', 'female', 'other', null][1 + pick(i, 'gender', 4)] as gender,
    case when pick(i, 'known', 9) > 0 then date '{TODAY}' - (17 * 365 + pick(i + version, 'born', 60 * 365)) end as birth_date,
    ['US', 'GB'][1 + pick(i, 'country', 2)] as country,
    ['Ohio', 'Iowa'][1 + pick(i, 'region', 2)] as region,
    date '2022-01-01' + pick(i, 'signed up', 500) as signed_up_on,
    ['email', 'sms', null][1 + pick(i, 'preferred', 3)] as preferred_channel,
    pick(i + version, 'email opt-in', 3) = 0 as email_opt_in,
    pick(i, 'sms opt-in', 4) = 0 as sms_opt_in,
    pick(i, 'post opt-in', 4) = 0 as post_opt_in,
    pick(i, 'push opt-in', 4) = 0 as push_opt_in,
    [['cooking'], ['wine', 'sports'], [], null][1 + pick(i, 'interests', 4)] as interests,
    1 + pick(i, 'household', 5) as household_size,
    ['25-34', '35-44'][1 + pick(i, 'age band', 2)] as age_band,
    ['low', 'high'][1 + pick(i, 'income band', 2)] as income_band,
    -- those who order much leave more often, so that they are missed in every rank
    pick(i + version, 'deleted', if(pick(i, 'orders', 6) >= 4, 2, 9)) = 0 as is_deleted,
    if(version = 0, date '{TODAY}' - 600, date '{TODAY}' - pick(i, 'changed on', 100)) as extract_date
from people
where version = 0 or pick(i, 'changed', 4) = 0
"""

#: A customer orders every few days until she stops; some come back, some order today, some never order.
ORDER_LINES = f"""
create table sample.shop_order_lines as
with habits as (
    select
        i,
        if(pick(i, 'stopped', 3) = 0, pick(i, 'since', 250), pick(i, 'lately', 30)) as stopped,
        1 + pick(i, 'pace', 5) * pick(i, 'pace', 5) * 4 as every,
        pick(i, 'orders', 6) * pick(i, 'more orders', 8) as orders
    from range(900) as people(i)
),
orders as (
    select i, unnest(range(orders)) as n, (stopped + every * n)::integer as days_ago from habits
    union all
    select i, 1000, 0 from habits where pick(i, 'today', 5) = 0
    union all
    select i, 1001, pick(i, 'back', 20) from habits where pick(i, 'comes back', 6) = 0
),
lines as (
    select *, i || '-' || n || '-' || line as line_id, pick(i || '-' || n, line, 1000000) as seed
    from (select *, unnest(range(1 + pick(i || '.' || n, 'lines', 2))) as line from orders)
),
versions as (
    select *, unnest([0, 1]) as version from lines
)
select
    line_id as order_line_id,
    'O' || i || '-' || n as order_id,
    'C' || if(version = 1 and pick(seed, 'to whom', 3) = 0, pick(seed, 'other', 900), i) as customer_id,
    ['X', 'P1', 'BABY', 'CHEESE', 'BREAD', 'unlisted'][1 + pick(seed + version, 'product', 6)] as product_id,
    timestamp '{TODAY} 12:00:00' - to_days(days_ago + version * pick(seed, 'moved', 3) * 40) as ordered_at,
    if(pick(seed + version, 'returned', 8) = 0, -1, 1 + pick(seed, 'pieces', 3))::decimal(18, 3) as quantity,
    (if(quantity < 0, -1, 1) * (3 + pick(seed + version, 'amount', 30) + pick(i, 'purse', 5) * pick(i, 'purse', 5) * 6
        + if(n = 1000, 200, 0)))::decimal(18, 2) as amount,
    if(pick(i, 'haggles', 3) = 0, pick(seed + version, 'discount', 20), 0)::decimal(18, 2) as discount,
    date '{TODAY}' - if(version = 0, days_ago, least(days_ago, pick(seed, 'corrected on', 20))) as extract_date
from versions
where version = 0 or pick(seed, 'corrected', 5) = 0
qualify row_number() over (partition by order_line_id, extract_date order by version) = 1
"""

PRODUCTS = f"""
create table sample.shop_products as
select
    product_id,
    product_id || '!' as product_name,
    case
        when product_id = 'BABY' then if(is_later, 'BABY FOODS', 'DIAPERS & DISPOSABLES')
        when product_id = 'P1' and is_later then 'BABY FOODS'
        else product_id || 'S'
    end as category,
    if(product_id = 'BREAD' and is_later, 'BAKERY', 'GROCERY') as department,
    'Private' as brand,
    date '{TODAY}' - if(is_later, 40, 600) as extract_date
from (values ('X'), ('P1'), ('BABY'), ('CHEESE'), ('BREAD')) as listed (product_id),
    (values (false), (true)) as snapshots (is_later)
"""


def make_sample() -> duckdb.DuckDBPyConnection:
    """An empty warehouse in memory, with the sample and the plan of a first run over ``AS_OF_DATES``."""
    connection = duckdb.connect()
    connection.execute("attach ':memory:' as warehouse")
    connection.execute("use warehouse")
    connection.execute("set preserve_insertion_order = false")
    for schema in ("sample", "crm", "shop", "staging", "intermediate", "customers", "segments"):
        connection.execute(f"create schema {schema}")
    for statement in (PICK, CUSTOMERS, ORDER_LINES, PRODUCTS):
        connection.execute(statement)
    write_plan(connection)
    return connection


def write_plan(connection: duckdb.DuckDBPyConnection) -> None:
    """What the models read of the run: everything is new, and these are its as-of dates."""
    connection.execute("create schema if not exists refresh")
    connection.execute("create or replace table refresh.run as select date '0001-01-01' as rebuild_from")
    connection.execute(
        "create or replace table refresh.left_out (table_id varchar, extract_date date, columns varchar[])"
    )
    connection.execute(
        "create or replace table refresh.as_of_dates as select day as as_of_date, lag(day) over (order by day) as previous_as_of_date, "
        "lead(day) over (order by day) as next_as_of_date from unnest($days::date[]) as days(day)",
        {"days": AS_OF_DATES},
    )


def build(
    connection: duckdb.DuckDBPyConnection,
    models: Sequence[tuple[str, str]],
    compiled: Mapping[str, str],
    without: RawColumn | None = None,
) -> None:
    """Builds the models, given in their order by schema and name, with nulls in one raw column."""
    for source, table in (("crm", "customers"), ("shop", "order_lines"), ("shop", "products")):
        replaced = ""
        if without is not None and (without.source, without.table) == (source, table):
            kind = EXTRACT_TABLES[f"{source}/{table}"].columns[without.column]
            replaced = f"replace (null::{kind} as {without.column})"
        connection.execute(
            f"create or replace view {source}.{table} as select * {replaced} from sample.{source}_{table}"
        )
    for schema, name in models:
        connection.execute(f'create or replace table {schema}."{name}" as {compiled[name]}')
