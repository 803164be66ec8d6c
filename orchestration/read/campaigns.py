"""The campaigns of a release, each with what the newest day says of it. What came of one, figure by figure, is in ``target``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from orchestration.read.opened import Release

CAMPAIGNS = """
with newest as (
    select * from metrics.campaign_impact where segment is null and is_primary
    qualify row_number() over (partition by campaign_id order by as_of_date desc) = 1
)

select
    campaigns.campaign_id, coalesce(campaigns.campaign_name, campaigns.campaign_id), campaigns.segment, campaigns.channel, campaigns.state,
    campaigns.starts_on, campaigns.ends_on, campaigns.measured_until, newest.evidence, newest.verdict, coalesce(newest.message, '')
from catalog.campaigns as campaigns
left join newest using (campaign_id)
order by campaigns.starts_on desc nulls last, campaigns.campaign_id
"""


@dataclass(frozen=True)
class CampaignLine:
    """A campaign, and the sentence said of it on the newest day that it was measured; ``evidence`` and ``verdict`` are None before the first."""

    campaign_id: str
    campaign_name: str
    segment: str | None
    channel: str | None
    state: str | None
    starts_on: date | None
    ends_on: date | None
    measured_until: date | None
    evidence: str | None
    verdict: str | None
    message: str


def campaigns(release: Release) -> list[CampaignLine]:
    """The newest first; none in a release that was made before campaigns were measured."""
    tables = "select count(*) from duckdb_tables() where schema_name || '.' || table_name in ('catalog.campaigns', 'metrics.campaign_impact')"
    if release.rows(tables) != [(2,)]:
        return []
    return [CampaignLine(*row) for row in release.rows(CAMPAIGNS)]
