"""The raw columns that are found behind a segment are those on which it hangs, proved by taking them away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter

import duckdb
import pytest

from orchestration.errors import ConfigurationError
from orchestration.settings import Home, load_settings
from orchestration.transform.lineage import Lineage, RawColumn, lineage_of_segments, relations, trace
from orchestration.transform.project import DbtProjectOfHome
from orchestration.warehouse import Warehouse
from tests.builders import SETTINGS
from tests.transform.sample import RAW_COLUMNS, build, make_sample, write_plan

#: What is found although no nulls show it, and why.
CAUTION = {
    ("parents_of_babies", "shop/products.department"): "a product's version ends when either its category or its "
    "department changes; that two versions of one category read like one, no SQL says",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> DbtProjectOfHome:
    """The project of a home that has the plan of a run and no row of an extract."""
    home = Home(tmp_path_factory.mktemp("lineage") / "home")
    home.path.mkdir()
    (home.path / "settings.yml").write_text(SETTINGS)
    warehouse = Warehouse(home, load_settings(home))
    with warehouse.connect() as connection:
        write_plan(connection)
    return DbtProjectOfHome(warehouse)


@pytest.fixture(scope="module")
def compiled(project: DbtProjectOfHome) -> dict[str, str]:
    return project.compiled()


@dataclass(frozen=True)
class Changes:
    """What changes when a raw column is nulled: segments, attributes of customers, and which customers there are."""

    segments: Mapping[RawColumn, set[str]]
    attributes: Mapping[RawColumn, set[str]]
    base: set[RawColumn]


@pytest.fixture(scope="module")
def changes(project: DbtProjectOfHome, compiled: dict[str, str]) -> Changes:
    manifest = project.manifest()
    nodes = {node["name"]: node for node in manifest["nodes"].values() if node["name"] in compiled}
    parents = {
        name: [
            manifest["nodes"][parent]["name"] for parent in node["depends_on"]["nodes"] if parent in manifest["nodes"]
        ]
        for name, node in nodes.items()
        if node["resource_type"] == "model"
    }
    models = [(nodes[name]["schema"], name) for name in TopologicalSorter(parents).static_order()]
    segments = [name for schema, name in models if schema == "segments"]
    changed_segments, changed_attributes, base = {}, {}, set()
    with make_sample() as connection:
        build(connection, models, compiled)
        connection.execute("create schema whole")
        for schema, name in models:
            if schema in ("segments", "customers"):
                connection.execute(f'create table whole."{name}" as from {schema}."{name}"')
        empty = [
            name for name in segments if not _differs(connection, f'whole."{name}"', f"(from whole.{name} limit 0)")
        ]
        assert empty == [], "a segment without members shows no dependence"
        for raw in RAW_COLUMNS:
            if (raw.source, raw.table) in {("crm", "customers"), ("shop", "order_lines"), ("shop", "products")}:
                build(connection, models, compiled, without=raw)
            changed_segments[raw] = {
                name for name in segments if _differs(connection, f'whole."{name}"', f'segments."{name}"')
            }
            changed_attributes[raw] = _changed_attributes(connection)
            keys = [
                f"(select as_of_date, customer_id from {schema}.dim_customers)" for schema in ("whole", "customers")
            ]
            if _differs(connection, *keys):
                base.add(raw)
    return Changes(changed_segments, changed_attributes, base)


def _differs(connection: duckdb.DuckDBPyConnection, one: str, other: str) -> bool:
    query = (
        f"select 1 from ((from {one} except all from {other}) union all (from {other} except all from {one})) limit 1"
    )
    return connection.execute(query).fetchone() is not None


def _changed_attributes(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """The columns of dim_customers with another value for a customer who is there both times."""
    attributes = [name for name, *_ in connection.execute("describe customers.dim_customers").fetchall()]
    tests = ", ".join(f"bool_or(before.{name} is distinct from after.{name})" for name in attributes)
    changed = connection.execute(
        f"select {tests} from whole.dim_customers as before "
        "inner join customers.dim_customers as after using (as_of_date, customer_id)"
    ).fetchall()[0]
    return {name for name, is_changed in zip(attributes, changed, strict=True) if is_changed}


@pytest.fixture(scope="module")
def lineage(project: DbtProjectOfHome, compiled: dict[str, str]) -> Lineage:
    return trace(project.manifest(), compiled)


def test_a_segment_depends_on_exactly_the_raw_columns_whose_loss_changes_it(lineage: Lineage, changes: Changes) -> None:
    found = {(segment, str(raw)) for segment, columns in lineage.items() for raw in columns}
    shown = {(segment, str(raw)) for raw, segments in changes.segments.items() for segment in segments}
    assert sorted(shown - found) == []
    assert sorted(found - shown) == sorted(CAUTION)


def test_an_attribute_depends_on_exactly_the_raw_columns_whose_loss_changes_it(
    project: DbtProjectOfHome, compiled: dict[str, str], changes: Changes
) -> None:
    customers = relations(project.manifest(), compiled)("dim_customers")
    found = {(name, str(raw)) for name, columns in customers.columns.items() for raw in columns}
    shown = {(name, str(raw)) for raw, names in changes.attributes.items() for name in names}
    assert sorted(shown - found) == []
    # Without their ids no customer is left whose attributes could be compared.
    assert {(name, raw) for name, raw in found - shown if raw != "crm/customers.customer_id"} == set()
    assert customers.rows == changes.base


def test_men_18_25_hang_on_nothing_that_was_ordered(lineage: Lineage) -> None:
    assert {str(raw) for raw in lineage["men_18_25"]} == {
        *("crm/customers.customer_id", "crm/customers.is_deleted"),
        *("crm/customers.birth_date", "crm/customers.gender"),
    }


def test_the_lineage_is_worked_out_once_for_a_project(project: DbtProjectOfHome, lineage: Lineage) -> None:
    assert lineage_of_segments(project) == lineage
    kept = project.profiles_dir / "lineage.json"
    written = kept.stat().st_mtime_ns
    with duckdb.connect(str(project.warehouse.path)) as connection:
        connection.execute("drop table refresh.run")
    # Without the plan nothing can be compiled: it comes from the file.
    assert lineage_of_segments(project) == lineage
    assert kept.stat().st_mtime_ns == written


def test_other_settings_of_the_project_are_another_lineage(project: DbtProjectOfHome, lineage: Lineage) -> None:
    with project.warehouse.connect() as connection:
        write_plan(connection)
    lineage_of_segments(project)
    warehouse = project.warehouse
    elsewhere = warehouse.settings.model_copy(update={"product_x": "another"})
    other = DbtProjectOfHome(Warehouse(warehouse.home, elsewhere))
    kept = project.profiles_dir / "lineage.json"
    written = kept.read_text()
    assert lineage_of_segments(other) == lineage
    assert kept.read_text() != written


def test_sql_that_cannot_be_followed_is_named_with_its_model(
    project: DbtProjectOfHome, compiled: dict[str, str]
) -> None:
    strange = compiled | {"men_18_25": "from customers.dim_customers tablesample 10%"}
    with pytest.raises(ConfigurationError, match=r"behind the model men_18_25 .* SAMPLE in TABLE"):
        trace(project.manifest(), strange)


def test_a_model_that_reads_an_unknown_table_is_named(project: DbtProjectOfHome, compiled: dict[str, str]) -> None:
    strange = compiled | {"stg_crm__customers": "select customer_id from elsewhere.people"}
    with pytest.raises(ConfigurationError, match=r"behind the model stg_crm__customers .* elsewhere\.people"):
        trace(project.manifest(), strange)


def test_sql_that_cannot_be_read_is_named_with_its_model(project: DbtProjectOfHome, compiled: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="behind the model aged_65_and_over "):
        trace(project.manifest(), compiled | {"aged_65_and_over": "select from where ("})


@pytest.mark.parametrize("raw", RAW_COLUMNS[:3], ids=str)
def test_a_raw_column_is_spelled_as_its_extract_and_its_name(raw: RawColumn) -> None:
    assert RawColumn.parse(str(raw)) == raw
    assert str(raw).startswith(f"{raw.source}/{raw.table}.")


def test_a_column_that_does_not_exist_is_named_with_the_one_that_may_be_meant(
    project: DbtProjectOfHome, compiled: dict[str, str]
) -> None:
    slip = compiled | {"men_18_25": compiled["men_18_25"].replace("gender", "gendre")}
    with pytest.raises(
        ConfigurationError, match=r"The model men_18_25 uses the column gendre, .* did you mean gender\?"
    ):
        trace(project.manifest(), slip)
