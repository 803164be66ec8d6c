-- Who moved between the segments of an exclusive scheme. Null stands for outside: not in the scheme, or not in the base.
-- On a segment's first day on record nobody knows where its members came from: that day has no flows.
with first_days as (

    select segment, min(as_of_date) as first_as_of_date
    from {{ ref('segment_sizes') }}
    group by segment

),

changes as (

    select segments.scheme, changes.*
    from {{ ref('segment_membership_changes') }} as changes
    inner join {{ current_segments() }} as segments using (segment)
    inner join first_days using (segment)
    where segments.scheme is not null
        and changes.as_of_date > first_days.first_as_of_date

),

entered as (select * from changes where change = 'entered'),

exited as (select * from changes where change = 'exited')

select
    coalesce(entered.as_of_date, exited.as_of_date) as as_of_date,
    coalesce(entered.scheme, exited.scheme) as scheme,
    exited.segment as from_segment,
    entered.segment as to_segment,
    count(*) as customers
from entered
full join exited
    on exited.as_of_date = entered.as_of_date
    and exited.scheme = entered.scheme
    and exited.customer_id = entered.customer_id
group by all
