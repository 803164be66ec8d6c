{# Recency, frequency and monetary value: fifths, 5 the best, and the groups that they make. #}

{# The fifth that a row falls into among its as-of date's; equal values have equal scores. #}
{% macro fifth(order_by) -%}
    least(5, 1 + floor(5 * percent_rank() over (partition by as_of_date order by {{ order_by }})))::integer
{%- endmacro %}

{# Exclusive: whoever ordered in the last 365 days is in exactly one group. #}
{% macro in_rfm_group(group) -%}
    {%- set conditions = {
        "champions": "recency_score >= 4 and frequency_score >= 4 and monetary_score >= 4",
        "loyal": "recency_score >= 3 and frequency_score >= 3 and not (recency_score >= 4 and frequency_score >= 4 and monetary_score >= 4)",
        "promising": "recency_score >= 3 and frequency_score < 3",
        "needs_attention": "recency_score < 3 and (frequency_score >= 3 or monetary_score >= 3)",
        "dormant": "recency_score < 3 and frequency_score < 3 and monetary_score < 3",
    } -%}
    {{ conditions[group] }}
{%- endmacro %}

{% macro rfm_groups() -%}
    {{ return(["champions", "loyal", "promising", "needs_attention", "dormant"]) }}
{%- endmacro %}
