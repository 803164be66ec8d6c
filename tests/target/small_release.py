"""A release made by hand, with just what a business case and an outcome read: who is in a segment, what they bought, what campaigns did."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from orchestration.campaigns.files import Campaign
from orchestration.measure.campaigns.measurement import Measurement
from orchestration.publish.releases import FILE, OPENED, Manifest
from orchestration.settings import Home
from orchestration.target.outcome import Balance, Comparison, Known

AS_OF = date(2024, 3, 31)
RELEASE = "2024-03-31-abcdef12"

#: Types of the columns of the campaigns' tables, where they are not numbers.
TYPES = {
    **dict.fromkeys(("as_of_date", "starts_on", "ends_on", "measured_until"), "date"),
    **dict.fromkeys(("is_primary", "is_placebo"), "boolean"),
    **dict.fromkeys(
        ("day_index", "planned_days", "n_treatment", "n_control", "buyers_treatment", "buyers_control"), "bigint"
    ),
    **dict.fromkeys(
        [
            "campaign_id",
            "campaign_name",
            "objective",
            "segment",
            "channel",
            "assigned_by",
            "state",
            "metric",
            "evidence",
            "estimator",
            "p_method",
            "verdict",
            "message",
            "attribute",
        ],
        "varchar",
    ),
    "flags": "varchar[]",
}


@dataclass(frozen=True)
class Bought:
    """Orders of a customer so many days before the release's day."""

    customer: str
    days_ago: int
    spend: float
    orders: int = 1


@dataclass
class Shop:
    """What is in the release. ``members`` are today's of the segment ``regulars``; ``members_before`` those of long ago, who may be others."""

    members: Iterable[str] = ()
    orders: Iterable[Bought] = ()
    members_before: Iterable[str] = ()
    campaigns: list[dict[str, Any]] = field(default_factory=list)
    impact: list[dict[str, Any]] = field(default_factory=list)
    balance: list[dict[str, Any]] = field(default_factory=list)
    comparisons: list[dict[str, Any]] = field(default_factory=list)

    def write(self, connection: duckdb.DuckDBPyConnection) -> None:
        connection.execute(
            "create schema customers; create schema segments; create schema metrics; create schema catalog"
        )
        _table(
            connection,
            "customers.order_days",
            "customer_id varchar, ordered_on date, orders bigint, spend decimal(18,2)",
            [(one.customer, AS_OF - timedelta(one.days_ago), one.orders, one.spend) for one in self.orders],
        )
        _table(connection, "segments.regulars", "customer_id varchar", [(one,) for one in self.members])
        _table(
            connection,
            "customers.dim_customers",
            "customer_id varchar, email_opt_in boolean, has_email boolean, spend_last_365_days double",
            [(one, True, True, 0.0) for one in self.members],
        )
        _table(connection, "customers.unsubscribes", "customer_id varchar, channel varchar", [])
        _table(connection, "catalog.segments", "segment varchar", [("regulars",)])
        history = [("regulars", one, date(2020, 1, 1), AS_OF) for one in self.members_before]
        _table(
            connection,
            "metrics.segment_membership_history",
            "segment varchar, customer_id varchar, entered_on date, exited_on date",
            history,
        )
        _of_campaigns(connection, "catalog.campaigns", Known, self.campaigns)
        _of_campaigns(connection, "metrics.campaign_impact", Measurement, self.impact)
        _of_campaigns(connection, "metrics.campaign_balance", Balance, self.balance)
        _of_campaigns(connection, "metrics.campaign_comparisons", Comparison, self.comparisons)

    def opened(self) -> duckdb.DuckDBPyConnection:
        """The release open, with the members as its ``audience``."""
        connection = duckdb.connect()
        self.write(connection)
        connection.execute("create temp table audience as select customer_id from segments.regulars")
        return connection

    def publish(self, home: Home) -> None:
        """Makes it the home's current release."""
        folder = home.releases / RELEASE
        folder.mkdir(parents=True)
        with duckdb.connect(str(folder / FILE)) as connection:
            self.write(connection)
        (folder / OPENED).symlink_to(FILE)
        Manifest(RELEASE, AS_OF, AS_OF - timedelta(400), "2024-04-01T02:00:00", "duckdb", "", {}).write(folder)
        (home.releases / "current").symlink_to(RELEASE)


def _table(connection: duckdb.DuckDBPyConnection, name: str, columns: str, rows: list[tuple[Any, ...]]) -> None:
    connection.execute(f"create table {name} ({columns})")
    if rows:
        connection.executemany(f"insert into {name} values ({', '.join('?' * len(rows[0]))})", rows)


def _of_campaigns(connection: duckdb.DuckDBPyConnection, name: str, kind: Any, rows: list[dict[str, Any]]) -> None:
    columns = list(dict.fromkeys(["campaign_id", *(one.name for one in fields(kind))]))
    declared = ", ".join(f"{column} {TYPES.get(column, 'double')}" for column in columns)
    assert not [one for row in rows for one in row if one not in columns]
    _table(connection, name, declared, [tuple(row.get(column) for column in columns) for row in rows])


def campaign(**said: Any) -> Campaign:
    """A campaign to the regulars over a window of 10 days, but for what is said."""
    good = {
        "id": "spring",
        "name": "Spring letter",
        "objective": "Have them order in spring",
        "segment": "regulars",
        "channel": "email",
        "starts_on": AS_OF + timedelta(1),
        "ends_on": AS_OF + timedelta(1),
        "measured_days": 9,
        "holdout": 0.5,
        "lift_to_detect": 0.2,
        "primary_metric": "spend",
        "currency": "EUR",
        "contact_cost": "0.50",
        "fixed_cost": 100,
        "margin": 0.25,
    }
    return Campaign.model_validate(good | said)


def known(campaign_id: str = "spring", **said: Any) -> dict[str, Any]:
    """A row of catalog.campaigns."""
    return {
        "campaign_id": campaign_id, "campaign_name": campaign_id.title(), "objective": "Have them order", "segment": "regulars", "channel": "email",
        "starts_on": date(2024, 3, 1), "ends_on": date(2024, 3, 3), "measured_until": date(2024, 3, 28), "assigned_by": "us",
        "contact_cost": 0.5, "fixed_cost": 100.0, "margin": 0.25, "state": "over",
    } | said  # fmt: skip


def measured(campaign_id: str = "spring", **said: Any) -> dict[str, Any]:
    """A row of metrics.campaign_impact: the whole audience on the last day, 10 % more spend."""
    return {
        "campaign_id": campaign_id, "as_of_date": date(2024, 3, 28), "metric": "spend", "evidence": "randomised", "is_primary": True,
        "n_treatment": 1000, "n_control": 1000, "mean_treatment": 44.0, "mean_control": 40.0, "day_index": 28, "planned_days": 28,
        "information_fraction": 1.0, "estimator": "difference_of_means_cuped", "p_method": "welch", "lift": 4.0, "lower": 2.0, "upper": 6.0,
        "relative_lift": 0.1, "relative_lower": 0.05, "relative_upper": 0.15, "lower_anytime": 1.0, "upper_anytime": 7.0, "alpha_now": 0.05,
        "p_value": 0.0001, "cuped_rho": 0.5, "buyers_treatment": 600, "buyers_control": 580, "srm_p": 1.0, "incremental_revenue": 4000.0,
        "incremental_revenue_lower": 2000.0, "incremental_revenue_upper": 6000.0, "cost": 600.0, "net_return": 400.0, "net_return_lower": -100.0,
        "net_return_upper": 900.0, "min_detectable": 2.8, "flags": [], "verdict": "win", "message": "",
    } | said  # fmt: skip


def campaigns_file(home: Home, said: Mapping[str, Any]) -> Path:
    """The file of a campaign in a folder of the home's own."""
    import yaml

    home.path.mkdir(parents=True, exist_ok=True)
    (home.path / "settings.yml").write_text("currency: EUR\ncampaigns: planned\n")
    file = home.path / "planned" / f"{said['id']}.yml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(yaml.safe_dump({name: value for name, value in said.items() if value is not None}))
    return file
