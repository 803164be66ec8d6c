"""The warehouse is disposable: from the archive and the releases alone comes the same release again."""

from __future__ import annotations

import shutil

from click.testing import CliRunner

from orchestration.cli import main
from tests.builders import SHOP_DAYS, Refreshed, Stage, current_contents, refreshed


def test_a_warehouse_thrown_away_is_derived_again_with_the_last_night(stage: Stage, shop: Refreshed) -> None:
    home = stage.restore(shop.aside)
    home.warehouse.unlink()
    assert refreshed(home, SHOP_DAYS[-1]).release == shop.manifest.release
    assert current_contents(home) == shop.contents


def test_the_command_rebuilds_from_the_archive_when_the_extracts_are_gone(stage: Stage, shop: Refreshed) -> None:
    home = stage.restore(shop.aside)
    shutil.rmtree(home.extracts)
    said = CliRunner().invoke(main, ["rebuild", "--home", str(home.path)])
    assert said.exit_code == 0, said.output
    assert home.releases.joinpath("current").readlink().name == shop.manifest.release
    assert current_contents(home) == shop.contents


def test_a_home_without_a_release_has_nothing_to_rebuild_and_says_so(stage: Stage) -> None:
    said = CliRunner().invoke(main, ["rebuild", "--home", str(stage.home().path)])
    assert said.exit_code == 1
    assert "segments refresh" in said.output
