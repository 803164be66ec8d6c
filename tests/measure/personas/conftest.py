"""The company of personas, refreshed once, and its warehouse to measure personas in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import duckdb
import pytest

from orchestration.days import Days
from orchestration.measure.personas.recording import record_personas
from orchestration.personas.files import Persona, PersonaFiles
from orchestration.settings import Home, load_settings
from orchestration.warehouse import Warehouse
from tests.builders import drop_company, refreshed
from tests.measure.personas.persona_company import FIRST, THIRD, company

#: Writes what is known of the personas, of the days and in this order, and gives the warehouse.
Measured = Callable[..., duckdb.DuckDBPyConnection]


@pytest.fixture(scope="session")
def persona_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The home of the company, with its three days refreshed and no persona; not on the stage, for its warehouse reads its own archive."""
    home = Home(tmp_path_factory.mktemp("personas") / "home")
    drop_company(home, company())
    (home.path / "none").mkdir()
    with (home.path / "settings.yml").open("a") as settings:
        settings.write("personas: none\n")
    refreshed(home, FIRST, THIRD)
    return home


@pytest.fixture(scope="session")
def persona_warehouse(persona_home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    with Warehouse(persona_home, load_settings(persona_home)).connect() as connection:
        yield connection


@pytest.fixture
def measured(persona_warehouse: duckdb.DuckDBPyConnection) -> Measured:
    def measured(
        personas: Iterable[Persona], *runs: Days, wrong: dict[str, str] | None = None
    ) -> duckdb.DuckDBPyConnection:
        files = PersonaFiles(Path("personas"), {one.id: one for one in personas}, wrong or {})
        for days in runs or (Days(FIRST, THIRD),):
            record_personas(persona_warehouse, files, days, "USD", "America/New_York")
        return persona_warehouse

    return measured
