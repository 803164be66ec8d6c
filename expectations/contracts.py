"""The extract tables that we take in: their columns, types and key. Imports nothing of ours.

What a value must look like to be believed is not said here but in the rules beside; what a column means to a
segment is said in ``dbt_project/``.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ExtractTable:
    """One extract table.

    ``columns`` maps each column to its DuckDB type; ``key`` names the columns by which a row replaces an earlier one.
    A ``required`` table has an extract on every day. An extract of a ``is_snapshot`` table is the whole of it, of another what is new
    or changed. ``categories`` are the text columns with few values, worth counting
    one by one; ``happened_at`` is the column that says when a row's event happened, in UTC.
    """

    source: str
    name: str
    key: tuple[str, ...]
    columns: dict[str, str]
    required: bool = False
    is_snapshot: bool = False
    categories: tuple[str, ...] = ()
    happened_at: str | None = None

    @property
    def id(self) -> str:
        """``<source>/<table>``: the folder under extracts/ and archive/, and the name in every message."""
        return f"{self.source}/{self.name}"


_CUSTOMERS = ExtractTable(
    source="crm",
    name="customers",
    key=("customer_id",),
    required=True,
    categories=("gender", "country", "region", "preferred_channel", "age_band", "income_band"),
    columns={
        "customer_id": "VARCHAR",
        "email": "VARCHAR",
        "gender": "VARCHAR",
        "birth_date": "DATE",
        "country": "VARCHAR",
        "region": "VARCHAR",
        "signed_up_on": "DATE",
        "preferred_channel": "VARCHAR",
        "email_opt_in": "BOOLEAN",
        "sms_opt_in": "BOOLEAN",
        "post_opt_in": "BOOLEAN",
        "push_opt_in": "BOOLEAN",
        "interests": "VARCHAR[]",
        "household_size": "INTEGER",
        "age_band": "VARCHAR",
        "income_band": "VARCHAR",
        "is_deleted": "BOOLEAN",
    },
)

_ORDER_LINES = ExtractTable(
    source="shop",
    name="order_lines",
    key=("order_line_id",),
    required=True,
    happened_at="ordered_at",
    columns={
        "order_line_id": "VARCHAR",
        "order_id": "VARCHAR",
        "customer_id": "VARCHAR",
        "product_id": "VARCHAR",
        "ordered_at": "TIMESTAMP",
        "quantity": "DECIMAL(18,3)",
        "amount": "DECIMAL(18,2)",
        "discount": "DECIMAL(18,2)",
    },
)

_PRODUCTS = ExtractTable(
    source="shop",
    name="products",
    key=("product_id",),
    is_snapshot=True,
    categories=("category", "department", "brand"),
    columns={
        "product_id": "VARCHAR",
        "product_name": "VARCHAR",
        "category": "VARCHAR",
        "department": "VARCHAR",
        "brand": "VARCHAR",
    },
)

_CAMPAIGNS = ExtractTable(
    source="crm",
    name="campaigns",
    key=("campaign_id",),
    is_snapshot=True,
    categories=("channel",),
    columns={
        "campaign_id": "VARCHAR",
        "campaign_name": "VARCHAR",
        "segment": "VARCHAR",
        "channel": "VARCHAR",
        "starts_on": "DATE",
        "ends_on": "DATE",
        "contact_cost": "DECIMAL(18,4)",
        "fixed_cost": "DECIMAL(18,2)",
    },
)

_CAMPAIGN_CONTACTS = ExtractTable(
    source="crm",
    name="campaign_contacts",
    key=("campaign_id", "customer_id"),
    categories=("arm",),
    columns={
        "campaign_id": "VARCHAR",
        "customer_id": "VARCHAR",
        "arm": "VARCHAR",
        "contacted_on": "DATE",
    },
)

_CAMPAIGN_RESPONSES = ExtractTable(
    source="crm",
    name="campaign_responses",
    key=("campaign_id", "customer_id", "response", "responded_at"),
    categories=("response",),
    happened_at="responded_at",
    columns={
        "campaign_id": "VARCHAR",
        "customer_id": "VARCHAR",
        "response": "VARCHAR",
        "responded_at": "TIMESTAMP",
    },
)

#: Every extract table by its id, in the order in which they are ingested.
EXTRACT_TABLES: dict[str, ExtractTable] = {
    table.id: table
    for table in (_CUSTOMERS, _ORDER_LINES, _PRODUCTS, _CAMPAIGNS, _CAMPAIGN_CONTACTS, _CAMPAIGN_RESPONSES)
}

#: The table that says who is a customer at all: every segment depends on it.
BASE = "crm/customers"
