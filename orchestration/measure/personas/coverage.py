"""``metrics.persona_coverage``: what segments and personas miss of one another on the newest day."""

from __future__ import annotations

import duckdb

#: Of two personas, the share of the customers of either who are both's, above which they are hardly two.
MOST_OVERLAP = 0.5
#: So many nights a claim may be contradicted before it is said again.
NIGHTS_CONTRADICTED = 14

COVERAGE = f"""
create or replace table metrics.persona_coverage as
with live as (select * from metrics.personas where status <> 'retired'),
linked as (select persona, unnest(list_concat(evidence, targets)) as segment from live),
counts as (select segment, members from metrics.segment_counts_daily where as_of_date = (select as_of_date from days)),
targeted as (
    select segment, string_agg(distinct campaign_id, ', ' order by campaign_id) as campaigns
    from (
        select segment, campaign_id from metrics.campaigns where state in ('planned', 'running', 'measuring')
        union
        select segment, campaign_id
        from crm.campaigns
        where extract_date = (select max(extract_date) from crm.campaigns where extract_date <= (select as_of_date from days))
            and coalesce(ends_on >= (select as_of_date from days), true)
    )
    where segment is not null
    group by segment
),
reachable as (
    select distinct linked.persona
    from linked
    inner join metrics.segment_membership_history as history on history.segment = linked.segment and history.exited_on is null
    inner join base on base.customer_id = history.customer_id
    semi join reached on reached.customer_id = base.customer_id
),
sizes as (select persona, count(*) as customers from persona_members group by persona),
shared as (
    select one.persona, other.persona as other, count(*) as both
    from persona_members as one
    inner join persona_members as other on other.customer_id = one.customer_id and other.persona > one.persona
    group by all
),
contradicted as (
    select persona, claim, min(as_of_date) as since, count(*) as nights
    from (
        select *,
            max(as_of_date) filter (where verdict <> 'contradicted') over of_it as last_otherwise,
            arg_max(claim_hash, as_of_date) over (partition by persona, claim) as newest_hash
        from metrics.persona_claims
        where state = 'fresh' and (persona, claim) in (
            select persona, claim from metrics.persona_claims where as_of_date = (select as_of_date from days)
        )
        window of_it as (partition by persona, claim, claim_hash)
    )
    where verdict = 'contradicted' and claim_hash = newest_hash and as_of_date > coalesce(last_otherwise, date '0001-01-01')
    group by all
)
select (select as_of_date from days) as as_of_date, *
from (
    select 'segment_without_persona' as kind, null::varchar as persona, targeted.segment as other, null::date as since,
        targeted.segment || ' is addressed by ' || targeted.campaigns || ', and no persona says what to tell it.' as message
    from targeted
    anti join linked on linked.segment = targeted.segment

    union all

    select 'persona_without_segment', live.persona, null, null,
        case when coalesce(sum(counts.members), 0) = 0 then 'None of the segments of ' || live.persona || ' has a member.'
        else 'Nobody in the segments of ' || live.persona || ' can be reached by any channel.' end
    from live
    left join linked on linked.persona = live.persona
    left join counts on counts.segment = linked.segment
    anti join reachable on reachable.persona = live.persona
    group by live.persona

    union all

    select 'personas_overlap', shared.persona, shared.other, null,
        shared.persona || ' and ' || shared.other || ' share ' || round(100 * shared.both / (one.customers + other.customers - shared.both))::integer
        || ' % of their customers: they may be one persona.'
    from shared
    inner join sizes as one on one.persona = shared.persona
    inner join sizes as other on other.persona = shared.other
    where shared.both > {MOST_OVERLAP} * (one.customers + other.customers - shared.both)

    union all

    select 'past_review', persona, null, review_by, persona || ' was to be reviewed by ' || review_by || '; its owner is ' || owner || '.'
    from live
    where review_by < (select as_of_date from days)

    union all

    select 'contradicted_long', persona, claim, since, 'The claim ' || claim || ' of ' || persona || ' is contradicted since ' || since || ': change it, or the persona.'
    from contradicted
    where nights >= {NIGHTS_CONTRADICTED} and persona in (select persona from live)
)
order by all
"""


def record_coverage(connection: duckdb.DuckDBPyConnection) -> int:
    """Writes ``metrics.persona_coverage``, one row per finding of the one day that is told; gives the rows written.

    kind: segment_without_persona, persona_without_segment, personas_overlap, past_review or contradicted_long.
    """
    connection.execute(COVERAGE)
    ((rows,),) = connection.execute("select count(*) from metrics.persona_coverage").fetchall()
    return int(rows)
