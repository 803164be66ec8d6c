"""Releases: published by one rename, rolled back to, kept in number, and never believed unseen."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.campaigns.receipts import Receipt
from orchestration.errors import ConfigurationError, RefreshRunning, ReleaseDamaged
from orchestration.publish.laws import LAWS
from orchestration.publish.releases import Manifest, current_release, list_releases, publish, rollback
from orchestration.settings import Home, load_settings
from orchestration.transform.project import DbtProjectOfHome
from orchestration.warehouse import Warehouse
from tests.builders import Refreshed, Stage, a_refresh_at_work, contents, query
from tests.campaign_company import campaign_file


class Publisher:
    """Publishes the warehouse of a refreshed home, each time with one more sign of the passing days."""

    def __init__(self, home: Home, connection: duckdb.DuckDBPyConnection, dbt_manifest: Mapping[str, Any]) -> None:
        self.home, self.connection, self.dbt_manifest = home, connection, dbt_manifest

    def publish(self, keep: int = 14) -> Manifest:
        return publish(self.connection, self.home, self.dbt_manifest, keep)

    def change_something(self, word: str) -> None:
        self.connection.execute(f"update refresh.definitions set label = '{word}' where segment = 'active'")

    def publish_changed(self, word: str, keep: int = 14) -> Manifest:
        self.change_something(word)
        return self.publish(keep)

    @property
    def kept(self) -> set[str]:
        return {path.name for path in self.home.releases.iterdir()} - {"current"}

    @property
    def current(self) -> str:
        return str(self.home.releases.joinpath("current").readlink())


@pytest.fixture
def publisher(stage: Stage, shop: Refreshed) -> Iterator[Publisher]:
    home = stage.restore(shop.aside)
    warehouse = Warehouse(home, load_settings(home))
    manifest = DbtProjectOfHome(warehouse).manifest()
    with warehouse.connect() as connection:
        yield Publisher(home, connection, manifest)


def test_a_rule_runs_in_a_release_and_finds_the_members_unless_it_looks_into_order_lines(shop: Refreshed) -> None:
    release = shop.aside / "releases" / "current"
    rules = dict(query(release, "select segment, sql from catalog.segments where not contains(sql, 'int_order_lines')"))
    assert "vips_at_full_price" in rules
    for segment, rule in rules.items():
        found = query(release, f"select customer_id from ({rule}) order by all")
        assert found == query(release, f"select customer_id from segments.{segment} order by all"), segment


def test_the_same_contents_have_the_same_name_and_are_kept_once(publisher: Publisher, shop: Refreshed) -> None:
    assert publisher.publish().release == shop.manifest.release
    assert publisher.publish().release == shop.manifest.release
    assert publisher.kept == {shop.manifest.release}


def test_other_contents_are_another_release_beside_the_first(publisher: Publisher, shop: Refreshed) -> None:
    other = publisher.publish_changed("other")
    assert publisher.current == other.release != shop.manifest.release
    assert publisher.kept == {other.release, shop.manifest.release}


def test_the_name_says_the_as_of_date(shop: Refreshed) -> None:
    assert shop.manifest.release.startswith("2024-03-12-")
    assert (shop.manifest.first_as_of_date, shop.manifest.as_of_date) == (date(2024, 3, 9), date(2024, 3, 12))


def test_a_rollback_makes_an_earlier_release_current_and_keeps_the_later(publisher: Publisher, shop: Refreshed) -> None:
    later = publisher.publish_changed("later")
    assert rollback(publisher.home, shop.manifest.release) == shop.manifest
    assert publisher.current == shop.manifest.release
    assert publisher.kept == {later.release, shop.manifest.release}
    assert contents(publisher.home.releases / "current") == shop.contents


def test_after_a_rollback_the_later_release_can_be_current_again(publisher: Publisher, shop: Refreshed) -> None:
    later = publisher.publish_changed("later")
    rollback(publisher.home, shop.manifest.release)
    assert rollback(publisher.home, later.release).release == publisher.current == later.release


@pytest.mark.parametrize("name", ["2024-03-12-00000000", "current", "..", "", ".building", "../releases"])
def test_a_rollback_to_no_release_names_those_there_are(publisher: Publisher, shop: Refreshed, name: str) -> None:
    with pytest.raises(ConfigurationError, match=shop.manifest.release):
        rollback(publisher.home, name)
    assert publisher.current == shop.manifest.release


def test_the_newest_releases_are_kept_and_the_others_go(publisher: Publisher) -> None:
    published = [publisher.publish_changed(f"number {number}", keep=3).release for number in range(5)]
    assert publisher.current == published[-1]
    assert published[-1] in publisher.kept
    assert len(publisher.kept) == 3


def test_of_releases_of_different_times_the_oldest_goes_first(publisher: Publisher, shop: Refreshed) -> None:
    second = publisher.publish_changed("second")
    for hour, release in enumerate([shop.manifest.release, second.release]):
        antedate(publisher.home.releases / release, f"2024-03-13T0{hour}:00:00+00:00")
    third = publisher.publish_changed("third", keep=2)
    assert publisher.kept == {second.release, third.release}
    assert [manifest.release for manifest in list_releases(publisher.home)] == [third.release, second.release]


def test_the_release_that_a_campaign_was_drawn_from_stays_beside_those_to_keep(
    publisher: Publisher, shop: Refreshed
) -> None:
    keep_receipt_of(publisher.home, shop.manifest.release)
    published = [publisher.publish_changed(f"number {number}", keep=2).release for number in range(4)]
    assert publisher.kept == {shop.manifest.release, *published[-2:]}


def test_where_a_receipt_cannot_be_read_every_release_stays_and_the_night_goes_on(
    publisher: Publisher, shop: Refreshed
) -> None:
    keep_receipt_of(publisher.home, shop.manifest.release).write_text("{")
    published = [publisher.publish_changed(f"number {number}", keep=1).release for number in range(3)]
    assert publisher.current == published[-1]
    assert publisher.kept == {shop.manifest.release, *published}


def keep_receipt_of(home: Home, release: str) -> Path:
    receipt = Receipt(campaign_file("spring").said(), "", release, date(2024, 3, 12), date(2024, 3, 13))
    file = home.campaigns / "spring" / "receipt.json"
    file.parent.mkdir(parents=True)
    file.write_text(receipt.text())
    return file


def test_a_single_release_may_be_kept_and_it_is_the_current(publisher: Publisher) -> None:
    other = publisher.publish_changed("other", keep=1)
    assert publisher.kept == {other.release}


def test_the_release_rolled_back_to_is_not_removed_for_its_age(publisher: Publisher, shop: Refreshed) -> None:
    """Publishing what was published long ago makes it the current one again, and current ones stay."""
    antedate(publisher.home.releases / shop.manifest.release, "2001-01-01T00:00:00+00:00")
    label = query(publisher.home.releases / "current", "select label from catalog.segments where segment = 'active'")
    for number in range(3):
        publisher.publish_changed(f"number {number}")
    assert publisher.publish_changed(label[0][0], keep=2).release == shop.manifest.release
    assert publisher.current == shop.manifest.release
    assert shop.manifest.release in publisher.kept
    assert len(publisher.kept) == 2


def test_a_damaged_file_is_not_rolled_back_to(publisher: Publisher, shop: Refreshed) -> None:
    later = publisher.publish_changed("later")
    rewrite(publisher.home.releases / shop.manifest.release, "delete from segments.men_18_25")
    with pytest.raises(ReleaseDamaged, match=f"{shop.manifest.release} is not the one published"):
        rollback(publisher.home, shop.manifest.release)
    assert publisher.current == later.release


def test_a_law_made_later_does_not_damage_an_earlier_release(
    publisher: Publisher, shop: Refreshed, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher.publish_changed("later")
    monkeypatch.setitem(LAWS, "there are no segments", "select segment from catalog.segments")
    with pytest.raises(ReleaseDamaged, match="there are no segments"):
        publisher.publish_changed("refused")
    assert rollback(publisher.home, shop.manifest.release).release == publisher.current == shop.manifest.release


def test_the_checksums_of_another_engine_do_not_damage_a_release(publisher: Publisher, shop: Refreshed) -> None:
    publisher.publish_changed("later")
    file = publisher.home.releases / shop.manifest.release / "manifest.json"
    said = json.loads(file.read_text())
    for table in said["tables"].values():
        table["checksum"] = "hashed otherwise"
    file.write_text(json.dumps(said))
    assert rollback(publisher.home, shop.manifest.release).release == publisher.current


def test_the_name_rests_on_the_contents_and_not_on_the_bytes_of_the_file(publisher: Publisher, shop: Refreshed) -> None:
    shutil.rmtree(publisher.home.releases)
    model = next(node for node in publisher.dbt_manifest["nodes"].values() if node["name"] == "dim_customers")
    model["description"] = "Other words, and so other bytes."
    again = publisher.publish()
    assert again.sha256 != shop.manifest.sha256
    assert (again.release, again.tables) == (shop.manifest.release, shop.manifest.tables)


def test_a_release_is_on_the_disk_before_current_points_at_it(
    publisher: Publisher, shop: Refreshed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut takes back what was not flushed, and may keep what came later."""
    flushed: list[tuple[str, str]] = []

    def watched(descriptor: int, flush: Callable[[int], None] = os.fsync) -> None:
        flush(descriptor)
        flushed.append((Path(f"/proc/self/fd/{descriptor}").readlink().name, publisher.current))

    monkeypatch.setattr(os, "fsync", watched)
    before, after = shop.manifest.release, publisher.publish_changed("other").release
    assert flushed == [
        ("release.duckdb", before),
        ("manifest.json", before),
        ("report.html", before),
        (".building", before),
        ("releases", before),
        ("releases", after),
    ]


def test_nothing_is_rolled_back_while_a_refresh_is_at_work(publisher: Publisher, shop: Refreshed) -> None:
    later = publisher.publish_changed("later")
    with (
        a_refresh_at_work(publisher.home),
        pytest.raises(RefreshRunning, match=r"Another refresh of .* is running\. Wait until it has ended"),
    ):
        rollback(publisher.home, shop.manifest.release)
    assert publisher.current == later.release


def test_a_file_cut_short_is_not_rolled_back_to(publisher: Publisher, shop: Refreshed) -> None:
    later = publisher.publish_changed("later")
    file = (publisher.home.releases / shop.manifest.release / "segments.duckdb").resolve()
    whole = file.read_bytes()
    file.chmod(0o644)
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ReleaseDamaged, match=shop.manifest.release):
        rollback(publisher.home, shop.manifest.release)
    assert publisher.current == later.release


def test_a_release_whose_file_is_gone_is_not_rolled_back_to(publisher: Publisher, shop: Refreshed) -> None:
    later = publisher.publish_changed("later")
    (publisher.home.releases / shop.manifest.release / "segments.duckdb").resolve().unlink()
    with pytest.raises(ReleaseDamaged, match=shop.manifest.release):
        rollback(publisher.home, shop.manifest.release)
    assert publisher.current == later.release


@pytest.mark.parametrize(
    "damage",
    [
        "update metrics.segment_counts_daily set members = members + 1 where segment = 'active'",
        "delete from metrics.segment_counts_daily where segment = 'lapsed' and as_of_date = date '2024-03-10'",
        "insert into metrics.segment_membership_history "
        "select 'men_18_25', 'a stranger', date '2024-03-12', null::date",
    ],
    ids=["miscounted", "missing-day", "stranger"],
)
def test_what_breaks_a_law_is_not_published(publisher: Publisher, shop: Refreshed, damage: str) -> None:
    publisher.connection.execute(damage)
    with pytest.raises(ReleaseDamaged, match="is not published, for it breaks a law"):
        publisher.publish()
    assert publisher.current == shop.manifest.release
    assert contents(publisher.home.releases / "current") == shop.contents
    assert list_releases(publisher.home) == [shop.manifest]


def test_a_refused_publication_is_cleared_away_by_the_next(publisher: Publisher, shop: Refreshed) -> None:
    publisher.connection.execute("begin")
    publisher.connection.execute("update metrics.segment_counts_daily set members = members + 1")
    publisher.connection.execute("commit")
    with pytest.raises(ReleaseDamaged):
        publisher.publish()
    publisher.connection.execute("update metrics.segment_counts_daily set members = members - 1")
    assert publisher.publish().release == shop.manifest.release
    assert publisher.kept == {shop.manifest.release}


def test_what_a_killed_publication_left_is_cleared_away(publisher: Publisher, shop: Refreshed) -> None:
    """A folder half built, a folder half removed, and a pointer not yet in its place."""
    current = publisher.home.releases / shop.manifest.release
    shutil.copytree(current, publisher.home.releases / ".building", symlinks=True)
    shutil.copytree(current, publisher.home.releases / ".leaving-2001-01-01-00000000", symlinks=True)
    (publisher.home.releases / ".current").symlink_to("nowhere")
    other = publisher.publish_changed("other")
    assert publisher.kept == {shop.manifest.release, other.release}
    assert publisher.current == other.release


def test_a_release_that_was_damaged_where_it_lies_is_not_published_again(publisher: Publisher, shop: Refreshed) -> None:
    """The same contents have the same name, so the folder is there; what is in it is not what was built."""
    rewrite(publisher.home.releases / shop.manifest.release, "delete from segments.men_18_25")
    assert publisher.publish().release == shop.manifest.release
    assert contents(publisher.home.releases / "current") == shop.contents


def test_the_current_release_is_known_by_its_manifest(publisher: Publisher, shop: Refreshed) -> None:
    assert current_release(publisher.home) == shop.manifest


def test_before_the_first_release_there_is_none(home: Home) -> None:
    assert current_release(home) is None
    assert list_releases(home) == []


def test_every_column_of_the_analysts_tables_has_words(shop: Refreshed) -> None:
    silent = query(
        shop.aside / "releases" / "current",
        "select schema_name || '.' || table_name || '.' || column_name from duckdb_columns() "
        "where not internal and comment is null order by 1",
    )
    assert silent == []


def antedate(folder: Path, published_at: str) -> None:
    file = folder / "manifest.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"published_at": published_at}))


def rewrite(folder: Path, sql: str) -> None:
    """Changes a release behind its manifest's back."""
    file = (folder / "segments.duckdb").resolve()
    file.chmod(0o644)
    with duckdb.connect(str(file)) as connection:
        connection.execute(sql)
