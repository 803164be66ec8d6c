"""Whether a receipt holds: the campaign drawn again from the release that it names, with today's code, and compared byte for byte."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from orchestration.campaigns.receipts import (
    RECEIPT,
    Receipt,
    assignment_file,
    demand_arms_of_receipt,
    read_receipt,
    receipt_folder,
)
from orchestration.errors import ConfigurationError, ReleaseDamaged, SegmentsError
from orchestration.measure.campaigns.figures import several
from orchestration.publish.releases import MANIFEST, Manifest
from orchestration.publish.releases import verify as verify_release
from orchestration.settings import Home, Settings
from orchestration.sql import literal
from orchestration.target.arms import ARMS
from orchestration.target.drawing import Ground, receipt_of
from orchestration.target.launching import release_to_draw_from
from orchestration.target.target_list import CSV, PARQUET


@dataclass(frozen=True)
class Verification:
    """Whether the receipt of a campaign comes out again to the byte, and the sentence that says so or what differs."""

    campaign_id: str
    release: str
    launched_on: date
    holds: bool
    sentence: str


def verify(home: Home, settings: Settings, campaign_id: str) -> Verification:
    """Draws a campaign again from its receipt's release and the campaigns that it was kept apart from. Raises ConfigurationError where it has no receipt."""
    receipt = read_receipt(home, campaign_id)
    if receipt is None:
        raise ConfigurationError(
            f"{campaign_id} has no receipt in {home.campaigns}: it has not started, see `segments campaign list`; of a campaign that another system runs nothing is drawn here."
        )
    try:
        differences = list(_differences(home, settings, receipt))
        said = f"does not come out again from release {receipt.release}: {'; '.join(differences)}"
    except SegmentsError as reason:
        differences, said = [str(reason)], f"cannot be derived again: {reason}"
    if not differences:
        drawn = f"{receipt.treatment:,} treated and {receipt.control:,} held out" if receipt.checksum else "its file"
        said = f"comes out again from release {receipt.release} to the byte: {drawn}"
    sentence = f"The receipt of {campaign_id} {said.rstrip('.')}.{_of_a_removed_list(home, receipt)}"
    return Verification(campaign_id, receipt.release, receipt.launched_on, not differences, sentence)


def _of_a_removed_list(home: Home, receipt: Receipt) -> str:
    """Whom to contact is on record without the list, which is to be removed once it is sent; addresses are not, on purpose."""
    folder = receipt_folder(home, receipt.id)
    if not receipt.checksum or any((folder / name).exists() for name in (CSV, PARQUET)):
        return ""
    return (
        f" Its target list was removed; to get it again take whoever has the arm treatment in {assignment_file(home, receipt.id)}, "
        "with addresses as the CRM has them today, and without those who have unsubscribed since."
    )


def _differences(home: Home, settings: Settings, receipt: Receipt) -> Iterator[str]:
    manifest = _its_release(home, receipt)
    decided = receipt.decided
    ground = Ground(
        campaign=receipt.campaign,
        release=manifest.release,
        as_of_date=manifest.as_of_date,
        global_holdout=receipt.global_holdout,
        # How large the smallest holdout is was worked out once; it is a fact since.
        holdout=receipt.holdout if decided.holdout == "smallest" else None,
        others={other: _its_assignment(home, other) for other in receipt.apart_from},
    )
    with release_to_draw_from(home, settings, manifest) as release:
        again = receipt_of(release, ground)
        yield from _unlike(receipt_folder(home, receipt.id) / RECEIPT, again)
        if again.checksum:
            yield from _arms_unlike(release, assignment_file(home, receipt.id))


def _its_release(home: Home, receipt: Receipt) -> Manifest:
    folder = home.releases / receipt.release
    if not (folder / MANIFEST).exists():
        raise ReleaseDamaged(
            f"its release {receipt.release} is gone from {home.releases}: bring it back from a backup."
        )
    manifest = Manifest.read(folder)
    verify_release(folder, manifest)
    return manifest


def _its_assignment(home: Home, other: str) -> Path:
    """The assignment of a campaign that was kept apart from, as its own receipt has it."""
    file, receipt = assignment_file(home, other), read_receipt(home, other)
    try:
        if receipt is not None:
            demand_arms_of_receipt(home, receipt)
            return file
    except ConfigurationError as altered:
        raise _other_is_altered(file, other) from altered
    raise _other_is_altered(file, other)


def _other_is_altered(file: Path, other: str) -> ConfigurationError:
    return ConfigurationError(
        f"its customers were kept apart from those of {other}, whose assignment is not the one of its receipt: bring {file} back from a backup."
    )


def _unlike(file: Path, again: Receipt) -> Iterator[str]:
    text = file.read_text(encoding="utf-8")
    if text == again.text():
        return
    said, derived = json.loads(text), json.loads(again.text())
    fields = [field for field in derived if said.get(field) != derived[field]]
    yield f"other {', '.join(fields)}" if fields else f"{file.name} is written otherwise"


def _arms_unlike(release: duckdb.DuckDBPyConnection, file: Path) -> Iterator[str]:
    if not file.exists():
        yield f"{file.name} is gone"
        return
    ((unlike,),) = release.execute(
        f"select count(*) from {ARMS} as again full join read_parquet({literal(file)}) as kept using (customer_id) "
        "where again.arm is distinct from kept.arm or again.stratum is distinct from kept.stratum"
    ).fetchall()
    if unlike:
        yield f"{file.name} has another arm or stratum for {several(unlike, 'customer')}"
