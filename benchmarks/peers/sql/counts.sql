select
    :today as as_of_date,
    segments.segment,
    coalesce(sizes.members, 0) as members,
    case when not :is_first then coalesce(edges.entered, 0) end as entered,
    case when not :is_first then coalesce(edges.exited, 0) end as exited,
    (select count(*) from dim_customers) as base_customers
from (values :segments) as segments (segment)
left join (select segment, count(*) as members from members group by segment) as sizes on sizes.segment = segments.segment
left join (
    select segment, sum(case when exited_on is null then 1 else 0 end)::bigint as entered, sum(case when exited_on is null then 0 else 1 end)::bigint as exited
    from changes group by segment
) as edges on edges.segment = segments.segment
