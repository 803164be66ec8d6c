{# What held of each customer on each as-of date of the run, worked out only where it can have changed since the as-of date before
   and carried on from there elsewhere; for the run's first day, from the table as the run before left it. #}

{# Whether an earlier run left this table behind. #}
{% macro is_built_before() -%}
    {{ return(execute and not should_full_refresh() and load_relation(this) is not none) }}
{%- endmacro %}

{# The last as-of date of the table that an earlier run left, where this run can carry on from it: where it evaluates no day up to
   that one again. (The plan begins no later than the first extract that changed.) Nothing where it has to begin anew. #}
{% macro carried_from() -%}
    {%- if is_built_before() -%}
        {%- set last = run_query(
            "select max(as_of_date) from " ~ this
            ~ " having max(as_of_date) < (select min(as_of_date) from " ~ source("refresh", "as_of_dates") ~ ")"
        ).columns[0].values() -%}
        {%- if last %}date '{{ last[0] }}'{% endif -%}
    {%- endif -%}
{%- endmacro %}

{# Customers and as-of dates on which totals of versioned purchases can be others than on the as-of date before: a version began or
   ended, the day of an order came, or an order left a window. #}
{% macro evaluations(purchases, windows, carried_from) -%}
    {%- set since = carried_from or first_as_of_date() -%}
    {%- if not carried_from -%}
    select distinct customer_id, {{ first_as_of_date() }} as as_of_date
    from {{ purchases }}
    where valid_from <= {{ first_as_of_date() }} and ordered_on <= {{ first_as_of_date() }}

    union

    {% endif -%}
    select changes.customer_id, days.as_of_date
    from (
        select customer_id, valid_from as changed_on from {{ purchases }} where valid_from > {{ since }}
        union all
        select customer_id, valid_to as changed_on from {{ purchases }} where valid_to > {{ since }}
        {%- for days_after in [0] + windows %}
        union all
        select customer_id, ordered_on + {{ days_after }} as changed_on from {{ purchases }} where ordered_on > {{ since }} - {{ days_after }}
        {%- endfor %}
    ) as changes
    inner join {{ source('refresh', 'as_of_dates') }} as days
        on changes.changed_on > coalesce(days.previous_as_of_date, {{ since }})
        and changes.changed_on <= days.as_of_date
    group by changes.customer_id, days.as_of_date
{%- endmacro %}

{# The rows of the CTE `evaluated`, each on every as-of date until the customer's next one. #}
{% macro carried_on(carried_from) -%}
    select days.as_of_date, states.* {{ but('as_of_date, next_evaluated_on') }}
    from (
        select *, lead(as_of_date) over (partition by customer_id order by as_of_date) as next_evaluated_on
        from evaluated
        {%- if carried_from %}

        union all

        select carried.*, evaluated.next_evaluated_on
        from {{ this }} as carried
        left join (
            select customer_id, min(as_of_date) as next_evaluated_on from evaluated group by customer_id
        ) as evaluated on evaluated.customer_id = carried.customer_id
        where carried.as_of_date = {{ carried_from }}
        {%- endif %}
    ) as states
    inner join {{ source('refresh', 'as_of_dates') }} as days
        on days.as_of_date >= states.as_of_date
        and days.as_of_date < coalesce(states.next_evaluated_on, date '9999-12-31')
{%- endmacro %}
