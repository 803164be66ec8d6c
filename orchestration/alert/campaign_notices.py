"""What there is to tell of campaigns: that one cannot be believed, does harm, contacted its control group, or has its result. Each is told once."""

from __future__ import annotations

from orchestration.alert.notice import Notice
from orchestration.measure.campaigns.troubles import TOLD, troubles_of
from orchestration.publish.releases import current_release, open_release
from orchestration.settings import Home

TITLES = {
    "sample_ratio": "The campaign {id} cannot be believed",
    "contamination": "The campaign {id} contacted its control group",
    "loss": "The campaign {id} does harm",
}

#: The first day on which all of a campaign's window has passed, for those whose window closed in the last week.
RESULTS = """
select impact.campaign_id, impact.as_of_date, campaign.segment, impact.message
from metrics.campaign_impact as impact
inner join catalog.campaigns as campaign on campaign.campaign_id = impact.campaign_id
where impact.is_primary and impact.evidence = 'randomised' and impact.as_of_date = impact.measured_until
    and impact.as_of_date > (select max(as_of_date) - 7 from metrics.segment_counts_daily)
order by impact.campaign_id
"""


def campaign_notices(home: Home) -> list[Notice]:
    """A notice for each trouble of a campaign on the release's day, and one for each result of the last week."""
    manifest = current_release(home)
    if manifest is None:
        return []
    with open_release(home, manifest) as release:
        owners = dict(release.execute("select segment, owner from catalog.segments").fetchall())
        results = release.execute(RESULTS).fetchall()
        troubles = list(troubles_of(release, campaigns="catalog.campaigns"))
    critical = {kind.name for kind in TOLD if kind.is_critical}
    notices = [
        Notice(
            key=f"campaign/{one.campaign_id}/{one.kind}",
            as_of_date=one.as_of_date,
            segment=one.segment,
            owner=owners.get(one.segment) if one.segment else None,
            severity="critical" if one.kind in critical else "warning",
            state=one.kind,
            title=TITLES[one.kind].format(id=one.campaign_id),
            message=f"{one.sentence[0].upper()}{one.sentence[1:]}.",
            details=_see(one.campaign_id),
        )
        for one in troubles
    ]
    return notices + [
        Notice(
            key=f"campaign/{campaign_id}/result",
            as_of_date=day,
            segment=segment,
            owner=owners.get(segment),
            severity="info",
            state="result",
            title=f"The campaign {campaign_id} has its result",
            message=f"{message[0].upper()}{message[1:]}.",
            details=_see(campaign_id),
        )
        for campaign_id, day, segment, message in results
    ]


def _see(campaign_id: str) -> tuple[str, ...]:
    return (f"All of it: segments campaign show {campaign_id}",)
