{# What "on the day" and "in the last …" mean. Windows are half-open: they end on the as-of date and include it. #}

{% macro local_date(utc_timestamp) -%}
    {{ adapter.dispatch('local_date')(utc_timestamp) }}
{%- endmacro %}

{% macro duckdb__local_date(utc_timestamp) -%}
    cast(timezone('{{ var("business_timezone") }}', timezone('UTC', {{ utc_timestamp }})) as date)
{%- endmacro %}

{% macro spark__local_date(utc_timestamp) -%}
    cast(from_utc_timestamp({{ utc_timestamp }}, '{{ var("business_timezone") }}') as date)
{%- endmacro %}

{% macro days_between(first, last) -%}{{ adapter.dispatch('days_between')(first, last) }}{%- endmacro %}
{% macro duckdb__days_between(first, last) -%}date_diff('day', {{ first }}, {{ last }}){%- endmacro %}
{% macro spark__days_between(first, last) -%}datediff({{ last }}, {{ first }}){%- endmacro %}

{% macro years_long(number) -%}{{ adapter.dispatch('years_long')(number) }}{%- endmacro %}
{% macro duckdb__years_long(number) -%}to_years(cast({{ number }} as integer)){%- endmacro %}
{% macro spark__years_long(number) -%}make_ym_interval(cast({{ number }} as integer), 0){%- endmacro %}

{% macro in_last(within, day, as_of='as_of_date') -%}
    {%- set count, unit = within.split(' ') -%}
    {%- set window_start = as_of ~ ' - ' ~ (count if unit in ('day', 'days') else 'interval ' ~ within) -%}
    ({{ day }} > {{ window_start }} and {{ day }} <= {{ as_of }})
{%- endmacro %}

{# Someone born on 29 February completes a year on 1 March of a year that has no 29 February. #}
{% macro completed_years(since, as_of='as_of_date') -%}
    (
        year({{ as_of }}) - year({{ since }})
        - case when month({{ as_of }}) * 100 + day({{ as_of }}) < month({{ since }}) * 100 + day({{ since }}) then 1 else 0 end
    )
{%- endmacro %}

{# Days from the as-of date to the next birthday, 0 on the day itself. #}
{% macro days_until_birthday(birth_date, as_of='as_of_date') -%}
    {%- set turns = completed_years(birth_date, as_of) -%}
    case
        when {{ anniversary(birth_date, turns) }} = {{ as_of }} then 0
        else {{ days_between(as_of, anniversary(birth_date, turns ~ " + 1")) }}
    end
{%- endmacro %}

{% macro anniversary(birth_date, years) -%}
    cast(
        {{ birth_date }} + {{ years_long(years) }}
        + case
            when month({{ birth_date }}) = 2 and day({{ birth_date }}) = 29
                and day({{ birth_date }} + {{ years_long(years) }}) = 28
            then interval 1 day else interval 0 day
        end as date
    )
{%- endmacro %}
