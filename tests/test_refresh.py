"""One refresh at a time: who comes second is told so, and has changed nothing."""

from __future__ import annotations

import pytest

from orchestration.days import Days
from orchestration.errors import RefreshRunning
from orchestration.refresh import rebuild, refresh
from orchestration.settings import Home, load_settings
from orchestration.transform.project import DbtProjectOfHome
from orchestration.warehouse import Warehouse, only_one_refresh
from tests.builders import SHOP_DAYS, a_refresh_at_work, corner_shop, drop_company

LAST_DAY = Days(SHOP_DAYS[-1], SHOP_DAYS[-1])
SENTENCE = r"Another refresh of .* is running\. Wait until it has ended"


@pytest.fixture
def shop_home(home: Home) -> Home:
    drop_company(home, corner_shop())
    return home


def test_a_second_refresh_is_told_so_and_writes_nothing(shop_home: Home) -> None:
    before = {path.name for path in shop_home.path.iterdir()}
    with a_refresh_at_work(shop_home), pytest.raises(RefreshRunning, match=SENTENCE):
        refresh(shop_home, load_settings(shop_home), LAST_DAY)
    assert {path.name for path in shop_home.path.iterdir()} == before | {"refresh.lock"}


def test_a_rebuild_does_not_take_the_warehouse_from_a_refresh_at_work(shop_home: Home) -> None:
    shop_home.warehouse.touch()
    with a_refresh_at_work(shop_home), pytest.raises(RefreshRunning, match=SENTENCE):
        rebuild(shop_home, load_settings(shop_home), LAST_DAY)
    assert shop_home.warehouse.exists()


def test_the_dbt_project_is_not_prepared_anew_under_a_refresh_at_work(shop_home: Home) -> None:
    project = DbtProjectOfHome(Warehouse(shop_home, load_settings(shop_home)))
    with a_refresh_at_work(shop_home), pytest.raises(RefreshRunning, match=SENTENCE):
        project.prepare()
    assert not shop_home.dbt.exists()


def test_who_holds_the_lock_may_ask_for_it_again(home: Home) -> None:
    with only_one_refresh(home):
        with only_one_refresh(home):
            pass
        with pytest.raises(RuntimeError, match="at work"), a_refresh_at_work(home):
            raise AssertionError("another process took the lock that is held here")
