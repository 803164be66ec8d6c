select
    coalesce(members.segment, open_stays.segment) as segment,
    coalesce(members.customer_id, open_stays.customer_id) as customer_id,
    coalesce(open_stays.entered_on, :today) as entered_on,
    case when members.segment is null then :today end as exited_on
from members
full join (select * from history where exited_on is null) as open_stays
    on open_stays.segment = members.segment and open_stays.customer_id = members.customer_id
where members.segment is null or open_stays.segment is null
