"""What an extract must look like before we believe it: plain lists of rules, one module per extract table.

Knows the contract of each table; knows neither Dagster nor files nor connections. ``orchestration/validate`` runs them.
"""

from __future__ import annotations

from expectations import (
    crm_campaign_contacts,
    crm_campaign_responses,
    crm_campaigns,
    crm_customers,
    shop_order_lines,
    shop_products,
)
from expectations.past import PastExpectation
from expectations.rules import AnyRule

#: The rules of each extract table by its id, in the order in which people read them.
RULES: dict[str, list[AnyRule]] = {
    "crm/customers": crm_customers.RULES,
    "shop/order_lines": shop_order_lines.RULES,
    "shop/products": shop_products.RULES,
    "crm/campaigns": crm_campaigns.RULES,
    "crm/campaign_contacts": crm_campaign_contacts.RULES,
    "crm/campaign_responses": crm_campaign_responses.RULES,
}

#: What of each extract table must be as it usually is, by the table's id.
PAST: dict[str, list[PastExpectation]] = {
    "crm/customers": crm_customers.PAST,
    "shop/order_lines": shop_order_lines.PAST,
    "shop/products": shop_products.PAST,
    "crm/campaigns": crm_campaigns.PAST,
    "crm/campaign_contacts": crm_campaign_contacts.PAST,
    "crm/campaign_responses": crm_campaign_responses.PAST,
}
