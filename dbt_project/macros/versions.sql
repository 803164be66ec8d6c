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

{% macro forget_versions() -%}
    {% if is_incremental() %}
        delete from {{ this }} where valid_from >= {{ rebuild_from() }};
        update {{ this }} set valid_to = null where valid_to >= {{ rebuild_from() }};
    {% endif %}
{%- endmacro %}

{% macro forget_extract_dates() -%}
    {% if is_incremental() %}
        delete from {{ this }} where extract_date >= {{ rebuild_from() }}
    {% endif %}
{%- endmacro %}

{# Ends the older version of each key that has a newer one. #}
{% macro close_versions(key) -%}
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
