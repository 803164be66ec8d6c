{# Conditions on behaviour that no single attribute of a customer can carry. Each reads like the sentence a marketer would say. #}

{# Bought the product, or anything in the category, in the window that ends on the as-of date: an order line with a positive quantity. #}
{% macro bought(within, product_id=none, category=none) -%}
    exists (
        select 1
        from {{ ref('int_order_lines') }} as bought
        where bought.customer_id = dim_customers.customer_id
            {% if product_id is not none -%} and bought.product_id = '{{ product_id }}' {%- endif %}
            {% if category is not none -%} and bought.category = '{{ category }}' {%- endif %}
            and bought.quantity > 0
            and {{ in_last(within, 'bought.ordered_on', 'dim_customers.as_of_date') }}
            and {{ valid_on('dim_customers.as_of_date', 'bought') }}
    )
{%- endmacro %}

{# Is a member of another segment on the same day. #}
{% macro member_of(segment) -%}
    exists (
        select 1
        from {{ ref(segment) }} as {{ segment }}
        where {{ segment }}.as_of_date = dim_customers.as_of_date and {{ segment }}.customer_id = dim_customers.customer_id
    )
{%- endmacro %}

{% macro interested_in(interest) -%}
    list_contains(interests, '{{ interest }}')
{%- endmacro %}
