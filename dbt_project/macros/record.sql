{# The record of membership and sizes: a run replaces it from its first as-of date on, for the segments that it evaluates. #}

{# What is only compiled, and not run, is asked of other days later: it looks for the first of them itself, and carries on from nothing. #}
{% macro first_as_of_date() -%}
    {%- set days = source("refresh", "as_of_dates") -%}
    {%- if flags.WHICH == 'compile' -%}
        (select min(as_of_date) from {{ days }})
    {%- elif execute -%}
        date '{{ run_query("select min(as_of_date) from " ~ days).columns[0].values()[0] }}'
    {%- else -%}
        date '9999-12-31'
    {%- endif -%}
{%- endmacro %}

{# Not of a segment that the run leaves as it is on record. #}
{% macro is_not_left_alone(segment='segment') -%}
    {{ segment }} not in (select segment from {{ source('refresh', 'left_alone') }})
{%- endmacro %}

{# Every segment that there is, whether the run evaluates it or leaves it as it is on record. #}
{% macro current_segments() -%}
    (
        select segment, scheme from {{ source('refresh', 'segments') }}
        union all
        select segment, scheme from {{ source('refresh', 'left_alone') }} where is_current
    )
{%- endmacro %}

{% macro forget_as_of_dates() -%}{{ adapter.dispatch('forget_as_of_dates')() }}{%- endmacro %}

{% macro duckdb__forget_as_of_dates() -%}
    {% if is_incremental() %}
        delete from {{ this }} where as_of_date >= {{ first_as_of_date() }} and {{ is_not_left_alone() }}
    {% endif %}
{%- endmacro %}

{% macro forget_memberships() -%}{{ adapter.dispatch('forget_memberships')() }}{%- endmacro %}

{% macro duckdb__forget_memberships() -%}
    {% if is_incremental() %}
        delete from {{ this }} where (entered_on is null or entered_on >= {{ first_as_of_date() }}) and {{ is_not_left_alone() }};
        update {{ this }} set exited_on = null where exited_on >= {{ first_as_of_date() }} and {{ is_not_left_alone() }};
    {% endif %}
{%- endmacro %}

{% macro close_memberships() -%}{{ adapter.dispatch('close_memberships')() }}{%- endmacro %}

{% macro duckdb__close_memberships() -%}
    update {{ this }} as member
    set exited_on = leaver.exited_on
    from {{ this }} as leaver
    where leaver.entered_on is null
        and member.segment = leaver.segment
        and member.customer_id = leaver.customer_id
        and member.entered_on < leaver.exited_on
        and member.exited_on is null;
    delete from {{ this }} where entered_on is null;
{%- endmacro %}

{% macro spark__forget_as_of_dates() -%}
    {%- if is_incremental() -%}
        {{ remake('forgotten', this, "select * from " ~ this ~ " where as_of_date < " ~ first_as_of_date()) }}
    {%- endif -%}
{%- endmacro %}

{% macro spark__forget_memberships() -%}
    {%- if is_incremental() -%}
        {%- set first = first_as_of_date() -%}
        {{ remake('forgotten', this,
            "select segment, customer_id, entered_on, case when exited_on < " ~ first ~ " then exited_on end as exited_on from " ~ this
            ~ " where entered_on < " ~ first
        ) }}
    {%- endif -%}
{%- endmacro %}

{% macro spark__close_memberships() -%}
    {%- set query -%}
        select
            member.segment,
            member.customer_id,
            member.entered_on,
            case when member.exited_on is null and member.entered_on < leaver.left_on then leaver.left_on else member.exited_on end as exited_on
        from {{ this }} as member
        left join (
            select segment, customer_id, exited_on as left_on from {{ this }} where entered_on is null
        ) as leaver on leaver.segment = member.segment and leaver.customer_id = member.customer_id
        where member.entered_on is not null
    {%- endset -%}
    {%- if execute -%}{{ remake('settled', this, query) }}{%- endif -%}
{%- endmacro %}
