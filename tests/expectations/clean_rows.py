"""One clean row for each extract table, one broken row for each rule, and the way both get into DuckDB.

What a test says about a row is only how it differs from the clean one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import duckdb

from expectations.contracts import EXTRACT_TABLES
from orchestration.ingest.reading import ABOUT_THE_ROW, read_extracts, relation_of

Row = dict[str, Any]

DAY = date(2017, 3, 1)
NEXT_DAY = date(2017, 3, 2)
PLANTED = "jane.roe@marker.example"

CLEAN: dict[str, Row] = {
    "crm/customers": {
        "customer_id": "C1",
        "email": PLANTED,
        "gender": "female",
        "birth_date": date(1980, 2, 29),
        "country": "US",
        "region": "Ohio",
        "signed_up_on": date(2016, 5, 1),
        "preferred_channel": "email",
        "email_opt_in": True,
        "sms_opt_in": False,
        "post_opt_in": None,
        "push_opt_in": None,
        "interests": ["garden", "wine"],
        "household_size": 2,
        "age_band": "35-44",
        "income_band": "50-74K",
        "is_deleted": None,
    },
    "shop/order_lines": {
        "order_line_id": "L1",
        "order_id": "O1",
        "customer_id": "C1",
        "product_id": "P1",
        "ordered_at": datetime(2017, 1, 15, 15, 0),
        "quantity": 2,
        "amount": 7.98,
        "discount": 0,
    },
    "shop/products": {"product_id": "P1"},
    "crm/campaigns": {
        "campaign_id": "K1",
        "channel": "post",
        "starts_on": date(2017, 3, 1),
        "ends_on": date(2017, 3, 31),
        "contact_cost": 0.5,
        "fixed_cost": 100,
    },
    "crm/campaign_contacts": {
        "campaign_id": "K1",
        "customer_id": "C1",
        "arm": "treatment",
        "contacted_on": date(2017, 1, 15),
    },
    "crm/campaign_responses": {
        "campaign_id": "K1",
        "customer_id": "C1",
        "response": "redeem",
        "responded_at": datetime(2017, 1, 15, 15, 0),
    },
}

#: For each rule of each table the rows of one extract that break it once, and nothing else. No rows: an empty extract.
BROKEN: dict[str, dict[str, list[Row]]] = {
    "crm/customers": {
        "key_is_present": [{"customer_id": " "}],
        "gender_is_known": [{"gender": "M"}],
        "birth_date_is_possible": [{"birth_date": NEXT_DAY}],
        "preferred_channel_is_known": [{"preferred_channel": "fax"}],
        "sign_up_is_not_in_the_future": [{"signed_up_on": NEXT_DAY}],
        "household_size_is_positive": [{"household_size": 0}],
        "email_looks_like_an_address": [{"email": "jane.roe"}],
    },
    "shop/order_lines": {
        "key_is_present": [{"order_line_id": None}],
        "order_id_is_present": [{"order_id": ""}],
        "customer_id_is_present": [{"customer_id": None}],
        "product_id_is_present": [{"product_id": None}],
        "ordered_at_is_present": [{"ordered_at": None}],
        "quantity_is_present": [{"quantity": None}],
        "amount_is_present": [{"amount": None}],
        "order_is_not_in_the_future": [{"ordered_at": datetime(2017, 3, 3)}],
        "negative_quantity_is_a_return": [{"quantity": -1, "amount": 5}],
        "negative_amount_is_a_return": [{"quantity": 1, "amount": -5}],
        "quantity_is_possible": [{"quantity": 1_000_000_000}],
        "amount_is_possible": [{"amount": 1_000_000_000}],
        "discount_is_possible": [{"discount": 1_000_000_000}],
        "discount_is_not_negative": [{"discount": -0.01}],
    },
    "shop/products": {"key_is_present": [{"product_id": None}]},
    "crm/campaigns": {
        "key_is_present": [{"campaign_id": None}],
        "channel_is_known": [{"channel": "fax"}],
        "starts_on_is_present": [{"starts_on": None}],
        "dates_are_in_order": [{"starts_on": date(2017, 4, 1)}],
        "contact_cost_is_not_negative": [{"contact_cost": -1}],
        "fixed_cost_is_not_negative": [{"fixed_cost": -1}],
    },
    "crm/campaign_contacts": {
        "key_is_present": [{"customer_id": None}],
        "arm_is_known": [{"arm": "A"}],
        "contact_is_not_in_the_future": [{"contacted_on": NEXT_DAY}],
        "control_is_not_contacted": [{"arm": "control"}],
    },
    "crm/campaign_responses": {
        "key_is_present": [{"responded_at": None}],
        "response_is_known": [{"response": "smile"}],
        "response_is_not_in_the_future": [{"responded_at": datetime(2017, 3, 3)}],
    },
}
for _id, _table in EXTRACT_TABLES.items():
    BROKEN[_id] |= {
        "partition_has_rows": [],
        "line_is_readable": [dict.fromkeys(_table.columns) | {"unreadable": {"line": f"a;b{PLANTED}"}}],
        "key_is_unique": [{}, {}],
    }
    BROKEN[_id] |= {
        f"{column}_is_readable": [{column: None, "unreadable": {column: PLANTED}}]
        for column, kind in _table.columns.items()
        if kind != "VARCHAR"
    }


def land(connection: duckdb.DuckDBPyConnection, table_id: str, extracts: dict[date, Sequence[Row]]) -> str:
    """Lands extracts as ingest does, each row given by how it differs from the clean one; returns the relation."""
    table = EXTRACT_TABLES[table_id]
    relation = relation_of(table)
    columns = [*table.columns, *ABOUT_THE_ROW]
    read_extracts(connection, table, [])
    for day, rows in extracts.items():
        for number, row in enumerate(rows, start=1):
            values = {"unreadable": {}, **CLEAN[table_id], **row, "extract_date": day, "file_row": number}
            values["unreadable"] = [{"key": key, "value": text} for key, text in values["unreadable"].items()]
            marks = ("map_from_entries(?)" if name == "unreadable" else "?" for name in columns)
            cells = [values.get(name) for name in columns]
            connection.execute(f"insert into {relation} ({', '.join(columns)}) values ({', '.join(marks)})", cells)
    return relation
