with arrived as (

    {{ with_left_out('crm', 'customers') }}

)

select
    extract_date,
    customer_id,
    gender,
    birth_date,
    country,
    region,
    signed_up_on,
    preferred_channel,
    email is not null as has_email,
    coalesce(email_opt_in, false) as email_opt_in,
    coalesce(sms_opt_in, false) as sms_opt_in,
    coalesce(post_opt_in, false) as post_opt_in,
    coalesce(push_opt_in, false) as push_opt_in,
    coalesce(interests, {{ no_texts() }}) as interests,
    household_size,
    age_band,
    income_band,
    coalesce(is_deleted, false) as is_deleted,
    left_out
from arrived
where not {{ has_item('left_out', "'customer_id'") }}
