"""The daily counts: one row per segment and as-of date, zeros included. Knows tables of sizes and changes; knows no
rule.
"""

from __future__ import annotations

import duckdb

from orchestration.days import Days

CREATE = """
create schema if not exists metrics;
create table if not exists metrics.segment_counts_daily (
    as_of_date date,
    segment varchar,
    members bigint,
    entered bigint,
    exited bigint,
    base_customers bigint,
    share_of_base double,
    state varchar,
    definition_hash varchar,
    held_because varchar
)
"""

FORGET = """
delete from metrics.segment_counts_daily
where as_of_date between $first and $last and segment in (select segment from refresh.segments)
"""

#: A day that is not believed, or was not evaluated, is held: it has the members of the last believed day less those deleted since.
#: A segment that was never believed has no members.
RECORD = """
insert into metrics.segment_counts_daily
with days as (
    select unnest(generate_series($first::date, $last::date, interval 1 day))::date as as_of_date
),
first_days as (
    select segment, min(as_of_date) as first_day from metrics.segment_sizes group by segment
),
believed as (
    select segment, coalesce(max(as_of_date) filter (where as_of_date < $first), $first::date) as believed_until
    from metrics.segment_sizes
    where not is_held and segment in (select segment from refresh.segments)
    group by segment
    union all
    select null, $first::date
),
edges as (
    select as_of_date, segment,
        count(*) filter (where change = 'entered') as entered,
        count(*) filter (where change = 'exited') as exited
    from metrics.segment_membership_changes
    where as_of_date between (select min(believed_until) from believed) and $last
    group by all
),
sizes_so_far as (
    select
        days.as_of_date,
        first_days.segment,
        first_days.first_day,
        coalesce(held.because, case when sizes.is_held then sizes.remark end) as held_because,
        coalesce(last_value(case when not sizes.is_held then sizes.members end ignore nulls) over so_far, 0) as members_believed,
        count(*) filter (where not sizes.is_held) over so_far as believed_days,
        last_value(sizes.base_customers ignore nulls) over so_far as base_customers
    from (from days union select distinct as_of_date from metrics.segment_sizes where as_of_date < $first) as days
    inner join refresh.segments as current on true
    inner join first_days on first_days.segment = current.segment and days.as_of_date >= first_days.first_day
    left join metrics.segment_sizes as sizes on sizes.as_of_date = days.as_of_date and sizes.segment = first_days.segment
    left join refresh.held as held on held.as_of_date = days.as_of_date
    window so_far as (partition by first_days.segment order by days.as_of_date)
),
counts as (
    select
        sizes_so_far.*,
        edges.entered,
        edges.exited,
        members_believed + coalesce(sum(case when held_because is not null then edges.entered - edges.exited end) over since_believed, 0) as members
    from sizes_so_far
    left join edges on edges.as_of_date = sizes_so_far.as_of_date and edges.segment = sizes_so_far.segment
    window since_believed as (partition by sizes_so_far.segment, believed_days order by sizes_so_far.as_of_date)
)
select
    counts.as_of_date,
    counts.segment,
    counts.members,
    case when counts.as_of_date > counts.first_day then coalesce(counts.entered, 0) end as entered,
    case when counts.as_of_date > counts.first_day then coalesce(counts.exited, 0) end as exited,
    counts.base_customers,
    case when counts.base_customers > 0 then counts.members / counts.base_customers end as share_of_base,
    case when counts.held_because is null then 'fresh' else 'held' end as state,
    definitions.definition_hash,
    counts.held_because || case when counts.believed_days = 0 then '; no version of it was believed before' else '' end
from counts
inner join refresh.definitions as definitions on definitions.segment = counts.segment
where counts.as_of_date between $first and $last
order by counts.as_of_date, counts.segment
"""


def record_counts(connection: duckdb.DuckDBPyConnection, days: Days) -> dict[str, int]:
    """Writes ``metrics.segment_counts_daily`` for the days, in place of what was there; gives rows by as-of date.

    Grain: one row per segment and as-of date, from the segment's first day on record.
    """
    bounds = {"first": days.first, "last": days.last}
    connection.execute(CREATE)
    connection.execute("begin")
    connection.execute(FORGET, bounds)
    connection.execute(RECORD, bounds)
    connection.execute("commit")
    rows = connection.execute(
        "select as_of_date::varchar, count(*) from metrics.segment_counts_daily where as_of_date between $first and $last group by 1",
        bounds,
    )
    return dict(rows.fetchall())
