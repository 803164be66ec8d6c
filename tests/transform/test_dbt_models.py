"""A run of dbt as Dagster and people see it: in one part or several, interrupted, refused by a test; never with a value."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import dagster as dg
import duckdb
import pytest

from orchestration.days import Days
from orchestration.definitions import build_definitions
from orchestration.errors import StepTooEarly
from orchestration.instance import open_instance
from orchestration.partitions import range_tags
from orchestration.schedule import JOB
from orchestration.settings import Home, load_settings
from orchestration.transform import assets, plan
from orchestration.transform.assets import TransformFailed
from tests.builders import MARKER, SHOP_DAYS, Refreshed, Stage, corner_shop, current_contents, last_verdict, refreshed

SHOP_CUSTOMERS = 25

#: The CRM's e-mail addresses are taken for numbers, and all of its extracts are read again.
ADDRESSES_AS_NUMBERS = """
    alter view crm.customers rename to customers_as_they_are;
    create view crm.customers as
        select * replace (case when email is null then customer_id else email::integer::varchar end as customer_id)
        from crm.customers_as_they_are;
    update refresh.run set rebuild_from = date '0001-01-01'
"""
#: Segments that overlap are said to exclude each other.
ONE_SCHEME = "update refresh.segments set scheme = 'lifecycle'"

KEEPS_ROWS = {"extracts", "archive", "quarantine", "warehouse.duckdb", "warehouse.duckdb.wal"}


@pytest.fixture
def two_days_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "CUSTOMER_DAYS_AT_ONCE", 2 * SHOP_CUSTOMERS)


def sabotage(chunk: int, sql: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Spoils the warehouse before dbt builds the chunk, counted from 0."""
    turn = itertools.count()

    def spoilt(connection: duckdb.DuckDBPyConnection) -> Days | None:
        days = plan.next_chunk(connection)
        if next(turn) == chunk:
            connection.execute(sql)
        return days

    monkeypatch.setattr(assets, "next_chunk", spoilt)


def release_alone(home: Home) -> None:
    """Materialises the asset ``release`` and nothing else, as somebody may in Dagster's web UI."""
    job = build_definitions(home, load_settings(home)).resolve_job_def(JOB)
    last_day = SHOP_DAYS[-1]
    with open_instance(home) as instance:
        job.execute_in_process(
            instance=instance, tags=range_tags(Days(last_day, last_day)), asset_selection=[dg.AssetKey("release")]
        )


def files_with_the_marker(home: Home) -> Iterator[str]:
    """Files of the home that have the customer's address, but for those that keep rows."""
    for path in home.path.rglob("*"):
        place = path.relative_to(home.path)
        if path.is_file() and place.parts[0] not in KEEPS_ROWS and MARKER.encode() in path.read_bytes():
            yield str(place)


@pytest.mark.usefixtures("two_days_at_once")
def test_a_run_in_two_parts_publishes_what_a_run_in_one_does(
    stage: Stage, shop: Refreshed, capfd: pytest.CaptureFixture[str]
) -> None:
    home = stage.home(corner_shop())
    assert refreshed(home, SHOP_DAYS[0], SHOP_DAYS[-1]).release == shop.manifest.release
    assert "in 2 part(s)" in capfd.readouterr().err
    assert current_contents(home) == shop.contents


@pytest.mark.usefixtures("two_days_at_once")
def test_a_failure_in_the_second_part_quotes_nobody_publishes_nothing_and_is_mended_by_a_retry(
    stage: Stage,
    shop: Refreshed,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    home = stage.home(corner_shop())
    with monkeypatch.context() as spoilt:
        sabotage(1, ADDRESSES_AS_NUMBERS, spoilt)
        with pytest.raises(TransformFailed, match=r"int_customer_versions: .*Conversion Error") as failure:
            refreshed(home, SHOP_DAYS[0], SHOP_DAYS[-1])
    printed = capfd.readouterr()
    assert MARKER not in str(failure.value) + printed.out + printed.err + caplog.text
    assert list(files_with_the_marker(home)) == []

    with pytest.raises(StepTooEarly, match="did not get to its end"):
        release_alone(home)
    assert not (home.releases / "current").exists()

    assert refreshed(home, SHOP_DAYS[-1]).release == shop.manifest.release
    assert current_contents(home) == shop.contents


def test_a_data_test_that_fails_stops_the_run_as_a_failed_check(
    stage: Stage, shop: Refreshed, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = stage.restore(shop.aside)
    asset, check = "metrics/segment_membership", "assert_exclusive_schemes_have_each_customer_at_most_once"
    refreshed(home, SHOP_DAYS[-1])
    assert last_verdict(home, asset, check).passed
    sabotage(0, ONE_SCHEME, monkeypatch)
    with pytest.raises(TransformFailed, match=check):
        refreshed(home, SHOP_DAYS[-1])
    failed = last_verdict(home, asset, check)
    assert (failed.passed, failed.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert home.releases.joinpath("current").readlink().name == shop.manifest.release
