"""The warehouse is disposable: from the archive and the releases alone comes the same release again."""

from __future__ import annotations

import shutil

from tests.builders import SHOP_DAYS, Refreshed, Stage, current_contents, refreshed


def test_a_warehouse_thrown_away_is_derived_again_with_the_last_night(stage: Stage, shop: Refreshed) -> None:
    home = stage.restore(shop.aside)
    home.warehouse.unlink()
    shutil.rmtree(home.extracts)
    assert refreshed(home, SHOP_DAYS[-1]).release == shop.manifest.release
    assert current_contents(home) == shop.contents
