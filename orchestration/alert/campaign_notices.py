"""What there is to tell of campaigns: that one did not start, cannot be believed, does harm, contacted its control group, or has its result. Each is told
once.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from orchestration.alert.notice import Notice
from orchestration.measure.campaigns.figures import as_sentence
from orchestration.measure.campaigns.troubles import TOLD, Trouble, troubles_of
from orchestration.publish.releases import current_release, open_release
from orchestration.settings import Home, load_settings
from orchestration.target.launching import in_trouble, states_once_launched

#: The owner of each segment.
Owners = dict[str, str]

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
    """A notice for each campaign that should have started and has not, for each trouble of one on the release's day, and for each result of the last week.

    To be asked for once the morning's campaigns are launched.
    """
    manifest = current_release(home)
    if manifest is None:
        return []
    with open_release(home, manifest) as release:
        owners = dict(release.execute("select segment, owner from catalog.segments").fetchall())
        results = release.execute(RESULTS).fetchall()
        troubles = list(troubles_of(release, campaigns="catalog.campaigns"))
    return [
        *_of_starts(home, manifest.as_of_date, owners),
        *(_of_trouble(one, owners) for one in troubles),
        *(_of_result(campaign_id, day, segment, message, owners) for campaign_id, day, segment, message in results),
    ]


def _of_starts(home: Home, day: date, owners: Owners) -> Iterator[Notice]:
    for one in in_trouble(states_once_launched(home, load_settings(home)), day):
        yield Notice(
            key=f"campaign/{one.id}/{one.state}",
            as_of_date=day,
            segment=one.segment if one.segment in owners else None,
            owner=owners.get(one.segment or ""),
            severity="warning",
            state=one.state,
            title=f"The campaign {one.id} is {one.state}",
            message=as_sentence(one.because or ""),
            details=("All campaigns: segments campaign list",),
        )


def _of_trouble(one: Trouble, owners: Owners) -> Notice:
    is_critical = any(kind.is_critical for kind in TOLD if kind.name == one.kind)
    return Notice(
        key=f"campaign/{one.campaign_id}/{one.kind}",
        as_of_date=one.as_of_date,
        segment=one.segment,
        owner=owners.get(one.segment or ""),
        severity="critical" if is_critical else "warning",
        state=one.kind,
        title=TITLES[one.kind].format(id=one.campaign_id),
        message=as_sentence(one.sentence),
        details=_see(one.campaign_id),
    )


def _of_result(campaign_id: str, day: date, segment: str | None, message: str, owners: Owners) -> Notice:
    return Notice(
        key=f"campaign/{campaign_id}/result",
        as_of_date=day,
        segment=segment,
        owner=owners.get(segment or ""),
        severity="info",
        state="result",
        title=f"The campaign {campaign_id} has its result",
        message=as_sentence(message),
        details=_see(campaign_id),
    )


def _see(campaign_id: str) -> tuple[str, ...]:
    return (f"All of it: segments campaign show {campaign_id}",)
