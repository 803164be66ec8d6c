"""What a query depends on, column by column: for each column of its result, and for which rows the result has.

Reads DuckDB's SQL and nothing else; which tables there are, and what they depend on, the caller says. What cannot be
followed raises Untraceable: nothing is ever left out in silence.

A left join is taken to find one row at most, as every left join between the models does: it decides no row. Where a
query counts or orders the rows of a left join, it depends on that join all the same.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import pairwise
from typing import Any

import duckdb
from sqlglot import exp

Dependence = frozenset[Any]
NOTHING: Dependence = frozenset()

#: A table's relation by its schema and its name.
Tables = Callable[[str, str], "Relation"]


class Untraceable(Exception):
    """The SQL uses something that cannot be followed; the message names it."""


class UnknownColumn(Untraceable):
    """The SQL uses a column that nothing that it reads has; the message names it, and the one that may be meant."""


@dataclass(frozen=True)
class Relation:
    """What a table or a result depends on: each of its columns, in their order, and which rows it has.

    A column of an ``is_open`` relation that is not listed depends on nothing.
    """

    columns: Mapping[str, Dependence]
    rows: Dependence = NOTHING
    is_open: bool = False

    @property
    def everything(self) -> Dependence:
        return self.rows.union(*self.columns.values())

    def depending_on(self, more: Dependence) -> Relation:
        """The relation where each value, but no row, hangs on more besides."""
        return replace(self, columns={name: column | more for name, column in self.columns.items()})


def relation_of(query: exp.Expr, tables: Tables) -> Relation:
    """What the query depends on. Raises Untraceable."""
    return _read(query, _Names(tables))


@dataclass(frozen=True)
class _Names:
    """What a name in FROM can mean, and the query around this one."""

    tables: Tables
    ctes: Mapping[str, Relation] = field(default_factory=dict)
    outer: _Scope | None = None


def _read(query: exp.Expr, names: _Names) -> Relation:
    if with_ := query.args.get("with_"):
        if with_.args.get("recursive"):
            raise Untraceable("WITH RECURSIVE")
        for cte in with_.expressions:
            relation = _renamed(_read(cte.this, names), cte.args.get("alias"))
            names = replace(names, ctes={**names.ctes, cte.alias.lower(): relation})
    match query:
        case exp.Select():
            return _select(query, names)
        case exp.SetOperation():
            return _set_operation(query, names)
        case exp.Subquery():
            _knows(query, "this", "alias", "with_", "order", "limit", "offset")
            relation = _read(query.this, names)
            return replace(relation, rows=relation.everything) if _is_limited(query) else relation
        case exp.Values():
            return _values(query, names)
        case exp.Table():
            return _source(query, names)
    raise Untraceable(_named(query))


def _set_operation(query: exp.SetOperation, names: _Names) -> Relation:
    _knows(query, "this", "expression", "distinct", "by_name", "with_", "order", "limit", "offset")
    left, right = _read(query.left, names), _read(query.right, names)
    if left.is_open or right.is_open:
        raise Untraceable("a set operation on SELECT * of a table whose columns are not known")
    if query.args.get("by_name"):
        both = {
            name: left.columns.get(name, NOTHING) | right.columns.get(name, NOTHING)
            for name in (*left.columns, *right.columns)
        }
    else:
        both = {
            name: one | other for (name, one), other in zip(left.columns.items(), right.columns.values(), strict=True)
        }
    relation = Relation(both, left.rows | right.rows)
    compares_rows = query.args.get("distinct") or not isinstance(query, exp.Union)
    return replace(relation, rows=relation.everything) if compares_rows or _is_limited(query) else relation


def _values(values: exp.Values, names: _Names) -> Relation:
    _knows(values, "expressions", "alias")
    scope = _Scope(names)
    columns: dict[str, Dependence] = {}
    for row in values.expressions:
        for number, value in enumerate(row.expressions):
            columns[f"col{number}"] = columns.get(f"col{number}", NOTHING) | scope.of(value)
    return _renamed(Relation(columns), values.args.get("alias"))


def _select(select: exp.Select, names: _Names) -> Relation:
    _knows(
        select,
        *("expressions", "from_", "joins", "where", "group", "having", "windows", "qualify"),
        *("distinct", "order", "limit", "offset", "with_"),
    )
    scope = _Scope(names, select)
    if from_ := select.args.get("from_"):
        scope.add(from_.this)
    for join in select.args.get("joins") or ():
        scope.join(join)
    scope.rows |= scope.of_clause("where")
    rows = scope.group(select.args.get("group")) | scope.of_clause("having") | scope.of_clause("qualify")
    columns: dict[str, Dependence] = {}
    for number, projection in enumerate(select.expressions):
        for name, column in scope.project(projection, number):
            # Two columns of one name: whoever reads that name reads both.
            columns[name] = columns.get(name, NOTHING) | column
        if projection.find(exp.Explode, exp.Unnest):
            rows |= scope.of(projection)
    relation = Relation(columns, rows, is_open=scope.shows_unknown_columns)
    if distinct := select.args.get("distinct"):
        if on := distinct.args.get("on"):
            rows |= scope.of_listed(on.expressions or [on])
            relation = relation.depending_on(rows | scope.of_order())
        else:
            rows = relation.everything
    if _is_limited(select):
        rows |= relation.everything | scope.of_order()
    return replace(relation, rows=rows)


class _Scope:
    """The tables that one SELECT reads, and what its expressions depend on."""

    def __init__(self, names: _Names, select: exp.Select | None = None) -> None:
        self.names = names
        self.sources: dict[str, Relation] = {}
        #: Columns that USING made one.
        self.merged: dict[str, Dependence] = {}
        #: What decides which rows there are; of these, what left joins find; and what a group's rows hang on.
        self.rows, self.found, self.keys = NOTHING, NOTHING, NOTHING
        self.projections: list[exp.Expr] = select.expressions if select else []
        self.clauses: Mapping[str, Any] = select.args if select else {}
        self.resolving: set[str] = set()

    # ---- tables ----

    def add(self, source: exp.Expr) -> None:
        relation = _source(source, replace(self.names, outer=self))
        self._name(source, relation)
        self.rows |= relation.rows

    def join(self, join: exp.Join) -> None:
        _knows(join, "this", "on", "using", "side", "kind", "method")
        if join.method not in ("", "ASOF"):
            raise Untraceable(f"{join.method} JOIN")
        right = _source(join.this, replace(self.names, outer=self))
        using = [identifier.name.lower() for identifier in join.args.get("using") or ()]
        lefts = {name: self._unqualified(name) or NOTHING for name in using}
        rights = {name: right.columns.get(name, NOTHING) for name in using}
        before = dict(self.sources)
        self._name(join.this, right)
        condition = NOTHING.union(*lefts.values(), *rights.values())
        if on := join.args.get("on"):
            condition |= self.of(on)
        match = right.rows | condition
        if join.kind in ("SEMI", "ANTI"):
            self.sources = before
            self.rows |= match
            return
        if join.side in ("LEFT", "FULL") or join.method == "ASOF":
            self._name(join.this, right.depending_on(match))
        if join.side in ("RIGHT", "FULL"):
            unmatched = self.rows | condition
            self.sources |= {name: relation.depending_on(unmatched) for name, relation in before.items()}
        if join.side == "LEFT":
            self.found |= match
        elif join.side == "RIGHT":
            self.found |= self.rows | condition
            self.rows = right.rows
        else:
            self.rows |= match
        for name in using:
            kept = {"RIGHT": rights[name], "FULL": lefts[name] | rights[name] | match}.get(join.side, lefts[name])
            self.merged[name] = kept

    def _name(self, source: exp.Expr, relation: Relation) -> None:
        self.sources[source.alias_or_name.lower() or f"#{len(self.sources)}"] = relation

    # ---- what a SELECT makes of its rows ----

    def group(self, group: exp.Group | None) -> Dependence:
        """Makes groups of the rows; gives what decides which groups, or which rows, there are."""
        clauses = (*self.projections, self.clauses.get("having"), self.clauses.get("qualify"))
        if group is None:
            return NOTHING if any(_aggregates(clause) for clause in clauses if clause) else self.rows
        _knows(group, "all", "expressions")
        plain = (projection for projection in self.projections if not _aggregates(projection))
        self.keys = self.of_listed(plain if group.args.get("all") else group.expressions)
        return self.rows | self.keys

    def project(self, projection: exp.Expr, number: int) -> Iterator[tuple[str, Dependence]]:
        """The columns that one item of the SELECT list makes."""
        star = projection.this if isinstance(projection, exp.Column) else projection
        if isinstance(star, exp.Star):
            yield from self._star(star, projection.table.lower() if isinstance(projection, exp.Column) else "")
        else:
            yield projection.alias_or_name.lower() or f"#{number}", self.of(projection)

    @property
    def shows_unknown_columns(self) -> bool:
        """Whether a star stands for columns that nobody listed."""
        return any(
            source.is_open
            for item in self.projections
            if item.is_star
            for source in self._shown(item.table.lower() if isinstance(item, exp.Column) else "").values()
        )

    def _star(self, star: exp.Star, table: str) -> Iterator[tuple[str, Dependence]]:
        _knows(star, "except_", "replace", "rename")
        excluded = {column.name.lower() for column in star.args.get("except_") or ()}
        replaced = {item.alias.lower(): item.this for item in star.args.get("replace") or ()}
        renamed = {item.this.name.lower(): item.alias.lower() for item in star.args.get("rename") or ()}
        merged = {} if table else dict(self.merged)
        for source in self._shown(table).values():
            for name, column in source.columns.items():
                if name in excluded:
                    continue
                if name in merged:
                    column = merged[name]
                yield renamed.get(name, name), self.of(replaced[name]) if name in replaced else column

    def of_clause(self, name: str) -> Dependence:
        clause = self.clauses.get(name)
        return self.of(clause.this) if clause else NOTHING

    def of_order(self) -> Dependence:
        order = self.clauses.get("order")
        return self.of_listed(item.this for item in order.expressions) if order else NOTHING

    def of_listed(self, items: Iterable[exp.Expr]) -> Dependence:
        """Of a list in which a number stands for an item of the SELECT list."""
        meant = (self.projections[int(item.name) - 1] if item.is_int else item for item in items)
        return NOTHING.union(*(self.of(item) for item in meant))

    # ---- expressions ----

    def of(self, node: exp.Expr) -> Dependence:
        match node:
            case exp.Column():
                return self._column(node)
            case exp.Star():
                return NOTHING if isinstance(node.parent, exp.Count) else self._whole_rows("")
            case exp.Exists():
                return _read(node.this, replace(self.names, outer=self)).rows
            case exp.Query():
                return _read(node, replace(self.names, outer=self)).everything
            case exp.Window():
                return self._parts(node) | self._named_window(node) | self._counted
            case exp.Columns() | exp.PositionalColumn() | exp.Comprehension():
                raise Untraceable(_named(node))
            case exp.GroupingSets() | exp.Cube() | exp.Rollup():
                raise Untraceable(_named(node))
        return self._parts(node) | self._counted if _is_aggregate(node) else self._parts(node)

    @property
    def _counted(self) -> Dependence:
        """What a function over several rows depends on besides its arguments: which rows these are."""
        return self.rows | self.found | self.keys

    def _parts(self, node: exp.Expr) -> Dependence:
        return NOTHING.union(*(self.of(part) for part in node.iter_expressions()))

    def _named_window(self, window: exp.Window) -> Dependence:
        name = window.alias.lower()
        windows = [named for named in self.clauses.get("windows") or () if named.name.lower() == name]
        return NOTHING.union(*(self.of(named) for named in windows))

    def _column(self, column: exp.Column) -> Dependence:
        if isinstance(column.this, exp.Star):
            return self._whole_rows(column.table.lower())
        parts = [part.name.lower() for part in column.parts]
        scope: _Scope | None = self
        while scope is not None:
            if (found := scope._qualified(parts)) is not None or (found := scope._unqualified(parts[0])) is not None:
                return found
            if len(parts) == 1 and (source := scope.sources.get(parts[0])) and not source.is_open:
                return scope._whole_rows(parts[0])
            scope = scope.names.outer
        if self._may_be_unknown(parts):
            return NOTHING
        known = [name for source in self.sources.values() for name in source.columns]
        near = difflib.get_close_matches(parts[-1], known, n=1)
        meant = f"; did you mean {near[0]}?" if near else ""
        raise UnknownColumn(f"the column {'.'.join(parts)}, which no table that is read has{meant}")

    def _qualified(self, parts: list[str]) -> Dependence | None:
        """A column with its table before it, and perhaps with a schema before that or a field behind."""
        for table, name in pairwise(parts):
            if (source := self.sources.get(table)) and (found := source.columns.get(name)) is not None:
                return found
        return None

    def _unqualified(self, name: str) -> Dependence | None:
        """A column of a table, or else another item of the SELECT list."""
        if name in self.merged:
            return self.merged[name]
        holders = [source.columns[name] for source in self.sources.values() if name in source.columns]
        if holders:
            return NOTHING.union(*holders)
        for item in self.projections:
            if isinstance(item, exp.Alias) and item.alias.lower() == name and name not in self.resolving:
                self.resolving.add(name)
                try:
                    return self.of(item.this)
                finally:
                    self.resolving.remove(name)
        return None

    def _whole_rows(self, table: str) -> Dependence:
        shown = self._shown(table).values()
        return NOTHING.union(*(column for source in shown for column in source.columns.values()))

    def _shown(self, table: str) -> Mapping[str, Relation]:
        """The tables for which ``*`` or ``<table>.*`` stands."""
        if table and table not in self.sources:
            raise Untraceable(f"{table}.*, for no table of that name is read")
        return {table: self.sources[table]} if table else self.sources

    def _may_be_unknown(self, parts: list[str]) -> bool:
        scope: _Scope | None = self
        while scope is not None:
            for name, source in scope.sources.items():
                if source.is_open and (len(parts) == 1 or name in parts[:-1]):
                    return True
            scope = scope.names.outer
        return False


def _source(source: exp.Expr, names: _Names) -> Relation:
    """What stands in FROM or JOIN: a table, a CTE, a query, values, or the elements of a list."""
    match source:
        case exp.Table(this=exp.Identifier()):
            _knows(source, "this", "db", "catalog", "alias")
            name = source.name.lower()
            if not source.db and name in names.ctes:
                relation = names.ctes[name]
            else:
                relation = names.tables(source.db.lower(), name)
            return _renamed(relation, source.args.get("alias"))
        case exp.Table(this=exp.GenerateSeries()):
            _knows(source, "this", "alias")
            name = "range" if source.this.args.get("is_end_exclusive") else "generate_series"
            return _generated(source.this, name, names, source.args.get("alias"))
        case exp.Unnest():
            _knows(source, "expressions", "alias", "offset")
            return _generated(source, "unnest", names, source.args.get("alias"))
        case exp.Lateral(this=exp.Subquery()):
            return _renamed(_read(source.this, names), source.args.get("alias"))
        case exp.Subquery() | exp.Values():
            return _renamed(_read(source, names), source.args.get("alias"))
    raise Untraceable(_named(source.this if isinstance(source, exp.Table) else source))


def _generated(function: exp.Expr, name: str, names: _Names, alias: exp.TableAlias | None) -> Relation:
    """Rows made of the function's arguments, which may be columns of the tables before it."""
    arguments = (part for part in function.iter_expressions() if not isinstance(part, exp.TableAlias))
    scope = names.outer or _Scope(names)
    made = NOTHING.union(*(scope.of(part) for part in arguments))
    listed = [column.name.lower() for column in alias.columns] if alias else []
    return Relation(dict.fromkeys(listed or [name], made), made)


def _renamed(relation: Relation, alias: exp.TableAlias | None) -> Relation:
    if alias is None or not alias.columns:
        return relation
    names = [column.name.lower() for column in alias.columns]
    kept = list(relation.columns)[len(names) :]
    return replace(relation, columns=dict(zip([*names, *kept], relation.columns.values(), strict=True)))


def _is_limited(query: exp.Expr) -> bool:
    return bool(query.args.get("limit") or query.args.get("offset"))


def _knows(node: exp.Expr, *parts: str) -> None:
    """Raises Untraceable where the node has a part that is not listed, such as PIVOT or TABLESAMPLE."""
    for name, part in node.args.items():
        if part and name not in parts:
            raise Untraceable(f"{name.strip('_').upper()} in {_named(node)}")


def _named(node: exp.Expr) -> str:
    if isinstance(node, exp.Anonymous):
        return node.name.upper()
    return type(node).__name__.upper()


def _is_aggregate(node: exp.Expr) -> bool:
    return isinstance(node, exp.AggFunc) or (
        isinstance(node, exp.Anonymous) and node.name.lower() in _aggregate_functions()
    )


def _aggregates(node: exp.Expr) -> bool:
    """Whether the expression makes one value of the rows of a group; a window function does not."""
    if isinstance(node, exp.Query):
        return False
    if isinstance(node, exp.Window):
        function = node.this
        while isinstance(function, exp.Filter | exp.IgnoreNulls | exp.RespectNulls):
            function = function.this
        return _any_aggregates(function.iter_expressions()) or _any_aggregates(
            part for part in node.iter_expressions() if part is not node.this
        )
    return _is_aggregate(node) or _any_aggregates(node.iter_expressions())


def _any_aggregates(nodes: Iterable[exp.Expr]) -> bool:
    return any(_aggregates(node) for node in nodes)


@cache
def _aggregate_functions() -> frozenset[str]:
    """DuckDB's own list: the parser knows most of them and not all."""
    with duckdb.connect() as connection:
        listed = connection.execute(
            "select distinct lower(function_name) from duckdb_functions() where function_type = 'aggregate'"
        )
        return frozenset(name for (name,) in listed.fetchall())
