"""Why a segment moved between two days, from the current release."""

from __future__ import annotations

from datetime import date, timedelta

from orchestration.errors import ConfigurationError, nearest
from orchestration.measure.reasons import Reasons, reasons_of
from orchestration.publish.releases import current_release, open_release
from orchestration.settings import Home


def read_explanation(home: Home, name: str, on: date | None = None, since: date | None = None) -> Reasons | None:
    """Why the members of ``on`` (the release's day) are not those of ``since`` (the day before); None before the first release.

    Raises ConfigurationError where the release has no such segment, or not the two days of it.
    """
    manifest = current_release(home)
    if manifest is None:
        return None
    on = on or manifest.as_of_date
    since = since or on - timedelta(1)
    with open_release(home, manifest) as release:
        known = dict(release.execute("select segment, raw_columns from catalog.segments").fetchall())
        if name not in known:
            raise ConfigurationError(
                f"There is no segment {name} in release {manifest.release}; {nearest(name, known)}"
            )
        if since >= on:
            raise ConfigurationError(f"{since} is not before {on}: say the earlier day with --since.")
        ((first, last),) = release.execute(
            "select min(as_of_date), max(as_of_date) from metrics.segment_counts_daily where segment = $name",
            {"name": name},
        ).fetchall()
        for day in (since, on):
            if not first <= day <= last:
                raise ConfigurationError(
                    f"{name} has no record of {day}: its days are {first} to {last}, each explained by the one before."
                )
        return reasons_of(release, name, on, since, known[name])
