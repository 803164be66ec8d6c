{# Tables on Spark are plain Parquet, which nobody can change: each is written anew into a folder of this dbt invocation, and what stood before is
   left as it was until the run has succeeded. So an incremental table is read, written and, where its rows end one another, written again. #}

{% materialization table, adapter='spark' -%}
    {{ run_hooks(pre_hooks) }}
    {{ remake('learnt', this, compiled_code, 'main') }}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [this.incorporate(type='table')]}) }}
{%- endmaterialization %}

{% materialization incremental, adapter='spark' -%}
    {%- set is_continued = is_incremental() -%}
    {{ run_hooks(pre_hooks) }}
    {%- set rows = "select * from " ~ this ~ " union all select * from (" ~ compiled_code ~ ")" if is_continued else compiled_code -%}
    {{ remake('learnt', this, rows, 'main') }}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [this.incorporate(type='table')]}) }}
{%- endmaterialization %}

{# Puts a table of the query's rows in the place of a relation that the query may read. #}
{% macro remake(step, relation, query, name='remake') -%}
    {%- if execute -%}
        {%- set folder = [var('spark_tables'), invocation_id, relation.schema, relation.identifier, step] | join('/') -%}
        {%- set made = relation.incorporate(path={'identifier': relation.identifier ~ '__' ~ step}, type='table') -%}
        {%- set existing = load_cached_relation(relation) -%}
        {%- call statement('drop_left_over') -%}drop table if exists {{ made }}{%- endcall -%}
        {%- call statement(name) -%}
            create table {{ made }} using parquet location '{{ folder | replace("\\", "\\\\") | replace("'", "\\'") }}' as
            {{ query }}
        {%- endcall -%}
        {%- call statement('drop_before') -%}
            drop {{ existing.type if existing else 'table' }} if exists {{ relation }}
        {%- endcall -%}
        {%- call statement('take_its_place') -%}alter table {{ made }} rename to {{ relation }}{%- endcall -%}
    {%- endif -%}
{%- endmacro %}
