"""What sqlfluff takes for dbt's ``adapter``: SQL is linted as DuckDB's."""

from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context


@pass_context
def dispatch(context: Context, macro: str) -> Any:
    return context[f"duckdb__{macro}"]
