"""The plan of one campaign as a marketer asks for it: from its file and the current release, or as it was when the campaign started."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from orchestration.campaigns.files import read_campaigns
from orchestration.campaigns.receipts import read_receipt
from orchestration.errors import ConfigurationError
from orchestration.publish.releases import current_release, open_for_reading
from orchestration.read.campaigns import CampaignLine, campaigns
from orchestration.settings import Home, Settings
from orchestration.target.audience import AUDIENCE, find_audience
from orchestration.target.business_case import BusinessCase, business_case, read_case
from orchestration.target.launching import release_to_draw_from, running_exclusive


@dataclass(frozen=True)
class Plan:
    """A business case; ``launched`` where it is the one with which the campaign started."""

    case: BusinessCase
    launched: bool


def read_plan(home: Home, settings: Settings, campaign_id: str) -> Plan | None:
    """The plan of a campaign; None before the first release.

    Raises ConfigurationError where there is no such campaign, or the release has not its segment.
    """
    if read_receipt(home, campaign_id) is not None and (kept := read_case(home, campaign_id)) is not None:
        return Plan(kept, launched=True)
    manifest, files = current_release(home), read_campaigns(home, settings)
    if manifest is not None and campaign_id not in files.campaigns:
        _demand_ours(home, campaign_id)
    campaign = files.named(campaign_id)
    if manifest is None:
        return None
    if campaign.ends_on < manifest.as_of_date + timedelta(1):
        raise ConfigurationError(
            f"{campaign_id} ended on {campaign.ends_on} and never started: give it other days, and it can be planned."
        )
    morning = max(campaign.starts_on, manifest.as_of_date + timedelta(1))
    others = running_exclusive(home, campaign, morning) if campaign.exclusive else {}
    with release_to_draw_from(home, settings, manifest) as release:
        steps = find_audience(release, campaign, settings.global_holdout, others)
        case = business_case(release, campaign, AUDIENCE, steps, manifest.release, manifest.as_of_date)
    return Plan(case, launched=False)


def others(home: Home, known: Iterable[str]) -> list[CampaignLine]:
    """The campaigns that the release has from another system, besides those ``known`` here, the newest first; none before the first release."""
    release = open_for_reading(home)
    if release is None:
        return []
    try:
        return [one for one in campaigns(release) if one.campaign_id not in set(known)]
    finally:
        release.close()


def _demand_ours(home: Home, campaign_id: str) -> None:
    for one in others(home, ()):
        if one.campaign_id == campaign_id and one.assigned_by != "us":
            raise ConfigurationError(
                f"{campaign_id} is a campaign of another system, of which there is no plan here; see what it did: segments campaign show {campaign_id}."
            )
