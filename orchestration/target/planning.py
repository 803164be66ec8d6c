"""The plan of one campaign as a marketer asks for it: from its file and the current release, or as it was when the campaign started."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from orchestration.campaigns.files import Campaign, read_campaigns
from orchestration.campaigns.receipts import Step, read_receipt
from orchestration.errors import ConfigurationError, nearest
from orchestration.publish.releases import current_release, open_release
from orchestration.settings import Home, Settings
from orchestration.target.business_case import BusinessCase, business_case, read_case


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
    with open_release(home, manifest) as release:
        steps = _audience(release, campaign)
        case = business_case(release, campaign, "audience", steps, manifest.release, manifest.as_of_date)
    return Plan(case, launched=False)


def _audience(release: duckdb.DuckDBPyConnection, campaign: Campaign) -> tuple[Step, ...]:
    """Leaves the campaign's customers in the temporary table ``audience``, and tells the way to them."""
    known = [row[0] for row in release.execute("select segment from catalog.segments").fetchall()]
    if campaign.segment not in known:
        raise ConfigurationError(
            f"{campaign.id} is for the segment {campaign.segment}, which the release does not have; {nearest(campaign.segment, known)}"
        )
    release.execute(
        f"""
        create temp table audience as
        select member.customer_id from segments."{campaign.segment}" as member
        inner join customers.dim_customers as customer using (customer_id)
        where customer.{campaign.channel}_opt_in
        """
    )
    members = release.execute(f'select count(*) from segments."{campaign.segment}"').fetchall()[0][0]
    audience = release.execute("select count(*) from audience").fetchall()[0][0]
    return Step("members", members), Step(f"consented to {campaign.channel}", audience)
