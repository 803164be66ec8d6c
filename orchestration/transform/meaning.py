"""What a rule rests on: all the text that gives it its meaning, and nothing else of the project.

The hash of a segment covers its compiled SQL, the expressions of the attributes that it asks of ``dim_customers``, the
segments it is built on, and beneath them every model with its macros and variables. Layout, comments, other segments and
other attributes leave it as it is. Beneath ``dim_customers`` whole models count, so that rewriting one for speed changes
the hashes above it; that draws no false line through a series, because the foundation changes too, and the next run
evaluates every recorded day anew, under the new hash.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.optimizer.normalize_identifiers import normalize_identifiers
from sqlglot.optimizer.scope import Scope, build_scope

from orchestration.errors import ConfigurationError
from orchestration.transform.project import SEGMENT_TAG

CUSTOMERS = "dim_customers"
#: The columns of dim_customers that every segment selects.
KEY = {"as_of_date", "customer_id"}

#: A text in quotes, which stays as it is, or a comment of Jinja or SQL.
QUOTED_OR_COMMENT = re.compile(r"('(?:[^'\n]|'')*')|\{#.*?#\}|--[^\n]*", re.DOTALL)


def definition_hashes(
    manifest: Mapping[str, Any], variables: Mapping[str, Any], compiled: Mapping[str, str]
) -> dict[str, str]:
    """A hash by segment that changes when something does that the segment's meaning rests on.

    ``variables`` are what ``var`` gives in the project, ``compiled`` is the SQL that ran, by model. Raises
    ConfigurationError where an attribute cannot be told from the others.
    """
    project = _Project(manifest, variables)
    customers = _scope_of(compiled[CUSTOMERS])
    rules = {name: parse(compiled[name]) for name in project.segments}

    def under(segment: str) -> Iterator[str]:
        yield _text(rules[segment])
        for parent in project.parents(segment):
            if parent in rules:
                yield from under(parent)
            elif parent != CUSTOMERS:
                yield from project.under(parent)
        for part in _made_of(customers, KEY | set(columns_used(rules[segment]))):
            yield _text(part)
            for table in part.find_all(exp.Table):
                yield from project.under(table.name)

    return {segment: _digest(under(segment))[:16] for segment in rules}


def foundation_of(manifest: Mapping[str, Any], variables: Mapping[str, Any]) -> str:
    """A fingerprint of all that the models in ``staging`` and ``intermediate`` mean.

    When it changes, those of them that are incremental cannot be continued.
    """
    project = _Project(manifest, variables)
    return _digest(text for name, text in project.texts.items() if project.layer(name) in ("staging", "intermediate"))


def parse(compiled: str) -> exp.Expr:
    """The compiled SQL of a model without comments and without the name of the private database, its names in small letters, in which DuckDB
    sees no difference.
    """
    rule = normalize_identifiers(sqlglot.parse_one(compiled, dialect="duckdb"), dialect="duckdb")
    for table in rule.find_all(exp.Table):
        table.set("catalog", None)
        for part in ("this", "db"):
            if isinstance(named := table.args.get(part), exp.Identifier):
                named.set("quoted", False)
    for node in rule.walk():
        node.comments = None
    return rule


def columns_used(rule: exp.Expr) -> tuple[str, ...]:
    """The attributes of dim_customers in a segment's rule, besides the two that make its key."""
    of_customers = {CUSTOMERS}
    for query in rule.find_all(exp.CTE):
        if of_customers & {table.name for table in query.find_all(exp.Table)}:
            of_customers.add(query.alias)
    others = {table.alias_or_name for table in rule.find_all(exp.Table) if table.name not in of_customers}
    used = {column.name for column in rule.find_all(exp.Column) if column.table not in others}
    return tuple(sorted(used - KEY))


def tables_behind(customers: str, columns: set[str]) -> set[str]:
    """The tables, as ``<schema>.<table>``, from which the compiled SQL of ``dim_customers`` makes the columns and its rows."""
    scope = _scope_of(customers)
    return {
        f"{table.db}.{table.name}"
        for part in _made_of(scope, KEY | columns)
        for table in part.find_all(exp.Table)
        if table.db
    }


@lru_cache(maxsize=1)
def _scope_of(compiled: str) -> Scope:
    scope = build_scope(parse(compiled))
    assert scope is not None, "a model is a query"
    return scope


class _Project:
    """The models by name. The text of one is its SQL before dbt compiled it (what is compiled has dates of the run in it)
    with its macros and the values of its variables.
    """

    def __init__(self, manifest: Mapping[str, Any], variables: Mapping[str, Any]) -> None:
        self._names = {key: node["name"] for key, node in manifest["nodes"].items() if node["resource_type"] == "model"}
        self._nodes = {name: manifest["nodes"][key] for key, name in self._names.items()}
        macros = {
            macro["name"]: _without_comments(macro["macro_sql"])
            for macro in manifest["macros"].values()
            if macro["package_name"] == manifest["metadata"]["project_name"]
        }
        self.segments = [name for name, node in self._nodes.items() if SEGMENT_TAG in node["tags"]]
        self.texts = {
            name: _with_what_it_names(_without_comments(node["raw_code"]), macros, variables)
            for name, node in self._nodes.items()
        }

    def layer(self, model: str) -> str:
        layer: str = self._nodes[model]["fqn"][1]
        return layer

    def parents(self, model: str) -> list[str]:
        return [self._names[key] for key in self._nodes[model]["depends_on"]["nodes"] if key in self._names]

    def under(self, model: str) -> Iterator[str]:
        """The texts of the model and of all that it is made from."""
        if model in self.texts:
            yield self.texts[model]
            for parent in self.parents(model):
                yield from self.under(parent)


def _with_what_it_names(text: str, macros: Mapping[str, str], variables: Mapping[str, Any]) -> str:
    said = {text}
    unread = [text]
    while unread:
        words = _words(unread.pop())
        named = (words | {f"duckdb__{word}" for word in words}) & macros.keys()
        unread += [macros[name] for name in named if macros[name] not in said]
        said |= {macros[name] for name in named}
    values = {f"{name} = {variables[name]!r}" for name in _words(" ".join(said)) & variables.keys()}
    return "\n".join([*sorted(said), *sorted(values)])


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text))


def _without_comments(text: str) -> str:
    return " ".join(QUOTED_OR_COMMENT.sub(r"\1", text).split())


def _made_of(query: Scope, columns: set[str]) -> Iterator[exp.Expr]:
    """The expressions from which a query makes the columns and its rows, down to the tables that it reads.

    A left join of which the columns use nothing is left out: it gives and takes no row.
    """
    select = query.expression
    if not isinstance(select, exp.Select):
        raise ConfigurationError(
            f"models/customers/{CUSTOMERS}.sql has a {select.key}, in which one attribute cannot be told from the other: move it to a model in models/intermediate."
        )
    through_star = columns - {projection.alias_or_name for projection in select.selects}
    parts = [projection for projection in select.selects if projection.alias_or_name in columns]
    parts += [
        select.args[clause] for clause in ("where", "group", "having", "qualify", "distinct") if select.args.get(clause)
    ]
    needless = set()
    for join in reversed(select.args.get("joins") or []):
        if join.side != "LEFT" or through_star or _asked_of(join.alias_or_name, parts):
            parts.append(join)
        else:
            needless.add(join.alias_or_name)
    yield from parts
    for name, (table, source) in query.selected_sources.items():
        if name in needless:
            continue
        if isinstance(source, Scope):
            yield from _made_of(source, through_star | _asked_of(name, parts))
        else:
            yield table


def _asked_of(source: str, parts: Iterable[exp.Expr]) -> set[str]:
    columns = [column for part in parts for column in part.find_all(exp.Column)]
    joined_on = {name.name for part in parts if isinstance(part, exp.Join) for name in part.args.get("using") or []}
    return {column.name for column in columns if column.table in (source, "")} | joined_on


def _text(rule: exp.Expr) -> str:
    return rule.sql(dialect="duckdb")


def _digest(texts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(set(texts))).encode()).hexdigest()
