"""What there is to tell: one notice for each change of state of a segment, and for a night that failed. What a notice looks
like as a message is in ``message``; to whom it goes, in ``routes``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb

from orchestration.alert.campaign_notices import campaign_notices
from orchestration.alert.ledger import Ledger
from orchestration.alert.notice import Notice, Series, Severity
from orchestration.alert.persona_notices import persona_notices
from orchestration.days import Days
from orchestration.publish.releases import current_release, open_release
from orchestration.settings import Home, Settings

#: Episodes are told of while they are so many days old at most, with a picture of so many days.
DAYS_TOLD, DAYS_DRAWN = 7, 56

SHIFTS = """
select shifts.as_of_date, shifts.segment, catalogue.owner, shifts.measure, shifts.kind, shifts.severity, shifts.state, shifts.message, shifts.opened_on
from metrics.segment_shifts as shifts
left join catalog.segments as catalogue on catalogue.segment = shifts.segment
where shifts.state in ('opened', 'worse', 'recovered') and shifts.as_of_date > $since
order by shifts.as_of_date, shifts.segment
"""
SERIES = """
select as_of_date, observed, expected, lower_95, upper_95
from metrics.segment_expectations
where segment = $segment and measure = $measure and as_of_date <= $day and as_of_date > $since
order by as_of_date
"""

HELD_KEY = re.compile(r"held/(?P<segment>[^/]+)/(?P<since>\d{4}-\d\d-\d\d)")


def notices_of(home: Home) -> list[Notice]:
    """Everything that the current release gives reason to tell, whether or not it was told before."""
    return [*held_notices(home), *shift_notices(home), *campaign_notices(home), *persona_notices(home)]


def held_notices(home: Home) -> list[Notice]:
    """A notice for each segment that is held, and one for each that is fresh again after somebody was told of the hold."""
    manifest = current_release(home)
    if manifest is None:
        return []
    with open_release(home, manifest) as release:
        rows: list[tuple[str, str | None, int, date | None, str | None]] = release.execute(
            "select segment, owner, members, held_since, held_because from catalog.segments order by segment"
        ).fetchall()
    day, told = manifest.as_of_date, _holds_told_of(Ledger.read(home))
    notices = []
    for segment, owner, members, since, because in rows:
        if since is not None:
            key, title = f"held/{segment}/{since}", f"{segment} is held since {since}"
            details = (
                "Its last good version stays published.",
                "Deliver the corrected extract and refresh again, or, where the figures are right after all, "
                "`segments release-held NAME --reason …`.",
            )
            notices.append(
                Notice(key, day, segment, owner, "warning", "held", title, f"{because}.", details, since=since)
            )
        elif segment in told:
            since = told[segment]
            title = f"{segment} is fresh again"
            message = f"{segment}, held since {since}, is fresh again on {day}: {members:,} members."
            key = f"held/{segment}/{since}/recovered"
            notices.append(Notice(key, day, segment, owner, "info", "recovered", title, message, since=since))
    return notices


def shift_notices(home: Home) -> list[Notice]:
    """A notice for each episode of unexpected shifts that was opened, got worse or ended in the newest seven days, with its last weeks."""
    manifest = current_release(home)
    if manifest is None:
        return []
    with open_release(home, manifest) as release:
        rows = release.execute(SHIFTS, {"since": manifest.as_of_date - timedelta(DAYS_TOLD)}).fetchall()
        return [_shift_notice(release, *row) for row in rows]


def _shift_notice(
    release: duckdb.DuckDBPyConnection,
    day: date,
    segment: str | None,
    owner: str | None,
    measure: str,
    kind: str,
    severity: Severity,
    state: str,
    message: str,
    opened_on: date,
) -> Notice:
    name = segment or "everything"
    worse = f"/{day}" if state == "worse" else ""
    said = {"opened": "moved unexpectedly", "worse": "moved further", "recovered": "is as expected again"}[state]
    return Notice(
        key=f"shift/{name}/{opened_on}/{state}{worse}",
        as_of_date=day,
        segment=segment,
        owner=owner,
        severity=severity,
        state=state,
        title=f"{segment or 'The segments'} {said} on {day} ({kind.replace('_', ' ')})",
        message=f"{message}.",
        details=(f"All causes: segments explain {segment} --date {day}",) if segment and state != "recovered" else (),
        series=_series(release, segment, measure, day) if segment else None,
        since=opened_on,
        measure=measure,
    )


def _series(release: duckdb.DuckDBPyConnection, segment: str, measure: str, day: date) -> Series:
    asked = {"segment": segment, "measure": measure, "day": day, "since": day - timedelta(DAYS_DRAWN)}
    rows = release.execute(SERIES, asked).fetchall()
    return Series(*(tuple(column) for column in zip(*rows, strict=True))) if rows else Series((), (), (), (), ())


def failure_notice(days: Days | None, settings: Settings, sentence: str, at: datetime) -> Notice:
    """A refresh of the days failed. Told once for the same days on one business day, however often it is tried and by whom."""
    today = at.astimezone(ZoneInfo(settings.business_timezone)).date()
    what = str(days) if days else "the segments"
    return Notice(
        key=f"failed/{what}/{today}",
        as_of_date=days.last if days else today,
        segment=None,
        owner=None,
        severity="critical",
        state="failed",
        title=f"The refresh of {what} failed",
        message=sentence,
        details=("`segments status` tells which release is published.",),
    )


def _holds_told_of(ledger: Ledger) -> dict[str, date]:
    """By segment, since when the newest hold lasted of which somebody was told."""
    holds = (HELD_KEY.fullmatch(key) for key in ledger.keys_told())
    return _newest((hold["segment"], date.fromisoformat(hold["since"])) for hold in holds if hold)


def _newest(holds: Iterable[tuple[str, date]]) -> dict[str, date]:
    return dict(sorted(holds, key=lambda hold: hold[1]))
