"""Every table that analysts read says what it holds: its grain, and each column of it."""

from __future__ import annotations

import json
from typing import Any

import duckdb
import pytest

from orchestration.publish.tables import TABLES
from orchestration.settings import Home
from orchestration.transform.project import PROJECT_DIR, SEGMENT_TAG, DbtProjectOfHome

#: Release tables that are dbt models, and so take their words from the models' YAML.
OF_MODELS = {table.name: table.model or table.name.split(".")[1] for table in TABLES if not table.columns}


@pytest.fixture(scope="module")
def models(tiny_home: Home, project: DbtProjectOfHome) -> dict[str, dict[str, Any]]:
    manifest = json.loads(project.prepare().read_text())
    return {node["name"]: node for node in manifest["nodes"].values() if node["resource_type"] == "model"}


def test_every_model_has_one_yaml_beside_it_with_the_same_stem() -> None:
    sql = {path.with_suffix("") for path in PROJECT_DIR.rglob("models/**/*.sql")}
    yml = {path.with_suffix("") for path in PROJECT_DIR.rglob("models/**/*.yml")}
    assert sorted(path.name for path in sql - yml) == []
    assert sorted(path.name for path in yml - sql) == ["exposures", "groups", "sources"]


def test_every_model_s_description_ends_with_its_grain(models: dict[str, dict[str, Any]]) -> None:
    without = [
        name
        for name, node in models.items()
        if not node["description"].strip().endswith(".") or "One row per" not in node["description"].split(". ")[-1]
    ]
    assert without == []


def test_every_segment_says_its_rule_before_its_grain(models: dict[str, dict[str, Any]]) -> None:
    segments = {name: node["description"] for name, node in models.items() if SEGMENT_TAG in node["tags"]}
    assert segments
    assert [name for name, words in segments.items() if len(words.split("One row per")[0].split()) < 5] == []


@pytest.mark.parametrize("name", OF_MODELS)
def test_documented_columns_are_the_real_columns(name: str, tiny_home: Home, models: dict[str, dict[str, Any]]) -> None:
    schema, table = name.split(".")
    with duckdb.connect(str(tiny_home.warehouse), read_only=True) as warehouse:
        real = warehouse.execute(
            "select column_name, data_type from duckdb_columns() where schema_name = $schema and table_name = $table "
            "order by column_index",
            {"schema": schema, "table": table},
        ).fetchall()
    model = models[OF_MODELS[name]]
    documented = model["columns"]
    assert [column for column, _ in real] == list(documented)
    assert [kind.lower() for _, kind in real] == [column["data_type"] for column in documented.values()]
    assert [column for column, words in documented.items() if not words["description"].strip()] == []
    assert model["config"]["contract"]["enforced"]


def test_every_column_of_a_release_has_a_comment(tiny_home: Home) -> None:
    with duckdb.connect(str(tiny_home.releases / "current" / "segments.duckdb"), read_only=True) as release:
        silent = release.execute(
            "select schema_name, table_name, column_name from duckdb_columns() "
            "where not internal and coalesce(comment, '') = '' order by all"
        ).fetchall()
        silent_tables = release.execute(
            "select schema_name, table_name from duckdb_tables() where coalesce(comment, '') = '' order by all"
        ).fetchall()
    assert (silent, silent_tables) == ([], [])
