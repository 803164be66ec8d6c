"""The rules of the segments, read from a dbt project of ours without dbt, in DuckDB's SQL.

``conditions`` says them over plain tables without versions (``dim_customers``, ``order_lines``, a table per segment), as the peers
have them; ``compiled`` says them as dbt would, for the script by hand.
"""

from __future__ import annotations

from collections.abc import Callable
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import jinja2
import sqlglot
import yaml

DIALECT = "duckdb"

#: The macros of the project that speak of versions and of several days, without them. ``:today`` is the night's date.
WITHOUT_VERSIONS = """
{% macro bought(within, product_id=none, category=none) -%}
    customer_id in (
        select customer_id from order_lines
        where quantity > 0 and ordered_on > :today - interval '{{ within }}' and ordered_on <= :today
            {% if product_id is not none %} and product_id = '{{ product_id }}' {% endif %}
            {% if category is not none %} and category = '{{ category }}' {% endif %}
    )
{%- endmacro %}
{% macro member_of(segment) -%} customer_id in (select customer_id from "{{ segment }}") {%- endmacro %}
"""


def conditions(project: Path, product_x: str) -> dict[str, str]:
    """What each member fulfils, by segment; a segment comes after those that it is made of."""
    rendered = _rendered(
        project, product_x, ("behaviour", "engines", "lifecycle", "rfm"), WITHOUT_VERSIONS, lambda model: model
    )
    fulfilled = {name: sqlglot.parse_one(rule, dialect=DIALECT).args["where"].this for name, rule in rendered.items()}
    return {name: condition.sql(DIALECT).replace("$today", ":today") for name, condition in fulfilled.items()}


def compiled(project: Path, product_x: str) -> dict[str, str]:
    """The rules in the words of dbt's compiled code, in the same order."""
    schemas = {"dim_customers": "customers", "int_order_lines": "intermediate"}
    macros = ("behaviour", "dates", "engines", "lifecycle", "rfm", "versions")
    return _rendered(project, product_x, macros, "", lambda model: f'"{schemas.get(model, "segments")}"."{model}"')


def _rendered(
    project: Path, product_x: str, macros: tuple[str, ...], more: str, ref: Callable[[str], str]
) -> dict[str, str]:
    given = yaml.safe_load((project / "dbt_project.yml").read_text())["vars"] | {"product_x": product_x}
    sources = "".join((project / "macros" / f"{name}.sql").read_text() for name in macros) + more
    asked: dict[str, set[str]] = {}
    rules = {}
    for file in sorted((project / "models" / "segments").glob("*.sql")):
        models = asked.setdefault(file.stem, set())

        def named(model: str, models: set[str] = models) -> str:
            models.add(model)
            return ref(model)

        names = {"var": given.__getitem__, "ref": named, "adapter": {"dispatch": _of_duckdb}}
        rules[file.stem] = jinja2.Template(sources + file.read_text()).render(names).strip()
    return {segment: rules[segment] for segment in TopologicalSorter(asked).static_order() if segment in rules}


@jinja2.pass_context
def _of_duckdb(context: jinja2.runtime.Context, macro: str) -> Any:
    return context[f"{DIALECT}__{macro}"]
