{# The lifecycle: every customer of the base is in exactly one stage on every day, whatever the lengths of the stages are. Both the
   attribute lifecycle_stage and the six segments are made from these conditions. #}
{% macro in_lifecycle_stage(stage) -%}
    {%- set new_days, active_days = var("lifecycle_new_days"), var("lifecycle_active_days") -%}
    {%- set lapsed_days = var("lifecycle_lapsed_days") -%}
    {%- for shorter in ("lifecycle_active_days", "lifecycle_won_back_days") if var(shorter) > lapsed_days -%}
        {{ exceptions.raise_compiler_error(
            shorter ~ " (" ~ var(shorter) ~ ") is above lifecycle_lapsed_days (" ~ lapsed_days ~ "), and whoever stays away for longer "
            ~ "than that has lapsed: make it at most as long, under vars: in dbt_project.yml."
        ) }}
    {%- endfor -%}
    {%- set not_new = "days_since_first_order >= " ~ new_days -%}
    {%- set not_won_back = "coalesce(days_away_before_recent_order, 0) <= " ~ lapsed_days -%}
    {%- set a_regular = not_new ~ " and " ~ not_won_back -%}
    {%- set conditions = {
        "never_bought": "first_ordered_on is null",
        "new": "days_since_first_order < " ~ new_days,
        "won_back": not_new ~ " and days_away_before_recent_order > " ~ lapsed_days,
        "active": a_regular ~ " and days_since_last_order < " ~ active_days,
        "at_risk": a_regular ~ " and days_since_last_order between " ~ active_days ~ " and " ~ lapsed_days,
        "lapsed": a_regular ~ " and days_since_last_order > " ~ lapsed_days,
    } -%}
    {{ conditions[stage] }}
{%- endmacro %}

{% macro lifecycle_stages() -%}
    {{ return(["never_bought", "new", "won_back", "active", "at_risk", "lapsed"]) }}
{%- endmacro %}
