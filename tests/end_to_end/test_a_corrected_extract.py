"""An old extract corrected, or a skipped day delivered late: the next refresh heals, as if it had been right from the start."""

from __future__ import annotations

import pytest

from orchestration.errors import ExtractMissing
from tests.builders import (
    CUSTOMERS,
    ORDER_LINES,
    SHOP_DAYS,
    Refreshed,
    Stage,
    ask,
    corner_shop,
    current_contents,
    drop_rows,
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


def test_a_skipped_day_is_held_until_it_is_delivered_and_then_heals(stage: Stage, shop: Refreshed) -> None:
    company = corner_shop()
    home = stage.home(without(company, ORDER_LINES, SECOND))
    first_night = refreshed(home, FIRST)

    with pytest.raises(ExtractMissing, match=f"shop/order_lines of {SECOND}"):
        refreshed(home, SECOND)
    assert home.releases.joinpath("current").readlink().name == first_night.release

    refreshed(home, THIRD)
    states = ask(home, "select as_of_date, state, held_because from metrics.segment_counts_daily group by all order by 1")
    assert states == [
        (FIRST, "fresh", None),
        (SECOND, "held", f"shop/order_lines of {SECOND} never arrived"),
        (THIRD, "fresh", None),
    ]
    changed = ask(
        home,
        "select held.segment from metrics.segment_counts_daily as held "
        "join metrics.segment_counts_daily as before using (segment) "
        f"where held.as_of_date = date '{SECOND}' and before.as_of_date = date '{FIRST}' "
        "and (held.members <> before.members or held.entered <> 0 or held.exited <> 0)",
    )
    assert changed == []

    drop_rows(home, ORDER_LINES, SECOND, company[ORDER_LINES][SECOND])
    assert refreshed(home, FOURTH).release == shop.manifest.release
    assert current_contents(home) == shop.contents
