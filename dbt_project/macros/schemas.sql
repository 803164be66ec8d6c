{# A model's schema is the layer it lives in: customers.dim_customers, segments.men_18_25. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name or target.schema }}
{%- endmacro %}
