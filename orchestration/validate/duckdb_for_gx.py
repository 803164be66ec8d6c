"""Lets Great Expectations look at a table through a DuckDB connection that is already open.

Only what the two need to work together belongs here: the dialect, the quiet import, the batch. Great Expectations
takes seconds to import, so import this module inside the function that needs it.
"""

from __future__ import annotations

import atexit
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any

import duckdb
import duckdb_engine
from duckdb_engine import ConnectionWrapper, Dialect
from sqlalchemy.dialects import registry

if TYPE_CHECKING:
    from great_expectations.datasource.fluent.interfaces import Batch


class OpenConnectionDialect(Dialect):
    """duckdb-engine's dialect for a connection that somebody else opened, and whose transactions are somebody else's.

    Great Expectations closes its SQLAlchemy connection before it fetches. SQLAlchemy would then roll back, and DuckDB
    would forget the result.
    """

    supports_statement_cache = False

    def do_begin(self, connection: Any) -> None:
        pass

    def do_commit(self, connection: Any) -> None:
        pass

    def do_rollback(self, connection: Any) -> None:
        pass

    def do_close(self, connection: Any) -> None:
        pass


registry.register("duckdb.open", __name__, OpenConnectionDialect.__name__)

# Loaded beside Great Expectations' other imports, duckdb-engine keeps DuckDB alive beyond the interpreter's end, and
# DuckDB then reports dozens of "leaked" objects on the terminal of whoever ran us.
atexit.register(vars(duckdb_engine).clear)


def great_expectations() -> ModuleType:
    """Great Expectations with its telemetry off and its logger silent, which quotes SQL errors, which quote rows."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    logging.getLogger("great_expectations").setLevel(logging.CRITICAL + 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import great_expectations

    return great_expectations


@contextmanager
def batch_of(connection: duckdb.DuckDBPyConnection, relation: str) -> Iterator[Batch]:
    """All rows of ``relation`` as one Great Expectations batch that reads through ``connection`` itself.

    It sees the connection's temporary tables and open transaction, and needs no second handle on the file.
    """
    gx = great_expectations()
    from great_expectations.data_context.types.base import ProgressBarsConfig

    borrowed = [ConnectionWrapper(connection)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
        source = context.data_sources.add_sql(
            name="duckdb",
            connection_string="duckdb+open://",
            kwargs={"creator": lambda: borrowed[0], "pool_reset_on_return": None},
        )
        try:
            asset = source.add_query_asset(name=relation, query=f"select * from {relation}")
            yield asset.add_batch_definition_whole_table("all rows").get_batch()
        finally:
            source.get_engine().dispose()
            source.get_execution_engine().close()
            borrowed.clear()
