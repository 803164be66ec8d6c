"""What several folders of tests stand on: a stage for small homes, and the demo company's year, refreshed once."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from orchestration.demo import write_demo
from orchestration.settings import Home
from tests.builders import Stage, refreshed


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own SEGMENTS_ variables would change what the tests refresh."""
    import os

    for name in [name for name in os.environ if name.startswith("SEGMENTS_")]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """The folder in which tests build small homes, one after the other."""
    return Stage(tmp_path_factory.mktemp("stage") / "home")


@pytest.fixture(scope="session")
def year_of_the_demo(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The demo company's home, with the whole of 2017 refreshed in one run. Nobody writes to it."""
    home = Home(tmp_path_factory.mktemp("year"))
    write_demo(home.path)
    refreshed(home, date(2017, 1, 1), date(2017, 12, 31))
    return home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with nothing in it."""
    return Home(tmp_path / "home")
