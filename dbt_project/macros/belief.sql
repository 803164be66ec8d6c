{# What is not believed of an extract is not used. refresh.left_out lists it: the columns by table and extract date. #}

{# The rows of an extract table, each with the list of columns of its extract that are left out. #}
{% macro with_left_out(source_name, table_name) -%}
    select arrived.*, coalesce(left_out.columns, {{ no_texts() }}) as left_out
    from {{ source(source_name, table_name) }} as arrived
    left join {{ source('refresh', 'left_out') }} as left_out
        on left_out.table_id = '{{ source_name }}/{{ table_name }}' and left_out.extract_date = arrived.extract_date
{%- endmacro %}

{% macro unless_left_out(column) -%}
    case when not {{ has_item('left_out', "'" ~ column ~ "'") }} then {{ column }} end
{%- endmacro %}
