"""A tiny home that has been refreshed once: dbt asks its warehouse which columns the models have."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from dbt.artifacts.schemas.run import RunExecutionResult

from orchestration.settings import Home, load_settings
from orchestration.transform.project import DbtProjectOfHome
from orchestration.warehouse import Warehouse
from tests.builders import CUSTOMERS, ORDER_LINES, PRODUCTS, customer, drop_company, order_line, product, refreshed

Results = list[dict[str, Any]]


@pytest.fixture(scope="session")
def tiny_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Two customers, one order, two days."""
    first, second = date(2024, 3, 1), date(2024, 3, 2)
    home = Home(tmp_path_factory.mktemp("dbt_project") / "home")
    drop_company(
        home,
        {
            CUSTOMERS: {first: [customer("C1"), customer("C2")], second: []},
            ORDER_LINES: {first: [order_line("L1", ordered_at="2024-03-01 15:00:00")], second: []},
            PRODUCTS: {first: [product("P1", "SNACKS")]},
        },
    )
    refreshed(home, first, second)
    return home


@pytest.fixture(scope="session")
def project(tiny_home: Home) -> DbtProjectOfHome:
    return DbtProjectOfHome(Warehouse(tiny_home, load_settings(tiny_home)))


@pytest.fixture(scope="session")
def dbt(project: DbtProjectOfHome) -> Callable[..., Results]:
    """Runs one dbt command on the tiny home and gives its results, failed ones too."""

    def run(*arguments: str) -> Results:
        project.prepare()
        built = project.run(*arguments)
        assert isinstance(built.result, RunExecutionResult), built.exception
        return [
            {
                "unique_id": result.node.unique_id,
                "status": str(result.status),
                "message": result.message,
                "compiled_code": result.node.compiled_code,
            }
            for result in built.result.results
        ]

    return run
