"""A night in which everything is wrong that can be: no value of a customer is in a log, an event or a message."""

from __future__ import annotations

import pytest

from orchestration.errors import ExtractRefused
from orchestration.settings import Home, load_settings
from tests.builders import (
    CUSTOMERS,
    MARKER,
    ORDER_LINES,
    SHOP_DAYS,
    Stage,
    as_csv,
    ask,
    corner_shop,
    customer,
    drop,
    order_line,
    refreshed,
)

FIRST = SHOP_DAYS[0]


def break_every_rule(stage: Stage, limit: float) -> Home:
    home = stage.home(corner_shop())
    (home.path / "settings.yml").write_text(
        f"business_timezone: America/New_York\nproduct_x: X\nrefused_share_limit: {limit}\n"
    )
    people = [customer("C1"), customer("C2", birth_date=MARKER), customer("C3", gender=MARKER), customer("C1")]
    people += [customer("C4", household_size=MARKER, email_opt_in=MARKER), customer("", preferred_channel=MARKER)]
    lines = [order_line("L1"), order_line("L2", quantity=MARKER), order_line("L3", ordered_at=MARKER)]
    lines += [order_line("L4", customer_id=MARKER), order_line("L5", product_id=MARKER, amount=MARKER)]
    stray = f"{MARKER},{MARKER}" + f",{MARKER}" * 30 + "\n"
    drop(home, CUSTOMERS, f"{FIRST}.csv", as_csv(CUSTOMERS, people) + stray)
    drop(home, ORDER_LINES, f"{FIRST}.csv", as_csv(ORDER_LINES, lines) + stray)
    return home


def places_with_the_marker(stage: Stage) -> list[str]:
    """Every file of the home that has the customer's address, but for the extracts, the archive and the quarantine."""
    kept = {"extracts", "archive", "quarantine", "warehouse.duckdb"}
    return [
        str(path.relative_to(stage.path))
        for path in stage.path.rglob("*")
        if path.is_file() and path.relative_to(stage.path).parts[0] not in kept and MARKER.encode() in path.read_bytes()
    ]


def test_a_night_of_refused_rows_is_published_without_a_word_of_them(
    stage: Stage, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    home = break_every_rule(stage, limit=1)
    refreshed(home, FIRST)
    printed = capfd.readouterr()
    assert MARKER not in printed.out + printed.err + caplog.text
    assert places_with_the_marker(stage) == []
    [(broken,)] = ask(home, "select count(*) from metrics.input_quality where severity = 'critical' and not success")
    assert broken >= 8


def test_a_night_that_is_stopped_says_shares_and_rules_and_no_value(
    stage: Stage, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    home = break_every_rule(stage, limit=0.01)
    assert load_settings(home).refused_share_limit == 0.01
    with pytest.raises(ExtractRefused) as refusal:
        refreshed(home, FIRST)
    printed = capfd.readouterr()
    assert "rows refused" in str(refusal.value)
    assert MARKER not in str(refusal.value) + printed.out + printed.err + caplog.text
    assert places_with_the_marker(stage) == []
    assert not (home.releases / "current").exists()
