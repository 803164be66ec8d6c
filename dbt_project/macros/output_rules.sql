{# The output rules of a segment, from its YAML by way of refresh.segments: what its size must be before it is believed. #}

{# What is wrong with a size, in words; null where nothing is. `before` is the last size that was believed, null where none was. #}
{% macro broken_output_rule(members, before, segment='') -%}
    {%- set of = segment ~ '.' if segment else '' -%}
    case
        when {{ members }} = 0 and {{ before }} > 0 and not coalesce({{ of }}allow_empty, false)
            then case when {{ before }} = 1 then 'it would lose its only member' else {{ sentence('it would lose all of its {:,} members', [before]) }} end
        when {{ members }} < {{ of }}min_members
            then {{ sentence('it has {:,} members, fewer than the {:,} that it must have', [members, of ~ 'min_members']) }}
        when {{ members }} > {{ of }}max_members
            then {{ sentence('it has {:,} members, more than the {:,} that it may have', [members, of ~ 'max_members']) }}
        when abs({{ members }} - {{ before }}) > {{ of }}changed_by_share * {{ before }}
            and abs({{ members }} - {{ before }}) >= {{ of }}changed_by_members
            then {{ sentence(
                'it went from {:,} to {:,} members, more than the {:.0f} % that it may change by',
                [before, members, '100 * ' ~ of ~ 'changed_by_share']
            ) }}
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

{# The rows of the CTE `evaluated`, each beside the last size before it that was believed: one day of a segment after the other. #}
{% macro judged_day_after_day() -%}{{ adapter.dispatch('judged_day_after_day')() }}{%- endmacro %}

{% macro duckdb__judged_day_after_day() -%}
    select * exclude (members_before), members_before, {{ broken_output_rule('members', 'members_before') }} as broken_rule
    from evaluated
    where turn = 1

    union all

    select
        today.* exclude (members_before),
        case when {{ is_held('yesterday') }} then yesterday.members_before else yesterday.members end as members_before,
        {{ broken_output_rule('today.members', 'case when ' ~ is_held('yesterday') ~ ' then yesterday.members_before else yesterday.members end', 'today') }} as broken_rule
    from evaluated as today
    inner join judged as yesterday on yesterday.segment = today.segment and yesterday.turn = today.turn - 1
{%- endmacro %}

{# Spark goes through a segment's days as a list, for each turn of a recursion is a job of its own. #}
{% macro spark__judged_day_after_day() -%}
    {%- set yesterday = 'element_at(so_far, -1)' -%}
    select judged.*
    from (
        select explode(aggregate(
            slice(days, 2, size(days)),
            transform(slice(days, 1, 1), today -> {{ judged_day('today.members_before') }}),
            (so_far, today) -> concat(so_far, array({{ judged_day(
                'case when ' ~ is_held(yesterday) ~ ' then ' ~ yesterday ~ '.members_before else ' ~ yesterday ~ '.members end'
            ) }}))
        )) as judged
        from (
            select segment, sort_array(collect_list(struct(turn, *))) as days
            from evaluated
            group by segment
        ) as segments
    ) as days_of_segments
{%- endmacro %}

{% macro judged_day(before) -%}
    struct(
        today.as_of_date as as_of_date, today.segment as segment, today.members as members, today.base_customers as base_customers,
        today.because as because, today.is_released as is_released, today.only_warns as only_warns, today.allow_empty as allow_empty,
        {{ before }} as members_before,
        {{ broken_output_rule('today.members', before, 'today') }} as broken_rule
    )
{%- endmacro %}
