{# Conditions on behaviour that no single attribute of a customer can carry. Each reads like the sentence a marketer would say. #}

{# Bought the product, or anything in the category, in the window that ends on the as-of date: an order line with a positive quantity. #}
{% macro bought(within, product_id=none, category=none) -%}
    {%- set buyers %}
        select days.as_of_date, bought.customer_id
        from {{ ref('int_order_lines') }} as bought
        inner join (select distinct as_of_date from {{ ref('dim_customers') }}) as days
            on {{ in_last(within, 'bought.ordered_on', 'days.as_of_date') }}
            and {{ valid_on('days.as_of_date', 'bought') }}
        where bought.quantity > 0
            {% if product_id is not none -%} and bought.product_id = '{{ product_id }}' {%- endif %}
            {% if category is not none -%} and bought.category = '{{ category }}' {%- endif %}
    {% endset -%}
    {{ is_among(buyers) }}
{%- endmacro %}

{# Is a member of another segment on the same day. #}
{% macro member_of(segment) -%}
    {{ is_among("select as_of_date, customer_id from " ~ ref(segment)) }}
{%- endmacro %}

{# The customer is one of these on the same day. Spark would compare each pair of rows for `not … in`. #}
{% macro is_among(customers) -%}{{ adapter.dispatch('is_among')(customers) }}{%- endmacro %}
{% macro duckdb__is_among(customers) -%}(as_of_date, customer_id) in ({{ customers }}){%- endmacro %}
{% macro spark__is_among(customers) -%}exists (select 1 from ({{ customers }}) as those (that_day, who) where that_day = as_of_date and who = customer_id){%- endmacro %}

{% macro interested_in(interest) -%}
    {{ has_item('interests', "'" ~ interest ~ "'") }}
{%- endmacro %}
