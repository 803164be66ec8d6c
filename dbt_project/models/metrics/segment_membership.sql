-- The explicit list of segments: a segment that is not named here is not recorded.
{{ config(materialized='view') }}
{%- set segments = [
    'active',
    'aged_65_and_over',
    'at_risk',
    'at_risk_but_valuable',
    'big_baskets',
    'birthday_within_7_days',
    'bought_product_x_3m_over_500',
    'contactable_by_any_channel',
    'contactable_by_email',
    'discount_seekers',
    'first_time_buyers',
    'food_lovers',
    'frequent_buyers',
    'lapsed',
    'large_households',
    'men_18_25',
    'never_bought',
    'new',
    'new_top_spenders',
    'parents_of_babies',
    'rfm_champions',
    'rfm_dormant',
    'rfm_loyal',
    'rfm_needs_attention',
    'rfm_promising',
    'slowing_down',
    'top_spenders',
    'unreachable',
    'vips_at_full_price',
    'women_25_34',
    'won_back',
] %}

{% for segment in segments -%}
select '{{ segment }}' as segment, as_of_date, customer_id from {{ ref(segment) }}
{%- if not loop.last %}
union all
{% endif %}
{%- endfor %}
