"""The same models on Spark: the release that DuckDB makes, row for row; and what is said where Spark cannot be had."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import pytest

from orchestration.errors import ConfigurationError
from orchestration.settings import Home, load_settings
from orchestration.transform import spark, spark_tables
from tests.builders import SHOP_DAYS, Refreshed, Stage, corner_shop, current_contents, drop_company, refreshed
from tests.on_spark import needs_spark, on_spark


@needs_spark
def test_nights_on_spark_and_on_duckdb_in_any_order_make_the_release_that_duckdb_makes(
    shop: Refreshed, tmp_path: Path
) -> None:
    home = Home(tmp_path / "jane's home")
    drop_company(home, corner_shop())
    in_duckdb = (home.path / "settings.yml").read_text() if (home.path / "settings.yml").exists() else ""
    refreshed(home, SHOP_DAYS[0], SHOP_DAYS[1])
    refreshed(on_spark(home), SHOP_DAYS[2])
    (home.path / "settings.yml").write_text(in_duckdb)
    refreshed(home, SHOP_DAYS[3])
    refreshed(on_spark(home), SHOP_DAYS[1])
    assert current_contents(home) == shop.contents


@needs_spark
def test_rows_that_spark_wrote_elsewhere_are_one_sentence_and_nothing_is_published(
    shop: Refreshed, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = stage.restore(shop.aside)
    monkeypatch.setattr(spark_tables, "STEPS", ())
    with pytest.raises(spark_tables.RowsNotSeen, match="its executors have to write where this machine reads"):
        refreshed(on_spark(home), SHOP_DAYS[-1])
    assert current_contents(home) == shop.contents


@pytest.mark.parametrize(
    ("missing", "remedy"), [("java", "install Java 17"), ("packages", "pip install 'nightly-segments[spark]'")]
)
def test_what_spark_lacks_is_one_sentence_and_the_last_release_is_untouched(
    missing: str, remedy: str, stage: Stage, shop: Refreshed, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = stage.restore(shop.aside)
    with (home.path / "settings.yml").open("a") as settings:
        settings.write("target: spark\n")
    there = importlib.util.find_spec
    monkeypatch.setattr(shutil, "which", lambda name: None if missing == "java" else f"/usr/bin/{name}")
    monkeypatch.setattr(
        spark.importlib.util, "find_spec", lambda name: None if missing == "packages" else there("duckdb")
    )
    with pytest.raises(ConfigurationError) as refusal:
        refreshed(home, SHOP_DAYS[-1])
    assert remedy in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert current_contents(home) == shop.contents


def test_an_unknown_target_is_one_sentence(home: Home) -> None:
    home.path.mkdir(parents=True)
    (home.path / "settings.yml").write_text("target: sparc\n")
    with pytest.raises(ConfigurationError, match="field `target` is 'sparc': the dbt models run on duckdb or spark"):
        load_settings(home)
