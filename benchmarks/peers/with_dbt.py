"""The night in dbt alone, on DuckDB: a project of incremental models, written down on the first night and run with the night's date.

Members of a segment are a view, as whoever has a hundred of them would have it; all members together are a table.
"""

from __future__ import annotations

import json

import yaml
from dbt.cli.main import dbtRunner

from benchmarks.peers.night import MODELS, Night, asked, counts, refer, views

TODAY = "date '{{ var(\"day\") }}'"
EXTRACT = 'read_parquet(\'{{{{ var("extracts") }}}}/{}/{{{{ var("day") }}}}.parquet\')'

CUSTOMERS = f"""
{{{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key='customer_id') }}}}
select
    customer_id, email is not null as has_email, gender, birth_date, country, region, signed_up_on, preferred_channel,
    coalesce(email_opt_in, false) as email_opt_in, coalesce(sms_opt_in, false) as sms_opt_in,
    coalesce(post_opt_in, false) as post_opt_in, coalesce(push_opt_in, false) as push_opt_in,
    coalesce(interests, []) as interests, household_size, age_band, income_band, coalesce(is_deleted, false) as is_deleted
from {EXTRACT.format("crm/customers")}
"""

#: A corrected line remembers the customer and the day of its older self, which have to be added up again too.
ORDER_LINES = f"""
{{{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key='order_line_id') }}}}
select
    new.order_line_id, new.order_id, new.customer_id, new.product_id, products.category, products.department,
    new.ordered_at::date as ordered_on, new.quantity, new.amount, coalesce(new.discount, 0)::decimal(18, 2) as discount,
    :today as loaded_on,
    {{% if is_incremental() %}}
    before.customer_id as previous_customer_id, before.ordered_on as previous_ordered_on
    {{% else %}}
    null::varchar as previous_customer_id, null::date as previous_ordered_on
    {{% endif %}}
from {EXTRACT.format("shop/order_lines")} as new
left join {EXTRACT.format("shop/products")} as products using (product_id)
{{% if is_incremental() %}} left join {{{{ this }}}} as before using (order_line_id) {{% endif %}}
"""

LINES_OF_DAYS = """
{{ config(materialized='view') }}
{% if var("is_first") %}
select * from order_lines
{% else %}
select lines.customer_id, lines.ordered_on, order_id, quantity, amount, discount, department, category
from (
    select customer_id, ordered_on from order_lines where loaded_on = :today
    union
    select previous_customer_id, previous_ordered_on from order_lines where loaded_on = :today and previous_ordered_on is not null
) as touched
left join order_lines as lines using (customer_id, ordered_on)
{% endif %}
"""

BY_DAY = "{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key=['customer_id', 'ordered_on']) }}\n"

CATEGORY_DAYS = """
select customer_id, ordered_on, department, category, sum(amount) as spend
from lines_of_days where category is not null group by all
"""

PERCENTILES = """
{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key='customer_id') }}
select
    today.customer_id, today.spend_percentile,
    {% if is_incremental() %} before.spend_percentile {% else %} null::double {% endif %} as spend_percentile_previous_day
from percentiles_today as today
{% if is_incremental() %} left join {{ this }} as before using (customer_id) {% endif %}
"""

HISTORY = """
{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key=['segment', 'customer_id', 'entered_on']) }}
{% if is_incremental() %}
:changes
{% else %}
select segment, customer_id, :today as entered_on, null::date as exited_on from members
{% endif %}
"""

CHANGES = "{{ config(materialized='view') }} select * from history where entered_on = :today or exited_on = :today"
SEGMENT = "{{ config(materialized='view') }}\n"
RELEASE = {
    "members": "select segment, customer_id, entered_on from {{ target.schema }}.history where exited_on is null",
    "counts": "from {{ target.schema }}.counts",
}


def models(night: Night) -> dict[str, str]:
    """The SQL of each model."""
    *segments, (_, members) = views(night.conditions).items()
    ours = MODELS | {
        "customers": CUSTOMERS,
        "order_lines": ORDER_LINES,
        "lines_of_days": LINES_OF_DAYS,
        "customer_days": BY_DAY + MODELS["customer_days"],
        "category_days": BY_DAY + CATEGORY_DAYS,
        "percentiles": PERCENTILES,
        "members": members,
        "history": HISTORY.replace(":changes", MODELS["changes"].replace("from history", "from {{ this }}")),
        "changes": CHANGES,
        "counts": "{{ config(materialized='incremental') }}\n" + counts(night.conditions),
    }
    ours |= {name: SEGMENT + query for name, query in segments}
    placed = {name: refer(sql, "{{{{ ref('{}') }}}}", night.conditions) for name, sql in ours.items()}
    return {
        name: sql.replace(":today", TODAY).replace(":is_first", '{{ var("is_first") }}') for name, sql in placed.items()
    }


def write_project(night: Night) -> None:
    project = night.state / "project"
    (project / "models").mkdir(parents=True, exist_ok=True)
    for name, sql in models(night).items():
        (project / "models" / f"{name}.sql").write_text(sql)
    ends = [f"copy ({query}) to '{night.release.absolute()}/{name}.parquet'" for name, query in RELEASE.items()]
    described = {
        "name": "night",
        "profile": "night",
        "flags": {"send_anonymous_usage_stats": False},
        "models": {"night": {"+materialized": "table"}},
        "on-run-end": ends,
    }
    (project / "dbt_project.yml").write_text(yaml.safe_dump(described))
    settings = {
        "memory_limit": night.memory_limit,
        "temp_directory": str(night.state / "spill"),
        "preserve_insertion_order": False,
    }
    database = {
        "type": "duckdb",
        "path": str(night.state.absolute() / "night.duckdb"),
        "threads": 2,
        "settings": settings,
    }
    (project / "profiles.yml").write_text(
        yaml.safe_dump({"night": {"target": "night", "outputs": {"night": database}}})
    )


def main() -> None:
    """Writes the project unless it is there, and runs it."""
    night = asked(__doc__)
    if night.is_first:
        write_project(night)
    given = json.dumps({"day": str(night.day), "extracts": str(night.extracts.absolute()), "is_first": night.is_first})
    project = str(night.state / "project")
    done = dbtRunner().invoke(["--quiet", "run", "--project-dir", project, "--profiles-dir", project, "--vars", given])
    if not done.success:
        raise SystemExit(f"dbt failed: {done.exception or 'see its words above'}")
    night.archive()


if __name__ == "__main__":
    main()
