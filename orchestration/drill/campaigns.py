"""Campaigns whose effect is known, because it is planted: in a copy of a home customers are drawn, some of the orders of those who are contacted are made twice,
and the nights run as they would. What the release then says of them is held against what was planted.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb
import yaml

from orchestration.campaigns.files import Campaign
from orchestration.campaigns.receipts import Receipt, assignment_file, read_receipt
from orchestration.days import ONE_DAY, Days
from orchestration.drill.faults import ORDER_LINES, Fault
from orchestration.drill.nights import Rehearsal
from orchestration.drill.planting import Tonight
from orchestration.errors import ConfigurationError, ExtractMissing, nearest
from orchestration.publish.releases import current_release, open_release
from orchestration.settings import Home, Settings, load_settings
from orchestration.sql import literal
from orchestration.target.launching import states

#: Where the copy has its campaign files.
FILES = "campaign_files"
#: Contacts are made in the first so many days of a simulated campaign.
CONTACT_DAYS = 7

MEASURED = """
select n_treatment, n_control, lift, lower, upper, p_value, verdict, message
from metrics.campaign_impact
where campaign_id = $campaign and is_primary
qualify row_number() over (order by as_of_date desc) = 1
"""


@dataclass(frozen=True)
class Planned:
    """A campaign to be simulated: each order of a contacted customer in its window is made twice with the chance ``effect``."""

    campaign: Campaign
    effect: float


@dataclass(frozen=True)
class Simulation:
    """What was planted, and what was measured of it: net spend per customer who was contacted, in the business currency."""

    campaign_id: str
    name: str
    treatment: int
    control: int
    planted: float
    lift: float
    lower: float | None
    upper: float | None
    p_value: float | None
    verdict: str
    message: str

    @property
    def is_covered(self) -> bool:
        return self.lower is not None and self.upper is not None and self.lower <= self.planted <= self.upper


def planned_campaign(
    campaign_id: str, name: str, segment: str, channel: str, launch: date, days: int, holdout: float, currency: str
) -> Campaign:
    """A campaign file for a simulation: net spend is measured for so many days from the launch."""
    contact_days = min(CONTACT_DAYS, days)
    return Campaign.model_validate(
        {
            "id": campaign_id,
            "name": name,
            "objective": "Know whether the measurement can be believed",
            "segment": segment,
            "channel": channel,
            "starts_on": launch,
            "ends_on": launch + timedelta(contact_days - 1),
            "measured_days": days - contact_days,
            "holdout": holdout,
            "primary_metric": "spend",
            "secondary_metrics": ["ordered", "orders"],
            "exclusive": False,
            "currency": currency,
            "contact_cost": 0,
        }
    )


def days_to_simulate(home: Home, days: int) -> Days:
    """The last days of the home's release: so many that a campaign is measured to its end. Raises ConfigurationError where it has not so many."""
    manifest = current_release(home)
    if manifest is None:
        raise ExtractMissing(f"There is no release in {home.releases} yet: make one with `segments refresh`.")
    first = manifest.as_of_date - timedelta(days - 1)
    if first <= manifest.first_as_of_date:
        raise ConfigurationError(
            f"The record of {home.path} begins on {manifest.first_as_of_date}: {days} days before {manifest.as_of_date} there is nothing to launch from."
        )
    return Days(first, manifest.as_of_date)


def simulate(
    home: Home,
    folder: Path,
    planned: Sequence[Planned],
    days: Days,
    progress: Callable[[str], None] = lambda said: None,
) -> list[Simulation]:
    """Plays the campaigns, which start with the first of the days, in a copy of the home below the folder. The home itself is only read.

    Raises ConfigurationError where a campaign could not be launched in the copy.
    """
    rehearsal = Rehearsal(folder)
    copy = rehearsal.home
    rehearsal.copy_facts(home, before=days.first)
    _write_files(copy, [one.campaign for one in planned])
    eve = days.first - ONE_DAY
    progress(f"refreshing {eve}, whose release the customers are drawn from")
    night = rehearsal.refresh(Days(eve, eve))
    receipts = [read_receipt(copy, one.campaign.id) for one in planned]
    for one, receipt in zip(planned, receipts, strict=True):
        if receipt is None:
            raise ConfigurationError(
                f"{one.campaign.name} was not launched in the copy: {_why_not_launched(copy, one.campaign.id) or night.said}"
            )
    progress(f"refreshing {days}, with the planted orders")
    for day in days:
        Tonight(home, day).plant(copy, _orders_made_twice(copy, planned))
    rehearsal.refresh(days)
    return [_measured(copy, receipt, days) for receipt in receipts if receipt is not None]


def simulate_one(
    home: Home,
    settings: Settings,
    *,
    segment: str,
    effect: float,
    holdout: float,
    days: int,
    channel: str,
    keep: Path | None = None,
    progress: Callable[[str], None] = lambda said: None,
) -> Simulation:
    """One campaign on the last days of the home's record, in a folder that is kept or in one that goes. Raises ConfigurationError as ``simulate`` does, and
    where there is no such segment or the folder to keep is there already.
    """
    when = days_to_simulate(home, days)
    _demand_known_segment(home, segment)
    campaign = planned_campaign(
        "simulated", "A simulated campaign", segment, channel, when.first, days, holdout, settings.currency
    )
    planned = [Planned(campaign, effect)]
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="segments-campaign-") as folder:
            return simulate(home, Path(folder), planned, when, progress)[0]
    if keep.exists():
        raise ConfigurationError(f"{keep} is there already: name a new folder, so that nothing in it is lost.")
    return simulate(home, keep, planned, when, progress)[0]


def _demand_known_segment(home: Home, segment: str) -> None:
    """Raises ConfigurationError before the nights of the copy, which take their time."""
    manifest = current_release(home)
    if manifest is None:
        return
    with open_release(home, manifest) as release:
        known = [name for (name,) in release.execute("select segment from catalog.segments order by all").fetchall()]
    if segment not in known:
        raise ConfigurationError(
            f"There is no segment {segment} in release {manifest.release}; {nearest(segment, known)}"
        )


def _why_not_launched(copy: Home, campaign_id: str) -> str | None:
    return next((one.because for one in states(copy, load_settings(copy)) if one.id == campaign_id), None)


def rows_of(simulations: Sequence[Simulation]) -> list[dict[str, object]]:
    """What was planted beside what was measured, a row per campaign."""
    return [
        {
            "campaign": one.campaign_id,
            "treated": one.treatment,
            "control": one.control,
            "planted": f"{one.planted:+.2f}",
            "measured": f"{one.lift:+.2f}",
            "95 % interval": "–" if one.lower is None or one.upper is None else f"{one.lower:+.2f} to {one.upper:+.2f}",
            "holds it": one.is_covered,
            "verdict": one.verdict,
        }
        for one in simulations
    ]


def _write_files(copy: Home, campaigns: Sequence[Campaign]) -> None:
    folder = copy.path / FILES
    folder.mkdir()
    for campaign in campaigns:
        text = yaml.safe_dump(campaign.model_dump(mode="json", exclude_none=True), sort_keys=False)
        (folder / f"{campaign.id}.yml").write_text(text, encoding="utf-8")
    settings = copy.path / "settings.yml"
    said = settings.read_text(encoding="utf-8") if settings.exists() else ""
    kept = [line for line in said.splitlines() if not line.startswith(("campaigns:", "global_holdout:"))]
    settings.write_text("\n".join([*kept, f"campaigns: {FILES}", ""]), encoding="utf-8")


def _orders_made_twice(copy: Home, planned: Sequence[Planned]) -> Fault:
    """The day's order lines, and some orders of the contacted once more, at another minute: two alike would be taken for one that was sent twice. Which
    ones depends on the order and the campaign alone.
    """
    again = [
        "select * replace ("
        f"{literal(_prefix(one.campaign.id))} || order_line_id as order_line_id, {literal(_prefix(one.campaign.id))} || order_id as order_id, "
        "date_trunc('hour', ordered_at) + to_minutes((minute(ordered_at) + 30) % 60) as ordered_at) "
        "from extract where customer_id in "
        f"(select customer_id from read_parquet({literal(assignment_file(copy, one.campaign.id))}) where arm = 'treatment') "
        f"and ('0x' || md5(order_id || {literal(one.campaign.id)})[:8])::ubigint < {one.effect} * 4294967296"
        for one in planned
        if one.effect > 0
    ]
    rows = " union all ".join(["select * from extract", *again])
    return Fault("orders_made_twice", "Some orders of the contacted are made twice.", ORDER_LINES, rows=rows)


def _prefix(campaign_id: str) -> str:
    return f"planted-{campaign_id}-"


def _measured(copy: Home, receipt: Receipt, days: Days) -> Simulation:
    with duckdb.connect() as connection:
        archived = copy.archive / ORDER_LINES.id / "*" / "data.parquet"
        found = connection.execute(
            f"select coalesce(sum(amount), 0)::double from read_parquet({literal(archived)}) where starts_with(order_line_id, $prefix)",
            {"prefix": _prefix(receipt.id)},
        ).fetchall()
    manifest = current_release(copy)
    assert manifest is not None
    with open_release(copy, manifest) as release:
        rows = release.execute(MEASURED, {"campaign": receipt.id}).fetchall()
    if not rows:
        raise ConfigurationError(f"{receipt.decided.name} was not measured in the copy: see {copy.path}.")
    treatment, control, lift, lower, upper, p_value, verdict, message = rows[0]
    planted = found[0][0] / treatment
    return Simulation(
        receipt.id, receipt.decided.name, treatment, control, planted, lift, lower, upper, p_value, verdict, message
    )
