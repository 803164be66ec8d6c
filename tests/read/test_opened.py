"""An opened release answers many at once, waits for nobody too long, and reaches nothing but itself."""

from __future__ import annotations

import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from orchestration.errors import QueryTooLong, ReleaseDamaged
from orchestration.publish.releases import open_for_reading
from orchestration.read.opened import Release, opened
from orchestration.settings import Home
from tests.builders import SHOP_DAYS, Changed, Refreshed, query

ENDLESS = "select count(*) from range(1_000_000_000_000) where hash(range) = 1"


def test_it_says_which_release_it_is(release: Release, shop: Refreshed) -> None:
    assert (release.name, release.as_of_date) == (shop.manifest.release, SHOP_DAYS[-1])
    assert (release.first_as_of_date, release.published_at) == (SHOP_DAYS[0], shop.manifest.published_at)


def test_before_the_first_release_there_is_none_to_open(home: Home) -> None:
    assert open_for_reading(home) is None


def test_many_threads_ask_at_once(release: Release) -> None:
    one_by_one = "select customer_id from customers.dim_customers order by customer_id limit 1 offset $place"
    everybody = [row[0] for row in release.rows("select customer_id from customers.dim_customers order by customer_id")]
    with ThreadPoolExecutor(8) as threads:
        found = threads.map(lambda place: release.rows(one_by_one, {"place": place}), range(len(everybody)))
        assert [rows[0][0] for rows in found] == everybody


def test_who_else_has_the_file_open_is_not_in_the_way(release: Release, shop: Refreshed) -> None:
    everybody = "select count(*) from customers.dim_customers"
    assert query(shop.aside / "releases" / "current", everybody) == release.rows(everybody)


@pytest.mark.parametrize(
    "sql",
    [
        "create table segments.mine as select 1",
        "delete from segments.active",
        "copy customers.dim_customers to '{file}'",
        "attach '{file}' as other",
        "select * from read_csv('{file}')",
        "select * from '{file}'",
        "select * from glob('{folder}/*')",
        "set enable_external_access = true",
        "set threads = 1",
        "load httpfs",
    ],
)
def test_nothing_is_written_read_elsewhere_or_set(release: Release, tmp_path: Path, sql: str) -> None:
    (tmp_path / "there.csv").write_text("a,b\n1,2\n")
    with pytest.raises(duckdb.Error):
        release.rows(sql.format(file=tmp_path / "there.csv", folder=tmp_path))
    assert (tmp_path / "there.csv").read_text() == "a,b\n1,2\n"


def test_a_query_past_its_time_is_cancelled_and_says_so(release: Release) -> None:
    began = time.monotonic()
    with pytest.raises(QueryTooLong, match=r"longer than 0\.2 seconds and was cancelled"):
        replace(release, limit_seconds=0.2).rows(ENDLESS)
    assert time.monotonic() - began < 5


def test_the_time_runs_for_all_that_one_cursor_is_asked(release: Release) -> None:
    def ask_late() -> None:
        with replace(release, limit_seconds=0.2).cursor() as cursor:
            time.sleep(0.3)
            cursor.execute(ENDLESS)

    with pytest.raises(QueryTooLong):
        ask_late()


def test_after_a_cancelled_query_the_release_answers_as_before(release: Release) -> None:
    with pytest.raises(QueryTooLong):
        replace(release, limit_seconds=0.1).rows(ENDLESS)
    assert release.rows("select 1") == [(1,)]


def test_a_file_that_cannot_be_read_to_its_end_is_told_in_a_sentence(changed: Changed, tmp_path: Path) -> None:
    changed()  # makes the copy that is spoilt here
    file = tmp_path / "0.duckdb"
    spoilt = tmp_path / "spoilt.duckdb"
    shutil.copyfile(file, spoilt)
    with spoilt.open("r+b") as written:
        written.truncate(spoilt.stat().st_size // 2)
    release = Release(opened(spoilt), "spoilt", SHOP_DAYS[-1], SHOP_DAYS[0], "")
    tables = release.rows("select schema_name || '.\"' || table_name || '\"' from duckdb_tables()")
    every_row = " union all ".join(f"select sum(hash(t)) from {table} as t" for (table,) in tables)
    with pytest.raises(ReleaseDamaged, match="Release spoilt cannot be read"):
        release.rows(every_row)
    release.close()
