{# Recency, frequency and monetary value: fifths, 5 the best, and the groups that they make. #}

{# The fifth that a row falls into among its as-of date's; equal values have equal scores. #}
{% macro fifth(order_by) -%}
    least(5, 1 + floor(5 * percent_rank() over (partition by as_of_date order by {{ order_by }})))::integer
{%- endmacro %}

{# Exclusive: whoever has scores is in exactly one group, whatever the thresholds are. #}
{% macro in_rfm_group(group) -%}
    {%- set best, fair = var("rfm_champion_score"), var("rfm_fair_score") -%}
    {%- if best < fair -%}
        {{ exceptions.raise_compiler_error(
            "rfm_champion_score (" ~ best ~ ") is below rfm_fair_score (" ~ fair ~ "), and a champion would be in another group too: "
            ~ "make it at least as high, under vars: in dbt_project.yml."
        ) }}
    {%- endif -%}
    {%- set is_champion = "recency_score >= " ~ best ~ " and frequency_score >= " ~ best ~ " and monetary_score >= " ~ best -%}
    {%- set is_recent, is_not_recent = "recency_score >= " ~ fair, "recency_score < " ~ fair -%}
    {%- set is_frequent, is_not_frequent = "frequency_score >= " ~ fair, "frequency_score < " ~ fair -%}
    {%- set conditions = {
        "champions": is_champion,
        "loyal": is_recent ~ " and " ~ is_frequent ~ " and not (" ~ is_champion ~ ")",
        "promising": is_recent ~ " and " ~ is_not_frequent,
        "needs_attention": is_not_recent ~ " and (" ~ is_frequent ~ " or monetary_score >= " ~ fair ~ ")",
        "dormant": is_not_recent ~ " and " ~ is_not_frequent ~ " and monetary_score < " ~ fair,
    } -%}
    {{ conditions[group] }}
{%- endmacro %}

{% macro rfm_groups() -%}
    {{ return(["champions", "loyal", "promising", "needs_attention", "dormant"]) }}
{%- endmacro %}
