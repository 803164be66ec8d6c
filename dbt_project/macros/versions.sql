{# Versioned tables: a row says what was known of a key from valid_from until valid_to (null while it still is).
   Each run forgets what it learnt from the changed extracts on, and learns it again: any order of runs ends the same. #}

{# The first extract date that this run has to read (again); the end of time when there is none. #}
{% macro rebuild_from() -%}
    {%- if execute -%}
        date '{{ run_query("select rebuild_from from " ~ source("refresh", "run")).columns[0].values()[0] }}'
    {%- else -%}
        {#- makes the dependency known while parsing -#}
        {%- set _ = source("refresh", "run") -%}
        date '9999-12-31'
    {%- endif -%}
{%- endmacro %}

{% macro forget_versions() -%}{{ adapter.dispatch('forget_versions')() }}{%- endmacro %}

{% macro duckdb__forget_versions() -%}
    {% if is_incremental() %}
        delete from {{ this }} where valid_from >= {{ rebuild_from() }};
        update {{ this }} set valid_to = null where valid_to >= {{ rebuild_from() }};
    {% endif %}
{%- endmacro %}

{% macro forget_extract_dates() -%}{{ adapter.dispatch('forget_extract_dates')() }}{%- endmacro %}

{% macro duckdb__forget_extract_dates() -%}
    {% if is_incremental() %}
        delete from {{ this }} where extract_date >= {{ rebuild_from() }}
    {% endif %}
{%- endmacro %}

{# Ends the older version of each key that has a newer one. #}
{% macro close_versions(key) -%}{{ adapter.dispatch('close_versions')(key) }}{%- endmacro %}

{% macro duckdb__close_versions(key) -%}
    update {{ this }} as older
    set valid_to = newer.valid_from
    from (
        select {{ key | join(", ") }}, min(valid_from) as valid_from
        from {{ this }}
        where valid_from >= {{ rebuild_from() }}
            and (select min(valid_from) from {{ this }}) < {{ rebuild_from() }}
        group by all
    ) as newer
    where {% for column in key %}older.{{ column }} is not distinct from newer.{{ column }} and {% endfor %}
        older.valid_from < {{ rebuild_from() }}
        and older.valid_to is null
{%- endmacro %}

{% macro valid_on(day, version) -%}
    {{ version }}.valid_from <= {{ day }} and ({{ version }}.valid_to is null or {{ version }}.valid_to > {{ day }})
{%- endmacro %}

{% macro spark__forget_versions() -%}
    {%- if is_incremental() -%}
        {%- set from = rebuild_from() -%}
        {{ remake('forgotten', this,
            "select * except (valid_to), case when valid_to < " ~ from ~ " then valid_to end as valid_to from " ~ this ~ " where valid_from < " ~ from
        ) }}
    {%- endif -%}
{%- endmacro %}

{% macro spark__forget_extract_dates() -%}
    {%- if is_incremental() -%}
        {{ remake('forgotten', this, "select * from " ~ this ~ " where extract_date < " ~ rebuild_from()) }}
    {%- endif -%}
{%- endmacro %}

{% macro spark__close_versions(key) -%}
    {%- set query -%}
        select
            older.* except (valid_to),
            case
                when older.valid_from < {{ rebuild_from() }} and older.valid_to is null then newer.newer_from else older.valid_to
            end as valid_to
        from {{ this }} as older
        left join (
            select {{ key | join(", ") }}, min(valid_from) as newer_from
            from {{ this }}
            where valid_from >= {{ rebuild_from() }}
            group by all
        ) as newer
            on {% for column in key %}older.{{ column }} <=> newer.{{ column }}{% if not loop.last %} and {% endif %}{% endfor %}
    {%- endset -%}
    {%- if execute and run_query("select 1 from " ~ this ~ " where valid_from < " ~ rebuild_from() ~ " limit 1") | length -%}
        {{ remake('settled', this, query) }}
    {%- endif -%}
{%- endmacro %}
