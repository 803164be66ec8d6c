"""An old extract corrected, or a skipped day delivered late: the next refresh heals, as if it had been right from the start."""

from __future__ import annotations

import pytest

from orchestration.days import Days
from orchestration.errors import ExtractMissing
from orchestration.refresh import rebuild
from orchestration.settings import load_settings
from tests.builders import (
    CUSTOMERS,
    ORDER_LINES,
    SHOP_DAYS,
    Refreshed,
    Stage,
    corner_shop,
    current_contents,
    drop_rows,
    query,
    refreshed,
    with_rows,
    without,
)

FIRST, SECOND, THIRD, FOURTH = SHOP_DAYS


def test_a_correction_of_old_extracts_is_healed_by_the_next_refresh(stage: Stage, shop: Refreshed) -> None:
    right = corner_shop()
    wrong = with_rows(
        right,
        CUSTOMERS,
        {SECOND: [row | {"gender": "male", "is_deleted": "true"} for row in right[CUSTOMERS][SECOND]]},
    )
    wrong = with_rows(wrong, ORDER_LINES, {SECOND: [row | {"amount": "999.00"} for row in right[ORDER_LINES][SECOND]]})
    home = stage.home(wrong)
    refreshed(home, FIRST, THIRD)
    for table_id in (CUSTOMERS, ORDER_LINES):
        drop_rows(home, table_id, SECOND, right[table_id][SECOND])
    assert refreshed(home, FOURTH).release == shop.manifest.release
    assert current_contents(home) == shop.contents


@pytest.fixture(scope="module")
def with_a_held_day(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Refreshed:
    """The corner shop on its third evening; the order lines of the second day never came."""
    home = stage.home(without(corner_shop(), ORDER_LINES, SECOND))
    first_night = refreshed(home, FIRST)
    with pytest.raises(ExtractMissing, match=f"shop/order_lines of {SECOND}"):
        refreshed(home, SECOND)
    assert home.releases.joinpath("current").readlink().name == first_night.release
    manifest = refreshed(home, THIRD)
    return Refreshed(stage.set_aside(tmp_path_factory.mktemp("held") / "home"), manifest, current_contents(home))


def test_a_skipped_day_is_held_with_the_reason_and_the_days_around_it_are_fresh(with_a_held_day: Refreshed) -> None:
    states = query(
        with_a_held_day.aside / "releases" / "current",
        "select as_of_date, state, held_because from metrics.segment_counts_daily group by all order by 1",
    )
    assert states == [
        (FIRST, "fresh", None),
        (SECOND, "held", f"shop/order_lines of {SECOND} never arrived"),
        (THIRD, "fresh", None),
    ]


def test_on_a_held_day_the_figures_of_the_day_before_stand_and_nobody_moves(with_a_held_day: Refreshed) -> None:
    moved = query(
        with_a_held_day.aside / "releases" / "current",
        "select held.segment from metrics.segment_counts_daily as held "
        "join metrics.segment_counts_daily as before using (segment) "
        f"where held.as_of_date = date '{SECOND}' and before.as_of_date = date '{FIRST}' "
        "and (held.members <> before.members or held.entered <> 0 or held.exited <> 0)",
    )
    assert moved == []


def test_a_record_with_a_held_day_can_be_rebuilt(stage: Stage, with_a_held_day: Refreshed) -> None:
    home = stage.restore(with_a_held_day.aside)
    assert rebuild(home, load_settings(home), Days(FIRST, THIRD)).release == with_a_held_day.manifest.release


def test_a_skipped_day_delivered_late_heals_with_the_next_refresh(
    stage: Stage, shop: Refreshed, with_a_held_day: Refreshed
) -> None:
    home = stage.restore(with_a_held_day.aside)
    drop_rows(home, ORDER_LINES, SECOND, corner_shop()[ORDER_LINES][SECOND])
    assert refreshed(home, FOURTH).release == shop.manifest.release
    assert current_contents(home) == shop.contents
