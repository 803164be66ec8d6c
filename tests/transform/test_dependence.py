"""What the columns and the rows of a query depend on, one construct of SQL at a time.

Tables t, u and v have columns of their own that depend on themselves, spelled ``t.a``; ``days`` is a table of the run.
"""

from __future__ import annotations

import pytest
import sqlglot

from orchestration.transform.dependence import Relation, Untraceable, relation_of

ROWS = "rows"


def table(schema: str, name: str) -> Relation:
    if name == "days":
        return Relation({}, is_open=True)
    columns = {"t": "k a b c l", "u": "k a d", "v": "k e"}[name].split()
    return Relation({column: frozenset({f"{name}.{column}"}) for column in columns})


def depends(sql: str) -> dict[str, str]:
    """Each column's dependence and that of the rows, as words in order."""
    found = relation_of(sqlglot.parse_one(sql, dialect="duckdb"), table)
    assert ROWS not in found.columns
    return {name: " ".join(sorted(column)) for name, column in (found.columns | {ROWS: found.rows}).items()}


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select a, a + b as s, 1 as one from t", {"a": "t.a", "s": "t.a t.b", "one": "", "rows": ""}),
        ("select a from t where b > 0 and c is null", {"a": "t.a", "rows": "t.b t.c"}),
        ("select case when a > 0 then b else c end as x from t", {"x": "t.a t.b t.c", "rows": ""}),
        ("select a + 1 as x, x * 2 as y from t where x > 3", {"x": "t.a", "y": "t.a", "rows": "t.a"}),
        ("select coalesce(a, b) as a from t where a > 0", {"a": "t.a t.b", "rows": "t.a"}),
        ("select {'x': a, 'y': b} as s from t", {"s": "t.a t.b", "rows": ""}),
        ("select s.x from (select {'x': a, 'y': b} as s from t)", {"x": "t.a t.b", "rows": ""}),
        ("select p.s.x from (select {'x': a} as s from t) as p", {"x": "t.a", "rows": ""}),
        ("select t from t as t", {"t": "t.a t.b t.c t.k t.l", "rows": ""}),
        ("select list_filter(l, x -> x > a) as f from t", {"f": "t.a t.l", "rows": ""}),
        ("select unnest(l) as one, a from t", {"one": "t.l", "a": "t.a", "rows": "t.l"}),
        ("select a from t order by b", {"a": "t.a", "rows": ""}),
    ],
)
def test_a_column_depends_on_its_expression_and_the_rows_on_the_conditions(sql: str, expected: dict[str, str]) -> None:
    assert depends(sql) == expected


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ("select * from v", "k e"),
        ("from v", "k e"),
        ("select v.*, u.d from u, v", "k e d"),
        ("select * exclude (k) from v", "e"),
        ("select * replace (e + 1 as k) from v", "k e"),
        ("select * rename (e as f) from v", "k f"),
        ("select * from u inner join v using (k)", "k a d e"),
        ("select * from v as w(x)", "x e"),
    ],
)
def test_a_star_stands_for_the_columns_that_duckdb_would_show(sql: str, columns: str) -> None:
    assert list(depends(sql)) == [*columns.split(), ROWS]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select a, d from t inner join u on t.k = u.k and d > 0", "t.k u.d u.k"),
        ("select e from t inner join v using (k)", "t.k v.k"),
        ("select e from t left join v using (k)", ""),
        ("select e from t right join v using (k)", ""),
        ("select e from t full join v using (k)", "t.k v.k"),
        ("select a from t semi join v using (k)", "t.k v.k"),
        ("select a from t anti join v on t.k = v.k and e > 0", "t.k v.e v.k"),
        ("select a from t cross join (select e from v where e > 0) as w", "v.e"),
        ("select a from t, v where t.k = v.k", "t.k v.k"),
        ("select a from t left join v using (k) where e is null", "t.k v.e v.k"),
        ("select a from t asof join v on t.k >= v.k", "t.k v.k"),
        ("select a from t asof left join v on t.k >= v.k", ""),
        ("select a from t where exists (select 1 from v where v.k = t.k)", "t.k v.k"),
        ("select a from t where not exists (select e from v where v.k = t.k)", "t.k v.k"),
        ("select a from t where k in (select k from v where e > 0)", "t.k v.e v.k"),
        ("select a from t where b > (select max(e) from v)", "t.b v.e"),
        ("select a from t where b = (select e from v where v.k = t.k)", "t.b t.k v.e v.k"),
        ("select a, count(*) as n from t where b > 0 group by a having sum(c) > 0", "t.a t.b t.c"),
        ("select count(*) as n from t where b > 0", ""),
        ("select a from t group by all", "t.a"),
        ("select a from t qualify row_number() over (partition by b order by c) = 1", "t.b t.c"),
        ("select distinct a from t where b > 0", "t.a t.b"),
        ("select distinct on (a) b from t order by c", "t.a"),
        ("select a from t order by b limit 3", "t.a t.b"),
        ("(select a from t order by b limit 3)", "t.a t.b"),
        ("select a from t union all select d from u where k > 0", "u.k"),
        ("select a from t union select d from u", "t.a u.d"),
        ("select a from t except select d from u", "t.a u.d"),
        ("select a from t, unnest(t.l) as x(y)", "t.l"),
        ("select a from t, lateral (select e from v where v.k = t.k) as w", "t.k v.k"),
        ("with w as (select k from v where e > 0) select a from t inner join w using (k)", "t.k v.e v.k"),
    ],
)
def test_the_rows_depend_on_what_lets_them_in(sql: str, expected: str) -> None:
    assert depends(sql)[ROWS] == expected


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        # which rows are summed up, and in which group
        ("select sum(a) as x from t where b > 0", "t.a t.b"),
        ("select k, sum(a) as x from t where b > 0 group by k", "t.a t.b t.k"),
        ("select k, sum(a) as x from t where b > 0 group by 1", "t.a t.b t.k"),
        ("select k, sum(a) as x from t where b > 0 group by all", "t.a t.b t.k"),
        ("select count(*) filter (where a > 0) as x from t group by k", "t.a t.k"),
        ("select first(a order by b) as x from t", "t.a t.b"),
        ("select product(a) as x from t where b > 0", "t.a t.b"),
        ("select k, product(a) as x from t group by all", "t.a t.k"),
        ("select k, max(a) as x from t group by k having sum(b) > 0", "t.a t.k"),
        # which rows a window looks at
        ("select lead(a) over (partition by b order by c) as x from t where k > 0", "t.a t.b t.c t.k"),
        ("select lead(a) over w as x from t window w as (partition by b order by c)", "t.a t.b t.c"),
        ("select sum(count(*)) over (order by k) as x from t where a > 0 group by k", "t.a t.k"),
        # what a left join found
        ("select e as x from t left join v using (k)", "t.k v.e v.k"),
        ("select k as x from t left join v using (k)", "t.k"),
        ("select k as x from t full join v using (k)", "t.k v.k"),
        ("select e as x from t inner join v using (k)", "v.e"),
        ("select e as x from t asof join v on t.k >= v.k", "t.k v.e v.k"),
        ("select e as x from t left join (select * from v where e > 0) as w on w.k = t.k", "t.k v.e v.k"),
        # that a left join may find several rows is seen where they are counted
        ("select count(*) as x from t left join v using (k) group by a", "t.a t.k v.k"),
        # one row of several
        ("select distinct on (a) b as x from t order by c", "t.a t.b t.c"),
        ("select (select max(e) from v where v.k = t.k) as x from t", "t.k v.e v.k"),
        ("select a as x from t union all select d from u where k > 0", "t.a u.d"),
        ("select a as x from t union all by name select k, d as x from u", "t.a u.d"),
        ("select c as x from (values (1, 2)) as w(b, c)", ""),
    ],
)
def test_a_value_depends_on_the_rows_that_it_is_made_of(sql: str, expected: str) -> None:
    assert depends(sql)["x"] == expected


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select as_of_date, a from t inner join days on k <= as_of_date", {"as_of_date": "", "a": "t.a", ROWS: "t.k"}),
        ("select days.as_of_date - 1 as x from days", {"x": "", ROWS: ""}),
        ("with d as (select * from days) select d.x, a from t, d", {"x": "", "a": "t.a", ROWS: ""}),
        # a name that a table around has is not the run's
        ("select a from t where exists (select 1 from days where as_of_date > b)", {"a": "t.a", ROWS: "t.b"}),
    ],
)
def test_the_tables_of_the_run_add_nothing(sql: str, expected: dict[str, str]) -> None:
    assert depends(sql) == expected


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("with recursive r as (select 1 as a union all select a + 1 from r) from r", "WITH RECURSIVE"),
        ("select a from t tablesample 10%", "SAMPLE in TABLE"),
        ("select a from t using sample 3", "SAMPLE in SELECT"),
        ("pivot t on a using sum(b)", "PIVOT"),
        ("select columns('a.*') from t", "COLUMNS"),
        ("select #1 from t", "POSITIONALCOLUMN"),
        ("select [x + a for x in l] from t", "COMPREHENSION"),
        ("select a from t natural join u", "NATURAL JOIN"),
        ("select a from t positional join u", "POSITIONAL JOIN"),
        ("select a from t group by grouping sets ((a), ())", "GROUPINGSETS"),
        ("select a from read_parquet('somewhere')", "READPARQUET"),
        ("select z from t", "the column z"),
        ("select t.z from t", r"the column t\.z"),
        ("select w.* from t", r"w\.\*"),
        ("select * from days union all select a from t", "a set operation"),
    ],
)
def test_what_cannot_be_followed_is_named(sql: str, named: str) -> None:
    with pytest.raises(Untraceable, match=named):
        depends(sql)
