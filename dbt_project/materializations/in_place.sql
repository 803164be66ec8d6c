{# Tables and views are replaced where they stand. dbt's own way on DuckDB builds beside, renames twice and drops, for readers who must
   not wait: the warehouse has none, and DuckDB undoes a replacement that fails. #}

{% materialization table, adapter='duckdb' -%}
    {% set creation -%}
        {%- if config.get('contract').enforced -%}
        {{ get_assert_columns_equivalent(compiled_code) }}
        create or replace table {{ this }} {{ get_table_columns_and_constraints() }};
        insert into {{ this }} {{ get_column_names() }} ({{ get_select_subquery(compiled_code) }})
        {%- else -%}
        create or replace table {{ this }} as ({{ compiled_code }})
        {%- endif -%}
    {%- endset %}
    {{ return(replaced('table', creation)) }}
{%- endmaterialization %}

{% materialization view, adapter='duckdb' -%}
    {{ return(replaced('view', 'create or replace view ' ~ this ~ ' as (' ~ compiled_code ~ ')')) }}
{%- endmaterialization %}

{% macro replaced(type, creation) -%}
    {%- set existing = load_cached_relation(this) -%}
    {{ run_hooks(pre_hooks) }}
    {% call statement('main') -%}
        {% if existing and existing.type != type %}drop {{ existing.type }} {{ this }};{% endif %}
        {{ creation }}
    {%- endcall %}
    {{ run_hooks(post_hooks) }}
    {{ adapter.commit() }}
    {{ return({'relations': [this.incorporate(type=type)]}) }}
{%- endmacro %}
