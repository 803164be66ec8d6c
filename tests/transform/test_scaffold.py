"""``segments new``: the files of a new segment in a copy of the project."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from orchestration.errors import ConfigurationError
from orchestration.transform.project import PROJECT_DIR
from orchestration.transform.scaffold import Words, scaffold


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return Path(shutil.copytree(PROJECT_DIR, tmp_path / "dbt_project"))


def test_a_new_segment_has_two_files_and_its_line_in_the_list(project: Path) -> None:
    sql, words, listed = scaffold("pet_owners", project)
    assert "ref('dim_customers')" in sql.read_text()
    assert yaml.safe_load(words.read_text())["models"][0]["name"] == "pet_owners"
    names = [line.strip(" ',") for line in listed.read_text().splitlines() if line.startswith("    '")]
    assert "pet_owners" in names
    assert names == sorted(names)


@pytest.mark.parametrize("name", ["", "Pets", "1st", "a-b", "new", "dim_customers", "x" * 64])
def test_a_name_that_cannot_be_or_is_taken_writes_nothing(project: Path, name: str) -> None:
    before = sorted(project.rglob("*"))
    with pytest.raises(ConfigurationError):
        scaffold(name, project)
    assert sorted(project.rglob("*")) == before


def test_a_draft_is_written_with_its_words_as_they_are(project: Path) -> None:
    hostile = Words(
        label="Pets: \"cats\" & 'dogs' # both",
        description="yes\n- [a] {b}: <script>alert(1)</script> © ",
        objective="*",
        owner="null",
        channel="2024-01-01",
        family="@x",
    )
    sql, words, _ = scaffold("pet_owners", project, "select 1\n", hostile)
    [model] = yaml.safe_load(words.read_text())["models"]
    assert sql.read_text() == "select 1\n"
    assert model["description"] == "yes - [a] {b}: <script>alert(1)</script> ©"
    assert model["config"]["meta"] == {
        "label": hostile.label,
        "objective": "*",
        "owner": "null",
        "channel": "2024-01-01",
        "family": "@x",
    }


@pytest.mark.parametrize("description", ["", "  ", "since {{ run_query('drop table x') }}", "{% do x %}", "{# x"])
def test_words_that_are_missing_or_that_dbt_would_work_out_write_nothing(project: Path, description: str) -> None:
    before = sorted(project.rglob("*"))
    with pytest.raises(ConfigurationError, match="description"):
        scaffold("pet_owners", project, "select 1\n", Words(label="Pets", description=description))
    assert sorted(project.rglob("*")) == before
