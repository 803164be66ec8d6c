"""One night of measuring campaigns: many campaigns on many segments, and one campaign of a million customers.

A made-up record, and the pipeline's own function on it. ``python -m benchmarks.campaign_night`` prints a Markdown table.
"""

from __future__ import annotations

import hashlib
import resource
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

import duckdb

from orchestration.campaigns.files import Campaign, digest
from orchestration.campaigns.receipts import ASSIGNMENT, RECEIPT, Receipt, Stratum, receipt_folder
from orchestration.days import Days
from orchestration.ingest.archive import register_archive
from orchestration.measure.campaigns.impact import record_impact
from orchestration.settings import Home, Settings
from orchestration.sql import literal

TODAY, LAUNCH = date(2024, 6, 28), date(2024, 6, 1)
#: Customers, campaigns, segments, share held out.
CASES = [
    (10_000, 50, 100, 0.5),
    (10_000, 50, 100, 0.1),
    (1_000_000, 1, 100, 0.5),
    (1_000_000, 1, 100, 0.1),
]

RECORD = """
create schema intermediate; create schema metrics; create schema refresh;
create table metrics.segment_counts_daily as select date '2024-06-28' as as_of_date;
create table refresh.left_out (table_id varchar, extract_date date, columns varchar[]);
create table refresh.definitions as select 'segment_' || s as segment from range({segments}) as t (s);
create table intermediate.int_customer_versions as select 'C' || c as customer_id, date '2024-01-01' as valid_from from range({customers}) as t (c);
create table intermediate.int_customer_days as
select
    'C' || c as customer_id,
    date '2024-04-20' + (hash(c, n) % 70)::integer as ordered_on,
    date '2024-01-01' as valid_from, null::date as valid_to, 1::bigint as orders, 1::bigint as lines,
    round(exp(2 + hash(c) % 1000 / 700.0 + hash(n, c) % 1000 / 500.0), 2)::decimal(18, 2) as spend
from range({customers}) as t (c), range(8) as u (n)
where hash(c, n, 1) % 10 < hash(c) % 11
qualify row_number() over (partition by customer_id, ordered_on order by n) = 1;
create table metrics.segment_membership_history as
select 'segment_' || s as segment, 'C' || c as customer_id, date '2024-01-01' as entered_on, null::date as exited_on
from range({segments}) as t (s), range({customers}) as u (c)
where hash(s, c) % 100 < 4 + s % 20;
"""


def measured(customers: int, campaigns: int, segments: int, holdout: float) -> tuple[float, float, int]:
    """Seconds on the clock, seconds of processor, and rows written, of one night on a made-up record."""
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        with duckdb.connect(str(home.warehouse), config={"threads": "2"}) as connection:
            register_archive(connection, home.archive)
            connection.execute(RECORD.format(customers=customers, segments=segments))
            for number in range(campaigns):
                _launch(home, f"campaign_{number}", customers, holdout)
            wall, processor = time.perf_counter(), time.process_time()
            rows = record_impact(connection, home, Settings(), Days(TODAY, TODAY))
            return time.perf_counter() - wall, time.process_time() - processor, rows


def main() -> int:
    print("| customers | campaigns | segments | held out | seconds | processor seconds | peak GB | rows |")
    print("|---:|---:|---:|---:|---:|---:|---:|---:|")
    for customers, campaigns, segments, holdout in CASES:
        wall, processor, rows = measured(customers, campaigns, segments, holdout)
        print(
            f"| {customers:,} | {campaigns} | {segments} | {holdout:.0%} | {wall:.1f} | {processor:.1f} | {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.1f} | {rows:,} |",
            flush=True,
        )
    return 0


def _launch(home: Home, campaign_id: str, customers: int, holdout: float) -> None:
    """A receipt as the launch step leaves it, for everybody."""
    campaign = Campaign.model_validate(
        {
            "id": campaign_id,
            "name": campaign_id,
            "objective": "Measure the measurement",
            "segment": "segment_1",
            "channel": "post",
            "starts_on": LAUNCH,
            "ends_on": LAUNCH + timedelta(6),
            "measured_days": 21,
            "holdout": holdout,
            "primary_metric": "spend",
            "currency": "GBP",
            "contact_cost": 0,
        }
    )
    folder = receipt_folder(home, campaign_id)
    folder.mkdir(parents=True)
    salt = int(hashlib.sha256(campaign_id.encode()).hexdigest()[:8], 16)
    duckdb.sql(
        f"copy (select 'C' || c as customer_id, if(hash(c, {salt}) % 10000 < {holdout * 10000:.0f}, 'control', 'treatment') as arm, 'all' as stratum "
        f"from range({customers}) as t (c) order by customer_id) to {literal(folder / ASSIGNMENT)} (format parquet)"
    )
    receipt = Receipt(
        campaign=campaign.said(),
        frozen=digest(campaign.said()),
        release="",
        as_of_date=LAUNCH - timedelta(1),
        launched_on=LAUNCH,
        holdout=holdout,
        strata=(Stratum("all", customers - int(customers * holdout), int(customers * holdout)),),
    )
    (folder / RECEIPT).write_text(receipt.text(), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
