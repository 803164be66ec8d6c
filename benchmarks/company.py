"""Makes up a company: extracts of any size in a home, the whole past in the first, then one small extract per night.

All of it is DuckDB SQL over hashes of running numbers, so the same size gives the same rows, and no row passes through Python.
Clean on purpose: what dirt costs is not what is measured here.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb
import yaml

from expectations.contracts import EXTRACT_TABLES

FIRST_EXTRACT = date(2026, 6, 30)
DAYS_OF_HISTORY = 730

#: Departments and their categories; the categories that the shipped segments ask for are among them.
DEPARTMENTS = {
    "GROCERY": ("SOFT DRINKS", "CANNED SOUP", "COFFEE", "CEREAL", "SNACKS", "FROZEN PIZZA", "PASTA", "COOKIES"),
    "PRODUCE": ("APPLES", "BERRIES", "SALAD MIX", "TOMATOES", "BANANAS"),
    "DAIRY": ("CHEESE", "YOGURT", "MILK", "EGGS"),
    "MEAT": ("BEEF", "CHICKEN", "SEAFOOD"),
    "DRUG GM": ("DIAPERS & DISPOSABLES", "BABY FOODS", "HAIR CARE", "VITAMINS", "RAZORS", "DOG FOOD", "CAT FOOD"),
    "HOME": ("LAUNDRY", "CANDLES", "CANDY"),
}

REGIONS = (
    "north",
    "north east",
    "east",
    "south east",
    "south",
    "south west",
    "west",
    "north west",
    "centre",
    "islands",
)
INTERESTS = ("cooking", "baking", "wine", "sports", "travel", "gardening", "pets", "books", "fashion", "technology")
INCOME_BANDS = ("under 15K", "15-24K", "25-34K", "35-49K", "50-74K", "75-99K", "100K+")

PRODUCT_X = "P00007"


@dataclass(frozen=True)
class Size:
    """How large the company is: ``lines`` are those of the past; ``nights`` follow it, each with 0.1 % of everything."""

    customers: int
    lines: int
    nights: int = 2

    @property
    def days(self) -> list[date]:
        """The extract dates: the first holds the past, each of the others is a night's."""
        return [FIRST_EXTRACT + timedelta(days=n) for n in range(self.nights + 1)]

    @property
    def products(self) -> int:
        return max(200, min(20_000, self.lines // 1_000))


def make_company(home: Path, size: Size, memory_limit: str = "4GB") -> list[date]:
    """Writes ``extracts/`` and ``settings.yml`` of the company into the home; gives the extract dates.

    A home that already has a company of the same size keeps its extracts.
    """
    home.mkdir(parents=True, exist_ok=True)
    (home / "settings.yml").write_text(yaml.safe_dump({"product_x": PRODUCT_X, "memory_limit": memory_limit}))
    stamp, described = home / "company.json", json.dumps(asdict(size))
    if stamp.exists() and stamp.read_text() == described:
        return size.days
    stamp.unlink(missing_ok=True)
    scratch = home / "company.duckdb"
    scratch.unlink(missing_ok=True)
    with duckdb.connect(str(scratch)) as connection:
        connection.execute(
            f"set memory_limit = '{memory_limit}'; set enable_progress_bar = false; set TimeZone = 'UTC'"
        )
        connection.execute(_MACROS)
        _make_products(connection, size)
        _make_customers(connection, size)
        _make_past(connection, size)
        _write(
            connection,
            home,
            "crm/customers",
            FIRST_EXTRACT,
            f"from customers where signed_up_on <= date '{FIRST_EXTRACT}'",
        )
        _write(connection, home, "shop/order_lines", FIRST_EXTRACT, "from lines")
        for night, day in enumerate(size.days[1:], start=1):
            _make_night(connection, size, night, day)
            _write(connection, home, "crm/customers", day, "from changed_customers")
            _write(connection, home, "shop/order_lines", day, "from changed_lines")
        for day in size.days:
            _write(connection, home, "shop/products", day, "from products")
    scratch.unlink()
    stamp.write_text(described)
    return size.days


#: ``mixed``: a number that depends on a salt and a running number alone (DuckDB's hash of both at once only flips the same bits for
#: every number, and two salts would go hand in hand). ``u``: the same, in [0, 1). ``pick``: one of a list by such a ``u``.
_MACROS = """
create macro mixed(salt, n) as hash((hash(salt) >> 8) + n::ubigint);
create macro u(salt, n) as (mixed(salt, n) >> 11)::double / 9007199254740992.0;
create macro pick(choices, share) as choices[1 + floor(share * len(choices))::integer];
create macro customer_id(n) as 'C' || lpad(n::varchar, 9, '0');
create macro order_id(n) as 'O' || lpad(n::varchar, greatest(10, len(n::varchar))::integer, '0');
create macro order_line_id(n) as 'L' || lpad(n::varchar, greatest(11, len(n::varchar))::integer, '0');
"""


def _make_products(connection: duckdb.DuckDBPyConnection, size: Size) -> None:
    categories = [(department, category) for department, names in DEPARTMENTS.items() for category in names]
    connection.execute("create table categories (category_no integer, department varchar, category varchar)")
    connection.executemany(
        "insert into categories values (?, ?, ?)", [(n, *names) for n, names in enumerate(categories)]
    )
    connection.execute(
        """
        create table products as
        select
            'P' || lpad(n::varchar, 5, '0') as product_id,
            category || ' ' || n as product_name,
            category,
            department,
            'brand ' || (mixed('brand', n) % 40) as brand,
            n::integer as product_no,
            (1 + 30 * pow(u('price', n), 3))::decimal(18, 2) as price
        from range(1, $products + 1) as numbers (n)
        inner join categories on category_no = mixed('category', n) % $categories
        """,
        {"products": size.products, "categories": len(categories)},
    )


def _make_customers(connection: duckdb.DuckDBPyConnection, size: Size) -> None:
    """Everybody who signs up by the last night, with what the CRM knows and (in ``lives``) when they buy at all."""
    newcomers = max(1, size.customers // 5_000)
    connection.execute(
        """
        create table customers as
        select
            customer_id(n) as customer_id,
            case when u('email', n) < 0.95 then 'c' || n || '@example.com' end as email,
            case when u('gender', n) < 0.05 then null when u('gender', n) < 0.06 then 'other' when u('gender', n) < 0.56 then 'female' else 'male' end as gender,
            case when u('born', n) < 0.97 then $first_day - (365.25 * (16 + 70 * pow(u('age', n), 1.3)))::integer end as birth_date,
            pick(['GB', 'GB', 'GB', 'IE', 'FR', 'DE'], u('country', n)) as country,
            pick($regions, pow(u('region', n), 1.5)) as region,
            case when n < $customers then $first_day - floor(1400 * u('signed up', n))::integer
                else $first_day + 1 + ((n - $customers) // $newcomers)::integer end as signed_up_on,
            pick(['email', 'email', 'sms', 'post', 'push'], u('channel', n)) as preferred_channel,
            u('email opt-in', n) < 0.6 as email_opt_in,
            u('sms opt-in', n) < 0.35 as sms_opt_in,
            u('post opt-in', n) < 0.3 as post_opt_in,
            u('push opt-in', n) < 0.25 as push_opt_in,
            list_filter($interests::varchar[], lambda interest: u(interest, n) < 0.18) as interests,
            case when u('household', n) < 0.9 then 1 + floor(5 * pow(u('household size', n), 2))::integer end as household_size,
            pick(['19-24', '25-34', '35-44', '45-54', '55-64', '65+'], u('band', n)) as age_band,
            case when u('income', n) < 0.7 then pick($incomes, u('income band', n)) end as income_band,
            false as is_deleted,
            n as customer_no
        from range($customers + $newcomers * $nights) as numbers (n)
        """,
        {
            "customers": size.customers,
            "newcomers": newcomers,
            "nights": size.nights,
            "first_day": FIRST_EXTRACT,
            "regions": list(REGIONS),
            "interests": list(INTERESTS),
            "incomes": list(INCOME_BANDS),
        },
    )
    # Two in five still buy, one in five has just drifted away, the others are long gone; a few paused and came back.
    connection.execute(
        """
        create table lives as
        select
            customer_no,
            starts_on,
            starts_on + floor(case
                when u('life', customer_no) < 0.4 then 1
                when u('life', customer_no) < 0.6 then 1 - least(1, 90 / lifetime) * u('drift', customer_no)
                else pow(u('gone', customer_no), 0.7)
            end * lifetime)::integer as ends_on,
            u('pause', customer_no) < 0.03 as paused
        from (
            select customer_no, greatest(signed_up_on, $first_day - $history::integer) as starts_on, greatest(0, $first_day - starts_on) as lifetime
            from customers
        )
        """,
        {"first_day": FIRST_EXTRACT, "history": DAYS_OF_HISTORY},
    )


#: The number of the customer of an order: a heavy tail, and one in twelve customers never buys.
_BUYER = "((floor(0.92 * $customers * pow(0.02 + 0.98 * u('buyer', {n}), 2.2))::bigint * 7368787) % $customers)"

#: The lines of ``orders``: products by Zipf's law, mostly one piece, one line in fifty a return.
_LINES = """
select
    order_line_id(line_no) as order_line_id,
    order_id,
    customer_id,
    product_id,
    ordered_at,
    (case when is_return then -pieces else pieces end)::decimal(18, 3) as quantity,
    (case when is_return then -1 else 1 end * (price * pieces - discount))::decimal(18, 2) as amount,
    (case when is_return then 0 else discount end)::decimal(18, 2) as discount,
    line_no
from (
    select
        *,
        1 + floor(3 * pow(u('pieces', line_no), 6))::integer as pieces,
        u('return', line_no) < 0.02 as is_return,
        (case when u('discounted', line_no) < 0.3 then price * 0.4 * u('discount', line_no) else 0 end)::decimal(18, 2) as discount
    from (
        select
            order_id,
            customer_id,
            ordered_at,
            first_line + unnest(range(line_count)) as line_no,
            least($products, floor(exp(u('product', line_no) * ln($products + 1)))::integer) as product_no
        from orders
    )
    inner join products using (product_no)
)
"""


def _make_past(connection: duckdb.DuckDBPyConnection, size: Size) -> None:
    """Orders of about four lines by their time: more from Thursday to Saturday, within the life of their customer."""
    connection.execute(
        f"""
        create table orders as
        with dated as (
            select
                n,
                customer_no,
                paused,
                starts_on,
                ends_on,
                starts_on + floor(u('day', n) * (ends_on - starts_on + 1))::integer as any_day
            from (select n, {_BUYER.format(n="n")} as customer_no from range($orders) as numbers (n))
            inner join lives using (customer_no)
        ),
        weekly as (
            select
                *,
                case when dayofweek(any_day) in (1, 2, 3) and u('weekday', n) < 0.4
                    then least(ends_on, any_day + 3) else any_day end as day
            from dated
        ),
        paused as (
            select
                *,
                case when paused and day between $first_day - 130 and $first_day - 14
                    then greatest(starts_on, day - 130) else day end as ordered_on
            from weekly
        ),
        counted as (
            select
                n,
                customer_no,
                ordered_on + to_seconds((7 * 3600 + 16 * 3600 * u('time', n))::bigint) as ordered_at,
                1 + floor(-3.6 * ln(1 - u('lines', n)))::integer as wanted,
                (sum(wanted) over (order by n) - wanted)::bigint as lines_before,
                least(wanted, $lines - lines_before)::integer as line_count
            from paused
            qualify lines_before < $lines
        ),
        numbered as (
            select *, row_number() over (order by ordered_at, n) as order_no from counted
        )
        select
            order_id(order_no) as order_id,
            customer_id(customer_no) as customer_id,
            ordered_at,
            line_count,
            (sum(line_count) over (order by order_no) - line_count)::bigint as first_line
        from numbered
        """,
        {"orders": size.lines // 3 + 100, "lines": size.lines, "customers": size.customers, "first_day": FIRST_EXTRACT},
    )
    connection.execute(f"create table lines as {_LINES}", {"products": size.products})


def _make_night(connection: duckdb.DuckDBPyConnection, size: Size, night: int, day: date) -> None:
    """One night's extracts: 0.1 % new lines (some late), a few corrected ones, 0.1 % of the customers changed, a few deleted."""
    new_lines = max(20, size.lines // 1_000)
    connection.execute(
        f"""
        create or replace table orders as
        with tried as (
            select n, {_BUYER.format(n="n + $night::bigint * 1000000007")} as customer_no
            from range($tries) as numbers (n)
        ),
        kept as (
            select n, customer_no, row_number() over (order by n) as order_no
            from tried
            inner join lives using (customer_no)
            where ends_on >= $day - $night::integer or u('comes back', n + $night) < 0.03
            union all
            select $tries + customer_no, customer_no, $tries + customer_no from customers where signed_up_on = $day
        ),
        numbered as (
            select
                order_id($night * 1000000000::bigint + n) as order_id,
                customer_id(customer_no) as customer_id,
                $day::date - (case when u('late', n + $night) < 0.02 then 1 + mixed('days late', n) % 10 else 0 end)::integer
                    + to_seconds((7 * 3600 + 16 * 3600 * u('time', n + $night))::bigint) as ordered_at,
                1 + floor(-3.6 * ln(1 - u('lines', n + $night)))::integer as line_count,
                order_no
            from kept
        )
        select *, ($night * 10000000000 + sum(line_count) over (order by order_no) - line_count)::bigint as first_line
        from numbered
        qualify sum(line_count) over (order by order_no) <= $new_lines
        """,
        {"night": night, "day": day, "tries": new_lines, "new_lines": new_lines, "customers": size.customers},
    )
    connection.execute(
        f"""
        create or replace table changed_lines as
        select * from ({_LINES})
        union all
        -- corrected: the price was wrong, or the line is taken back altogether
        select * replace (
            (case when mixed('taken back', line_no) % 10 = 0 then 0 else quantity end)::decimal(18, 3) as quantity,
            (case when mixed('taken back', line_no) % 10 = 0 then 0 else amount * 0.9 end)::decimal(18, 2) as amount
        )
        from lines
        where mixed('corrected', line_no) % $one_in = $night and ordered_at > $day - interval 60 day
        """,
        {"products": size.products, "night": night, "day": day, "one_in": 2_000},
    )
    # Whoever is deleted on one night is not changed on a later one.
    connection.execute(
        """
        create or replace table changed_customers as
        select * exclude (move, deleted) replace (
            case when move = 0 then not email_opt_in else email_opt_in end as email_opt_in,
            case when move = 1 then not sms_opt_in else sms_opt_in end as sms_opt_in,
            case when move = 2 then pick($regions, u('moved', customer_no + $night)) else region end as region,
            case when move = 3 then coalesce(household_size, 1) + 1 else household_size end as household_size,
            deleted as is_deleted
        )
        from (
            select *, mixed('move', customer_no) % 4 as move, mixed('deleted', customer_no) % 20 = 0 as deleted
            from customers
            where signed_up_on <= $first_day and mixed('changes', customer_no) % 1000 = $night
        )
        union all
        from customers where signed_up_on = $day
        """,
        {"night": night, "day": day, "first_day": FIRST_EXTRACT, "regions": list(REGIONS)},
    )


def _write(connection: duckdb.DuckDBPyConnection, home: Path, table_id: str, day: date, rows: str) -> None:
    """The rows as the extract of a table and day, in the columns and types of the contract and in the order of its key."""
    table = EXTRACT_TABLES[table_id]
    file = home / "extracts" / table.source / table.name / f"{day}.parquet"
    file.parent.mkdir(parents=True, exist_ok=True)
    columns = ", ".join(f"{column}::{type_} as {column}" for column, type_ in table.columns.items())
    query = f"select {columns} {rows} order by {', '.join(table.key)}"
    connection.execute(f"copy ({query}) to '{file}' (format parquet, compression zstd)")
