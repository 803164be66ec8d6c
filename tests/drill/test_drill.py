"""The drill as a command: it reads the home and no more, and says what it cannot drill."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest

from orchestration.days import ONE_DAY
from orchestration.drill.drill import drill, night_of, read_clean_nights
from orchestration.drill.nights import Rehearsal, last_words
from orchestration.errors import ConfigurationError, ExtractMissing
from orchestration.settings import Home
from tests.builders import (
    CUSTOMERS,
    ORDER_LINES,
    SHOP_DAYS,
    Company,
    Refreshed,
    Row,
    Stage,
    corner_shop,
    customer,
    drop,
    drop_company,
    order_line,
)

FIRST, LAST = date(2024, 1, 1), date(2024, 1, 10)


def ten_days() -> Company:
    days = [FIRST + timedelta(days=n) for n in range(10)]
    return {
        CUSTOMERS: {day: [customer(f"C{n}") for n in range(12)] if day == FIRST else [customer("C3")] for day in days},
        ORDER_LINES: {day: [_line(day, n) for n in range(10)] for day in days},
    }


def _line(day: date, number: int) -> Row:
    return order_line(
        f"{day}-{number}", customer_id=f"C{number}", ordered_at=f"{day} 15:00:00", amount=f"{3 * number}.50"
    )


def state_of(folder: Path) -> dict[str, tuple[str, int]]:
    """Every file of a folder: what is in it, and when it was last written."""
    return {
        str(path.relative_to(folder)): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def segments(*arguments: str, home: Home) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "orchestration.cli", *arguments, "--home", str(home.path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_drill_leaves_the_home_as_it_was_and_tells_of_the_fault(home: Home) -> None:
    drop_company(home, ten_days())
    before = state_of(home.path)
    told = segments("drill", "--json", "--nights", "9", "--only", "order_lines_cut_short", home=home)
    assert told.returncode == 0, told.stderr
    assert state_of(home.path) == before
    drilled = json.loads(told.stdout)
    assert drilled["as_of_date"] == str(LAST)
    assert drilled["summary"]["faults"] == 1
    assert [control["what"] for control in drilled["controls"]] == ["the night as it is"]
    assert drilled["clean"]["nights"] == 9
    [cut] = drilled["faults"]
    assert (cut["fault"], cut["verdict"], cut["hours_lost"]) == ("order_lines_cut_short", "caught", 24)


def test_only_facts_of_the_days_before_are_copied(home: Home, tmp_path: Path) -> None:
    drop_company(home, ten_days())
    drop(home, CUSTOMERS, "2024-01-11.csv", "")
    for derived in ("warehouse.duckdb", "warehouse.duckdb.wal", "refresh.lock", "overrides.jsonl", "alerts.yml"):
        (home.path / derived).touch()
    (home.releases / "2024-01-09-0").mkdir(parents=True)
    for day in (LAST - ONE_DAY, LAST):
        (home.archive / CUSTOMERS / f"extract_date={day}").mkdir(parents=True)
    rehearsal = Rehearsal(tmp_path / "rehearsal")
    rehearsal.copy_facts(home, before=LAST)
    copy = rehearsal.home
    assert {path.name for path in copy.path.iterdir()} == {"extracts", "archive", "settings.yml", "overrides.jsonl"}
    assert max(path.name for path in (copy.extracts / CUSTOMERS).iterdir()) == "2024-01-09.csv"
    assert [path.name for path in (copy.archive / CUSTOMERS).iterdir()] == ["extract_date=2024-01-09"]


def test_a_night_leaves_no_trace_in_what_was_set_aside(home: Home, tmp_path: Path) -> None:
    drop_company(home, ten_days())
    rehearsal = Rehearsal(tmp_path / "rehearsal")
    rehearsal.copy_facts(home, before=LAST)
    rehearsal.set_aside()
    before = state_of(rehearsal.aside)
    drop(rehearsal.home, CUSTOMERS, f"{LAST}.csv", "new")
    (rehearsal.home.path / "warehouse.duckdb").touch()
    rehearsal.restore()
    assert state_of(rehearsal.home.path) == state_of(rehearsal.aside) == before


def test_the_words_of_a_night_are_its_last_and_not_its_progress() -> None:
    stderr = (
        "Refreshing 2024-01-10 in /home\n14:09:51  crm/customers    crm/customers: 1 new extracts up to 2024-01-10\n"
        "shop/order_lines of 2024-01-10 cannot be read.\nshop/order_lines of 2024-01-09 cannot be read.\n"
    )
    assert last_words(stderr) == (
        "shop/order_lines of 2024-01-10 cannot be read.\nshop/order_lines of 2024-01-09 cannot be read."
    )
    assert last_words("14:09:51  release    published 2024-01-10-0\n") == ""


def test_the_night_is_the_newest_with_its_extracts_and_those_of_the_day_before(home: Home) -> None:
    company = ten_days()
    del company[ORDER_LINES][LAST]
    drop_company(home, company)
    assert night_of(home, None) == LAST - ONE_DAY


def test_a_night_without_its_extracts_or_a_past_cannot_be_drilled(home: Home) -> None:
    drop_company(home, ten_days())
    with pytest.raises(ExtractMissing, match="has not the extracts of 2024-01-11 and the day before"):
        night_of(home, date(2024, 1, 11))
    with pytest.raises(ExtractMissing, match="extracts of 3 days before 2024-01-04, and 8 are needed"):
        night_of(home, date(2024, 1, 4))


def test_an_empty_home_has_no_night(home: Home) -> None:
    with pytest.raises(ExtractMissing, match="There is no night to drill"):
        night_of(home, None)


def test_an_unknown_fault_is_told_with_the_nearest_one(home: Home) -> None:
    drop_company(home, corner_shop())
    with pytest.raises(ConfigurationError, match="did you mean amount_in_cents"):
        drill(home, only=["amount_in_cent"])


def test_clean_nights_are_counted_from_the_newest_back(shop: Refreshed, stage: Stage) -> None:
    home = stage.restore(shop.aside)
    clean = read_clean_nights(home, 2)
    assert (clean.nights, clean.segment_nights_held, clean.false_holds) == (2, 0, [])
    assert clean.segment_nights * 2 == read_clean_nights(home, len(SHOP_DAYS)).segment_nights
    assert read_clean_nights(home, 0).segment_nights == 0
