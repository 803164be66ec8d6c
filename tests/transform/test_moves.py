"""Why each customer of a small street entered or left a segment: one claim for each cause, and one for each pair that is easily confused.

The corner shop's customers live here too, so that segments have members to keep and ranks have others to be among. Those with a
name that tells do what it says on the night between the first two days.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from orchestration.settings import Home, load_settings
from orchestration.transform.catalogue import definitions
from orchestration.transform.lineage import lineage_of_segments
from orchestration.transform.moves import record_moves
from orchestration.transform.project import DbtProjectOfHome
from orchestration.transform.rules import rules_of
from orchestration.warehouse import Warehouse
from tests.builders import (
    CUSTOMERS,
    ORDER_LINES,
    PRODUCTS,
    SETTINGS,
    Company,
    Refreshed,
    Row,
    Stage,
    ask,
    corner_shop,
    current_contents,
    customer,
    order_line,
    product,
    refreshed,
)

BEFORE, DAY, HELD, STILL_HELD, RELEASED = DAYS = [date(2024, 3, 9) + timedelta(n) for n in range(5)]
PROJECT = Path(__file__).resolve().parents[2]
REFRESH_DAYS = PROJECT / "tests" / "end_to_end" / "refresh_days.py"


class Move(NamedTuple):
    direction: str
    cause: str
    clause: str | None
    detail: str | None


def somebody(name: str, **said: object) -> Row:
    """Born in 1950, in no segment but by what is said of her."""
    return customer(name, **{"birth_date": "1950-06-01", "interests": "", "email": ""} | said)


def orders(name: str, *days_ago: int, **said: object) -> list[Row]:
    """An order of each of the days, counted back from ``DAY``; at midday in New York."""
    return [
        order_line(f"{name}-{days}", customer_id=name, ordered_at=f"{DAY - timedelta(days)} 17:00:00", **said)
        for days in days_ago
    ]


def line(name: str, suffix: str, days_ago: int, **said: object) -> Row:
    """A line of its own id, of an order of its own."""
    [row] = orders(name, days_ago, **said)
    return row | {"order_line_id": f"{name}-{suffix}", "order_id": f"{name}-{suffix}"}


PEOPLE = [
    somebody("turns 18", gender="male", birth_date="2006-03-10"),
    somebody("turns 35 and moves house", birth_date="1989-03-10", region="Ohio"),
    somebody("opts in and moves house", email="a@b.example", email_opt_in="false"),
    somebody("opts in and orders", email="a@b.example", email_opt_in="false"),
    somebody("opts in by two ways", email="a@b.example", email_opt_in="false", sms_opt_in="false"),
    somebody("was born later", birth_date="1995-01-01"),
    somebody("is deleted", birth_date="1995-01-01"),
    somebody("is deleted and back", birth_date="1995-01-01"),
    somebody("is deleted while held", interests="cooking"),
    somebody("is sent again", birth_date="1995-01-01"),
    *(
        somebody(name)
        for name in (
            "orders",
            "orders for the first time",
            "returns",
            "orders while an old order ends",
            "orders while two old orders end",
            "is late",
            "is late and orders",
            "orders and is late",
            "is corrected",
            "gives an order away",
            "gets an order",
            "is away for long",
            "has bought Y",
            "buys Y on the last day",
            *(f"spends {n}" for n in range(1, 9)),
        )
    ),
    *(somebody(f"cooks {n}", interests="cooking") for n in range(1, 4)),
]

#: What is sent again on the night of the moves, but for what is new in it.
EDITS = {
    "turns 35 and moves house": {"region": "Iowa"},
    "opts in and moves house": {"email_opt_in": "true", "region": "Iowa"},
    "opts in and orders": {"email_opt_in": "true"},
    "opts in by two ways": {"email_opt_in": "true", "sms_opt_in": "true"},
    "was born later": {"birth_date": "2001-01-01"},
    "is deleted": {"is_deleted": "true"},
    "is deleted and back": {"is_deleted": "true"},
    "is sent again": {},
}

PAST = [
    *orders("opts in and orders", 50),
    *orders("orders", 50),
    *orders("returns", 40, 5, product_id="X", amount="300.00"),
    *orders("orders while an old order ends", 90, *range(31, 42)),
    *orders("orders while two old orders end", *range(31, 41)),
    *(line("orders while two old orders end", f"old-{n}", 90) for n in range(2)),
    *orders("is late and orders", *range(31, 41)),
    *orders("orders and is late", *range(31, 42)),
    *orders("is corrected", 40, product_id="X", amount="600.00"),
    *orders("gives an order away", 3),
    *orders("is away for long", 91),
    *orders("joins after she bought", 3),
    *orders("has bought Y", 20, product_id="Y", amount="600.00"),
    *(row for n in range(1, 9) for row in orders(f"spends {n}", 100, amount=f"{n}0000.00")),
]

ON_THE_DAY = [
    *orders("opts in and orders", 0),
    *orders("orders", 0),
    *orders("orders for the first time", 0),
    line("returns", "back", 0, product_id="X", quantity="-1", amount="-300.00"),
    *orders("orders while an old order ends", 0),
    *orders("orders while two old orders end", 0),
    line("is late", "late", 5),
    *orders("is late and orders", 0),
    line("is late and orders", "late", 50),
    *orders("orders and is late", 0),
    line("orders and is late", "late", 50),
    *orders("is corrected", 40, product_id="X", amount="6.00"),
    *(row | {"customer_id": "gets an order"} for row in orders("gives an order away", 3)),
    line("spends 1", "more", 0, amount="90000.00"),
]


def street() -> Company:
    company = corner_shop()
    people = {row["customer_id"]: row for row in PEOPLE}
    crm, shop = company[CUSTOMERS], company[ORDER_LINES]
    edited = [people[name] | edit for name, edit in EDITS.items()]
    joined = [somebody("joins", birth_date="1995-01-01"), somebody("joins after she bought")]
    sent = {
        BEFORE: crm[BEFORE] + PEOPLE,
        DAY: crm[DAY] + edited + joined,
        HELD: crm[HELD],
        STILL_HELD: crm[STILL_HELD] + [people["is deleted while held"] | {"is_deleted": "true", "interests": ""}],
        RELEASED: [people["is deleted and back"]],
    }
    # nobody likes food any more, until all but two do again; one is new to it
    so_far = {row["customer_id"]: row for day in (BEFORE, DAY, HELD) for row in sent[day]}
    sent[HELD] = [row | {"interests": ""} for row in so_far.values()]
    known = so_far | {row["customer_id"]: row for row in sent[STILL_HELD]}
    sent[STILL_HELD] = [row | {"interests": ""} for row in sent[STILL_HELD]]
    not_again = {"cooks 1", "is deleted while held", "is deleted and back", "guest"}
    sent[RELEASED] += [row for name, row in known.items() if row["interests"] and name not in not_again]
    sent[RELEASED] += [somebody("orders", interests="wine")]
    return {
        CUSTOMERS: sent,
        ORDER_LINES: shop
        | {
            BEFORE: shop[BEFORE] + PAST,
            DAY: shop[DAY] + ON_THE_DAY,
            RELEASED: orders("buys Y on the last day", -3, product_id="Y", amount="600.00"),
        },
        PRODUCTS: company[PRODUCTS] | {BEFORE: [*company[PRODUCTS][BEFORE], product("Y", "CHEESE")]},
    }


@pytest.fixture(scope="module")
def at_once(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Refreshed:
    """The five days in one run."""
    home = stage.home(street())
    manifest = refreshed(home, BEFORE, RELEASED)
    return Refreshed(stage.set_aside(tmp_path_factory.mktemp("street") / "home"), manifest, current_contents(home))


@pytest.fixture(scope="module")
def four_days(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The street on the evening before the last day, after three nights."""
    home = stage.home(street())
    refreshed(home, BEFORE)
    refreshed(home, DAY)
    refreshed(home, HELD, STILL_HELD)
    return stage.set_aside(tmp_path_factory.mktemp("four_days") / "home")


def moves_of(told: Refreshed, name: str, day: date = DAY) -> dict[str, Move]:
    """Why she moved on the day, by segment."""
    return {
        segment: Move(*why)
        for on, segment, who, *why, _ in told.contents["metrics.segment_moves"]
        if (on, who) == (day, name)
    }


def causes_of(told: Refreshed, name: str, day: date = DAY) -> dict[str, str]:
    return {segment: move.cause for segment, move in moves_of(told, name, day).items()}


@pytest.mark.parametrize(
    ("name", "segment", "move"),
    [
        ("turns 18", "men_18_25", Move("entered", "time_passed", "age BETWEEN 18 AND 25", None)),
        ("is away for long", "lapsed", Move("entered", "time_passed", "days_since_last_order > 90", None)),
        ("was born later", "women_25_34", Move("exited", "attribute_edited", "age BETWEEN 25 AND 34", "crm/customers.birth_date")),
        ("orders", "active", Move("entered", "own_behaviour", "days_since_last_order < 30", None)),
        ("returns", "bought_product_x_3m_over_500", Move("exited", "own_behaviour", "spend_lifetime > 500", None)),
        ("is late", "never_bought", Move("exited", "late_or_corrected_data", "first_ordered_on IS NULL", None)),
        ("is corrected", "bought_product_x_3m_over_500", Move("exited", "late_or_corrected_data", "spend_lifetime > 500", None)),
        ("gives an order away", "never_bought", Move("entered", "late_or_corrected_data", "first_ordered_on IS NULL", None)),
        ("gets an order", "never_bought", Move("exited", "late_or_corrected_data", "first_ordered_on IS NULL", None)),
        ("spends 3", "top_spenders", Move("exited", "rank_moved", "spend_percentile >= 90", None)),
        ("spends 1", "top_spenders", Move("entered", "own_behaviour", "spend_percentile >= 90", None)),
        ("joins", "women_25_34", Move("entered", "new_customer", None, None)),
        ("is deleted", "women_25_34", Move("exited", "deleted", None, None)),
    ],
)  # fmt: skip
def test_a_move_has_its_cause_and_the_clause_that_turned(
    at_once: Refreshed, name: str, segment: str, move: Move
) -> None:
    assert moves_of(at_once, name)[segment] == move


def test_an_order_today_does_not_answer_for_those_that_left_the_window(at_once: Refreshed) -> None:
    """Twelve orders less the two of ninety days ago, and one today: she would have left anyway."""
    assert causes_of(at_once, "orders while two old orders end")["frequent_buyers"] == "time_passed"
    assert "frequent_buyers" not in causes_of(at_once, "orders while an old order ends")


def test_of_an_order_today_and_a_late_one_the_last_that_was_needed_is_the_cause(at_once: Refreshed) -> None:
    assert causes_of(at_once, "is late and orders")["frequent_buyers"] == "late_or_corrected_data"
    assert causes_of(at_once, "orders and is late")["frequent_buyers"] == "own_behaviour"


def test_a_change_of_ones_row_answers_only_for_what_it_turned(at_once: Refreshed) -> None:
    assert causes_of(at_once, "turns 35 and moves house") == {"women_25_34": "time_passed"}
    causes = causes_of(at_once, "opts in and orders")
    assert causes["contactable_by_email"] == "attribute_edited"
    assert causes["active"] == "own_behaviour"
    assert causes_of(at_once, "is sent again") == {}


def test_an_edit_names_the_columns_behind_the_clause_and_no_others(at_once: Refreshed) -> None:
    email, sms = "crm/customers.email_opt_in", "crm/customers.sms_opt_in"
    assert moves_of(at_once, "opts in and moves house")["contactable_by_email"].detail == email
    both = moves_of(at_once, "opts in by two ways")
    assert both["contactable_by_email"].detail == email
    assert both["contactable_by_any_channel"].detail == f"{email}, {sms}"
    assert both["unreachable"] == Move("exited", "attribute_edited", "NOT is_contactable", f"{email}, {sms}")


def test_who_joins_or_leaves_the_base_does_so_in_every_segment(at_once: Refreshed) -> None:
    assert set(causes_of(at_once, "joins").values()) == {"new_customer"}
    assert set(causes_of(at_once, "is deleted").values()) == {"deleted"}
    with_orders_from_before = causes_of(at_once, "joins after she bought")
    assert {"new", "first_time_buyers"} <= with_orders_from_before.keys()
    assert set(with_orders_from_before.values()) == {"new_customer"}


def test_who_comes_back_after_a_deletion_is_new_again(at_once: Refreshed) -> None:
    left, back = (causes_of(at_once, "is deleted and back", day) for day in (DAY, RELEASED))
    assert left.keys() == back.keys()
    assert set(left.values()) == {"deleted"}
    assert set(back.values()) == {"new_customer"}


def test_a_segment_in_the_rule_is_named_where_it_moved(at_once: Refreshed) -> None:
    moved = {name: moves_of(at_once, name)["vips_at_full_price"] for name in ("spends 1", "spends 3")}
    asks = "(member_of('top_spenders') OR member_of('rfm_champions'))"
    assert moved == {
        "spends 1": Move("entered", "other_segment_moved", asks, "top_spenders"),
        "spends 3": Move("exited", "other_segment_moved", asks, "top_spenders"),
    }


def test_a_mover_is_worth_what_she_spent_or_had_spent_when_she_was_deleted(at_once: Refreshed) -> None:
    worth = {row[2]: row[-1] for row in at_once.contents["metrics.segment_moves"] if row[0] == DAY}
    assert worth["spends 1"] == 100_000
    assert worth["is corrected"] == 6
    assert worth["joins"] == 0


def test_a_hold_that_ends_answers_for_what_happened_in_it_and_the_day_for_its_own(at_once: Refreshed) -> None:
    held = [row for row in at_once.contents["metrics.segment_counts_daily"] if "held" in row]
    assert {row[:2] for row in held} == {(HELD, "food_lovers"), (STILL_HELD, "food_lovers")}
    told = {
        (on, who): Move(*why)
        for on, segment, who, *why, _ in at_once.contents["metrics.segment_moves"]
        if segment == "food_lovers" and on >= HELD
    }
    assert {key: move.cause for key, move in told.items()} == {
        (STILL_HELD, "is deleted while held"): "deleted",
        (RELEASED, "cooks 1"): "held_or_released",
        (RELEASED, "orders"): "attribute_edited",
    }
    assert told[RELEASED, "cooks 1"] == Move("exited", "held_or_released", None, None)


# ---- the same moves, however the days came to be refreshed ----


def moves_in(home: Home) -> list[tuple[object, ...]]:
    return ask(home, "select * from metrics.segment_moves order by all")


KILLED_AMONG_THE_CAUSES = f"""
import os, runpy, signal
from orchestration.transform import moves
moves.note_states = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
runpy.run_path({str(REFRESH_DAYS)!r}, run_name="__main__")
"""


@pytest.fixture(scope="module")
def day_by_day(stage: Stage, four_days: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The street after its last day, whose first run was killed while it worked out the causes."""
    home = stage.restore(four_days)
    running = subprocess.run(
        [sys.executable, "-c", KILLED_AMONG_THE_CAUSES, str(home.path), str(RELEASED), str(RELEASED)],
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert running.returncode == -signal.SIGKILL, "not killed among the causes"
    refreshed(home, RELEASED)
    return stage.set_aside(tmp_path_factory.mktemp("day_by_day") / "home")


def test_days_one_by_one_move_as_at_once_though_a_run_was_killed_among_the_causes(
    day_by_day: Path, at_once: Refreshed
) -> None:
    assert moves_in(Home(day_by_day)) == at_once.contents["metrics.segment_moves"]


def test_days_out_of_order_move_as_at_once(stage: Stage, at_once: Refreshed) -> None:
    home = stage.home(street())
    refreshed(home, HELD, RELEASED)
    refreshed(home, BEFORE, DAY)
    assert moves_in(home) == at_once.contents["metrics.segment_moves"]


@pytest.fixture(scope="module")
def again(stage: Stage, day_by_day: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All days but the first a second time, when what dim_customers said of the first is long gone."""
    home = stage.restore(day_by_day)
    refreshed(home, DAY)
    return stage.set_aside(tmp_path_factory.mktemp("again") / "home")


def test_days_refreshed_again_move_as_before(again: Path, at_once: Refreshed) -> None:
    assert moves_in(Home(again)) == at_once.contents["metrics.segment_moves"]


IN_OTHER_WORDS = {
    # a column of its own making
    "contactable_by_email": """
        with asked as (select as_of_date, customer_id, email_opt_in and has_email as may_write from customers.dim_customers)
        select as_of_date, customer_id from asked where may_write""",
    # a join, with columns of the other table
    "new": """
        select as_of_date, customer_id from customers.dim_customers
        inner join intermediate.int_order_history_as_of as history using (as_of_date, customer_id)
        where date_diff('day', history.first_ordered_on, as_of_date) < 30""",
    # a model between the orders and the customers
    "never_bought": """
        select as_of_date, customer_id from customers.dim_customers
        where (as_of_date, customer_id) not in (
            select as_of_date, customer_id from intermediate.int_order_history_as_of where first_ordered_on is not null
        )""",
    # ranks, looked up where they are made
    "rfm_dormant": """
        select as_of_date, customer_id from customers.dim_customers
        where (as_of_date, customer_id) in (
            select as_of_date, customer_id from intermediate.int_rfm_scores
            where recency_score < 3 and frequency_score < 3 and monetary_score < 3
        )""",
    "women_25_34": """
        select as_of_date, customer_id from customers.dim_customers where gender = 'female' and age between 25 and 29
        union all
        select as_of_date, customer_id from customers.dim_customers where gender = 'female' and age between 30 and 34""",
}


def test_a_rule_said_in_other_words_moves_for_the_same_causes(stage: Stage, again: Path, at_once: Refreshed) -> None:
    """Whatever SQL a rule is written in; the record stands, and is told of anew."""
    home = stage.restore(again)
    warehouse = Warehouse(home, load_settings(home))
    project = DbtProjectOfHome(warehouse)
    manifest, compiled = project.manifest(), project.compiled()
    words = definitions(manifest, project.variables, compiled, lineage_of_segments(project))
    with warehouse.connect() as connection:
        connection.execute("delete from metrics.segment_moves")
        record_moves(connection, rules_of(connection, manifest, compiled | IN_OTHER_WORDS, words))
        told = connection.execute(
            "select as_of_date, segment, customer_id, direction, cause from metrics.segment_moves order by all"
        ).fetchall()
    assert told == [row[:5] for row in at_once.contents["metrics.segment_moves"]]
    asked = {(segment, cause) for _, segment, _, _, cause in told}
    assert {
        ("new", "own_behaviour"),
        ("never_bought", "late_or_corrected_data"),
        ("rfm_dormant", "own_behaviour"),
    } <= asked
    assert {("contactable_by_email", "attribute_edited"), ("women_25_34", "time_passed")} <= asked


def test_a_rule_that_is_another_since_answers_for_those_whom_it_moves_alone(
    stage: Stage, four_days: Path, at_once: Refreshed
) -> None:
    """Product X is Y from the last night on."""
    home = stage.restore(four_days)
    (home.path / "settings.yml").write_text(SETTINGS.replace('"X"', '"Y"'))
    refreshed(home, RELEASED)
    told = {
        who: Move(*why)
        for on, segment, who, *why, _ in moves_in(home)
        if (on, segment) == (RELEASED, "bought_product_x_3m_over_500")
    }
    assert told.pop("has bought Y") == Move("entered", "definition_changed", None, None)
    bought = "bought(product_id=var('product_x'), within='3 months')"
    assert told.pop("buys Y on the last day") == Move(
        "entered", "own_behaviour", f"{bought} and spend_lifetime > 500", None
    )
    assert told
    assert set(told.values()) == {Move("exited", "definition_changed", None, None)}
    others = [row for row in moves_in(home) if row[1] != "bought_product_x_3m_over_500"]
    assert others == [
        row for row in at_once.contents["metrics.segment_moves"] if row[1] != "bought_product_x_3m_over_500"
    ]
