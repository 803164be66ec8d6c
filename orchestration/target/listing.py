"""Every campaign that anybody knows: our own, and those that another system runs, of which only ``crm/campaigns`` tells. How ours stand is found in ``launching``."""

from __future__ import annotations

import duckdb

from orchestration.publish.releases import current_release, open_release
from orchestration.settings import Home, Settings
from orchestration.target.launching import CampaignState, states
from orchestration.target.like_campaigns import knows_campaigns

#: What came of a file has an objective. In order of their starts: their ids are another system's.
OF_THE_SENDER = """
select campaign_id, campaign_name, segment, state, starts_on, ends_on, measured_until
from catalog.campaigns
where assigned_by = 'sender' and objective is null
order by starts_on, campaign_id
"""


def all_campaigns(home: Home, settings: Settings) -> list[CampaignState]:
    """How every campaign stands on the morning after the current release's day, ours first."""
    ours = states(home, settings)
    known = {one.id for one in ours}
    return [*ours, *(one for one in senders_campaigns(home) if one.id not in known)]


def senders_campaigns(home: Home) -> list[CampaignState]:
    """The campaigns of which only the sender's extract tells, as the current release's catalogue has them."""
    manifest = current_release(home)
    if manifest is None:
        return []
    with open_release(home, manifest) as release:
        return _listed(release) if knows_campaigns(release) else []


def _listed(release: duckdb.DuckDBPyConnection) -> list[CampaignState]:
    return [
        CampaignState(
            id=campaign_id,
            name=name,
            segment=segment,
            state=state,
            because=None,
            starts_on=starts_on,
            ends_on=ends_on,
            measured_until=measured_until,
            assigned_by="sender",
        )
        for campaign_id, name, segment, state, starts_on, ends_on, measured_until in release.execute(
            OF_THE_SENDER
        ).fetchall()
    ]
