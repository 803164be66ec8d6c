"""The night in SQLMesh on DuckDB: a project of incremental models, planned and applied on the first night and run on each other.

A day is SQLMesh's interval; models that need what they knew the night before read themselves.
"""

from __future__ import annotations

import json
from datetime import timedelta

from sqlmesh import Context

from benchmarks.peers.night import MODELS, Night, asked, counts, refer, views

TODAY = "(@execution_ds::date - 1)"
HISTORY = "segment varchar, customer_id varchar, entered_on date, exited_on date"
LINES = (
    "order_line_id varchar, order_id varchar, customer_id varchar, product_id varchar, category varchar, department varchar, "
    "ordered_on date, quantity decimal(18, 3), amount decimal(18, 2), discount decimal(18, 2), loaded_on date, "
    "previous_customer_id varchar, previous_ordered_on date"
)

CUSTOMERS = """
select
    customer_id, email is not null as has_email, gender, birth_date, country, region, signed_up_on, preferred_channel,
    coalesce(email_opt_in, false) as email_opt_in, coalesce(sms_opt_in, false) as sms_opt_in,
    coalesce(post_opt_in, false) as post_opt_in, coalesce(push_opt_in, false) as push_opt_in,
    coalesce(interests, []) as interests, household_size, age_band, income_band, coalesce(is_deleted, false) as is_deleted
from read_parquet(':extracts/crm/customers/' || @end_ds || '.parquet')
"""

#: A corrected line remembers the customer and the day of its older self, which have to be added up again too.
ORDER_LINES = """
select
    new.order_line_id, new.order_id, new.customer_id, new.product_id, products.category, products.department,
    new.ordered_at::date as ordered_on, new.quantity, new.amount, coalesce(new.discount, 0)::decimal(18, 2) as discount,
    :today as loaded_on, before.customer_id as previous_customer_id, before.ordered_on as previous_ordered_on
from read_parquet(':extracts/shop/order_lines/' || @end_ds || '.parquet') as new
left join read_parquet(':extracts/shop/products/' || @end_ds || '.parquet') as products on products.product_id = new.product_id
left join order_lines as before on before.order_line_id = new.order_line_id
"""

LINES_OF_DAYS = """
select touched.customer_id, touched.ordered_on, lines.order_id, lines.quantity, lines.amount, lines.discount
from (
    select customer_id, ordered_on from order_lines where loaded_on = :today
    union
    select previous_customer_id, previous_ordered_on from order_lines where loaded_on = :today and previous_ordered_on is not null
) as touched
left join order_lines as lines on lines.customer_id = touched.customer_id and lines.ordered_on = touched.ordered_on
"""

CATEGORY_DAYS = """
select customer_id, ordered_on, department, category, sum(amount) as spend
from order_lines where category is not null and ordered_on > :today - 365 group by all
"""

PERCENTILES = """
select today.customer_id, today.spend_percentile, before.spend_percentile as spend_percentile_previous_day
from percentiles_today as today left join percentiles as before on before.customer_id = today.customer_id
"""

CHANGES = "select * from history where entered_on = :today or exited_on = :today"


def by_key(*key: str) -> str:
    return f"incremental_by_unique_key (unique_key ({', '.join(key)}))"


def models(night: Night) -> dict[str, tuple[str, str, str]]:
    """The kind of each model, the columns of those that read themselves, and the query."""
    *segments, (_, members) = views(night.conditions).items()
    percentiles = "customer_id varchar, spend_percentile double, spend_percentile_previous_day double"
    return {
        **{name: ("full", "", query) for name, query in MODELS.items()},
        **{name: ("view", "", query) for name, query in segments},
        "customers": (by_key("customer_id"), "", CUSTOMERS),
        "order_lines": (by_key("order_line_id"), LINES, ORDER_LINES),
        "lines_of_days": ("view", "", LINES_OF_DAYS),
        "customer_days": (by_key("customer_id", "ordered_on"), "", MODELS["customer_days"]),
        "category_days": ("view", "", CATEGORY_DAYS),
        "percentiles": (by_key("customer_id"), percentiles, PERCENTILES),
        "members": ("full", "", members),
        "history": (by_key("segment", "customer_id", "entered_on"), HISTORY, MODELS["changes"]),
        "changes": ("view", "", CHANGES),
        "counts": (by_key("as_of_date", "segment"), "", counts(night.conditions)),
    }


def write_project(night: Night) -> None:
    project = night.state / "project"
    (project / "models").mkdir(parents=True, exist_ok=True)
    for name, (kind, columns, query) in models(night).items():
        sql = (
            refer(query, "night.{}", night.conditions)
            .replace(":today", TODAY)
            .replace(":extracts", str(night.extracts.absolute()))
        )
        sql = sql.replace(":is_first", f"(@end_ds = '{night.day}')")
        typed = f", columns ({columns})" if columns else ""
        (project / "models" / f"{name}.sql").write_text(f"model (name night.{name}, kind {kind}{typed});\n{sql};\n")
    settings = {
        "memory_limit": night.memory_limit,
        "temp_directory": str(night.state / "spill"),
        "preserve_insertion_order": False,
    }
    connection = {
        "type": "duckdb",
        "database": str(night.state.absolute() / "warehouse.duckdb"),
        "connector_config": settings,
    }
    defaults = {"dialect": "duckdb", "start": str(night.day), "cron": "@daily"}
    described = {
        "gateways": {"night": {"connection": connection}},
        "default_gateway": "night",
        "model_defaults": defaults,
    }
    (project / "config.yaml").write_text(json.dumps(described | {"disable_anonymized_analytics": True}))


def main() -> None:
    """Plans and applies the project on the first night, runs it on each other, and writes the release."""
    night = asked(__doc__)
    tomorrow = str(night.day + timedelta(days=1))
    if night.is_first:
        write_project(night)
    context = Context(paths=[str(night.state / "project")])
    if night.is_first:
        context.plan(execution_time=tomorrow, auto_apply=True, no_prompts=True, skip_tests=True)
    elif not context.run(end=tomorrow, execution_time=tomorrow, skip_janitor=True).is_success:
        raise SystemExit("SQLMesh failed: see its words above.")
    for name, query in (
        ("members", "select segment, customer_id, entered_on from night.history where exited_on is null"),
        ("counts", "from night.counts"),
    ):
        context.engine_adapter.execute(f"copy ({query}) to '{night.release}/{name}.parquet'", quote_identifiers=False)
    night.archive()


if __name__ == "__main__":
    main()
