"""Whether the release is as new as it should be: for cron or an outside monitor, which notice that nobody runs the nights any
more. A process that is dead tells nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from orchestration.publish.releases import current_release
from orchestration.settings import NIGHTLY_HOUR, Home, Settings

#: How long after the hour at which the night begins its release may come.
GRACE = timedelta(hours=6)
#: By then the day before has to be published: counted from the end of the as-of date.
USUAL_AGE = timedelta(days=1, hours=NIGHTLY_HOUR) + GRACE


@dataclass(frozen=True)
class Freshness:
    """Whether the release is fresh, in a sentence, and the newest day that it must have to be."""

    is_fresh: bool
    said: str
    release: str | None
    as_of_date: date | None
    expected_as_of_date: date


def freshness(home: Home, settings: Settings, now: datetime, max_age: timedelta = USUAL_AGE) -> Freshness:
    """Holds the current release against the clock of the business: at most ``max_age`` may have passed since its as-of date ended,
    and since the day on which it was published.
    """
    zone = ZoneInfo(settings.business_timezone)
    # By the clock on the wall, on which also a day of 23 hours ends at midnight.
    expected = (now.astimezone(zone) - max_age).date()
    manifest = current_release(home)
    if manifest is None:
        said = f"There is no release in {home.releases} yet: make one with `segments refresh`."
        return Freshness(False, said, None, None, expected)
    published = datetime.fromisoformat(manifest.published_at).astimezone(zone)
    remedy = "see whether the nights are run, and `segments refresh`."
    if manifest.as_of_date < expected:
        said = f"The newest day published is {manifest.as_of_date}, and {expected} should be: {remedy}"
    elif published.date() < expected:
        said = f"Nothing was published since {published:%Y-%m-%d %H:%M}, whatever day the release says: {remedy}"
    else:
        said = f"Release {manifest.release} is fresh: {manifest.as_of_date} is published, and {expected} or later is expected."
        return Freshness(True, said, manifest.release, manifest.as_of_date, expected)
    return Freshness(False, said, manifest.release, manifest.as_of_date, expected)
