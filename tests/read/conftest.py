"""The corner shop's release, opened once for all that is read from it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from orchestration.publish.releases import FILE, open_for_reading
from orchestration.read.opened import Release, opened
from orchestration.settings import Home
from tests.builders import SHOP_DAYS, Refreshed

#: A release after statements were run on the shop's.
Changed = Callable[..., Release]


@pytest.fixture(scope="session")
def release(shop: Refreshed) -> Iterator[Release]:
    """Nobody writes to it: nobody can."""
    opened = open_for_reading(Home(shop.aside))
    assert opened is not None
    yield opened
    opened.close()


@pytest.fixture
def changed(shop: Refreshed, tmp_path: Path) -> Iterator[Changed]:
    """The shop's release after statements were run on it, as of its last day."""
    made: list[Release] = []

    def changed(*statements: str) -> Release:
        file = tmp_path / f"{len(made)}.duckdb"
        shutil.copyfile(shop.aside / "releases" / "current" / FILE, file)
        with duckdb.connect(str(file)) as connection:
            for statement in statements:
                connection.execute(statement)
        made.append(Release(opened(file), "by hand", SHOP_DAYS[-1], SHOP_DAYS[0], "2024-03-13T02:00:00+00:00"))
        return made[-1]

    yield changed
    for release in made:
        release.close()
