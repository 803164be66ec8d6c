with segments as (

    select segment, {{ small_number('row_number() over (order by segment)') }} as number
    from {{ current_segments() }}

),

memberships as (

    select history.customer_id, {{ gathered('segments.number') }} as numbers
    from {{ ref('segment_membership_history') }} as history
    inner join segments on segments.segment = history.segment
    where history.exited_on is null
    group by history.customer_id

),

members as (

    select number, count(*) as members
    from (select {{ spread('numbers') }} as number from memberships) as unnested
    group by number

),

pairs as (

    select number_a, number_b, count(*) as members_both
    from (
        select number_a, {{ spread('numbers') }} as number_b
        from (select {{ spread('numbers') }} as number_a, numbers from memberships) as once
    ) as twice
    where number_a < number_b
    group by number_a, number_b

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
from segments as a
inner join segments as b on a.number < b.number
left join members as members_a on members_a.number = a.number
left join members as members_b on members_b.number = b.number
left join pairs on pairs.number_a = a.number and pairs.number_b = b.number
