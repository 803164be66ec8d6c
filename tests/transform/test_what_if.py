"""The models from which the customers are made: what is kept until they become others must know them again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]

#: Three models side by side below the customers: a set of them has another order in another process.
FINGERPRINT = """
from orchestration.transform.what_if import CustomerModels
names = ["one", "another", "a_third", "dim_customers"]
nodes = {
    name: {
        "name": name, "resource_type": "model", "database": "w", "schema": "customers", "alias": None,
        "depends_on": {"nodes": names[:3] if name == "dim_customers" else []},
    }
    for name in names
}
models = CustomerModels({"nodes": nodes}, {name: f"select '{name}'" for name in names}, {})
print(models.fingerprint)
"""


def fingerprint(seed: int) -> str:
    command = [sys.executable, "-c", FINGERPRINT]
    environment = {"PYTHONHASHSEED": str(seed), "PYTHONPATH": str(PROJECT)}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return done.stdout.strip()


@pytest.fixture(scope="module")
def fingerprints() -> set[str]:
    return {fingerprint(seed) for seed in range(1, 5)}


def test_the_same_models_have_the_same_fingerprint_in_every_process(fingerprints: set[str]) -> None:
    (only,) = fingerprints
    assert len(only) == 64
