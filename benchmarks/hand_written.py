"""The same night as a good engineer would write it by hand: one script, DuckDB and nothing else; the yardstick for the pipeline.

It keeps a state database of its own from night to night. It does not check its input, cannot rerun a day, take days out of
order or say what it did: it is what the pipeline's other promises are measured against.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

STATE = """
create table if not exists customers (
    customer_id varchar, has_email boolean, gender varchar, birth_date date, country varchar, region varchar, signed_up_on date,
    preferred_channel varchar, email_opt_in boolean, sms_opt_in boolean, post_opt_in boolean, push_opt_in boolean,
    interests varchar[], household_size integer, age_band varchar, income_band varchar
);
create table if not exists order_lines (
    order_line_id varchar, order_id varchar, customer_id varchar, product_id varchar, category varchar, department varchar,
    ordered_on date, quantity decimal(18, 3), amount decimal(18, 2), discount decimal(18, 2)
);
create table if not exists customer_days (
    customer_id varchar, ordered_on date, orders bigint, returned_lines bigint,
    spend decimal(18, 2), returned_amount decimal(18, 2), discount decimal(18, 2)
);
create table if not exists category_days (
    customer_id varchar, department varchar, category varchar, ordered_on date, spend decimal(18, 2)
);
create table if not exists percentiles (customer_id varchar, spend_percentile double);
create table if not exists history (segment varchar, customer_id varchar, entered_on date, exited_on date);
create table if not exists counts (as_of_date date, segment varchar, members bigint, entered bigint, exited bigint, base_customers bigint);
"""

NEW_CUSTOMERS = """
create temp table new_customers as from read_parquet('{customers}');
delete from customers where customer_id in (select customer_id from new_customers);
insert into customers
select
    customer_id, email is not null, gender, birth_date, country, region, signed_up_on, preferred_channel,
    coalesce(email_opt_in, false), coalesce(sms_opt_in, false), coalesce(post_opt_in, false), coalesce(push_opt_in, false),
    coalesce(interests, []), household_size, age_band, income_band
from new_customers
where not coalesce(is_deleted, false);
"""

NEW_LINES = """
create temp table new_lines as
select
    line.order_line_id, line.order_id, line.customer_id, line.product_id, product.category, product.department,
    cast(line.ordered_at as date) as ordered_on, line.quantity, line.amount, coalesce(line.discount, 0)::decimal(18, 2) as discount
from read_parquet('{order_lines}') as line
left join read_parquet('{products}') as product using (product_id);
"""

#: A corrected line replaces its older self, on whichever customer and day that was.
CORRECT_LINES = """
create temp table touched as
select distinct customer_id, ordered_on
from (
    select customer_id, ordered_on from new_lines
    union all
    select customer_id, ordered_on from order_lines where order_line_id in (select order_line_id from new_lines)
);
delete from order_lines where order_line_id in (select order_line_id from new_lines);
insert into order_lines from new_lines;
delete from customer_days using touched
where customer_days.customer_id = touched.customer_id and customer_days.ordered_on = touched.ordered_on;
delete from category_days using touched
where category_days.customer_id = touched.customer_id and category_days.ordered_on = touched.ordered_on;
create temp table lines_of_days as
select line.* from order_lines as line semi join touched using (customer_id, ordered_on);
"""

FIRST_LINES = """
insert into order_lines from new_lines order by ordered_on;
create temp view lines_of_days as from order_lines;
"""

DAYS = """
insert into customer_days
select
    customer_id, ordered_on,
    count(distinct order_id) filter (where quantity > 0),
    count(*) filter (where quantity < 0),
    sum(amount),
    coalesce(sum(amount) filter (where amount < 0), 0),
    sum(discount)
from lines_of_days
group by customer_id, ordered_on;
insert into category_days
select customer_id, department, category, ordered_on, sum(amount)
from lines_of_days
where category is not null
group by customer_id, department, category, ordered_on;
"""

CUSTOMER_STATE = """
create temp table history_of_orders as
select
    customer_id,
    min(ordered_on) filter (where orders > 0) as first_ordered_on,
    max(ordered_on) filter (where orders > 0) as last_ordered_on,
    min(ordered_on) filter (where orders > 0 and ordered_on > {today} - 30) as first_recent_order_on,
    max(ordered_on) filter (where orders > 0 and ordered_on <= {today} - 30) as last_earlier_order_on,
    sum(orders)::bigint as orders_lifetime,
    coalesce(sum(orders) filter (where ordered_on > {today} - 30), 0)::bigint as orders_last_30_days,
    coalesce(sum(orders) filter (where ordered_on > {today} - 90), 0)::bigint as orders_last_90_days,
    coalesce(sum(orders) filter (where ordered_on > {today} - 365), 0)::bigint as orders_last_365_days,
    sum(spend) as spend_lifetime,
    coalesce(sum(spend) filter (where ordered_on > {today} - 30), 0) as spend_last_30_days,
    coalesce(sum(spend) filter (where ordered_on > {today} - 90), 0) as spend_last_90_days,
    coalesce(sum(spend) filter (where ordered_on > {today} - 180), 0) as spend_last_180_days,
    coalesce(sum(spend) filter (where ordered_on > {today} - 365), 0) as spend_last_365_days,
    coalesce(sum(discount) filter (where ordered_on > {today} - 365), 0) as discount_last_365_days,
    sum(returned_lines)::bigint as returned_lines_lifetime,
    -sum(returned_amount) as returned_amount_lifetime
from customer_days
where ordered_on <= {today}
group by customer_id;

create temp table favourites as
with by_category as (
    select customer_id, department, category, sum(spend) as spend
    from category_days
    where ordered_on > {today} - 365 and ordered_on <= {today}
    group by customer_id, department, category
),
favourite_categories as (
    select customer_id, first(category order by spend desc, category) as favourite_category
    from by_category where spend > 0 group by customer_id
),
favourite_departments as (
    select customer_id, first(department order by spend desc, department) as favourite_department
    from (select customer_id, department, sum(spend) as spend from by_category group by customer_id, department)
    where spend > 0 group by customer_id
)
from favourite_categories full join favourite_departments using (customer_id);

create temp table scores as
select
    customer_id,
    least(5, 1 + floor(5 * percent_rank() over (order by last_ordered_on)))::integer as recency_score,
    least(5, 1 + floor(5 * percent_rank() over (order by orders_last_365_days)))::integer as frequency_score,
    least(5, 1 + floor(5 * percent_rank() over (order by spend_last_365_days)))::integer as monetary_score
from history_of_orders
semi join customers using (customer_id)
where orders_last_365_days > 0;

create temp table percentiles_today as
select customer_id, 100 * percent_rank() over (order by coalesce(spend_last_365_days, 0)) as spend_percentile
from customers
left join history_of_orders using (customer_id);

create temp table dim_customers as
with attributes as (
    select
        {today} as as_of_date,
        customers.customer_id, gender, birth_date,
        (year({today}) - year(birth_date)
            - case when month({today}) * 100 + day({today}) < month(birth_date) * 100 + day(birth_date) then 1 else 0 end)::integer as age,
        country, region, household_size, age_band, income_band, interests, signed_up_on,
        date_diff('day', signed_up_on, {today})::integer as days_since_sign_up,
        preferred_channel, has_email, email_opt_in, sms_opt_in, post_opt_in, push_opt_in,
        email_opt_in and has_email as is_contactable_by_email,
        first_ordered_on, last_ordered_on,
        date_diff('day', first_ordered_on, {today})::integer as days_since_first_order,
        date_diff('day', last_ordered_on, {today})::integer as days_since_last_order,
        date_diff('day', last_earlier_order_on, first_recent_order_on)::integer as days_away_before_recent_order,
        coalesce(orders_lifetime, 0) as orders_lifetime,
        coalesce(orders_last_30_days, 0) as orders_last_30_days,
        coalesce(orders_last_90_days, 0) as orders_last_90_days,
        coalesce(orders_last_365_days, 0) as orders_last_365_days,
        coalesce(spend_lifetime, 0)::decimal(18, 2) as spend_lifetime,
        coalesce(spend_last_30_days, 0)::decimal(18, 2) as spend_last_30_days,
        coalesce(spend_last_90_days, 0)::decimal(18, 2) as spend_last_90_days,
        coalesce(spend_last_180_days, 0)::decimal(18, 2) as spend_last_180_days,
        coalesce(spend_last_365_days, 0)::decimal(18, 2) as spend_last_365_days,
        (history.spend_lifetime / nullif(history.orders_lifetime, 0))::decimal(18, 2) as average_order_lifetime,
        (history.spend_last_365_days / nullif(history.orders_last_365_days, 0))::decimal(18, 2) as average_order_last_365_days,
        now.spend_percentile,
        before.spend_percentile as spend_percentile_previous_day,
        favourite_category, favourite_department,
        (case when history.spend_last_365_days >= 0 then discount_last_365_days / nullif(discount_last_365_days + history.spend_last_365_days, 0) end)::double as discount_share_last_365_days,
        coalesce(returned_lines_lifetime, 0) as returned_lines_lifetime,
        coalesce(returned_amount_lifetime, 0)::decimal(18, 2) as returned_amount_lifetime,
        recency_score, frequency_score, monetary_score
    from customers
    left join history_of_orders as history using (customer_id)
    left join favourites using (customer_id)
    left join scores using (customer_id)
    left join percentiles_today as now using (customer_id)
    left join percentiles as before using (customer_id)
),
with_birthdays as (
    select
        *,
        cast(birth_date + to_years(age) as date) as last_birthday,
        cast(birth_date + to_years(age + 1) as date) as next_birthday,
        month(birth_date) = 2 and day(birth_date) = 29 as on_29_february
    from attributes
)
select
    * exclude (last_birthday, next_birthday, on_29_february),
    case
        when last_birthday + case when on_29_february and day(last_birthday) = 28 then 1 else 0 end = {today} then 0
        else date_diff('day', {today}, next_birthday + case when on_29_february and day(next_birthday) = 28 then 1 else 0 end)
    end::integer as days_until_birthday,
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
from with_birthdays;

delete from percentiles;
insert into percentiles from percentiles_today;
"""

CHANGES = """
create temp table changes as
select
    coalesce(today.segment, before.segment) as segment,
    coalesce(today.customer_id, before.customer_id) as customer_id,
    today.segment is not null as has_entered
from members as today
full join (select segment, customer_id from history where exited_on is null) as before
    on before.segment = today.segment and before.customer_id = today.customer_id
where today.segment is null or before.segment is null;

update history set exited_on = {today}
from changes
where not changes.has_entered and history.exited_on is null
    and history.segment = changes.segment and history.customer_id = changes.customer_id;
insert into history select segment, customer_id, {today}, null from changes where has_entered;
"""

COUNTS = """
insert into counts
select
    {today},
    segments.segment,
    coalesce(sizes.members, 0),
    case when {has_yesterday} then coalesce(edges.entered, 0) end,
    case when {has_yesterday} then coalesce(edges.exited, 0) end,
    (select count(*) from customers)
from (select unnest({segments}::varchar[]) as segment) as segments
left join (select segment, count(*) as members from members group by segment) as sizes using (segment)
left join (
    select segment, count(*) filter (where has_entered) as entered, count(*) filter (where not has_entered) as exited
    from changes group by segment
) as edges using (segment);
"""


class Night:
    """One night of one company: ``segments`` maps each segment to its rule as dbt compiled it for the pipeline."""

    def __init__(self, extracts: Path, state: Path, day: date, segments: dict[str, str], memory_limit: str) -> None:
        self.extracts, self.folder, self.day, self.segments = extracts, state, day, segments
        self.today = f"date '{day}'"
        self.seconds: dict[str, float] = {}
        state.mkdir(parents=True, exist_ok=True)
        config: dict[str, Any] = {"memory_limit": memory_limit, "temp_directory": str(state / "spill")}
        self.connection = duckdb.connect(str(state / "state.duckdb"), config=config)
        self.connection.execute("set preserve_insertion_order = false; set enable_progress_bar = false")

    def run(self) -> None:
        self.connection.execute(STATE)
        nights = self.connection.execute("select count(distinct as_of_date) from counts").fetchall()[0][0]
        with self.stage("archive"):
            self.archive()
        self.connection.execute("begin")
        with self.stage("extracts"):
            self.execute(NEW_CUSTOMERS + NEW_LINES)
            self.execute(CORRECT_LINES if nights else FIRST_LINES)
            self.execute(DAYS)
        with self.stage("customers"):
            self.execute(CUSTOMER_STATE)
        with self.stage("segments"):
            self.evaluate_segments()
        with self.stage("changes"):
            self.execute(CHANGES)
        with self.stage("counts"):
            self.execute(COUNTS, has_yesterday=str(nights > 0), segments=str(list(self.segments)))
        with self.stage("commit"):
            self.connection.execute("commit")
        with self.stage("release"):
            self.release()
        self.connection.close()

    def archive(self) -> None:
        for table in ("customers", "order_lines", "products"):
            file = self.folder / "archive" / table / f"{self.day}.parquet"
            file.parent.mkdir(parents=True, exist_ok=True)
            self.connection.execute(
                f"copy (from read_parquet('{self.extract(table)}')) to '{file}' (format parquet, compression zstd)"
            )

    def evaluate_segments(self) -> None:
        for segment, rule in self.segments.items():
            self.connection.execute(f'create temp view "segment {segment}" as {self.by_hand(rule)}')
        of_each = (f"select '{name}' as segment, customer_id from \"segment {name}\"" for name in self.segments)
        self.connection.execute(f"create temp table members as {' union all '.join(of_each)}")

    def by_hand(self, rule: str) -> str:
        """The compiled rule over this script's tables, with tonight's date in it and without versions of lines."""
        for name in self.segments:
            rule = rule.replace(f'"segments"."{name}"', f'temp."segment {name}"')
        rule = rule.replace('"customers"."dim_customers"', "dim_customers")
        rule = rule.replace(
            '"intermediate"."int_order_lines"',
            "(select *, date '0001-01-01' as valid_from, null::date as valid_to from order_lines)",
        )
        rule = rule.replace('"warehouse".', "")
        return rule.replace("dim_customers.as_of_date", self.today)

    def release(self) -> None:
        """Today's members of each segment, the customers and the counts in one file, put in place by a rename."""
        unfinished, file = self.folder / "release.tmp", self.folder / "release.duckdb"
        unfinished.unlink(missing_ok=True)
        self.connection.execute(f"attach '{unfinished}' as release")
        self.connection.execute(
            "create schema release.segments; create schema release.customers; create schema release.metrics"
        )
        for segment in self.segments:
            self.connection.execute(
                f'create table release.segments."{segment}" as select customer_id, entered_on from history '
                f"where segment = '{segment}' and exited_on is null"
            )
        self.connection.execute("create table release.customers.dim_customers as from dim_customers")
        self.connection.execute("create table release.metrics.segment_membership_history as from history")
        self.connection.execute("create table release.metrics.segment_counts_daily as from counts")
        self.connection.execute("detach release")
        unfinished.rename(file)

    def extract(self, table: str) -> str:
        source = "crm" if table == "customers" else "shop"
        return str(self.extracts / source / table / f"{self.day}.parquet")

    def execute(self, sql: str, **more: str) -> None:
        extracts = {table: self.extract(table) for table in ("customers", "order_lines", "products")}
        self.connection.execute(sql.format(today=self.today, **extracts, **more))

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - started, 2)


def main() -> None:
    """Runs one night; prints the seconds of its stages as JSON."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--extracts", type=Path, required=True)
    given.add_argument("--state", type=Path, required=True)
    given.add_argument("--day", type=date.fromisoformat, required=True)
    given.add_argument("--segments", type=Path, required=True, help="JSON: the rule of each segment")
    given.add_argument("--memory-limit", default="4GB")
    said = given.parse_args()
    night = Night(said.extracts, said.state, said.day, json.loads(said.segments.read_text()), said.memory_limit)
    night.run()
    json.dump(night.seconds, sys.stdout)


if __name__ == "__main__":
    main()
