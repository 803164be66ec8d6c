"""The arrows of the house go one way: read from the source, so that an import inside a function counts too."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

#: The packages of a night in their order; none imports a later one.
FLOW = ("ingest", "validate", "transform", "measure", "read", "publish", "target", "alert")


def imported_by(package: str) -> Iterator[tuple[str, str]]:
    """Each module of a package, with the full name of everything that it imports."""
    folder = ROOT.joinpath(*package.split("."))
    for file in sorted(folder.rglob("*.py")):
        module = ".".join(file.relative_to(ROOT).with_suffix("").parts)
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from ((module, name.name) for name in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{module} imports relatively; name the package in full."
                yield from ((module, f"{node.module}.{name.name}") for name in node.names)


def arrows(package: str, to: str) -> list[str]:
    return [f"{module} imports {name}" for module, name in imported_by(package) if f"{name}.".startswith(f"{to}.")]


@pytest.mark.parametrize("package", FLOW)
def test_a_package_imports_none_that_comes_later(package: str) -> None:
    assert (ROOT / "orchestration" / package / "__init__.py").exists()
    later = FLOW[FLOW.index(package) + 1 :]
    assert [arrow for one in later for arrow in arrows(f"orchestration.{package}", f"orchestration.{one}")] == []


#: What puts the packages together, and so may tell people of a night.
KNOW_ALERT = {"orchestration.cli", "orchestration.refresh", "orchestration.definitions", "orchestration.check"}


def test_nobody_but_who_puts_the_packages_together_knows_of_alerts() -> None:
    importing = {
        module for module, name in imported_by("orchestration") if f"{name}.".startswith("orchestration.alert.")
    }
    assert {module for module in importing if not module.startswith("orchestration.alert.")} == KNOW_ALERT


@pytest.mark.parametrize("other", ["dagster", "orchestration", "great_expectations", "duckdb"])
def test_expectations_know_neither_the_pipeline_nor_the_tools_that_run_them(other: str) -> None:
    assert arrows("expectations", other) == []


def test_the_arrows_that_exist_are_seen() -> None:
    assert arrows("orchestration.validate", "orchestration.ingest")
    assert arrows("orchestration.ingest", "dagster")


@pytest.mark.parametrize("module", ["expectations", "orchestration.settings"])
def test_what_knows_no_dagster_does_not_load_it(module: str) -> None:
    program = f"import {module}, sys; sys.exit('dagster' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0
