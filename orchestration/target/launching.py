"""The morning after a night: each campaign that starts is drawn from the release and frozen with a receipt; and how every campaign stands.

No campaign stops a night: what is wrong with one is its state. How one is drawn is in ``drawing``.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Literal

import duckdb

from orchestration.campaigns.files import MAY_CHANGE, Campaign, CampaignFiles, read_campaigns
from orchestration.campaigns.receipts import (
    ASSIGNMENT,
    RECEIPT,
    Receipt,
    assignment_file,
    demand_arms_of_receipt,
    keep_receipt,
    launched,
    read_receipt,
)
from orchestration.errors import CampaignWaits, ConfigurationError, SegmentsError, without_values
from orchestration.publish.releases import Manifest, current_release, open_release
from orchestration.settings import Home, Settings
from orchestration.sql import literal
from orchestration.target.arms import ARMS
from orchestration.target.audience import AUDIENCE, demand_fresh_segments, demand_known_names
from orchestration.target.business_case import CASE, business_case, case_text, smallest_holdout
from orchestration.target.drawing import Ground, SmallestHoldout, receipt_of
from orchestration.target.target_list import write_target_list
from orchestration.warehouse import Warehouse, only_one_refresh

State = Literal["planned", "waiting", "launched", "over", "missed", "refused", "running", "withdrawn"]

#: States of which somebody has to know; of one that is past, for so many days after its end.
TROUBLE: tuple[State, ...] = ("waiting", "missed", "refused")
DAYS_MISSED = 7

BUILDING = ".building-"


@dataclass(frozen=True)
class CampaignState:
    """How a campaign stands on the morning after the current release's day, and why.

    planned: it starts later, or with the next night. waiting: it should have started and could not. launched: it is frozen and runs or is
    still measured. over: its last measured day has passed. missed: it ended and never started. refused: its file cannot be read,
    or is not the one that was frozen; a receipt stands all the same. running, withdrawn: another system runs it, or
    names it no more. ``treatment`` and ``control`` are customers, null where not we drew them; ``assigned_by`` is ``us`` or ``sender``, null where its file cannot be read.
    """

    id: str
    name: str | None
    segment: str | None
    state: State
    because: str | None
    starts_on: date | None
    ends_on: date | None
    measured_until: date | None
    launched_on: date | None = None
    treatment: int | None = None
    control: int | None = None
    assigned_by: str | None = None


@dataclass(frozen=True)
class Morning:
    """What is known when campaigns start: the release of the night that has just ended, the files, and how the smallest holdout is found."""

    home: Home
    settings: Settings
    manifest: Manifest
    files: CampaignFiles
    smallest: SmallestHoldout

    @property
    def day(self) -> date:
        return self.manifest.as_of_date + timedelta(1)


#: What is done with a campaign that should start: it is launched, or only tried.
Start = Callable[[Morning, Campaign], CampaignState]


def launch(home: Home, settings: Settings, smallest: SmallestHoldout = smallest_holdout) -> list[CampaignState]:
    """Launches each campaign that starts on the morning after the current release's day or has been waiting since, in order of ids.

    A campaign that has a receipt is left as it is, so that a morning done twice changes nothing; what a kill left is removed. Gives how every campaign stands
    then. Raises RefreshRunning while another process is at work.
    """
    with only_one_refresh(home):
        for left in home.campaigns.glob(f"{BUILDING}*"):
            shutil.rmtree(left)
        return _each_campaign(home, settings, smallest, _launch)


def states(home: Home, settings: Settings, smallest: SmallestHoldout = smallest_holdout) -> list[CampaignState]:
    """How every campaign stands; nothing is launched, but what would keep one from it is said."""
    return _each_campaign(home, settings, smallest, _try)


def states_once_launched(
    home: Home, settings: Settings, smallest: SmallestHoldout = smallest_holdout
) -> list[CampaignState]:
    """How every campaign stands once the launch of the morning is through: one that could be drawn and has no receipt then could not be written, and waits."""
    manifest = current_release(home)
    return [
        replace(one, state="waiting", because=_unwritten(home, one, manifest.as_of_date))
        if manifest and one.state == "planned" and one.starts_on and one.starts_on <= manifest.as_of_date + timedelta(1)
        else one
        for one in states(home, settings, smallest)
    ]


def _unwritten(home: Home, one: CampaignState, day: date) -> str:
    return (
        f"it could be drawn and has no receipt in {home.campaigns}, so writing it failed (the run says why): see that there is room and that the folder can be "
        f"written, and try again with `segments refresh --as-of {day}`. Nothing of {one.id} is sent until then."
    )


def in_trouble(found: Iterable[CampaignState], day: date) -> list[CampaignState]:
    """Those of the campaigns of which somebody has to know on the release's day."""
    return [
        one
        for one in found
        for last in [one.ends_on if one.state == "missed" else one.measured_until]
        if one.state in TROUBLE and (one.state == "waiting" or last is None or day <= last + timedelta(DAYS_MISSED))
    ]


@contextmanager
def release_to_draw_from(home: Home, settings: Settings, manifest: Manifest) -> Iterator[duckdb.DuckDBPyConnection]:
    """A release, to read, with temporary tables of its own and the settings' limits."""
    with open_release(home, manifest) as release:
        for name, value in Warehouse(home, settings).limits.items():
            release.execute(f"set {name} = {literal(value)}")
        yield release


def _each_campaign(home: Home, settings: Settings, smallest: SmallestHoldout, start: Start) -> list[CampaignState]:
    files, manifest = read_campaigns(home, settings), current_release(home)
    ids = sorted({*files.campaigns, *(Path(file).stem for file in files.wrong), *launched(home)})
    if manifest is None:
        return [_before_the_first_release(files, one) for one in ids]
    morning = Morning(home, settings, manifest, files, smallest)
    return [_state(morning, one, start) for one in ids]


def _before_the_first_release(files: CampaignFiles, campaign_id: str) -> CampaignState:
    if campaign_id not in files.campaigns:
        return _unreadable(campaign_id, files.wrong_with(campaign_id) or "its file is gone")
    return _said(files.campaigns[campaign_id], "planned", "there is no release yet: make one with `segments refresh`.")


def _state(morning: Morning, campaign_id: str, start: Start) -> CampaignState:
    campaign, wrong = morning.files.campaigns.get(campaign_id), morning.files.wrong_with(campaign_id)
    try:
        receipt = read_receipt(morning.home, campaign_id)
    except ConfigurationError as broken:
        return _said(campaign, "refused", str(broken)) if campaign else _unreadable(campaign_id, str(broken))
    if receipt is not None:
        return _of_launched(morning, receipt, campaign, wrong)
    if campaign is None:
        return _unreadable(campaign_id, wrong or "its file is gone")
    if renamed := renamed_since(morning.home, morning.files, campaign):
        return _said(campaign, "refused", renamed)
    if campaign.starts_on > morning.day:
        return _said(campaign, "planned")
    if campaign.ends_on < morning.day:
        because = f"it ended on {campaign.ends_on} and never started: give it other days, or remove {campaign.id}.yml."
        return _said(campaign, "missed", because)
    return _started(morning, campaign, start)


def _started(morning: Morning, campaign: Campaign, start: Start) -> CampaignState:
    try:
        return start(morning, campaign)
    except SegmentsError as reason:
        return _said(campaign, "waiting", str(reason))
    except duckdb.Error as problem:
        return _said(campaign, "waiting", f"DuckDB gave up on it: {without_values(str(problem))}. Refresh again.")
    except OSError as problem:
        because = f"its files could not be written ({problem.strerror}): make room in {morning.home.campaigns}, and refresh again."
        return _said(campaign, "waiting", because)


def _try(morning: Morning, campaign: Campaign) -> CampaignState:
    with release_to_draw_from(morning.home, morning.settings, morning.manifest) as release:
        receipt = _draw(morning, release, campaign)
    because = f"it starts with the next night, or with `segments refresh --as-of {morning.manifest.as_of_date}`."
    return replace(_of_receipt(receipt, "planned", because), launched_on=None)


def _launch(morning: Morning, campaign: Campaign) -> CampaignState:
    building = morning.home.campaigns / f"{BUILDING}{campaign.id}"
    with release_to_draw_from(morning.home, morning.settings, morning.manifest) as release:
        receipt = _draw(morning, release, campaign)
        building.mkdir(parents=True, mode=0o700)
        try:
            _write(release, morning.home, receipt, building)
            keep_receipt(morning.home, campaign.id, building)
        finally:
            shutil.rmtree(building, ignore_errors=True)
    return _of_receipt(receipt, "launched")


def _draw(morning: Morning, release: duckdb.DuckDBPyConnection, campaign: Campaign) -> Receipt:
    """Draws the campaign into the release's temporary tables. Raises CampaignWaits with what it waits for."""
    if campaign.assigned_by == "us":
        demand_fresh_segments(release, campaign)
    ground = Ground(
        campaign=campaign.said(),
        release=morning.manifest.release,
        as_of_date=morning.manifest.as_of_date,
        global_holdout=morning.settings.global_holdout,
        others=running_exclusive(morning.home, campaign, morning.day) if campaign.exclusive else {},
    )
    return receipt_of(release, ground, morning.smallest)


def wrong_since_the_release(home: Home, files: CampaignFiles) -> dict[str, str]:
    """By file, what is wrong with campaigns that can be read: they started and say otherwise since, or the release has not what they name."""
    manifest = current_release(home)
    if manifest is None:
        return {}
    with open_release(home, manifest) as release:
        found = {
            one.id: _wrong(home, files, release, one)
            for one in files.campaigns.values()
            if one.ends_on > manifest.as_of_date
        }
    return {f"{campaign_id}.yml": sentence for campaign_id, sentence in found.items() if sentence is not None}


def _wrong(home: Home, files: CampaignFiles, release: duckdb.DuckDBPyConnection, campaign: Campaign) -> str | None:
    try:
        receipt = read_receipt(home, campaign.id)
        if receipt is not None:
            return edited_since(receipt, campaign)
        if renamed := renamed_since(home, files, campaign):
            return renamed
        if campaign.assigned_by == "us":
            demand_known_names(release, campaign)
    except ConfigurationError as wrong:
        return str(wrong)
    return None


def running_exclusive(home: Home, campaign: Campaign, day: date) -> dict[str, Path]:
    """The assignments of the exclusive campaigns whose days, from their launch to the last measured, meet those of one launched on ``day``.

    Raises CampaignWaits where a receipt or its arms are not as they were frozen: nobody knows then whom that campaign has.
    """
    others = {}
    for other in launched(home):
        try:
            receipt = read_receipt(home, other)
            if receipt is not None and receipt.checksum and receipt.decided.exclusive and other != campaign.id:
                last = receipt.decided.measured_until
                if last >= day and receipt.launched_on <= campaign.measured_until:
                    demand_arms_of_receipt(home, receipt)
                    others[other] = assignment_file(home, other)
        except ConfigurationError as broken:
            raise CampaignWaits(
                f"nobody knows whom {other} has, from which it is to be kept apart: {broken} Once {other} is over, its folder may be moved away instead."
            ) from broken
    return others


def _write(release: duckdb.DuckDBPyConnection, home: Home, receipt: Receipt, building: Path) -> None:
    if receipt.checksum:
        release.execute(
            f"copy (from {ARMS} order by customer_id) to {literal(building / ASSIGNMENT)} (format parquet, compression zstd)"
        )
        write_target_list(release, home, receipt.decided.channel, receipt.as_of_date, building)
        case = business_case(release, receipt.decided, AUDIENCE, receipt.steps, receipt.release, receipt.as_of_date)
        (building / CASE).write_text(case_text(case), encoding="utf-8")
    (building / RECEIPT).write_text(receipt.text(), encoding="utf-8")
    building.chmod(0o755)


def _of_launched(morning: Morning, receipt: Receipt, campaign: Campaign | None, wrong: str | None) -> CampaignState:
    if wrong is not None:
        return _of_receipt(receipt, "refused", f"{wrong} What was frozen on {receipt.launched_on} stands.")
    try:
        demand_arms_of_receipt(morning.home, receipt)
    except ConfigurationError as altered:
        return _of_receipt(receipt, "refused", str(altered))
    if campaign is not None and (edited := edited_since(receipt, campaign)):
        return _of_receipt(receipt, "refused", edited)
    state: State = "over" if receipt.decided.measured_until < morning.day else "launched"
    gone = None if campaign else f"its file is gone; what was frozen on {receipt.launched_on} stands."
    shown = _of_receipt(receipt, state, gone)
    return replace(shown, name=campaign.name) if campaign else shown


def edited_since(receipt: Receipt, campaign: Campaign) -> str | None:
    """What is wrong with the file of a campaign that has started; None where nothing is that may not be."""
    fields = receipt.decided.frozen_fields_unlike(campaign)
    if not fields:
        return None
    are = "is" if len(fields) == 1 else "are"
    return (
        f"{', '.join(fields)} of {receipt.id}.yml {are} not what was frozen when it started on {receipt.launched_on}, which stands: put back "
        f"what it said, and plan another campaign under an id of its own. What may change: {', '.join(MAY_CHANGE)}."
    )


def renamed_since(home: Home, files: CampaignFiles, campaign: Campaign) -> str | None:
    """What is wrong with a campaign that has not started and says what another one said that has, whose file is gone: it would be drawn a second time."""
    for other in launched(home):
        if other in files.campaigns or files.wrong_with(other) is not None:
            continue
        receipt = None
        with suppress(ConfigurationError):  # what cannot be read is that campaign's own trouble
            receipt = read_receipt(home, other)
        if receipt is not None and receipt.decided.frozen_fields_unlike(campaign) == ("id",):
            return (
                f"{campaign.id}.yml says what {receipt.id}.yml said, which is gone and started on {receipt.launched_on}: call it {receipt.id}.yml again, "
                f"for an id never changes; if it is another campaign, put {receipt.id}.yml back beside it."
            )
    return None


def _said(campaign: Campaign, state: State, because: str | None = None) -> CampaignState:
    return CampaignState(
        id=campaign.id,
        name=campaign.name,
        segment=campaign.segment,
        state=state,
        because=because,
        starts_on=campaign.starts_on,
        ends_on=campaign.ends_on,
        measured_until=campaign.measured_until,
        assigned_by=campaign.assigned_by,
    )


def _of_receipt(receipt: Receipt, state: State, because: str | None = None) -> CampaignState:
    drawn = bool(receipt.checksum)
    return replace(
        _said(receipt.decided, state, because),
        launched_on=receipt.launched_on,
        treatment=receipt.treatment if drawn else None,
        control=receipt.control if drawn else None,
    )


def _unreadable(campaign_id: str, because: str) -> CampaignState:
    return CampaignState(campaign_id, None, None, "refused", because, None, None, None)
