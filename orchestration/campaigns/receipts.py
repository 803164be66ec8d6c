"""What was drawn for a campaign on its launch day, frozen: a folder in the home for each, ``campaigns/<id>/``.

How such a folder is read and written, whole or not at all. Who is drawn is decided in ``target``.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from orchestration.campaigns.files import Campaign
from orchestration.disk import flush
from orchestration.errors import ConfigurationError
from orchestration.settings import Home
from orchestration.sql import literal

RECEIPT, ASSIGNMENT = "receipt.json", "assignment.parquet"

CUSTOMERS_AT_A_TIME = 100_000


@dataclass(frozen=True)
class Step:
    """Customers who are left after a step of the way from the segment to the audience."""

    step: str
    customers: int


@dataclass(frozen=True)
class Stratum:
    """How many customers of a stratum were drawn for each arm."""

    stratum: str
    treatment: int
    control: int


@dataclass(frozen=True)
class Receipt:
    """Everything that the assignment rests on, so that it can be derived again. It has no clock in it: derived again, it is the same to the byte.

    ``campaign`` is the campaign file as it was, ``frozen`` the digest of what may not change in it, ``release`` the release that the audience was taken from, ``as_of_date`` its day and
    ``launched_on`` the day after, from which orders count. ``holdout`` is the share that was asked for once it is a number and ``salt`` the seed of the lots: the campaign's id. ``definition_hash`` is the
    segment's. ``apart_from`` names the exclusive campaigns that were running, whose customers were left out. ``checksum`` is the SHA-256 of the lines
    ``customer_id,arm`` in order of customers. Of a campaign that its sender assigns there are neither steps nor strata nor a checksum.
    """

    campaign: Mapping[str, Any]
    frozen: str
    release: str
    as_of_date: date
    launched_on: date
    definition_hash: str | None = None
    holdout: float | None = None
    global_holdout: float = 0.0
    apart_from: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    strata: tuple[Stratum, ...] = ()
    salt: str = ""
    checksum: str = ""

    @property
    def id(self) -> str:
        return str(self.campaign["id"])

    @property
    def decided(self) -> Campaign:
        """The campaign as it was decided before it started."""
        return Campaign.model_validate(self.campaign)

    @property
    def treatment(self) -> int:
        return sum(one.treatment for one in self.strata)

    @property
    def control(self) -> int:
        return sum(one.control for one in self.strata)

    @property
    def counts_from(self) -> date:
        """The first day whose orders count."""
        return self.decided.counts_from(self.launched_on)

    def text(self) -> str:
        """The receipt as its file has it."""
        return json.dumps(asdict(self), indent=2, sort_keys=True, default=str) + "\n"

    @classmethod
    def read(cls, text: str) -> Receipt:
        said = json.loads(text)
        return cls(
            **said
            | {
                "as_of_date": date.fromisoformat(said["as_of_date"]),
                "launched_on": date.fromisoformat(said["launched_on"]),
                "apart_from": tuple(said["apart_from"]),
                "steps": tuple(Step(**step) for step in said["steps"]),
                "strata": tuple(Stratum(**stratum) for stratum in said["strata"]),
            }
        )


def receipt_folder(home: Home, campaign_id: str) -> Path:
    return home.campaigns / campaign_id


def read_receipt(home: Home, campaign_id: str) -> Receipt | None:
    """The receipt of a campaign; None where it has not started. Raises ConfigurationError where its file is not as it was written."""
    file = receipt_folder(home, campaign_id) / RECEIPT
    if not file.parent.exists():
        return None
    try:
        receipt = Receipt.read(file.read_text(encoding="utf-8"))
        receipt.decided  # noqa: B018 - what was decided can be read too
    except (OSError, ValueError, TypeError, KeyError) as broken:
        raise ConfigurationError(
            f"{file} cannot be read: put back its last version; nobody can draw the same customers twice without it."
        ) from broken
    return receipt


def demand_arms_of_receipt(home: Home, receipt: Receipt) -> None:
    """Raises ConfigurationError where the campaign's assignment is gone, cannot be read, or is not the one that was frozen."""
    file = assignment_file(home, receipt.id)
    if not receipt.checksum:
        return
    try:
        with duckdb.connect() as connection:
            found = checksum(connection, f"read_parquet({literal(file)})")
    except duckdb.Error:
        found = None
    if found != receipt.checksum:
        raise ConfigurationError(
            f"{file} is not what the receipt says: bring it back from a backup; without it nobody knows who was held out, and nothing is measured."
        )


def checksum(connection: duckdb.DuckDBPyConnection, relation: str) -> str:
    """SHA-256 of the lines ``customer_id,arm`` of a relation, in order of customers."""
    digest = hashlib.sha256()
    lines = connection.execute(f"select customer_id || ',' || arm || chr(10) from {relation} order by customer_id")
    while rows := lines.fetchmany(CUSTOMERS_AT_A_TIME):
        digest.update("".join(line for (line,) in rows).encode())
    return digest.hexdigest()


def launched(home: Home) -> list[str]:
    """The campaigns that have started, in order, told by the names of their folders alone: whose receipt is lost has its customers all the same."""
    return sorted(folder.name for folder in home.campaigns.glob("[!.]*") if folder.is_dir())


def read_receipts(home: Home) -> dict[str, Receipt]:
    """Every receipt of the home, by campaign. Raises ConfigurationError where one is not as it was written."""
    found = {name: read_receipt(home, name) for name in launched(home)}
    return {name: receipt for name, receipt in found.items() if receipt is not None}


def readable_receipts(home: Home) -> dict[str, Receipt]:
    """Every receipt that can be read, with the arms that it froze, by campaign: one that is damaged stops no night. What is wrong with it is that campaign's
    state.
    """
    found = {}
    for name in launched(home):
        with suppress(ConfigurationError):
            receipt = read_receipt(home, name)
            if receipt is not None:
                demand_arms_of_receipt(home, receipt)
                found[name] = receipt
    return found


def releases_of_receipts(home: Home) -> frozenset[str] | None:
    """The releases that campaigns were drawn from, and can be drawn from again; None where a receipt cannot be read."""
    try:
        return frozenset(receipt.release for receipt in read_receipts(home).values())
    except ConfigurationError:
        return None


def assignment_file(home: Home, campaign_id: str) -> Path:
    """Parquet, one row per customer of the audience: customer_id, arm (treatment or control), stratum."""
    return receipt_folder(home, campaign_id) / ASSIGNMENT


def keep_receipt(home: Home, campaign_id: str, building: Path) -> None:
    """Makes a folder with everything of a launch the campaign's, by one rename. Raises ConfigurationError where it has one already: it is frozen."""
    folder = receipt_folder(home, campaign_id)
    if folder.exists():
        shutil.rmtree(building)
        raise ConfigurationError(f"{campaign_id} is launched already: its receipt in {folder} is frozen.")
    for written in (*building.iterdir(), building):
        flush(written)
    building.rename(folder)
    flush(home.campaigns)
