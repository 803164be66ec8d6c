"""The gate, end to end on a made-up company: bad input holds exactly what depends on it, and heals as if it had never been."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest

from orchestration.settings import Home
from tests.builders import (
    CUSTOMERS,
    MARKER,
    ORDER_LINES,
    PRODUCTS,
    Company,
    Row,
    Stage,
    ask,
    current_contents,
    customer,
    drop_company,
    drop_rows,
    last_verdict,
    order_line,
    product,
    query,
    refreshed,
    with_rows,
)

FIRST = date(2024, 5, 1)
DAYS = [FIRST + timedelta(days=n) for n in range(14)]
BAD, NEXT = DAYS[11], DAYS[12]
PEOPLE = 120
REACH = {"contactable_by_email", "contactable_by_any_channel", "unreachable"}


def person(number: int, **said: str) -> Row:
    return customer(
        f"C{number}",
        gender=("male", "female")[number % 2],
        birth_date=str(date(1950 + number % 57, 1 + number % 12, 1 + number % 28)),
        email_opt_in=str(number % 5 < 3).lower(),
        sms_opt_in=str(number % 7 == 0).lower(),
        region=("Ohio", "Iowa", "Utah")[number % 3],
        **said,
    )


def orders_of(day: date) -> list[Row]:
    """Sixty lines in the middle of the day, of half of the customers, the last of them of somebody who never bought before."""
    return [
        order_line(
            f"{day}-{n}",
            order_id=f"{day}-{n}",
            customer_id=f"C{(7 * n + day.day) % (PEOPLE // 2) if n < 59 else PEOPLE // 2 + day.day}",
            product_id=("X", "P1")[n % 2],
            ordered_at=f"{day} {15 + n % 5}:{n % 60:02}:00",
            amount=f"{5 + n % 20}.50",
            quantity="1",
            discount="0.00",
        )
        for n in range(60)
    ]


def company() -> Company:
    everybody = [person(number) for number in range(PEOPLE)]
    changes = {day: [person(number, interests="wine") for number in range(n, n + 6)] for n, day in enumerate(DAYS[1:])}
    return {
        CUSTOMERS: {FIRST: everybody} | changes,
        ORDER_LINES: {day: orders_of(day) for day in DAYS},
        PRODUCTS: {FIRST: [product("X", "FRUIT", "PRODUCE"), product("P1", "SNACKS")]},
    }


def everybody_again(**said: str) -> list[Row]:
    """What the CRM sends when a column changes for everybody."""
    return [person(number) | said for number in range(PEOPLE)]


def held(home: Home) -> dict[str, tuple[date, str]]:
    rows = ask(home, "select segment, held_since, held_because from catalog.segments where state = 'held'")
    return {segment: (since, because) for segment, since, because in rows}


@pytest.fixture(scope="module")
def before(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The company with its days refreshed up to the one before the bad one."""
    home = stage.home(
        {table: {day: rows for day, rows in days.items() if day < BAD} for table, days in company().items()}
    )
    refreshed(home, FIRST, DAYS[10])
    return stage.set_aside(tmp_path_factory.mktemp("gate") / "home")


@pytest.fixture(scope="module")
def truth(stage: Stage, before: Path) -> dict[str, list[tuple[object, ...]]]:
    """What the release holds two days later where no extract was ever bad, and everybody is sent again on the day."""
    home = stage.restore(before)
    good = with_rows(company(), CUSTOMERS, {BAD: everybody_again()})
    drop_company(home, {table: {day: days[day] for day in days if BAD <= day <= NEXT} for table, days in good.items()})
    refreshed(home, BAD, NEXT)
    return current_contents(home)


def with_night(stage: Stage, before: Path, table: str, rows: list[Row], day: date = BAD) -> Home:
    """The home on the night of the day, when these rows come for the table, and good ones for the other."""
    home = stage.restore(before)
    for other in (CUSTOMERS, ORDER_LINES):
        drop_rows(home, other, day, rows if other == table else company()[other][day])
    return home


@pytest.fixture(scope="module")
def without_opt_in(stage: Stage, before: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The company after the bad night, on which email_opt_in was empty."""
    refreshed(with_night(stage, before, CUSTOMERS, everybody_again(email_opt_in="")), BAD)
    return stage.set_aside(tmp_path_factory.mktemp("without_opt_in") / "home")


def test_an_empty_opt_in_column_holds_the_segments_of_reach_and_no_other(
    stage: Stage, before: Path, without_opt_in: Path
) -> None:
    kept = query(before / "releases" / "current", "from segments.contactable_by_email order by all")
    home = stage.restore(without_opt_in)
    assert set(held(home)) == REACH
    sentence = f"email_opt_in was empty in 100 % of 120 rows on {BAD}, usually 0"
    assert {since for since, _ in held(home).values()} == {BAD}
    assert all(because.startswith(sentence) for _, because in held(home).values()), held(home)
    assert ask(home, "from segments.contactable_by_email order by all") == kept
    # The customers are shown as they were last believed.
    assert ask(home, "select count(*) from customers.dim_customers where email_opt_in") == [(72,)]
    manifest = json.loads((home.releases / "current" / "manifest.json").read_text())
    assert {one["segment"] for one in manifest["notes"]["held"]} == REACH
    assert any(check["column"] == "email_opt_in" for check in manifest["notes"]["failed_checks"])
    assert not last_verdict(home, "segments/contactable_by_email", "is_refreshed").passed
    assert last_verdict(home, "segments/men_18_25", "is_refreshed").passed
    assert not last_verdict(home, "quality/verdicts", "crm__customers_is_as_usual").passed


def test_a_corrected_extract_heals_it_as_if_it_had_never_been(
    stage: Stage, without_opt_in: Path, truth: dict[str, list[tuple[object, ...]]]
) -> None:
    home = stage.restore(without_opt_in)
    for table in (CUSTOMERS, ORDER_LINES):
        drop_rows(home, table, NEXT, company()[table][NEXT])
    refreshed(home, NEXT)
    assert {segment: since for segment, (since, _) in held(home).items()} == dict.fromkeys(REACH, BAD)
    drop_rows(home, CUSTOMERS, BAD, everybody_again())
    refreshed(home, NEXT)
    assert held(home) == {}
    healed = current_contents(home)
    assert [table for table in truth if healed[table] != truth[table]] == []


def test_a_hold_ends_when_everybody_of_the_bad_extract_has_come_again(stage: Stage, without_opt_in: Path) -> None:
    home = stage.restore(without_opt_in)
    drop_rows(home, CUSTOMERS, NEXT, everybody_again())
    drop_rows(home, ORDER_LINES, NEXT, orders_of(NEXT))
    refreshed(home, NEXT)
    assert held(home) == {}
    states = ask(
        home,
        "select as_of_date, state from metrics.segment_counts_daily where segment = 'unreachable' order by 1 desc limit 2",
    )
    assert states == [(NEXT, "fresh"), (BAD, "held")]


def test_a_column_that_is_gone_from_the_file_holds_what_depends_on_it(stage: Stage, before: Path) -> None:
    home = with_night(stage, before, CUSTOMERS, [])
    lines = [{name: value for name, value in row.items() if name != "gender"} for row in everybody_again()]
    header = ",".join(lines[0])
    text = "\n".join([header, *(",".join(str(value) for value in row.values()) for row in lines)]) + "\n"
    (home.extracts / CUSTOMERS / f"{BAD}.csv").write_text(text)
    refreshed(home, BAD)
    assert set(held(home)) == {"men_18_25", "women_25_34"}
    assert all("gender was missing from the file" in because for _, because in held(home).values())


def test_amounts_in_another_unit_hold_what_depends_on_spend_and_publish_the_rest(stage: Stage, before: Path) -> None:
    dear = [row | {"amount": f"{float(row['amount']) * 100:.2f}"} for row in orders_of(BAD)]
    home = with_night(stage, before, ORDER_LINES, dear)
    refreshed(home, BAD)
    raw = dict(ask(home, "select segment, raw_columns from catalog.segments"))
    depend = {segment for segment, columns in raw.items() if "shop/order_lines.amount" in columns}
    assert set(held(home)) == depend
    assert {"men_18_25", "active", "contactable_by_email"} & depend == set()


def test_half_a_file_of_orders_holds_what_depends_on_orders_until_the_other_half_comes(
    stage: Stage, before: Path
) -> None:
    home = with_night(stage, before, ORDER_LINES, orders_of(BAD)[:25])
    refreshed(home, BAD)
    raw = dict(ask(home, "select segment, raw_columns from catalog.segments"))
    depend = {segment for segment, columns in raw.items() if any("order_lines" in column for column in columns)}
    assert set(held(home)) == depend
    drop_rows(home, CUSTOMERS, NEXT, company()[CUSTOMERS][NEXT])
    drop_rows(home, ORDER_LINES, NEXT, orders_of(NEXT) + orders_of(BAD)[25:])
    refreshed(home, NEXT)
    assert held(home) == {}


def test_a_deleted_customer_leaves_a_held_segment_too(stage: Stage, without_opt_in: Path) -> None:
    home = stage.restore(without_opt_in)
    [(leaver,)] = ask(home, "select min(customer_id) from segments.contactable_by_email")
    drop_rows(home, CUSTOMERS, NEXT, [person(int(leaver[1:]), is_deleted="true")])
    drop_rows(home, ORDER_LINES, NEXT, orders_of(NEXT))
    refreshed(home, NEXT)
    assert set(held(home)) == REACH
    assert ask(home, f"select count(*) from segments.contactable_by_email where customer_id = '{leaver}'") == [(0,)]
    counted = ask(
        home,
        "select members, entered, exited, state from metrics.segment_counts_daily "
        "where segment = 'contactable_by_email' order by as_of_date desc limit 2",
    )
    assert counted == [(71, 0, 1, "held"), (72, 0, 0, "held")]
    at_once = stage.home(
        with_rows(
            company(),
            CUSTOMERS,
            {BAD: everybody_again(email_opt_in=""), NEXT: [person(int(leaver[1:]), is_deleted="true")]},
        )
    )
    refreshed(at_once, FIRST, NEXT)
    assert (
        ask(
            at_once,
            "select members, entered, exited, state from metrics.segment_counts_daily "
            f"where segment = 'contactable_by_email' and as_of_date <= date '{NEXT}' order by as_of_date desc limit 2",
        )
        == counted
    )


def test_a_released_segment_is_published_as_it_came_and_the_new_figure_is_the_usual_one(
    stage: Stage, before: Path
) -> None:
    home = with_night(stage, before, CUSTOMERS, everybody_again(email_opt_in="true"))
    refreshed(home, BAD)
    assert set(held(home)) == REACH
    told = segments("release-held", "contactable_by_email", "--reason", "everybody has agreed", "--json", home=home)
    assert told.returncode == 3, told.stderr
    assert set(held(home)) == REACH - {"contactable_by_email"}
    assert ask(home, "select count(*) from segments.contactable_by_email") == [(PEOPLE,)]
    released = json.loads((home.releases / "current" / "manifest.json").read_text())["notes"]["released"]
    assert [one["segment"] for one in released] == ["contactable_by_email"]
    drop_rows(home, CUSTOMERS, NEXT, everybody_again(email_opt_in="true")[:40])
    drop_rows(home, ORDER_LINES, NEXT, orders_of(NEXT))
    refreshed(home, NEXT)
    assert set(held(home)) == REACH - {"contactable_by_email"}


def test_an_order_file_twice_under_new_ids_is_not_counted_twice(stage: Stage, before: Path) -> None:
    again = [
        row | {"order_line_id": f"again-{row['order_line_id']}", "order_id": f"again-{row['order_id']}"}
        for row in orders_of(BAD)
    ]
    home = with_night(stage, before, ORDER_LINES, orders_of(BAD) + again)
    refreshed(home, BAD)
    [because] = {because for _, because in held(home).values()}
    assert because.startswith(
        f"shop/order_lines had lines that are there twice under other ids in 50 % of 120 rows on {BAD}"
    )


def test_of_a_release_that_a_correction_made_needless_nothing_is_left(
    stage: Stage, without_opt_in: Path, truth: dict[str, list[tuple[object, ...]]]
) -> None:
    home = stage.restore(without_opt_in)
    assert (
        "without an e-mail address"
        in segments("release-held", "unreachable", "--reason", f"ask {MARKER}", home=home).stderr
    )
    assert segments("release-held", *REACH, "--reason", "nobody agrees any more", home=home).returncode == 0
    drop_rows(home, CUSTOMERS, BAD, everybody_again())
    for table in (CUSTOMERS, ORDER_LINES):
        drop_rows(home, table, NEXT, company()[table][NEXT])
    refreshed(home, NEXT)
    healed = current_contents(home)
    assert [table for table in truth if healed[table] != truth[table]] == []


def test_day_by_day_and_at_once_come_out_the_same_with_a_late_file_a_late_value_and_a_fault(
    stage: Stage, before: Path
) -> None:
    night = {
        BAD: everybody_again(email_opt_in=""),
        NEXT: everybody_again(region="Alaska")[:40],
    }
    troubled = with_rows(company(), CUSTOMERS, night)
    home = stage.restore(before)
    for day in (BAD, NEXT, DAYS[13]):
        drop_company(home, {table: {day: days[day]} for table, days in troubled.items() if day in days})
        refreshed(home, day)
    late = [row | {"discount": "1.00"} for row in orders_of(DAYS[9])]
    drop_rows(home, ORDER_LINES, DAYS[9], late)
    refreshed(home, DAYS[13])
    day_by_day = current_contents(home)
    at_once = stage.home(with_rows(troubled, ORDER_LINES, {DAYS[9]: late}))
    refreshed(at_once, FIRST, DAYS[13])
    found = current_contents(at_once)
    assert [table for table in found if found[table] != day_by_day[table]] == []


def test_the_status_says_what_is_held_why_and_what_to_do(stage: Stage, before: Path) -> None:
    home = with_night(stage, before, CUSTOMERS, everybody_again(email_opt_in=""))
    told = segments("refresh", "--as-of", str(BAD), home=home)
    assert told.returncode == 3
    assert f"held since {BAD}: email_opt_in was empty" in told.stderr
    assert "segments release-held NAME --reason" in told.stderr
    assert "critical: crm/customers email_opt_in empty_share_is_as_usual: 100 %, usually" in told.stdout
    assert MARKER not in told.stdout + told.stderr


def segments(*arguments: str, home: Home) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "orchestration.cli", *arguments, "--home", str(home.path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)
