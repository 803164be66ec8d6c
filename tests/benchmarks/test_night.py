"""The benchmark at toy size: what it times must be the same work, whatever the time it takes."""

from __future__ import annotations

import io
from pathlib import Path

import duckdb
import pytest
from rich.console import Console

from benchmarks.company import PRODUCT_X, Size, make_company
from benchmarks.night import Night, run
from orchestration.publish.releases import open_for_reading
from orchestration.read.customer import customer
from orchestration.read.waterfall import waterfall
from orchestration.settings import Home

TOY = Size(customers=500, lines=10_000, nights=1)


@pytest.fixture(scope="module")
def printed() -> io.StringIO:
    return io.StringIO()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("benchmark")


@pytest.fixture(scope="module")
def nights(folder: Path, printed: io.StringIO) -> list[Night]:
    return run(folder, TOY, segments=48, memory_limit="1GB", console=Console(file=printed, width=160))


def test_both_have_the_same_members_entries_and_exits(nights: list[Night]) -> None:
    assert [night.disagreements for night in nights] == [[], []]


def test_there_are_members_to_disagree_about_and_some_move(nights: list[Night]) -> None:
    assert all(night.members > TOY.customers for night in nights)
    assert nights[1].changes > 0


def test_every_rule_asked_of_the_release_has_the_members_that_it_publishes(nights: list[Night], folder: Path) -> None:
    """Among them one that asks for an order line and one that asks for none, which the release has only by who was listed."""
    release = open_for_reading(Home(folder / "pipeline"))
    assert release is not None
    rules = dict(release.rows("select segment, sql from catalog.segments"))
    assert [
        segment for segment, sql in rules.items() if "AND NOT (as_of_date, customer_id) IN" in " ".join(sql.split())
    ]
    for segment in rules:
        told = waterfall(release, segment)
        assert (told.is_split, told.remark, told.steps[-1].left) == (True, None, told.members), segment
    for (somebody,) in release.rows("select customer_id from customers.dim_customers order by customer_id limit 20"):
        for standing in customer(release, somebody).standings:
            assert standing.is_member == all(answer.is_met for answer in standing.answers), (somebody, standing)
    release.close()


def test_the_costs_of_both_are_measured(nights: list[Night]) -> None:
    for cost in (nights[1].pipeline, nights[1].by_hand):
        assert cost.wall > 0
        assert cost.processor > 0
        assert cost.peak_memory > 50e6
    assert {"models", "release"} <= nights[1].steps.keys()
    assert {"dim_customers", "segment_membership_history"} <= nights[1].models.keys()


def test_the_ratio_is_printed(nights: list[Night], printed: io.StringIO) -> None:
    assert "Ratio of the nights" in printed.getvalue()


def test_the_same_size_makes_the_same_company(tmp_path: Path) -> None:
    for home in ("one", "other"):
        make_company(tmp_path / home, TOY)
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*.parquet"))
    assert len(files) == 6
    with duckdb.connect() as connection:
        for file in files:
            one, other = (f"from read_parquet('{tmp_path / home / file}')" for home in ("one", "other"))
            differing = f"select count(*) from (({one} except all {other}) union all ({other} except all {one}))"
            assert connection.execute(differing).fetchall() == [(0,)]


def test_the_past_has_exactly_the_lines_asked_for_and_product_x_is_bought(tmp_path: Path) -> None:
    make_company(tmp_path, TOY)
    past = tmp_path / "extracts" / "shop" / "order_lines" / "2026-06-30.parquet"
    with duckdb.connect() as connection:
        lines, of_x = connection.execute(
            f"select count(*), count(*) filter (product_id = '{PRODUCT_X}') from read_parquet('{past}')"
        ).fetchall()[0]
    assert lines == TOY.lines
    assert of_x > 0
