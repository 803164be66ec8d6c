"""What several folders of tests stand on: a stage for small homes, and companies that are refreshed once."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest
from filelock import FileLock
from hypothesis import settings

from orchestration.demo import write_demo
from orchestration.garbage import collect_rarely
from orchestration.publish.releases import FILE, current_release
from orchestration.read.opened import Release, opened
from orchestration.settings import Home
from tests import campaign_company
from tests.builders import SHOP_DAYS, Changed, Refreshed, Stage, copied_home, corner_shop, current_contents, refreshed

# A process of xdist has no file of its own, which pyspark, where it is installed, takes for its doctests and ends.
if not hasattr(sys.modules["__main__"], "__file__"):
    sys.modules["__main__"].__file__ = __file__

collect_rarely()

# A busy machine is slow, and not wrong.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


#: The files that take minutes; the first makes the demo's year, for which others would wait.
LONGEST = (
    "test_the_year.py",
    "test_kill_in_a_hold.py",
    "test_kill_at_any_moment.py",
    "test_spark_on_the_demo.py",
    "test_any_order_gives_the_same_history.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files come first: whoever began one last would have everybody wait."""

    def place(item: pytest.Item) -> tuple[int, bool]:
        name = item.path.name
        return LONGEST.index(name) if name in LONGEST else len(LONGEST), "end_to_end" not in item.path.parts

    items.sort(key=place)


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own SEGMENTS_ variables would change what the tests refresh."""
    for name in [name for name in os.environ if name.startswith("SEGMENTS_")]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """The folder in which tests build small homes, one after the other."""
    return Stage(tmp_path_factory.mktemp("stage") / "home")


@pytest.fixture(scope="session")
def shop(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Refreshed:
    """The corner shop with its four days refreshed at once: what every other way of refreshing them must equal."""

    def make() -> Path:
        refreshed(stage.home(corner_shop()), SHOP_DAYS[0], SHOP_DAYS[-1])
        return stage.path

    return _made_once("shop", make, tmp_path_factory)


@pytest.fixture
def changed(shop: Refreshed, tmp_path: Path) -> Iterator[Changed]:
    """Makes releases of the shop's by statements, as of its last day."""
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


@pytest.fixture(scope="session")
def campaigns(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Refreshed:
    """The company of campaigns with its eighteen days refreshed at once."""

    def make() -> Path:
        home = stage.home()
        campaign_company.drop_campaigns(home)
        refreshed(home, campaign_company.FIRST, campaign_company.LAST)
        return home.path

    return _made_once("campaigns", make, tmp_path_factory)


@pytest.fixture(scope="session")
def year_of_the_demo(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The demo company's home, with the whole of 2017 refreshed in one run. Nobody writes to it."""
    home = Home(_shared(tmp_path_factory) / "year")
    with FileLock(f"{home.path}.lock"):
        if not home.releases.exists():
            write_demo(home.path)
            refreshed(home, date(2017, 1, 1), date(2017, 12, 31))
    return home


def _made_once(name: str, make: Callable[[], Path], tmp_path_factory: pytest.TempPathFactory) -> Refreshed:
    """The home that ``make`` makes, copied for this process; whoever of those that run side by side comes first makes it for all."""
    made = _shared(tmp_path_factory) / name
    with FileLock(f"{made}.lock"):
        if not made.exists():
            copied_home(make(), made.with_suffix(".unfinished")).rename(made)
    home = Home(copied_home(made, tmp_path_factory.mktemp(name) / "home"))
    manifest = current_release(home)
    assert manifest is not None
    return Refreshed(home.path, manifest, current_contents(home))


def _shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the processes of one run of the tests have in common."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with nothing in it."""
    return Home(tmp_path / "home")
