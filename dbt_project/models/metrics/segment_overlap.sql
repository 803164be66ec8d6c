-- Customers are first grouped by the set of segments that they are in: there are far fewer sets than customers.
with patterns as (

    select segments, count(*) as customers
    from (
        select customer_id, list(segment order by segment) as segments
        from {{ ref('segment_membership_history') }}
        where exited_on is null
        group by customer_id
    ) as memberships
    group by segments

),

members as (

    select segment, sum(customers) as members
    from (select unnest(segments) as segment, customers from patterns) as unnested
    group by segment

),

pairs as (

    select segment_a, segment_b, sum(customers) as members_both
    from (
        select segment_a, unnest(segments) as segment_b, customers
        from (select unnest(segments) as segment_a, segments, customers from patterns) as unnested
    ) as unnested
    where segment_a < segment_b
    group by segment_a, segment_b

)

select
    a.segment as segment_a,
    b.segment as segment_b,
    coalesce(members_a.members, 0)::bigint as members_a,
    coalesce(members_b.members, 0)::bigint as members_b,
    coalesce(pairs.members_both, 0)::bigint as members_both,
    (
        coalesce(pairs.members_both, 0)
        / nullif(coalesce(members_a.members, 0) + coalesce(members_b.members, 0) - coalesce(pairs.members_both, 0), 0)
    )::double as jaccard
from {{ source('refresh', 'segments') }} as a
inner join {{ source('refresh', 'segments') }} as b on a.segment < b.segment
left join members as members_a on members_a.segment = a.segment
left join members as members_b on members_b.segment = b.segment
left join pairs on pairs.segment_a = a.segment and pairs.segment_b = b.segment
