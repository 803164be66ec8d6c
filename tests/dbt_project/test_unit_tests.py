"""The claims of the dbt unit tests, all checked by one dbt invocation; each is a test of its own here, so that it fails by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from orchestration.transform.project import PROJECT_DIR
from tests.dbt_project.conftest import Results


def _claims() -> list[str]:
    files = (yaml.safe_load(path.read_text()) for path in PROJECT_DIR.rglob("models/**/*.yml"))
    return sorted(f"{test['model']}.{test['name']}" for file in files for test in (file or {}).get("unit_tests", []))


@pytest.fixture(scope="module")
def verdicts(dbt: Callable[..., Results]) -> dict[str, dict[str, Any]]:
    return {
        result["unique_id"].split(".", 2)[2]: result
        for result in dbt("test", "--select", "test_type:unit", "--no-fail-fast")
    }


@pytest.mark.parametrize("claim", _claims())
def test_claim(claim: str, verdicts: dict[str, dict[str, Any]]) -> None:
    assert claim in verdicts, f"dbt did not run {claim}"
    assert verdicts[claim]["status"] == "pass", verdicts[claim]["message"]


def test_every_segment_and_every_model_with_a_rule_has_a_claim() -> None:
    proven = {claim.split(".")[0] for claim in _claims()}
    rules = {path.stem for layer in ("intermediate", "segments") for path in PROJECT_DIR.rglob(f"models/{layer}/*.sql")}
    one_macro_of_dim_customers = {
        path.stem for path in PROJECT_DIR.rglob("models/segments/*.sql") if "{{ in_" in path.read_text()
    }
    assert sorted(rules - proven - one_macro_of_dim_customers) == []
