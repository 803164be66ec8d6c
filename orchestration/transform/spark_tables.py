"""What passes between the warehouse and Spark: the archive and the small tables of the run to Spark, the tables that Spark built back
into ``warehouse.duckdb``. All that Spark has lies under ``<home>/spark``, one folder per dbt invocation; which of them count is noted in the warehouse,
in the transaction that takes their rows over, so that a run that is killed leaves nothing that anybody reads.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb

from expectations.contracts import EXTRACT_TABLES
from orchestration.errors import SegmentsError
from orchestration.ingest.archive import archived_days
from orchestration.settings import Home
from orchestration.sql import literal
from orchestration.warehouse import all_or_nothing

#: Where a table lies, by what was done last: later ones replace earlier ones.
STEPS = ("settled", "learnt", "forgotten")
#: Schemas of sources of which Spark has no need: what the archive's files say of themselves is known to DuckDB alone.
NOT_HANDED_OVER = {"quality"}


class RowsNotSeen(SegmentsError):
    """Spark wrote the rows of a table elsewhere."""


def hand_over(connection: duckdb.DuckDBPyConnection, home: Home, manifest: Mapping[str, Any]) -> list[str]:
    """The statements that make the archive, the tables of the run and what Spark built before known to it. What the warehouse has from
    elsewhere is written out for it.
    """
    inputs = home.spark / "inputs"
    shutil.rmtree(inputs, ignore_errors=True)
    _forget_the_rest(connection, home)
    models = list(_models(manifest))
    sources = [source for source in manifest["sources"].values() if source["schema"] not in NOT_HANDED_OVER]
    statements = []
    for schema in sorted({"main", *(node["schema"] for node in [*models, *sources])}):
        statements += [f"drop schema if exists {schema} cascade", f"create schema {schema}"]
    for source in sources:
        table = f"{source['schema']}.{source['name']}"
        extract = EXTRACT_TABLES.get(f"{source['schema']}/{source['name']}")
        if extract and archived_days(home.archive, extract):
            columns = ", ".join(("extract_date", *extract.columns))
            folder = home.archive / extract.source / extract.name
            statements.append(
                f"create view {table} as select {columns} from parquet.`{str(folder).replace('`', '``')}`"
            )
        else:
            statements.append(_known_as(table, _written_out(connection, table, inputs)))
    built = dict(connection.execute("select table_name, folder from refresh.spark_tables").fetchall())
    there = {
        name
        for (name,) in connection.execute("select schema_name || '.' || table_name from duckdb_tables()").fetchall()
    }
    for model in models:
        table = f"{model['schema']}.{model['name']}"
        if table in there:
            kept = home.spark / built[table] if table in built else _written_out(connection, table, inputs)
            statements.append(_known_as(table, kept))
    return statements


def take_back(
    connection: duckdb.DuckDBPyConnection,
    home: Home,
    manifest: Mapping[str, Any],
    forms: Path,
    invocation: str,
    left_out: Collection[str],
) -> None:
    """Takes the tables that a dbt invocation built on Spark, which are all but those ``left_out``, over into the warehouse, in the form that
    DuckDB gives them, with the views beside them: all of it or nothing.

    Raises RowsNotSeen where a table is not there.
    """
    connection.execute(f"attach {literal(forms)} as forms (read_only)")
    try:
        with all_or_nothing(connection):
            for model in _models(manifest):
                table = f"{model['schema']}.{model['name']}"
                folder = _latest(home.spark / invocation / model["schema"] / model["name"])
                if model["name"] in left_out:
                    continue
                if folder is None:
                    raise RowsNotSeen(
                        f"Spark built {table}, and its rows are not in {home.spark}: its executors have to write where this machine reads. Nothing was published."
                    )
                connection.execute(f"create schema if not exists {model['schema']}")
                connection.execute(f"create or replace table {table} as from forms.{table} limit 0")
                connection.execute(f"insert into {table} by name from read_parquet({literal(folder / '*.parquet')})")
                connection.execute("delete from refresh.spark_tables where table_name = $table", {"table": table})
                connection.execute(
                    "insert into refresh.spark_tables values ($table, $folder)",
                    {"table": table, "folder": str(folder.relative_to(home.spark))},
                )
            for statement in _views(connection):
                connection.execute(statement)
    finally:
        connection.execute("detach forms")
    _forget_the_rest(connection, home)


def make_ready_for_forms(connection: duckdb.DuckDBPyConnection, manifest: Mapping[str, Any], forms: Path) -> None:
    """A warehouse with every source in it: those of extracts without rows, those of the run as they are."""
    shutil.rmtree(forms.parent, ignore_errors=True)
    forms.parent.mkdir(parents=True)
    connection.execute(f"attach {literal(forms)} as forms")
    try:
        for source in manifest["sources"].values():
            table = f"{source['schema']}.{source['name']}"
            only = "" if source["schema"] == "refresh" else "limit 0"
            connection.execute(f"create schema if not exists forms.{source['schema']}")
            connection.execute(f"create table forms.{table} as from {table} {only}")
    finally:
        connection.execute("detach forms")


def _models(manifest: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for node in manifest["nodes"].values():
        if node["resource_type"] == "model" and node["config"]["materialized"] != "view":
            yield node


def _views(connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    views = connection.execute(
        "select schema_name, view_name, sql from duckdb_views() where database_name = 'forms' and not internal "
        "order by view_oid"
    ).fetchall()
    for schema, _, made in views:
        yield f"create schema if not exists {schema}"
        yield str(made).replace("CREATE VIEW", "create or replace view", 1)


def _latest(table: Path) -> Path | None:
    return next((table / step for step in STEPS if (table / step / "_SUCCESS").exists()), None)


def _written_out(connection: duckdb.DuckDBPyConnection, table: str, inputs: Path) -> Path:
    folder = inputs.joinpath(*table.split("."))
    folder.mkdir(parents=True)
    connection.execute(f"copy (from {table}) to {literal(folder / 'rows.parquet')} (format parquet)")
    return folder


def _known_as(table: str, folder: Path) -> str:
    path = str(folder).replace("\\", "\\\\").replace("'", "\\'")
    return f"create table {table} using parquet location '{path}'"


def forget_what_spark_built(connection: duckdb.DuckDBPyConnection, home: Home) -> None:
    """Has every table of the warehouse written out when Spark is asked next, for another engine is about to write them."""
    connection.execute("drop table if exists refresh.spark_tables")
    _forget_the_rest(connection, home)


def _forget_the_rest(connection: duckdb.DuckDBPyConnection, home: Home) -> None:
    """Takes away what no table of the warehouse rests on: of runs that failed, and of those before the last."""
    connection.execute("create table if not exists refresh.spark_tables (table_name varchar, folder varchar)")
    kept = {Path(folder) for (folder,) in connection.execute("select folder from refresh.spark_tables").fetchall()}
    for folder in home.spark.glob("*/*/*"):
        if not any(one.is_relative_to(folder.relative_to(home.spark)) for one in kept):
            shutil.rmtree(folder)
