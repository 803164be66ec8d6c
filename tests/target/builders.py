"""A home with a release of a few customers and two segments and nothing else, and campaign files beside it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import yaml

from orchestration.campaigns.receipts import Receipt, read_receipt
from orchestration.settings import Home, Settings
from orchestration.target.launching import launch
from tests.release_by_hand import release_by_hand

#: The day of the release, and the morning after, on which campaigns start.
DAY = date(2024, 3, 9)
MORNING = DAY + timedelta(1)

SCHEMA = """
create schema customers; create schema segments; create schema catalog; create schema metrics;
create table customers.dim_customers (
    customer_id text, gender text, region text, birth_date date, interests text[], has_email boolean, email_opt_in boolean, sms_opt_in boolean,
    post_opt_in boolean, push_opt_in boolean, spend_last_365_days decimal(18, 2)
);
create table customers.order_days (customer_id text, ordered_on date, orders bigint, spend decimal(18, 2));
create table metrics.segment_membership_history (segment text, customer_id text, entered_on date, exited_on date);
create table customers.unsubscribes (customer_id text, channel text, unsubscribed_on date);
create table catalog.segments (segment text, definition_hash text, state text, held_since date, held_because text);
create table metrics.input_findings (extract_date date, source text, table_name text, columns text[], is_left_out boolean);
"""

SETTINGS = Settings(campaigns="plans", currency="USD", threads=2)


def shopper(customer_id: str, /, **said: Any) -> dict[str, Any]:
    """A customer who consented to everything, but for what is said."""
    consents = {f"{channel}_opt_in": True for channel in ("email", "sms", "post", "push")}
    return {
        "customer_id": customer_id,
        "gender": "female",
        "region": "Ohio",
        "birth_date": date(1980, 2, 29),
        "interests": [],
        "has_email": True,
        "spend_last_365_days": 10 + int(hashlib.sha256(customer_id.encode()).hexdigest(), 16) % 90,
        **consents,
    } | said


def shoppers(number: int, **said: Any) -> list[dict[str, Any]]:
    return [shopper(f"C{one:04}", **said) for one in range(number)]


@dataclass(frozen=True)
class SmallRelease:
    """What is in a release; everybody is ``active``, who is a member of what else is in ``members``."""

    customers: list[dict[str, Any]]
    members: Mapping[str, Iterable[str]] = field(default_factory=dict)
    unsubscribed: Iterable[tuple[str, str]] = ()
    held: Mapping[str, tuple[date, str]] = field(default_factory=dict)
    left_out: Iterable[tuple[date, list[str]]] = ()


def publish(home: Home, release: SmallRelease, day: date = DAY) -> str:
    """Publishes the release as that of the day."""
    name = f"{day}-{len(list(home.releases.glob('2*'))):08}"
    segments = {"active": [one["customer_id"] for one in release.customers], "complainers": []} | dict(release.members)
    with release_by_hand(home, name, day) as file:
        file.execute(SCHEMA)
        for one in release.customers:
            columns = ", ".join(one)
            file.execute(
                f"insert into customers.dim_customers ({columns}) values ({', '.join('?' * len(one))})", [*one.values()]
            )
        for customer, channel in release.unsubscribed:
            file.execute("insert into customers.unsubscribes values (?, ?, ?)", [customer, channel, day])
        for left_out_on, left_out in release.left_out:
            file.execute(
                "insert into metrics.input_findings values (?, 'crm', 'customers', ?, true)", [left_out_on, left_out]
            )
        for segment, members in segments.items():
            file.execute(f"create table segments.{segment} (customer_id text, entered_on date)")
            for member in members:
                file.execute(f"insert into segments.{segment} values (?, ?)", [member, day])
            since, because = release.held.get(segment, (None, None))
            state = "held" if since else "fresh"
            file.execute("insert into catalog.segments values (?, 'abc', ?, ?, ?)", [segment, state, since, because])
    return name


def campaign_file(home: Home, campaign_id: str = "spring", /, **said: Any) -> Path:
    """A campaign that starts on MORNING, but for what is said; what is said to be None is left out."""
    good = {
        "name": "Spring",
        "objective": "Have them order",
        "segment": "active",
        "channel": "post",
        "starts_on": MORNING,
        "ends_on": MORNING + timedelta(6),
        "measured_days": 7,
        "holdout": 0.2,
        "primary_metric": "spend",
        "contact_cost": 0.5,
    }
    return write_campaign(home.path / "plans" / f"{campaign_id}.yml", good | said)


def write_campaign(file: Path, said: Mapping[str, Any]) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump({field: value for field, value in said.items() if value is not None}))
    return file


def launched(home: Home, campaign_id: str = "spring", settings: Settings = SETTINGS) -> Receipt:
    """The receipt of the campaign, which starts unless it has."""
    [state] = [one for one in launch(home, settings) if one.id == campaign_id]
    assert state.state == "launched", state.because
    receipt = read_receipt(home, campaign_id)
    assert receipt is not None
    return receipt


def archive_emails(home: Home, day: date, emails: Mapping[str, str | None]) -> None:
    """An extract of the CRM, as the archive keeps it."""
    folder = home.archive / "crm" / "customers" / f"extract_date={day}"
    folder.mkdir(parents=True)
    with duckdb.connect() as connection:
        connection.execute("create table arrived (customer_id text, email text)")
        for one in emails.items():
            connection.execute("insert into arrived values (?, ?)", one)
        connection.execute(f"copy arrived to '{folder / 'data.parquet'}'")


def rows(file: Path) -> list[tuple[Any, ...]]:
    """The rows of a Parquet file, as they lie in it."""
    with duckdb.connect() as connection:
        return connection.execute(f"from read_parquet('{file}')").fetchall()
