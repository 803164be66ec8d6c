"""The customers as they would be, had less come in: the project's own models, run over a small copy of what the warehouse knows.

The copy is a database of its own in memory, with the same schemas, so that compiled SQL runs in it as it stands. What
was known of a customer is taken from the versioned models; every other model down to ``dim_customers`` is computed again. States
no rule and knows no segment.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Set
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from graphlib import TopologicalSorter
from types import MappingProxyType
from typing import Any

import duckdb
import sqlglot
from sqlglot import exp

from orchestration.transform.meaning import CUSTOMERS, tables_behind

#: The copy's name as a database.
COPY = "what_if"
#: What a version says of when it was known, and, where it is about an event, the day of the event.
KNOWN_FROM, KNOWN_UNTIL, EVENT_DAY = "valid_from", "valid_to", "ordered_on"
#: The days that the models are asked of.
AS_OF_DATES = "refresh.as_of_dates"

NOTHING_GIVEN: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Versions:
    """A versioned model: a row says what was known of a customer from ``valid_from`` until ``valid_to``."""

    table: str
    is_of_events: bool


@dataclass(frozen=True)
class CustomerModels:
    """The models from which ``dim_customers`` is made: the manifest, the SQL of every model as when all is built anew, and the columns of
    the warehouse's tables.
    """

    manifest: Mapping[str, Any]
    compiled: Mapping[str, str]
    columns: Mapping[str, set[str]]

    @cached_property
    def versioned(self) -> list[Versions]:
        """The models that keep versions of what is known of a customer."""
        tables = {self._table(name) for name in self._nodes if name in self.compiled}
        return [
            Versions(table, EVENT_DAY in columns)
            for table, columns in self.columns.items()
            if table in tables and {KNOWN_FROM, KNOWN_UNTIL, "customer_id"} <= columns
        ]

    @cached_property
    def derived(self) -> dict[str, str]:
        """The query of every other model down to ``dim_customers``, by its table, each before those that read it."""
        names, above = self._derived, {}
        for name in sorted(names):  # a set has another order in every process
            above[name] = [parent for parent in self._parents(name) if parent in names]
        return {self._table(name): self._query(name) for name in TopologicalSorter(above).static_order()}

    @cached_property
    def reads(self) -> dict[str, set[str]]:
        """The tables that each of these reads."""
        return {self._table(name): {self._table(parent) for parent in self._parents(name)} for name in self._derived}

    @cached_property
    def comparing(self) -> set[str]:
        """The tables of these in which a customer's row hangs on other customers: windows over more than one customer."""
        return {self._table(name) for name in self._derived if _compares_customers(self.compiled[name])}

    @property
    def fingerprint(self) -> str:
        """Changes with what ``dim_customers`` is made of."""
        return hashlib.sha256("\n".join(self.derived.values()).encode()).hexdigest()

    def behind(self, columns: set[str]) -> set[str]:
        """The tables on which columns of ``dim_customers`` hang, through every model in between."""
        return self.beneath(tables_behind(self.compiled[CUSTOMERS], columns))

    def beneath(self, tables: set[str]) -> set[str]:
        """The tables, and those of which they are made, through every model in between."""
        names = {self._table(name): name for name in self._nodes}
        found: set[str] = set()
        asked = tables
        while asked:
            found |= asked
            asked = {
                self._table(parent) for table in asked & self.derived.keys() for parent in self._parents(names[table])
            } - found
        return found

    @cached_property
    def of_a_day_comparing_nobody(self) -> set[str]:
        """The tables of these beneath ``dim_customers`` with a row for a customer's day that hangs on nobody else."""
        return {
            table
            for table in self.derived
            if {"as_of_date", "customer_id"} <= self.columns.get(table, set())
            and not self.beneath({table}) & (self.comparing | {f"customers.{CUSTOMERS}"})
        }

    def comparing_among(self, columns: set[str]) -> set[str]:
        """Those of the columns of ``dim_customers`` that compare a customer with others."""
        return {column for column in columns if self.behind({column}) & self.comparing}

    @cached_property
    def of_the_day_before(self) -> set[str]:
        """The columns of ``dim_customers`` that say what was so the day before: nothing that comes on the day moves them."""
        return self._said_to_be("is_of_the_day_before")

    @cached_property
    def ranks(self) -> set[str]:
        """The columns of ``dim_customers`` that say where a customer stands among all, and nothing else of her."""
        return self._said_to_be("is_rank_among_all")

    def _said_to_be(self, what: str) -> set[str]:
        columns = self._nodes[CUSTOMERS]["columns"].items()
        return {name.lower() for name, column in columns if column["config"]["meta"].get(what)}

    @cached_property
    def _derived(self) -> set[str]:
        stop = {versions.table for versions in self.versioned}
        found: set[str] = set()
        asked = {CUSTOMERS}
        while asked:
            found |= asked
            parents = {parent for name in asked for parent in self._parents(name)}
            asked = {parent for parent in parents if self._table(parent) not in stop} - found
        return found

    @cached_property
    def _nodes(self) -> dict[str, dict[str, Any]]:
        return {node["name"]: node for node in self.manifest["nodes"].values() if node["resource_type"] == "model"}

    def _parents(self, model: str) -> list[str]:
        nodes = self.manifest["nodes"]
        return [nodes[key]["name"] for key in self._nodes[model]["depends_on"]["nodes"] if key in nodes]

    def _table(self, model: str) -> str:
        node = self._nodes[model]
        return f"{node['schema']}.{node['alias'] or node['name']}"

    def _query(self, model: str) -> str:
        """Its SQL without the name of the database, which is another in the copy."""
        return self.compiled[model].replace(f'"{self._nodes[model]["database"]}".', "")


@dataclass(frozen=True)
class Copy:
    """The database beside the warehouse, in which queries run unless they say ``warehouse``'s name."""

    connection: duckdb.DuckDBPyConnection
    warehouse: str
    models: CustomerModels

    def run(self, *queries: str) -> None:
        """Runs queries in the copy, in which ``{warehouse}`` stands for the warehouse's name."""
        for query in queries:
            self.connection.execute(query.replace("{warehouse}", self.warehouse))

    def know_what_is_known(self, tables: Set[str] = frozenset(), needed: Set[str] = frozenset(), of: str = "") -> None:
        """Takes what the warehouse knows of everybody, or of the customers that the condition ``of`` picks, for what is known in the copy; and
        what it says in other ``tables`` than the copy derives. What is ``needed`` of some is copied, not to be looked for again and again.
        """
        for table in {versions.table for versions in self.models.versioned} | tables - self.models.derived.keys():
            known = f"from {{warehouse}}.{table}"
            if of and table in needed | tables:
                some = f"main.of_{table.replace('.', '_')}"
                self.run(f"create or replace table {some} as {known} where {of}")
                known = f"from {some}"
            self.run(f"create or replace view {table} as {known}")

    def derive(
        self,
        days: str,
        needed: set[str],
        *,
        compare: bool,
        columns: str = "*",
        tables: Set[str] | None = None,
        given: Mapping[str, str] = NOTHING_GIVEN,
    ) -> None:
        """Computes ``dim_customers``, of which ``columns`` are kept, and the tables that are ``needed``, for the as-of dates that the
        query ``days`` gives, from the versioned models in the copy.

        Without ``compare`` the models that compare customers have no rows: the copy does not have everybody. Where it is said which
        ``tables`` are read beside ``dim_customers``, every other one that only one model reads is a view: of its columns what is kept alone is worked out.
        Those ``given`` are not computed: each is mapped to the table that has its rows of these days among others.
        """
        self.connection.execute(
            f"create or replace table {AS_OF_DATES} as select as_of_date, "
            "lag(as_of_date) over (order by as_of_date) as previous_as_of_date, "
            f"lead(as_of_date) over (order by as_of_date) as next_as_of_date from ({days})"
        )
        needed = needed | {f"customers.{CUSTOMERS}"}
        for table, query in self.models.derived.items():
            left_empty = table not in needed or (table in self.models.comparing and not compare)
            readers = sum(table in above for other, above in self.models.reads.items() if other in needed)
            is_view = tables is not None and table not in tables and readers == 1
            if left_empty:
                is_view, made = False, f"from {self.warehouse}.{table} limit 0"
            elif table in given:
                is_view, made = True, f"from {given[table]} where as_of_date in (select as_of_date from {AS_OF_DATES})"
            else:
                kept = columns if table == f"customers.{CUSTOMERS}" else "*"
                made = f"select {kept} from (\n{query}\n)"
            form = "view" if is_view else "table"
            self._drop(table)
            with self._joins_as_written(tables is not None):
                self.connection.execute(f"create {form} {table} as {made}")

    @contextmanager
    def _joins_as_written(self, are_so: bool) -> Iterator[None]:
        """DuckDB hashes the customers, and not the table that they are joined with, where that is empty: five times as slow."""
        if are_so:
            self.connection.execute("set disabled_optimizers = 'build_side_probe_side'")
        try:
            yield
        finally:
            if are_so:
                self.connection.execute("reset disabled_optimizers")

    def _drop(self, table: str) -> None:
        schema, name = table.split(".")
        found = self.connection.execute(
            "select case when table_type = 'VIEW' then 'view' else 'table' end from information_schema.tables "
            "where table_catalog = current_database() and table_schema = $schema and table_name = $name",
            {"schema": schema, "name": name},
        ).fetchall()
        for (form,) in found:
            self.connection.execute(f"drop {form} {table}")


@contextmanager
def copy_beside(connection: duckdb.DuckDBPyConnection, models: CustomerModels, name: str = COPY) -> Iterator[Copy]:
    """An empty copy for the length of the block, in memory and, beyond the settings' limit of it, in DuckDB's temporary files."""
    warehouse: str = connection.execute("select current_database()").fetchall()[0][0]
    connection.execute(f"attach ':memory:' as {name}")
    try:
        connection.execute(f"use {name}")
        tables = [
            *models.derived,
            *(versions.table for versions in models.versioned),
            AS_OF_DATES,
            "segments.any",
        ]
        for schema in {table.split(".")[0] for table in tables}:
            connection.execute(f"create schema if not exists {schema}")
        yield Copy(connection, warehouse, models)
    finally:
        connection.execute(f"use {warehouse}")
        connection.execute(f"detach {name}")


def columns_of_tables(connection: duckdb.DuckDBPyConnection) -> dict[str, set[str]]:
    """The columns of every table of the warehouse, in small letters, by ``<schema>.<table>``."""
    rows = connection.execute(
        "select schema_name || '.' || table_name, list(lower(column_name)) from duckdb_columns() "
        "where database_name = current_database() and not internal group by 1"
    ).fetchall()
    return {table: set(columns) for table, columns in rows}


def _compares_customers(compiled: str) -> bool:
    windows = sqlglot.parse_one(compiled, dialect="duckdb").find_all(exp.Window)
    return any(
        "customer_id" not in {column.name for column in window.args.get("partition_by") or []} for window in windows
    )
