"""The night in PostgreSQL: a server of its own, started for the night and stopped after it, and one SQL script.

The files are read with pyarrow, since PostgreSQL reads no Parquet. It cannot be root's server: ``POSTGRES_USER`` says whose.
"""

from __future__ import annotations

import io
import os
import subprocess
import time
from pathlib import Path

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
import sqlglot

from benchmarks.peers.night import MODELS, Night, asked, counts, views

SETTINGS = {
    "shared_buffers": "1GB",
    "work_mem": "256MB",
    "maintenance_work_mem": "512MB",
    "max_wal_size": "8GB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "jit": "off",
    "listen_addresses": "",
}

STATE = """
create table customers (
    customer_id text primary key, has_email boolean, gender text, birth_date date, country text, region text, signed_up_on date,
    preferred_channel text, email_opt_in boolean, sms_opt_in boolean, post_opt_in boolean, push_opt_in boolean, interests text[],
    household_size integer, age_band text, income_band text, is_deleted boolean
);
create table order_lines (
    order_line_id text, order_id text, customer_id text, product_id text, category text, department text, ordered_on date,
    quantity decimal(18, 3), amount decimal(18, 2), discount decimal(18, 2)
);
create table customer_days (
    customer_id text, ordered_on date, orders bigint, returned_lines bigint, spend decimal(18, 2), returned_amount decimal(18, 2),
    discount decimal(18, 2)
);
create table category_days (customer_id text, ordered_on date, department text, category text, spend decimal(18, 2));
create table percentiles (customer_id text, spend_percentile double precision, spend_percentile_previous_day double precision);
create table history (segment text, customer_id text, entered_on date, exited_on date);
create table counts (as_of_date date, segment text, members bigint, entered bigint, exited bigint, base_customers bigint);
"""

INDEXES = """
create index on order_lines (order_line_id);
create index on order_lines (customer_id, ordered_on);
create index on customer_days (customer_id, ordered_on);
create index on category_days (customer_id, ordered_on);
analyze;
"""

EXTRACTS = """
create temp table raw_customers (
    customer_id text, email text, gender text, birth_date date, country text, region text, signed_up_on date, preferred_channel text,
    email_opt_in boolean, sms_opt_in boolean, post_opt_in boolean, push_opt_in boolean, interests text[], household_size integer,
    age_band text, income_band text, is_deleted boolean
);
create temp table raw_lines (
    order_line_id text, order_id text, customer_id text, product_id text, ordered_at timestamp, quantity decimal(18, 3),
    amount decimal(18, 2), discount decimal(18, 2)
);
create temp table products (product_id text, category text, department text);
"""

NEW_CUSTOMERS = """
delete from customers using raw_customers as new where new.customer_id = customers.customer_id;
insert into customers
select
    customer_id, email is not null, gender, birth_date, country, region, signed_up_on, preferred_channel,
    coalesce(email_opt_in, false), coalesce(sms_opt_in, false), coalesce(post_opt_in, false), coalesce(push_opt_in, false),
    coalesce(interests, '{}'), household_size, age_band, income_band, coalesce(is_deleted, false)
from raw_customers;
"""

NEW_LINES = """
insert into {into}
select
    order_line_id, order_id, customer_id, product_id, category, department, ordered_at::date, quantity, amount,
    coalesce(discount, 0)
from raw_lines
left join products using (product_id);
"""

CORRECT_LINES = """
create temp table touched as
select customer_id, ordered_on from new_lines
union
select customer_id, ordered_on from order_lines where order_line_id in (select order_line_id from new_lines);
analyze new_lines; analyze touched;
delete from order_lines using new_lines as new where new.order_line_id = order_lines.order_line_id;
insert into order_lines select * from new_lines;
delete from customer_days as old using touched where (old.customer_id, old.ordered_on) = (touched.customer_id, touched.ordered_on);
delete from category_days as old using touched where (old.customer_id, old.ordered_on) = (touched.customer_id, touched.ordered_on);
create temp table lines_of_days as select order_lines.* from order_lines join touched using (customer_id, ordered_on);
"""

CATEGORY_DAYS = """
insert into category_days
select customer_id, ordered_on, department, category, sum(amount) from lines_of_days where category is not null group by 1, 2, 3, 4;
"""

PERCENTILES = """
create temp table percentiles_before as select * from percentiles;
truncate percentiles;
insert into percentiles
select today.customer_id, today.spend_percentile, before.spend_percentile
from percentiles_today as today left join percentiles_before as before using (customer_id);
"""

HISTORY = """
update history set exited_on = changes.exited_on from changes
where changes.exited_on is not null and history.exited_on is null
    and history.segment = changes.segment and history.customer_id = changes.customer_id;
insert into history select * from changes where exited_on is null;
"""


def main() -> None:
    """Starts the server, runs the night, stops the server."""
    night = asked(__doc__)
    data, user = night.state / "postgres", os.environ.get("POSTGRES_USER")
    if night.is_first:
        data.mkdir(mode=0o700)
        if user:
            subprocess.run(["chown", user, str(data)], check=True)
        command = [
            "initdb",
            "--pgdata",
            data,
            "--username",
            "night",
            "--no-locale",
            "--encoding",
            "UTF8",
            "--auth",
            "trust",
        ]
        subprocess.run(command, check=True, user=user, cwd=data, stdout=subprocess.DEVNULL)
    options = [f"--{name}={setting}" for name, setting in SETTINGS.items()]
    server = subprocess.Popen(["postgres", "-D", data, "-k", data, *options], user=user, cwd=data)
    try:
        with _connected(data) as connection:
            run(night, connection)
    finally:
        server.terminate()
        server.wait()
    night.archive()


def run(night: Night, connection: psycopg.Connection) -> None:
    today = f"date '{night.day}'"

    def execute(sql: str) -> None:
        connection.execute(sql.replace(":today", today))

    def keep(name: str, *, kind: str = "table") -> None:
        execute(f"create temp {kind} {name} as {MODELS[name]}")
        if kind == "table":
            execute(f"analyze {name}")

    execute(EXTRACTS + (STATE if night.is_first else ""))
    _read_extracts(night, connection)
    execute(NEW_CUSTOMERS)
    if night.is_first:
        execute(NEW_LINES.format(into="order_lines") + "create temp view lines_of_days as select * from order_lines;")
    else:
        execute("create temp table new_lines (like order_lines);" + NEW_LINES.format(into="new_lines") + CORRECT_LINES)
    execute(f"insert into customer_days {MODELS['customer_days']}; {CATEGORY_DAYS}")
    if night.is_first:
        execute(INDEXES)
    for name in ("order_history", "favourites", "scores", "percentiles_today"):
        keep(name)
    execute(PERCENTILES)
    keep("dim_customers")
    *segments, members = views(night.conditions).items()
    for name, query in segments:
        execute(f'create temp view "{name}" as {_in_postgres(query.replace(":today", today))}')
    execute(f"create temp table members as {members[1]}; analyze members")
    keep("changes")
    execute(HISTORY)
    execute(f"insert into counts {counts(night.conditions)}".replace(":is_first", str(night.is_first)))
    connection.commit()
    _write(
        connection,
        "select segment, customer_id, entered_on from history where exited_on is null",
        night.release / "members.csv",
    )
    _write(connection, "select * from counts", night.release / "counts.csv")


def _in_postgres(query: str) -> str:
    return sqlglot.transpile(query, read="duckdb", write="postgres")[0]


def _connected(data: Path) -> psycopg.Connection:
    for _ in range(300):
        try:
            return psycopg.connect(host=str(data), user="night", dbname="postgres")
        except psycopg.OperationalError:
            time.sleep(0.1)
    raise TimeoutError(f"PostgreSQL did not start within 30 seconds on {data}: see its words above.")


def _read_extracts(night: Night, connection: psycopg.Connection) -> None:
    for table, into in (("customers", "raw_customers"), ("order_lines", "raw_lines"), ("products", "products")):
        columns = [row[0] for row in connection.execute(f"select * from {into} limit 0").description or ()]
        with connection.cursor().copy(f"copy {into} from stdin (format csv)") as copy:
            for batch in pq.ParquetFile(night.extract(table)).iter_batches(100_000, columns=columns):
                copy.write(_as_csv(batch.select(columns)))


def _as_csv(batch: pa.RecordBatch) -> bytes:
    if "interests" in batch.schema.names:
        joined = pc.binary_join_element_wise("{", pc.binary_join(batch["interests"], ","), "}", "")
        batch = batch.set_column(batch.schema.get_field_index("interests"), "interests", joined)
    written = io.BytesIO()
    pyarrow.csv.write_csv(batch, written, pyarrow.csv.WriteOptions(include_header=False))
    return written.getvalue()


def _write(connection: psycopg.Connection, query: str, file: Path) -> None:
    with file.open("wb") as out, connection.cursor().copy(f"copy ({query}) to stdout (format csv, header)") as copy:
        for block in copy:
            out.write(block)


if __name__ == "__main__":
    main()
