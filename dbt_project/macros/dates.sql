{# What "on the day" and "in the last …" mean. Windows are half-open: they end on the as-of date and include it. #}

{% macro local_date(utc_timestamp) -%}
    cast(timezone('{{ var("business_timezone") }}', timezone('UTC', {{ utc_timestamp }})) as date)
{%- endmacro %}

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
        else date_diff('day', {{ as_of }}, {{ anniversary(birth_date, turns ~ " + 1") }})
    end
{%- endmacro %}

{% macro anniversary(birth_date, years) -%}
    cast(
        {{ birth_date }} + to_years(cast({{ years }} as integer))
        + case
            when month({{ birth_date }}) = 2 and day({{ birth_date }}) = 29
                and day({{ birth_date }} + to_years(cast({{ years }} as integer))) = 28
            then interval 1 day else interval 0 day
        end as date
    )
{%- endmacro %}
