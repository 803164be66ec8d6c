"""The look ahead that is carried on from the night before is the one that comes out when every day ahead is worked out anew."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from random import Random
from unittest.mock import patch

import duckdb
import pytest

from orchestration.settings import Home, load_settings
from orchestration.transform import ahead
from orchestration.transform.ahead import DAYS_AHEAD
from orchestration.transform.catalogue import definitions
from orchestration.transform.lineage import lineage_of_segments
from orchestration.transform.outlook import record_outlook
from orchestration.transform.project import DbtProjectOfHome
from orchestration.transform.rules import rules_of
from orchestration.warehouse import Warehouse
from tests.builders import (
    CUSTOMERS,
    ORDER_LINES,
    SHOP_DAYS,
    Refreshed,
    Row,
    Rows,
    Stage,
    customer,
    drop_rows,
    order_line,
    refreshed,
)

LAST = SHOP_DAYS[-1]
#: On the third of them an extract of the second comes again, another one, and all is looked at anew; nights are missed before the last two, of which the
#: fifth is the first for which that was not far enough.
NIGHTS = [LAST + timedelta(n) for n in (1, 2, 3, 6, 10)]
#: The days that are told, from the day after the newest on; how many more are looked at for the nights to come is not compared.
DAYS_TOLD = f"(days >> (select any_value(day - since) from refresh.looked_ahead)::integer) & {2**DAYS_AHEAD - 1}"
#: Before the second night: of these two the night before looked ahead by another rule, and what it found is not to be carried on; a third builds on the second.
HAD_ANOTHER_RULE = (
    "update refresh.looked_ahead set fingerprint = 'another rule' where segment in ('lapsed', 'discount_seekers')",
    "update refresh.days_looked_at set days = ~days where segment in ('lapsed', 'discount_seekers', 'vips_at_full_price')",
)
#: With any memory_limit the shop's 24 customers are more than are worked out at once.
SOME_AT_A_TIME = 2**28
LOOKED_AHEAD = (
    f"select 'bits', segment, customer_id, ({DAYS_TOLD})::varchar from refresh.days_looked_at where {DAYS_TOLD} > 0 union all "
    "select change, segment, customer_id, expected_on::varchar from metrics.segment_outlook order by all"
)


def something_of_everything(day: date, chance: Random) -> tuple[list[Row], list[Row]]:
    """New customers, edited and deleted ones; orders of the day, late ones, corrected ones and returns."""
    known = [f"C{number}" for number in range(24)]
    edited, gone = chance.sample(known, 2)
    people = [
        customer(edited, birth_date=str(date(1950 + chance.randrange(55), 3, 1 + chance.randrange(28)))),
        customer(gone, is_deleted=chance.choice(["true", "false"])),
        customer(f"new-{day}", gender=chance.choice(["male", "female"]), birth_date="2001-03-20"),
    ]
    lines = [
        order_line(
            f"{day}-{number}",
            customer_id=chance.choice([*known, f"new-{day}"]),
            ordered_at=f"{day - timedelta(chance.choice([0, 0, 0, 4, 28, 87, 363]))} 15:00:00",
            product_id=chance.choice(["X", "P1", "BABY"]),
            amount=chance.choice(["4.00", "80.00", "700.00", "-30.00"]),
        )
        for number in range(5)
    ]
    lines.append(order_line("wrong", customer_id="C2", ordered_at="2024-03-09 18:00:00", amount=f"{day.day}.00"))
    return people, lines


def anew(home: Home, night: date) -> Rows:
    """What is looked ahead to from the night, without the one before, some customers at a time; the warehouse stays as it is."""
    aside = home.warehouse.with_suffix(".aside")
    shutil.copyfile(home.warehouse, aside)
    try:
        with patch.object(ahead, "BYTES_PER_ROW", SOME_AT_A_TIME):
            return looked_ahead_anew(home, night)
    finally:
        aside.replace(home.warehouse)


def looked_ahead_anew(home: Home, night: date) -> Rows:
    warehouse = Warehouse(home, load_settings(home))
    project = DbtProjectOfHome(warehouse)
    manifest, compiled = project.manifest(), project.compiled()
    words = definitions(manifest, project.variables, compiled, lineage_of_segments(project))
    with warehouse.connect() as connection:
        connection.execute("delete from refresh.looked_ahead")
        record_outlook(connection, rules_of(connection, manifest, compiled, words), night)
        return connection.execute(LOOKED_AHEAD).fetchall()


def carried(home: Home) -> Rows:
    with duckdb.connect(str(home.warehouse)) as connection:
        return connection.execute(LOOKED_AHEAD).fetchall()


@pytest.fixture(scope="module")
def looked_ahead(stage: Stage, shop: Refreshed) -> dict[date, tuple[Rows, Rows]]:
    """By night: what was carried on, and what comes out anew."""
    home, chance = stage.restore(shop.aside), Random(20240312)
    found = {}
    for number, night in enumerate(NIGHTS):
        people, lines = something_of_everything(night, chance)
        drop_rows(home, CUSTOMERS, night, people)
        drop_rows(home, ORDER_LINES, night, lines)
        for missed in range(1, (night - [LAST, *NIGHTS][number]).days):
            for table in (CUSTOMERS, ORDER_LINES):
                drop_rows(home, table, night - timedelta(missed), [])
        if number == 1:
            with duckdb.connect(str(home.warehouse)) as connection:
                for statement in HAD_ANOTHER_RULE:
                    connection.execute(statement)
        if number == 2:
            drop_rows(home, ORDER_LINES, NIGHTS[1], something_of_everything(NIGHTS[1], chance)[1])
        refreshed(home, night)
        found[night] = carried(home), anew(home, night)
    return found


@pytest.mark.parametrize("night", NIGHTS)
def test_the_days_ahead_are_those_that_come_out_anew(night: date, looked_ahead: dict[date, tuple[Rows, Rows]]) -> None:
    carried_on, worked_out = looked_ahead[night]
    assert carried_on == worked_out
    assert len({change for change, *_ in carried_on}) == 4


def test_a_customer_of_whom_nothing_came_has_the_days_ahead_of_the_night_before(stage: Stage, shop: Refreshed) -> None:
    """A mark on what was kept comes through to the next night, and the mark on one who ordered does not."""
    home = stage.restore(shop.aside)
    marked = "segment = 'contactable_by_email' and customer_id in ('C3', 'C6')"
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute(f"update refresh.days_looked_at set days = days - 2 where {marked}")
    drop_rows(home, CUSTOMERS, NIGHTS[0], [])
    drop_rows(home, ORDER_LINES, NIGHTS[0], [order_line("of C6", customer_id="C6", ordered_at=f"{NIGHTS[0]} 15:00:00")])
    refreshed(home, NIGHTS[0])
    with duckdb.connect(str(home.warehouse)) as connection:
        days = dict(
            connection.execute(f"select customer_id, {DAYS_TOLD} from refresh.days_looked_at where {marked}").fetchall()
        )
    assert days == {"C3": 2**DAYS_AHEAD - 2, "C6": 2**DAYS_AHEAD - 1}
