"""What dbt knows of each segment: its words from the YAML and its rule from the compiled SQL. What the rule rests on is in
``meaning``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from typing import Any

from sqlglot import exp

from orchestration.errors import ConfigurationError
from orchestration.transform.meaning import columns_used, definition_hashes, parse
from orchestration.transform.output_rules import OutputRules, output_rules
from orchestration.transform.project import SEGMENT_TAG

REQUIRED_META = ("label", "objective", "owner", "channel", "family")


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
    output_rules: OutputRules = field(default_factory=OutputRules)


@dataclass(frozen=True)
class Definition:
    """The rule of a segment as it ran: readable SQL, the customer attributes it uses, the raw columns that it depends on
    through every model in between, and a hash that changes when its meaning does.
    """

    segment: str
    sql: str
    columns_used: tuple[str, ...]
    raw_columns: tuple[str, ...]
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


def what_builds_on_what(segments: Iterable[Segment]) -> dict[str, tuple[str, ...]]:
    """What each segment builds on, by name, each after those that it builds on."""
    builds_on = {segment.name: segment.builds_on for segment in segments}
    return {segment: builds_on[segment] for segment in TopologicalSorter(builds_on).static_order()}


def with_those_beneath(segments: Iterable[Segment], chosen: Collection[str]) -> list[str]:
    """The chosen segments and all that they build on, each after those that it builds on."""
    builds_on = what_builds_on_what(segments)
    asked = {*chosen}
    for segment in reversed(builds_on):
        asked |= {*builds_on[segment]} if segment in asked else set()
    return [segment for segment in builds_on if segment in asked]


def definitions(
    manifest: Mapping[str, Any],
    variables: Mapping[str, Any],
    compiled: Mapping[str, str],
    lineage: Mapping[str, Iterable[object]],
) -> list[Definition]:
    """The rule of every segment, from the compiled SQL of the models by name and the raw columns by segment."""
    hashes = definition_hashes(manifest, variables, compiled)
    rules = {segment.name: parse(compiled[segment.name]) for segment in segments(manifest)}
    return [
        Definition(
            segment=name,
            sql=in_a_release(rule).sql(dialect="duckdb", pretty=True),
            columns_used=columns_used(rule),
            raw_columns=tuple(sorted(map(str, lineage[name]))),
            definition_hash=hashes[name],
        )
        for name, rule in rules.items()
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
    return Segment(
        name,
        description=description,
        scheme=meta.get("scheme"),
        builds_on=tuple(builds_on),
        output_rules=output_rules(name, meta.get("output_rules")),
        **words,
    )


def in_a_release(rule: exp.Expr) -> exp.Expr:
    """The rule as it runs in a release, whose tables of segments hold the members of one day and say no day."""
    readable = rule.copy()
    for within in readable.find_all(exp.In):
        asked = within.args.get("query")
        if (
            isinstance(within.this, exp.Tuple)
            and asked
            and any(table.db == "segments" for table in asked.find_all(exp.Table))
        ):
            within.set("this", exp.column("customer_id"))
            asked.this.set("expressions", [exp.column("customer_id")])
    return readable
