{# The output rules of a segment, from its YAML by way of refresh.segments: what its size must be before it is believed. #}

{# What is wrong with a size, in words; null where nothing is. `before` is the last size that was believed, null where none was. #}
{% macro broken_output_rule(members, before, segment='') -%}
    {%- set of = segment ~ '.' if segment else '' -%}
    case
        when {{ members }} = 0 and {{ before }} > 0 and not coalesce({{ of }}allow_empty, false)
            then case when {{ before }} = 1 then 'it would lose its only member' else format('it would lose all of its {:,} members', {{ before }}) end
        when {{ members }} < {{ of }}min_members
            then format('it has {:,} members, fewer than the {:,} that it must have', {{ members }}, {{ of }}min_members)
        when {{ members }} > {{ of }}max_members
            then format('it has {:,} members, more than the {:,} that it may have', {{ members }}, {{ of }}max_members)
        when abs({{ members }} - {{ before }}) > {{ of }}changed_by_share * {{ before }}
            and abs({{ members }} - {{ before }}) >= {{ of }}changed_by_members
            then format(
                'it went from {:,} to {:,} members, more than the {:.0f} % that it may change by',
                {{ before }}, {{ members }}, 100 * {{ of }}changed_by_share
            )
    end
{%- endmacro %}

{# Held for its inputs, or for its size. A size that breaks a rule is published where no version before it was believed: there is nothing
   to hold. #}
{% macro is_held(segment) -%}
    ({{ segment }}.because is not null or (
        {{ segment }}.broken_rule is not null
        and {{ segment }}.members_before is not null
        and not {{ segment }}.is_released
        and (not coalesce({{ segment }}.only_warns, false) or ({{ segment }}.members = 0 and not coalesce({{ segment }}.allow_empty, false)))
    ))
{%- endmacro %}
