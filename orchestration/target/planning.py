"""The plan of one campaign as a marketer asks for it: from its file and the current release, or as it was when the campaign started."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from orchestration.campaigns.files import Campaign, read_campaigns
from orchestration.campaigns.receipts import read_receipt
from orchestration.errors import ConfigurationError
from orchestration.publish.releases import current_release
from orchestration.settings import Home, Settings
from orchestration.target.audience import AUDIENCE, find_audience
from orchestration.target.business_case import BusinessCase, business_case, read_case
from orchestration.target.launching import CampaignState, release_to_draw_from, running_exclusive
from orchestration.target.listing import senders_campaigns


@dataclass(frozen=True)
class Plan:
    """A business case; ``launched`` where it is the one with which the campaign started."""

    case: BusinessCase
    launched: bool


def read_plan(home: Home, settings: Settings, campaign_id: str) -> Plan | None:
    """The plan of a campaign; None before the first release.

    Raises ConfigurationError where there is no such campaign, the release has not its segment, it has ended without one, or another system runs it.
    """
    receipt = read_receipt(home, campaign_id)
    if receipt is not None and (kept := read_case(home, campaign_id)) is not None:
        return Plan(kept, launched=True)
    files, senders = read_campaigns(home, settings), {one.id: one for one in senders_campaigns(home)}
    if campaign_id in senders and campaign_id not in files.campaigns and not files.wrong_with(campaign_id):
        raise ConfigurationError(_of_the_sender(senders[campaign_id]))
    campaign = files.named(campaign_id, senders)
    manifest = current_release(home)
    if manifest is None:
        return None
    morning = manifest.as_of_date + timedelta(1)
    if campaign.ends_on < morning:
        raise ConfigurationError(_ended(campaign, has_started=receipt is not None))
    morning = max(campaign.starts_on, morning)
    others = running_exclusive(home, campaign, morning) if campaign.exclusive else {}
    with release_to_draw_from(home, settings, manifest) as release:
        steps = find_audience(release, campaign, settings.global_holdout, others)
        case = business_case(release, campaign, AUDIENCE, steps, manifest.release, manifest.as_of_date)
    return Plan(case, launched=False)


def _of_the_sender(one: CampaignState) -> str:
    if one.state == "planned":
        return (
            f"{one.id} is run by another system, which says only that it starts on {one.starts_on}. To plan it, say in a file {one.id}.yml what is to be "
            "compared, with `assigned_by: sender`: docs/how_to/plan_a_campaign.md."
        )
    return f"{one.id} is run by another system, and nothing was planned of it here. What it did: segments campaign show {one.id}."


def _ended(campaign: Campaign, has_started: bool) -> str:
    if has_started:
        return f"{campaign.id} ended on {campaign.ends_on}, and no plan of it was kept. What it did: segments campaign show {campaign.id}."
    return (
        f"{campaign.id} ended on {campaign.ends_on} and never started, so there is nothing left to plan: give it other days in {campaign.id}.yml, "
        "or remove the file."
    )
