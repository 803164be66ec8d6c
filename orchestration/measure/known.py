"""What is known of a day of a segment without asking its figures: why nobody wonders that they are not like others.

Known days are never alerted and teach nothing; each is named beside the series. A new definition begins the series anew.
"""

from __future__ import annotations

from collections.abc import Iterable

import duckdb
import pandas as pd

from orchestration.known_days import KnownDays

#: A held day repeats the last believed one, and the day after it makes up for it.
HELD = """
select segment, as_of_date, 'held: ' || held_because as because
from metrics.segment_counts_daily
where state = 'held'
union all
select today.segment, today.as_of_date, 'the first day after a hold' as because
from metrics.segment_counts_daily as today
inner join metrics.segment_counts_daily as before
    on before.segment = today.segment and before.as_of_date = today.as_of_date - 1
where before.state = 'held' and today.state = 'fresh'
"""

#: A campaign of the newest list runs on its segment from its first day to its last; without a last day it runs still.
CAMPAIGNS = """
with campaigns as (
    select campaign_name, segment, starts_on, coalesce(ends_on, date '9999-12-31') as ends_on
    from crm.campaigns
    where extract_date = (select max(extract_date) from crm.campaigns)
)
select counts.segment, counts.as_of_date, 'the campaign ' || campaigns.campaign_name as because
from campaigns
inner join metrics.segment_counts_daily as counts
    on counts.segment = campaigns.segment and counts.as_of_date between campaigns.starts_on and campaigns.ends_on
"""

#: Most of those who moved did so by orders of days before that came, were corrected, or were withdrawn.
LATE = """
select segment, as_of_date, 'late or corrected orders' as because
from metrics.segment_moves
group by segment, as_of_date
having count(*) filter (where cause = 'late_or_corrected_data') > 0.5 * count(*)
"""

REDEFINED = """
select today.segment, today.as_of_date, 'defined anew' as because
from metrics.segment_counts_daily as today
inner join metrics.segment_counts_daily as before
    on before.segment = today.segment and before.as_of_date = today.as_of_date - 1
where before.definition_hash <> today.definition_hash and today.segment in (select segment from refresh.definitions)
order by all
"""


def known_beforehand(
    connection: duckdb.DuckDBPyConnection, calendar: KnownDays, segments: Iterable[str]
) -> pd.DataFrame:
    """Every known day of every segment that is on record: segment, as_of_date, because. One row per segment, day and reason."""
    days = [
        day for (day,) in connection.execute("select distinct as_of_date from metrics.segment_counts_daily").fetchall()
    ]
    from_calendar = pd.DataFrame(
        [
            (segment, pd.Timestamp(day), because)
            for segment in segments
            for day, because in calendar.among(days, segment).items()
        ],
        columns=["segment", "as_of_date", "because"],
    )
    found = [connection.execute(query).df() for query in (HELD, CAMPAIGNS, LATE)]
    known = pd.concat([from_calendar, *(one for one in found if len(one))], ignore_index=True)
    return known.sort_values(["segment", "as_of_date", "because"], ignore_index=True)


def redefinitions(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """The days on which a segment's definition became another: segment, as_of_date, because."""
    return connection.execute(REDEFINED).df()
