"""The plan of one campaign as a marketer asks for it: from its file and the current release, or as it was when the campaign started."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from orchestration.campaigns.files import read_campaigns
from orchestration.campaigns.receipts import read_receipt
from orchestration.publish.releases import current_release
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
    campaign = read_campaigns(home, settings).named(campaign_id)
    manifest = current_release(home)
    if manifest is None:
        return None
    morning = max(campaign.starts_on, manifest.as_of_date + timedelta(1))
    others = running_exclusive(home, campaign, morning) if campaign.exclusive else {}
    with release_to_draw_from(home, settings, manifest) as release:
        steps = find_audience(release, campaign, settings.global_holdout, others)
        case = business_case(release, campaign, AUDIENCE, steps, manifest.release, manifest.as_of_date)
    return Plan(case, launched=False)
