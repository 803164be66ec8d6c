"""The list of whom to contact, for the sender: the treated customers with the fields that the channel needs and no other.

It is the one place where an e-mail address leaves the archive, on purpose.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb

from orchestration.campaigns.files import Channel
from orchestration.errors import CampaignWaits
from orchestration.measure.campaigns.figures import several
from orchestration.read.spreadsheet import BEGINS_A_FORMULA
from orchestration.settings import Home
from orchestration.sql import identifier, literal
from orchestration.target.arms import ARMS

CSV, PARQUET = "target_list.csv", "target_list.parquet"

FIELDS: dict[Channel, tuple[str, ...]] = {
    "email": ("customer_id", "email"),
    "sms": ("customer_id",),
    "post": ("customer_id",),
    "push": ("customer_id",),
}

TREATED = f"create or replace temp table target_list as select customer_id from {ARMS} where arm = 'treatment'"

#: As with every other attribute of a customer, the newest version counts of those that are believed.
WITH_ADDRESSES = """
create or replace temp table target_list as
with believed as (
    select customer_id, arg_max_null(email, extract_date) as email
    from read_parquet({archive}, hive_partitioning = true, hive_types = {{'extract_date': date}}) as arrived
    where extract_date <= $as_of and not exists (
        select 1 from metrics.input_findings as finding
        where finding.source = 'crm' and finding.table_name = 'customers' and finding.extract_date = arrived.extract_date
            and finding.is_left_out and list_has_any(finding.columns, ['customer_id', 'email'])
    )
    group by customer_id
)
select target_list.customer_id, believed.email
from target_list
left join believed using (customer_id)
"""


def write_target_list(
    release: duckdb.DuckDBPyConnection, home: Home, channel: Channel, as_of: date, folder: Path
) -> None:
    """Writes the treated customers of the temporary table ``assignment`` as CSV and Parquet, readable by their owner alone.

    Raises CampaignWaits where the archive has not the address of somebody who has one in the release.
    """
    release.execute(TREATED)
    if "email" in FIELDS[channel]:
        archive = literal(home.archive / "crm" / "customers" / "*" / "data.parquet")
        release.execute(WITH_ADDRESSES.format(archive=archive), {"as_of": as_of})
        _demand_addresses(release)
    for file, cell, form in ((CSV, _plain, "csv, header"), (PARQUET, identifier, "parquet")):
        fields = ", ".join(f"{cell(field)} as {identifier(field)}" for field in FIELDS[channel])
        release.execute(
            f"copy (select {fields} from target_list order by target_list.customer_id) to {literal(folder / file)} (format {form})"
        )
        (folder / file).chmod(0o600)


def _demand_addresses(release: duckdb.DuckDBPyConnection) -> None:
    ((missing,),) = release.execute("select count(*) from target_list where email is null").fetchall()
    if missing:
        raise CampaignWaits(
            f"{several(missing, 'customer')} of the list had an e-mail address in the release and none in the archive, which has changed since: "
            "refresh again."
        )


def _plain(field: str) -> str:
    """The SQL of a cell that no spreadsheet takes for a formula."""
    column = identifier(field)
    return f"case when regexp_matches({column}, '{BEGINS_A_FORMULA}') then '''' || {column} else {column} end"
