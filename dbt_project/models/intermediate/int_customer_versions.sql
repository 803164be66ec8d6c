{{ config(
    materialized='incremental', incremental_strategy='append',
    pre_hook="{{ forget_versions() }}", post_hook="{{ close_versions(['customer_id']) }}",
) }}
{#- each with the column of the extract that it comes from -#}
{%- set attributes = {
    'gender': 'gender', 'birth_date': 'birth_date', 'country': 'country', 'region': 'region', 'signed_up_on': 'signed_up_on',
    'preferred_channel': 'preferred_channel', 'has_email': 'email', 'email_opt_in': 'email_opt_in', 'sms_opt_in': 'sms_opt_in',
    'post_opt_in': 'post_opt_in', 'push_opt_in': 'push_opt_in', 'interests': 'interests', 'household_size': 'household_size',
    'age_band': 'age_band', 'income_band': 'income_band', 'is_deleted': 'is_deleted',
} -%}
{%- set never_null = {
    'has_email': 'false', 'interests': no_texts(), 'email_opt_in': 'false', 'sms_opt_in': 'false', 'post_opt_in': 'false',
    'push_opt_in': 'false', 'is_deleted': 'false',
} %}

with arrived as (

    select * from {{ ref('stg_crm__customers') }}
    where extract_date >= {{ rebuild_from() }}

),

doubted as (

    select distinct customer_id
    from arrived
    where {{ number_of_items('left_out') }} > 0

),

versions_of_doubted as (

    select * from arrived
    where customer_id in (select customer_id from doubted)
    {%- if is_incremental() %}

    union all

    select * {{ but('valid_from, valid_to') }}, {{ no_texts() }} as left_out
    from {{ this }}
    where valid_to is null and customer_id in (select customer_id from doubted)
    {%- endif %}

),

-- What is left out of a version is as it was last believed.
believed as (

    select
        extract_date,
        customer_id,
        {%- for attribute, column in attributes.items() %}
        {{ last_there_is('case when not ' ~ has_item('left_out', "'" ~ column ~ "'") ~ ' then ' ~ list_of(attribute) ~ ' end') }} over so_far as {{ attribute }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from versions_of_doubted
    window so_far as (
        partition by customer_id order by extract_date rows between unbounded preceding and current row
    )

),

versions as (

    select * {{ but('left_out') }}
    from arrived
    where customer_id not in (select customer_id from doubted)

    union all

    select
        extract_date,
        customer_id,
        {%- for attribute in attributes %}
        {% if attribute in never_null -%}
        coalesce({{ only_item(attribute) }}, {{ never_null[attribute] }}) as {{ attribute }}
        {%- else -%}
        {{ only_item(attribute) }} as {{ attribute }}
        {%- endif %}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from believed
    where extract_date >= {{ rebuild_from() }}

)

select
    *,
    extract_date as valid_from,
    lead(extract_date) over (partition by customer_id order by extract_date) as valid_to
from versions
