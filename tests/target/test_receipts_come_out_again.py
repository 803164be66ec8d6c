"""A receipt comes out again to the byte from the release that it names, however long ago, and what differs is said."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from orchestration.campaigns.receipts import assignment_file, receipt_folder
from orchestration.errors import ConfigurationError
from orchestration.settings import Home
from orchestration.target.launching import launch
from orchestration.target.target_list import CSV, PARQUET
from orchestration.target.verifying import verify
from tests.target.builders import DAY, SETTINGS, SmallRelease, campaign_file, publish, shoppers


@pytest.fixture
def drawn(home: Home) -> Home:
    """A home with two exclusive campaigns, launched on one morning with a global holdout, and a release of a year later."""
    publish(home, SmallRelease(shoppers(120), {"some": [f"C{one:04}" for one in range(40)]}))
    campaign_file(home, "a", segment="some")
    campaign_file(home, "b", holdout="smallest", lift_to_detect=0.1, stratify_by=["gender", "spend_last_365_days"])
    launch(home, SETTINGS.model_copy(update={"global_holdout": 0.05}), lambda *_: 0.25)
    publish(home, SmallRelease(shoppers(30)), DAY + timedelta(365))
    return home


def test_where_the_target_list_was_removed_it_is_said_how_to_get_it_again(drawn: Home) -> None:
    assert "target list" not in verify(drawn, SETTINGS, "a").sentence
    for name in (CSV, PARQUET):
        (receipt_folder(drawn, "a") / name).unlink()
    found = verify(drawn, SETTINGS, "a")
    assert found.holds
    assert f"whoever has the arm treatment in {assignment_file(drawn, 'a')}" in found.sentence


def rewrite(home: Home, campaign_id: str, **said: object) -> None:
    file = receipt_folder(home, campaign_id) / "receipt.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | said, indent=2, sort_keys=True) + "\n")


def rewrite_arms(file: Path, sql: str) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"create table kept as from read_parquet('{file}')")
        connection.execute(sql)
        connection.execute(f"copy (from kept order by customer_id) to '{file}'")


def test_a_year_and_other_settings_later_it_comes_out_to_the_byte(drawn: Home) -> None:
    for campaign_id in ("a", "b"):
        found = verify(drawn, SETTINGS.model_copy(update={"threads": 1}), campaign_id)
        assert found.holds, found.sentence
        assert f"comes out again from release {DAY}-00000000 to the byte" in found.sentence


def test_it_comes_out_after_campaigns_that_came_later_and_after_its_file_is_gone(drawn: Home) -> None:
    campaign_file(drawn, "c", starts_on=DAY + timedelta(366), ends_on=DAY + timedelta(370))
    campaign_file(drawn, "a").unlink()
    assert {one.id: one.state for one in launch(drawn, SETTINGS)} == {"a": "over", "b": "over", "c": "launched"}
    assert all(verify(drawn, SETTINGS, one).holds for one in ("a", "b", "c"))


@pytest.mark.parametrize(
    ("said", "fields"),
    [
        ({"checksum": "0" * 64}, "checksum"),
        ({"definition_hash": "abd"}, "definition_hash"),
        ({"launched_on": "2024-03-11"}, "launched_on"),
        ({"global_holdout": 0.0}, "steps, strata"),
        ({"frozen": "0" * 64}, "frozen"),
        ({"holdout": 0.3}, "holdout"),
    ],
)
def test_a_receipt_that_was_changed_does_not_come_out(drawn: Home, said: dict[str, object], fields: str) -> None:
    rewrite(drawn, "a", **said)
    found = verify(drawn, SETTINGS, "a")
    assert not found.holds
    assert f"does not come out again from release {DAY}-00000000: other " in found.sentence
    assert set(fields.split(", ")) <= set(found.sentence.rstrip(".").split("other ")[1].split(";")[0].split(", "))


def test_a_receipt_written_otherwise_does_not_come_out_to_the_byte(drawn: Home) -> None:
    file = receipt_folder(drawn, "a") / "receipt.json"
    file.write_text(json.dumps(json.loads(file.read_text())))
    assert "receipt.json is written otherwise" in verify(drawn, SETTINGS, "a").sentence


def test_an_arm_that_was_changed_is_counted_and_nobody_named(drawn: Home) -> None:
    rewrite_arms(assignment_file(drawn, "b"), "update kept set arm = 'treatment' where arm = 'control'")
    found = verify(drawn, SETTINGS, "b")
    assert not found.holds
    assert "assignment.parquet has another arm or stratum for " in found.sentence
    assert "C00" not in found.sentence


def test_who_is_gone_from_the_assignment_is_counted(drawn: Home) -> None:
    rewrite_arms(assignment_file(drawn, "b"), "delete from kept where customer_id >= 'C0118'")
    assert "for 2 customers" in verify(drawn, SETTINGS, "b").sentence
    assignment_file(drawn, "b").unlink()
    assert "assignment.parquet is gone" in verify(drawn, SETTINGS, "b").sentence


def test_a_campaign_kept_apart_from_one_whose_assignment_changed_cannot_be_derived(drawn: Home) -> None:
    rewrite_arms(assignment_file(drawn, "a"), "delete from kept where customer_id = 'C0000' or arm = 'control'")
    found = verify(drawn, SETTINGS, "b")
    assert not found.holds
    assert "kept apart from those of a, whose assignment is not the one of its receipt" in found.sentence


def test_a_release_that_is_gone_or_another_is_said(drawn: Home) -> None:
    release = drawn.releases / f"{DAY}-00000000"
    (release / "release.duckdb").open("ab").write(b" ")
    assert "is not the one published" in verify(drawn, SETTINGS, "a").sentence
    shutil.rmtree(release)
    found = verify(drawn, SETTINGS, "a")
    assert not found.holds
    assert f"its release {DAY}-00000000 is gone from {drawn.releases}: bring it back from a backup" in found.sentence


def test_what_has_not_started_has_no_receipt_to_verify(drawn: Home) -> None:
    with pytest.raises(ConfigurationError, match="it has not started, see `segments campaign list`"):
        verify(drawn, SETTINGS, "spring")
