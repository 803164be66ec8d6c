"""Which raw columns each segment depends on, through every model in between: the reach of a fault in an extract.

Works on the compiled SQL and looks at no row. How one query depends on its tables is told by ``dependence``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import sqlglot
from sqlglot.errors import SqlglotError

from expectations.contracts import EXTRACT_TABLES
from orchestration.errors import ConfigurationError
from orchestration.transform import dependence
from orchestration.transform.catalogue import segments
from orchestration.transform.dependence import Relation, UnknownColumn, Untraceable, relation_of
from orchestration.transform.project import DbtProjectOfHome


@dataclass(frozen=True, order=True)
class RawColumn:
    """A column of an extract table; spelled ``crm/customers.email_opt_in``."""

    source: str
    table: str
    column: str

    def __str__(self) -> str:
        return f"{self.source}/{self.table}.{self.column}"

    @classmethod
    def parse(cls, spelled: str) -> RawColumn:
        table, _, column = spelled.partition(".")
        source, _, table = table.partition("/")
        return cls(source, table, column)


Lineage = Mapping[str, frozenset[RawColumn]]


def lineage_of_segments(project: DbtProjectOfHome) -> Lineage:
    """The raw columns on which each segment's members depend, by segment.

    It is worked out anew only when the project or the settings have changed; the plan of a run must then be in the
    warehouse, for the models read their dates from it as they are compiled.
    Raises ConfigurationError, naming the model and the construct, where a model's SQL cannot be followed.
    """
    manifest, kept = project.manifest(), project.profiles_dir / "lineage.json"
    fingerprint = _fingerprint(project)
    if kept.exists():
        known = json.loads(kept.read_text())
        if known["fingerprint"] == fingerprint:
            return {segment: frozenset(map(RawColumn.parse, columns)) for segment, columns in known["segments"].items()}
    found = trace(manifest, project.compiled())
    spelled = {segment: sorted(map(str, columns)) for segment, columns in found.items()}
    unfinished = kept.with_suffix(".tmp")
    unfinished.write_text(json.dumps({"fingerprint": fingerprint, "segments": spelled}, indent=2))
    unfinished.replace(kept)
    return found


def trace(manifest: Mapping[str, Any], compiled: Mapping[str, str]) -> Lineage:
    """The raw columns of every segment, from the compiled SQL of the models by name."""
    relation_of_model = relations(manifest, compiled)
    return {segment.name: relation_of_model(segment.name).everything for segment in segments(manifest)}


def relations(manifest: Mapping[str, Any], compiled: Mapping[str, str]) -> Callable[[str], Relation]:
    """Tells of each model, by name, which raw columns its columns and its rows depend on."""

    models = {
        (node["schema"].lower(), (node["alias"] or node["name"]).lower()): node["name"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model"
    }
    sources = {
        (node["schema"].lower(), node["identifier"].lower()): node["source_name"]
        for node in manifest["sources"].values()
    }

    def table(schema: str, name: str) -> Relation:
        if (schema, name) in models:
            return of_model(models[schema, name])
        if (schema, name) not in sources:
            raise Untraceable(f"the table {schema}.{name}, which is neither a model nor a source")
        raw = EXTRACT_TABLES.get(f"{schema}/{name}")
        # A source that is no extract says which days and segments a run is about.
        return Relation({}, is_open=True) if raw is None else _raw(raw.source, raw.name, raw.columns)

    @cache
    def of_model(name: str) -> Relation:
        try:
            return relation_of(sqlglot.parse_one(compiled[name], dialect="duckdb"), table)
        except UnknownColumn as unknown:
            raise ConfigurationError(f"The model {name} uses {unknown}") from unknown
        except (Untraceable, SqlglotError) as unread:
            raise ConfigurationError(
                f"The raw columns behind the model {name} cannot be traced, for it uses {unread}: say it in other SQL."
            ) from unread

    return of_model


def _raw(source: str, table: str, columns: Iterable[str]) -> Relation:
    """An extract table in the archive: which rows it has hangs on no column, and its day is no column of the extract."""
    return Relation(
        {column: frozenset({RawColumn(source, table, column)}) for column in columns} | {"extract_date": frozenset()}
    )


def _fingerprint(project: DbtProjectOfHome) -> str:
    """Changes with the project, the extract tables, and the way in which lineage is worked out."""
    seen = hashlib.sha256(project.fingerprint.encode())
    seen.update(f"{version('sqlglot')} {EXTRACT_TABLES}".encode())
    for module in (__file__, dependence.__file__):
        seen.update(Path(module).read_bytes())
    return seen.hexdigest()
