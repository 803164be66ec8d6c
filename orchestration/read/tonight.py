"""What a release says in the morning: what is fresh, held and new, what moved unexpectedly, how the campaigns stand, and every segment with its last weeks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from orchestration.read.opened import Release

#: In the order in which they are looked at.
STANDINGS = ("held", "new", "fresh")
NO_CAMPAIGNS = "None: of no campaign that runs, or whose orders still count, is there anything to say."
#: Days of which the counts are shown beside a segment.
DAYS_SHOWN = 60

SEGMENTS = """
with daily as (
    select segment, map_from_entries(list((as_of_date, members))) as members_on, min(as_of_date) as first_day
    from metrics.segment_counts_daily
    group by segment
)
select
    described.segment, described.label, described.description, described.family, described.owner, described.channel,
    described.scheme, described.members, counted.entered, counted.exited, counted.share_of_base, described.state,
    described.held_since, described.held_because,
    coalesce(daily.first_day = described.as_of_date and described.as_of_date > $first, false),
    [daily.members_on[day::date] for day in generate_series($since, described.as_of_date, interval 1 day)]
from catalog.segments as described
left join metrics.segment_counts_daily as counted using (segment, as_of_date)
left join daily using (segment)
order by described.segment
"""

#: The newest line of each episode and of each remark, with the last sentence that was said of it.
EPISODES = """
with newest as (
    select
        segment, opened_on, max(as_of_date) as seen_on, arg_max(measure, as_of_date) as measure, arg_max(kind, as_of_date) as kind,
        arg_max(severity, as_of_date) as severity, arg_max(state, as_of_date) as state,
        coalesce(arg_max(message, as_of_date) filter (message <> ''), '') as message
    from metrics.segment_shifts
    where as_of_date <= $day
    group by segment, opened_on, state = 'noted'
)
select segment, seen_on, opened_on, measure, kind, severity, state, message
from newest
order by
    list_position(['critical', 'warning', 'info'], severity), list_position(['opened', 'worse', 'continuing'], state),
    segment nulls first, seen_on desc
"""

CAMPAIGNS = """
select
    campaigns.campaign_id, campaigns.campaign_name, campaigns.segment, campaigns.channel, campaigns.state,
    campaigns.starts_on, campaigns.measured_until, impact.verdict, impact.message
from catalog.campaigns as campaigns
inner join metrics.campaign_impact as impact using (campaign_id)
where campaigns.state in ('running', 'measuring') and impact.as_of_date = $day and impact.is_primary and impact.message <> ''
order by campaigns.starts_on desc, campaigns.campaign_id
"""


@dataclass(frozen=True)
class SegmentTonight:
    """A segment today. ``is_new``: today is its first day on record, and not that of all. ``counts``: its members on each of ``Tonight.days``,
    None where nothing was counted. ``entered`` and ``exited`` are None on its first day on record, ``share_of_base`` where the base is empty.
    """

    segment: str
    label: str
    description: str
    family: str
    owner: str
    channel: str
    scheme: str | None
    members: int
    entered: int | None
    exited: int | None
    share_of_base: float | None
    state: str
    held_since: date | None
    held_because: str | None
    is_new: bool
    counts: tuple[int | None, ...]

    @property
    def standing(self) -> str:
        """held, new or fresh: in one word what to think of it."""
        return "new" if self.is_new and self.state == "fresh" else self.state


@dataclass(frozen=True)
class Shift:
    """An episode of an unexpected shift (or a remark: redefined, retired) as of its newest line, with the last sentence said of it.
    ``segment`` None: everything moved at once. ``state``: opened, worse, continuing, recovered, or noted.
    """

    segment: str | None
    as_of_date: date
    opened_on: date
    measure: str
    kind: str
    severity: str
    state: str
    message: str

    def title(self, today: date) -> str:
        """How grave it is, whose, what kind, since when and how it goes on: ``Warning: lapsed, jump since tonight, opened``."""
        who = self.segment or "All segments"
        if self.state == "noted":
            return f"{who}: {self.kind.replace('_', ' ')}"
        since = "since tonight" if self.opened_on == today else f"since {self.opened_on}"
        return f"{self.severity.capitalize()}: {who}, {self.kind.replace('_', ' ')} {since}, {self.state}"

    @property
    def sentence(self) -> str:
        # A segment's begins with its name, which is written as it is.
        return f"{self.message}." if self.segment else f"{self.message[:1].upper()}{self.message[1:]}."


@dataclass(frozen=True)
class Hold:
    """The segments held since a day for the same reason."""

    since: date | None
    because: str
    segments: tuple[str, ...]

    @property
    def title(self) -> str:
        return f"Held since {self.since or 'nobody knows when'}: {', '.join(self.segments)}"

    @property
    def sentence(self) -> str:
        return f"{self.because}. The last good version stays published."


@dataclass(frozen=True)
class CampaignTonight:
    """A campaign that runs or is measured, and what the day says of it."""

    campaign_id: str
    campaign_name: str
    segment: str | None
    channel: str
    state: str
    starts_on: date
    measured_until: date | None
    verdict: str
    message: str

    @property
    def title(self) -> str:
        until = f" until {self.measured_until}" if self.measured_until else ""
        return f"{self.campaign_name} ({self.channel}, since {self.starts_on}, measured{until})"

    @property
    def sentence(self) -> str:
        return f"{self.message[:1].upper()}{self.message[1:]}."


@dataclass(frozen=True)
class Tonight:
    """``shifts``: those of the day and the episodes still open, the gravest first. ``last_shift``: the newest over before, where none is left.
    ``days``: the last weeks, oldest first, whether or not anything was counted on them.
    """

    release: str
    as_of_date: date
    published_at: str
    base_customers: int
    days: tuple[date, ...]
    segments: tuple[SegmentTonight, ...]
    shifts: tuple[Shift, ...]
    last_shift: Shift | None
    campaigns: tuple[CampaignTonight, ...]

    @property
    def held(self) -> tuple[SegmentTonight, ...]:
        return tuple(segment for segment in self.segments if segment.state == "held")

    @property
    def holds(self) -> tuple[Hold, ...]:
        """Those held, by the day and the reason, the longest first."""

        def reason(segment: SegmentTonight) -> tuple[date, str]:
            return segment.held_since or date.max, segment.held_because or "nobody said why"

        return tuple(
            Hold(since if since < date.max else None, because, tuple(segment.segment for segment in segments))
            for (since, because), segments in groupby(sorted(self.held, key=reason), key=reason)
        )

    @property
    def new(self) -> tuple[SegmentTonight, ...]:
        return tuple(segment for segment in self.segments if segment.is_new)

    @property
    def nothing_moved(self) -> str:
        """What is said where no shift is open."""
        last = self.last_shift
        before = f" The newest shift before was over on {last.as_of_date}: {last.message}." if last else ""
        return f"Nothing: no segment moved in a way that its past does not explain.{before}"

    @property
    def missing(self) -> tuple[date, ...]:
        """The days on which no segment was counted."""
        counted = zip(*(segment.counts for segment in self.segments), strict=True)
        return tuple(day for day, counts in zip(self.days, counted, strict=False) if set(counts) == {None})


def read_tonight(release: Release) -> Tonight:
    day = release.as_of_date
    since = max(release.first_as_of_date, day - timedelta(DAYS_SHOWN - 1))
    ((base,),) = release.rows("select count(*) from customers.dim_customers")
    segments = release.rows(SEGMENTS, {"first": release.first_as_of_date, "since": since})
    episodes = [Shift(*row) for row in release.rows(EPISODES, {"day": day})]
    described = {segment for segment, *_ in segments} | {None}
    shifts = tuple(one for one in episodes if one.as_of_date == day or _is_open(one, described))
    over = [one for one in episodes if one not in shifts and one.state != "noted"]
    return Tonight(
        release=release.name,
        as_of_date=day,
        published_at=release.published_at,
        base_customers=base,
        days=tuple(since + timedelta(number) for number in range((day - since).days + 1)),
        segments=tuple(SegmentTonight(*(*row[:-1], tuple(row[-1]))) for row in segments),
        shifts=shifts,
        last_shift=max(over, key=lambda one: one.as_of_date, default=None) if not shifts else None,
        campaigns=tuple(CampaignTonight(*row) for row in release.rows(CAMPAIGNS, {"day": day})),
    )


def _is_open(shift: Shift, described: set[str | None]) -> bool:
    """Of a segment that is defined no more nothing is open."""
    return shift.state in ("opened", "worse", "continuing") and shift.segment in described
