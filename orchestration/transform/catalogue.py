"""What dbt knows of each segment: its words from the YAML, its rule from the compiled SQL, and a hash of that rule."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlglot
from sqlglot import exp

from orchestration.errors import ConfigurationError
from orchestration.transform.project import SEGMENT_TAG

REQUIRED_META = ("label", "objective", "owner", "channel", "family")

#: The macros that the incremental tables are made with.
FOUNDATION_MACROS = ("macros/dates.sql", "macros/versions.sql")


@dataclass(frozen=True)
class Segment:
    """One segment as its two files say it. ``scheme`` names the exclusive scheme that it belongs to, if any."""

    name: str
    label: str
    description: str
    objective: str
    owner: str
    channel: str
    family: str
    scheme: str | None
    builds_on: tuple[str, ...]


@dataclass(frozen=True)
class Definition:
    """The rule of a segment as it ran: readable SQL, the customer attributes it uses, and a hash that changes when the
    rule does.
    """

    segment: str
    sql: str
    columns_used: tuple[str, ...]
    definition_hash: str


def segments(manifest: Mapping[str, Any]) -> list[Segment]:
    """Every model tagged ``segment``, by name.

    Raises ConfigurationError where the YAML of a segment lacks a word, and where the explicit list of
    ``segment_membership`` disagrees with the models.
    """
    found = [_segment(node, manifest) for node in _segment_nodes(manifest)]
    listed = {
        manifest["nodes"][parent]["name"]
        for node in manifest["nodes"].values()
        if node["name"] == "segment_membership"
        for parent in node["depends_on"]["nodes"]
    }
    if forgotten := sorted({segment.name for segment in found} - listed):
        raise ConfigurationError(
            f"The segment {', '.join(forgotten)} is not in the list of models/metrics/segment_membership.sql: add its line, or it is not recorded."
        )
    return sorted(found, key=lambda segment: segment.name)


def definitions(manifest: Mapping[str, Any], compiled: Mapping[str, str]) -> list[Definition]:
    """The rule of every segment, from its compiled SQL by model name. A segment built on others has their hashes in its
    own.
    """
    parsed = {segment.name: _readable(compiled[segment.name]) for segment in segments(manifest)}
    builds_on = {segment.name: segment.builds_on for segment in segments(manifest)}
    hashes: dict[str, str] = {}

    def hash_of(name: str) -> str:
        if name not in hashes:
            parts = [parsed[name].sql(dialect="duckdb"), *(hash_of(other) for other in builds_on[name])]
            hashes[name] = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
        return hashes[name]

    return [
        Definition(name, rule.sql(dialect="duckdb", pretty=True), _columns_used(rule), hash_of(name))
        for name, rule in parsed.items()
    ]


def _segment_nodes(manifest: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for node in manifest["nodes"].values():
        if node["resource_type"] == "model" and SEGMENT_TAG in node["tags"]:
            yield node


def _segment(node: dict[str, Any], manifest: Mapping[str, Any]) -> Segment:
    name, meta, description = node["name"], node["config"]["meta"], " ".join(node["description"].split())
    missing = [word for word in REQUIRED_META if not meta.get(word)] + ([] if description else ["description"])
    if missing:
        raise ConfigurationError(
            f"models/segments/{name}.yml lacks {', '.join(missing)}: say it under `config: meta:`."
        )
    parents = (manifest["nodes"].get(parent) for parent in node["depends_on"]["nodes"])
    builds_on = sorted(parent["name"] for parent in parents if parent and SEGMENT_TAG in parent["tags"])
    words = {word: str(meta[word]) for word in REQUIRED_META}
    return Segment(name, description=description, scheme=meta.get("scheme"), builds_on=tuple(builds_on), **words)


def _readable(sql: str) -> exp.Expr:
    """The compiled SQL without the name of the private database, so that it runs in a release as it stands."""
    rule = sqlglot.parse_one(sql, dialect="duckdb")
    for table in rule.find_all(exp.Table):
        table.set("catalog", None)
        for part in ("this", "db"):
            if isinstance(named := table.args.get(part), exp.Identifier):
                named.set("quoted", False)
    for comment in rule.walk():
        comment.comments = None
    return rule


def _columns_used(rule: exp.Expr) -> tuple[str, ...]:
    """The attributes of dim_customers in the rule, besides the two that make its key."""
    others = {table.alias_or_name for table in rule.find_all(exp.Table) if table.name != "dim_customers"}
    used = {column.name for column in rule.find_all(exp.Column) if column.table not in others}
    return tuple(sorted(used - {"as_of_date", "customer_id"}))


def foundation_of(manifest: Mapping[str, Any], *settings: str) -> str:
    """A fingerprint of what the incremental tables are made of: models, macros, settings.

    When it changes they cannot be continued.
    """
    models = (
        f"{node['name']} {node['checksum']['checksum']}"
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["fqn"][1] in ("staging", "intermediate")
    )
    macros = (
        f"{macro['unique_id']} {macro['macro_sql']}"
        for macro in manifest["macros"].values()
        if macro["original_file_path"] in FOUNDATION_MACROS
    )
    return hashlib.sha256("\n".join([*settings, *sorted(models), *sorted(macros)]).encode()).hexdigest()
