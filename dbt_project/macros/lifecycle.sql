{# The lifecycle: every customer of the base is in exactly one stage on every day. Both the attribute lifecycle_stage and the
   six segments are made from these conditions. #}
{% macro in_lifecycle_stage(stage) -%}
    {%- set new = "days_since_first_order < " ~ var("lifecycle_new_days") -%}
    {%- set came_back = "days_away_before_recent_order > " ~ var("lifecycle_lapsed_days") -%}
    {%- set not_new = "days_since_first_order >= " ~ var("lifecycle_new_days") -%}
    {%- set not_back = "coalesce(days_away_before_recent_order, 0) <= " ~ var("lifecycle_lapsed_days") -%}
    {%- set conditions = {
        "never_bought": "first_ordered_on is null",
        "new": new,
        "won_back": not_new ~ " and " ~ came_back,
        "active": not_new ~ " and " ~ not_back ~ " and days_since_last_order < " ~ var("lifecycle_active_days"),
        "at_risk": not_new ~ " and days_since_last_order >= " ~ var("lifecycle_active_days") ~ " and days_since_last_order <= " ~ var("lifecycle_lapsed_days"),
        "lapsed": not_new ~ " and days_since_last_order > " ~ var("lifecycle_lapsed_days"),
    } -%}
    {{ conditions[stage] }}
{%- endmacro %}

{% macro lifecycle_stages() -%}
    {{ return(["never_bought", "new", "won_back", "active", "at_risk", "lapsed"]) }}
{%- endmacro %}
