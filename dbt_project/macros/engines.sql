{# Where DuckDB and Spark say the same in other words. A model asks for what it means; the words of its engine are found here. What differs by
   more than words is dispatched where it is meant: dates, versions, records. #}

{# Every column but these, after a star. #}
{% macro but(columns) -%}{{ adapter.dispatch('but')(columns) }}{%- endmacro %}
{% macro duckdb__but(columns) -%}exclude ({{ columns }}){%- endmacro %}
{% macro spark__but(columns) -%}except ({{ columns }}){%- endmacro %}

{% macro list_of(values) -%}{{ adapter.dispatch('list_of')(values) }}{%- endmacro %}
{% macro duckdb__list_of(values) -%}[{{ values }}]{%- endmacro %}
{% macro spark__list_of(values) -%}array({{ values }}){%- endmacro %}

{% macro no_texts() -%}{{ adapter.dispatch('no_texts')() }}{%- endmacro %}
{% macro duckdb__no_texts() -%}[]::varchar[]{%- endmacro %}
{% macro spark__no_texts() -%}cast(array() as array<string>){%- endmacro %}

{% macro has_item(items, item) -%}{{ adapter.dispatch('has_item')(items, item) }}{%- endmacro %}
{% macro duckdb__has_item(items, item) -%}list_contains({{ items }}, {{ item }}){%- endmacro %}
{% macro spark__has_item(items, item) -%}array_contains({{ items }}, {{ item }}){%- endmacro %}

{% macro has_any(items, others) -%}{{ adapter.dispatch('has_any')(items, others) }}{%- endmacro %}
{% macro duckdb__has_any(items, others) -%}list_has_any({{ items }}, {{ others }}){%- endmacro %}
{% macro spark__has_any(items, others) -%}arrays_overlap({{ items }}, {{ others }}){%- endmacro %}

{% macro number_of_items(items) -%}{{ adapter.dispatch('number_of_items')(items) }}{%- endmacro %}
{% macro duckdb__number_of_items(items) -%}len({{ items }}){%- endmacro %}
{% macro spark__number_of_items(items) -%}size({{ items }}){%- endmacro %}

{% macro only_item(items) -%}{{ adapter.dispatch('only_item')(items) }}{%- endmacro %}
{% macro duckdb__only_item(items) -%}{{ items }}[1]{%- endmacro %}
{% macro spark__only_item(items) -%}{{ items }}[0]{%- endmacro %}

{# The items of a group as a list, and a list as a row per item. #}
{% macro gathered(value) -%}{{ adapter.dispatch('gathered')(value) }}{%- endmacro %}
{% macro duckdb__gathered(value) -%}list({{ value }}){%- endmacro %}
{% macro spark__gathered(value) -%}collect_list({{ value }}){%- endmacro %}

{% macro spread(items) -%}{{ adapter.dispatch('spread')(items) }}{%- endmacro %}
{% macro duckdb__spread(items) -%}unnest({{ items }}){%- endmacro %}
{% macro spark__spread(items) -%}explode({{ items }}){%- endmacro %}

{% macro small_number(value) -%}{{ adapter.dispatch('small_number')(value) }}{%- endmacro %}
{% macro duckdb__small_number(value) -%}({{ value }})::usmallint{%- endmacro %}
{% macro spark__small_number(value) -%}({{ value }})::integer{%- endmacro %}

{# The columns as one value that can be compared, nulls included. #}
{% macro together(columns) -%}{{ adapter.dispatch('together')(columns) }}{%- endmacro %}
{% macro duckdb__together(columns) -%}struct_pack({{ columns }}){%- endmacro %}
{% macro spark__together(columns) -%}struct({{ columns }}){%- endmacro %}

{# Over a window: the last value that is there. #}
{% macro last_there_is(value) -%}{{ adapter.dispatch('last_there_is')(value) }}{%- endmacro %}
{% macro duckdb__last_there_is(value) -%}last_value({{ value }} ignore nulls){%- endmacro %}
{% macro spark__last_there_is(value) -%}last_value({{ value }}) ignore nulls{%- endmacro %}

{# Of a group: the value where the other is least; the value where the other is most, of equals the first by name. #}
{% macro where_least(value, other) -%}{{ adapter.dispatch('where_least')(value, other) }}{%- endmacro %}
{% macro duckdb__where_least(value, other) -%}arg_min({{ value }}, {{ other }}){%- endmacro %}
{% macro spark__where_least(value, other) -%}min_by({{ value }}, {{ other }}){%- endmacro %}

{% macro with_most(value, other) -%}{{ adapter.dispatch('with_most')(value, other) }}{%- endmacro %}
{% macro duckdb__with_most(value, other) -%}first({{ value }} order by {{ other }} desc, {{ value }}){%- endmacro %}
{% macro spark__with_most(value, other) -%}min_by({{ value }}, struct(-{{ other }}, {{ value }} is null, {{ value }})){%- endmacro %}

{# A quotient is one of doubles, for DuckDB's are; as money it is rounded to cents from there. #}
{% macro share_of(part, whole) -%}{{ adapter.dispatch('share_of')(part, whole) }}{%- endmacro %}
{% macro duckdb__share_of(part, whole) -%}{{ part }}
                    / nullif({{ whole }}, 0){%- endmacro %}
{% macro spark__share_of(part, whole) -%}cast({{ part }} as double) / nullif(cast({{ whole }} as double), 0){%- endmacro %}

{% macro money_per(amount, number) -%}{{ adapter.dispatch('money_per')(amount, number) }}{%- endmacro %}
{% macro duckdb__money_per(amount, number) -%}({{ amount }} / nullif({{ number }}, 0))::decimal(18, 2){%- endmacro %}
{% macro spark__money_per(amount, number) -%}(round(100 * (cast({{ amount }} as double) / nullif({{ number }}, 0))) / 100)::decimal(18, 2){%- endmacro %}

{# A sentence with numbers where it has {:,} or {:.0f}. #}
{% macro sentence(words, numbers) -%}{{ adapter.dispatch('sentence')(words, numbers) }}{%- endmacro %}
{% macro duckdb__sentence(words, numbers) -%}format('{{ words }}', {{ numbers | join(', ') }}){%- endmacro %}
{% macro spark__sentence(words, numbers) -%}
    concat(
    {%- for part in words.split('{') -%}
        {%- if loop.first -%}'{{ part }}'
        {%- else -%}
        {%- set form, rest = part.split('}') -%}
        , format_number({{ numbers[loop.index0 - 1] }}, {{ "0" if form == ":," else "'0'" }}), '{{ rest }}'
        {%- endif -%}
    {%- endfor -%})
{%- endmacro %}
