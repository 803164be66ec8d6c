"""The corner shop's release, opened once for all that is read from it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from orchestration.publish.releases import open_for_reading
from orchestration.read.opened import Release
from orchestration.settings import Home
from tests.builders import Refreshed


@pytest.fixture(scope="session")
def release(shop: Refreshed) -> Iterator[Release]:
    """Nobody writes to it: nobody can."""
    opened = open_for_reading(Home(shop.aside))
    assert opened is not None
    yield opened
    opened.close()
