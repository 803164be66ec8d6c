"""The rules of all segments as they run tonight, and the models that they rest on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import duckdb

from orchestration.transform.catalogue import Definition, Segment, segments, with_those_beneath
from orchestration.transform.clauses import Rule, rule_of
from orchestration.transform.lineage import relations
from orchestration.transform.meaning import CUSTOMERS, parse
from orchestration.transform.what_if import CustomerModels, columns_of_tables

#: What a mover is worth, in the business currency: an attribute of dim_customers.
REVENUE = "spend_last_365_days"


@dataclass(frozen=True)
class Rules:
    """The segments' rules as they run tonight: the models of the customers, the segments, each one's rule and definition hash, and the raw
    columns behind each column of a model.
    """

    models: CustomerModels
    segments: Sequence[Segment]
    rules: Mapping[str, Rule]
    hashes: Mapping[str, str]
    raw_columns: Callable[[str], Mapping[str, frozenset[str]]]
    #: Whether what a mover is worth is asked for too.
    with_worth: bool = True

    def alone(self, chosen: Collection[str]) -> Rules:
        """The rules of the chosen segments and of all that they build on, each after those that it builds on; and of no mover's worth."""
        asked = with_those_beneath(self.segments, chosen)
        return replace(self, rules={segment: self.rules[segment] for segment in asked}, with_worth=False)

    @property
    def attributes(self) -> set[str]:
        """The attributes of dim_customers that are asked for, and a mover's worth."""
        worth = {REVENUE} if self.with_worth else set()
        return self.asked | worth & self._columns_of_customers

    @property
    def asked(self) -> set[str]:
        """The attributes of dim_customers in the rules. A rule may have columns of its own making besides."""
        return {column for rule in self.rules.values() for column in rule.columns} & self._columns_of_customers

    @property
    def _columns_of_customers(self) -> set[str]:
        return self.models.columns.get(f"customers.{CUSTOMERS}", set())

    @property
    def tables(self) -> set[str]:
        """The tables besides dim_customers that are asked for."""
        return {table for rule in self.rules.values() for table in rule.tables}

    @property
    def derived(self) -> list[str]:
        """The tables besides dim_customers that are asked for and have to be computed in the states between."""
        return sorted(self.tables & self.models.derived.keys())

    @property
    def needed(self) -> set[str]:
        """The tables behind all that is asked for."""
        return self.models.behind(self.attributes) | self.models.beneath(set(self.derived))

    @property
    def columns(self) -> str:
        return ", ".join(["as_of_date", "customer_id", *sorted(self.attributes)])


def rules_of(
    connection: duckdb.DuckDBPyConnection,
    manifest: Mapping[str, Any],
    compiled: Mapping[str, str],
    definitions: Sequence[Definition],
) -> Rules:
    """The rules of a project's manifest and of its models' SQL as when all is built anew, over the tables that the warehouse has."""
    traced = relations(manifest, compiled)

    def raw_columns(model: str) -> Mapping[str, frozenset[str]]:
        return {column: frozenset(map(str, raw)) for column, raw in traced(model).columns.items()}

    found = segments(manifest)
    written = {
        node["name"]: node["raw_code"] for node in manifest["nodes"].values() if node["resource_type"] == "model"
    }
    return Rules(
        CustomerModels(manifest, compiled, columns_of_tables(connection)),
        found,
        {segment.name: rule_of(parse(compiled[segment.name]), written[segment.name]) for segment in found},
        {definition.segment: definition.definition_hash for definition in definitions},
        raw_columns,
    )
