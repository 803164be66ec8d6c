"""What is said of the days ahead is what happens when nothing comes in, and what is kept of month ends is what was published then."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest

from orchestration.settings import Home
from tests.builders import (
    CUSTOMERS,
    ORDER_LINES,
    SHOP_DAYS,
    Refreshed,
    Rows,
    Stage,
    ask,
    corner_shop,
    drop_rows,
    order_line,
    query,
    refreshed,
)

LAST = SHOP_DAYS[-1]
MONTH_END, END = date(2024, 3, 31), LAST + timedelta(30)

#: A member's first day without, and a stranger's first day within, as the days themselves came out.
WHAT_HAPPENED = """
with at_first as (
    select segment, customer_id from metrics.segment_membership_history
    where entered_on <= date '{last}' and coalesce(exited_on > date '{last}', true)
)

select segment, customer_id, 'leaves' as change, min(exited_on) as on_day
from metrics.segment_membership_history inner join at_first using (segment, customer_id)
where exited_on > date '{last}'
group by segment, customer_id
union all
select segment, customer_id, 'enters', min(entered_on)
from metrics.segment_membership_history anti join at_first using (segment, customer_id)
where entered_on > date '{last}'
group by segment, customer_id
order by all
"""

WHERE_MEMBER = "metrics.segment_membership_history where customer_id = '{who}' and exited_on is null"

FORESEEN = "select segment, customer_id, change, expected_on from metrics.segment_outlook where expected_on is not null order by all"
NOT_TOLD = "select segment from metrics.segment_outlook_gaps where change = 'leaves'"

#: A rule of two conditions: one that is the rule of at_risk, and one that compares customers, which stands as it is.
COMPARES = "at_risk_but_valuable"


def drop_nothing(home: Home, after: date) -> None:
    """Extracts without a row, on each of thirty days."""
    for day in (after + timedelta(n) for n in range(1, 31)):
        for table in (CUSTOMERS, ORDER_LINES):
            drop_rows(home, table, day, [])


@pytest.fixture(scope="module")
def thirty_days_later(
    shop: Refreshed, stage: Stage, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Refreshed, Rows]:
    """The corner shop after thirty days on which nothing came, and what dim_customers said on the last day of the month."""
    home = stage.restore(shop.aside)
    drop_nothing(home, LAST)
    refreshed(home, LAST + timedelta(1), MONTH_END)
    then = ask(home, "from customers.dim_customers order by customer_id")
    manifest = refreshed(home, MONTH_END + timedelta(1), END)
    return Refreshed(stage.set_aside(tmp_path_factory.mktemp("later") / "home"), manifest, {}), then


def test_who_leaves_and_enters_as_time_passes_is_known_to_the_day(
    shop: Refreshed, thirty_days_later: tuple[Refreshed, Rows]
) -> None:
    later, _ = thirty_days_later
    release = later.aside / "releases" / "current"
    # A segment that time empties is held for it, and keeps its members.
    held = {name for (name,) in query(release, "select segment from metrics.segment_counts_daily where state = 'held'")}
    before = shop.aside / "releases" / "current"
    left_out = {name for (name,) in query(before, NOT_TOLD)} | held | {COMPARES}
    foreseen = [row for row in query(before, FORESEEN) if row[0] not in left_out]
    assert foreseen == [row for row in query(release, WHAT_HAPPENED.format(last=LAST)) if row[0] not in left_out]
    assert len({segment for segment, *_ in foreseen}) > 8


def test_thirty_days_without_an_order_come_out_as_the_demo_s_year_foresaw(
    year_of_the_demo: Home, tmp_path: Path
) -> None:
    last = date(2017, 12, 31)
    home = Home(Path(shutil.copytree(year_of_the_demo.path, tmp_path / "home", symlinks=True)))
    closed = "".join(f"  {last + timedelta(n)}: the shop is closed\n" for n in range(1, 31))
    with (home.path / "calendar.yml").open("a") as calendar:
        calendar.write(f"days:\n{closed}")
    foreseen, not_told = ask(home, FORESEEN), {name for (name,) in ask(home, NOT_TOLD)}
    valuable = "select customer_id from customers.dim_customers where spend_percentile >= 75"
    members = {who for (who,) in ask(home, f"select customer_id from segments.{COMPARES}")}
    comparing_so = {who for (who,) in ask(home, valuable)}
    drop_nothing(home, last)
    refreshed(home, last + timedelta(1), last + timedelta(30))
    assert ask(home, f"from metrics.segment_counts_daily where state = 'held' and as_of_date > date '{last}'") == []
    happened = ask(home, WHAT_HAPPENED.format(last=last))
    told = [row for row in foreseen if row[0] != COMPARES]
    assert told == [row for row in happened if row[0] not in not_told | {COMPARES}]
    assert len(told) > 2_000
    assert {change for _, _, change, _ in told} == {"leaves", "enters"}
    # Who is as valuable as tonight is at risk when she is at risk.
    at_risk = [row[1:] for row in happened if row[0] == "at_risk"]
    compared = [row[1:] for row in foreseen if row[0] == COMPARES]
    assert {change for _, change, _ in compared} == {"leaves", "enters"}
    assert compared == [row for row in at_risk if row[0] in (members if row[1] == "leaves" else comparing_so - members)]


def test_a_month_end_is_kept_as_it_was_published(thirty_days_later: tuple[Refreshed, Rows]) -> None:
    later, then = thirty_days_later
    kept = query(later.aside / "releases" / "current", "from customers.dim_customers_month_ends order by all")
    assert kept == sorted(then, key=lambda row: row[1])
    assert {row[0] for row in kept} == {MONTH_END}


def test_a_month_end_is_worked_out_again_when_a_late_line_changes_it(
    thirty_days_later: tuple[Refreshed, Rows], stage: Stage
) -> None:
    later, _ = thirty_days_later
    home = stage.restore(later.aside)
    late = order_line("late", customer_id="C3", ordered_at="2024-03-30 15:00:00", amount="77.00")
    asked = "select spend_lifetime from customers.dim_customers_month_ends where customer_id = 'C3'"
    ((before,),) = ask(home, asked)
    drop_rows(home, ORDER_LINES, date(2024, 3, 31), [late])
    refreshed(home, END)
    ((after,),) = ask(home, asked)
    assert after - before == 77


def test_who_meets_a_condition_on_order_lines_is_kept_with_the_month_end(
    thirty_days_later: tuple[Refreshed, Rows],
) -> None:
    later, _ = thirty_days_later
    release = later.aside / "releases" / "current"
    met = query(release, "select distinct as_of_date from customers.conditions_on_order_lines order by 1")
    assert met == [(MONTH_END,), (END,)]
    ((both,),) = query(
        release,
        "select count(*) from customers.conditions_on_order_lines inner join customers.dim_customers using (as_of_date, customer_id) "
        "where condition like '%''X''%' and spend_lifetime > 500",
    )
    assert both == query(release, "select count(*) from segments.bought_product_x_3m_over_500")[0][0]


def test_one_order_of_her_usual_size_is_what_it_takes(shop: Refreshed, stage: Stage) -> None:
    release = shop.aside / "releases" / "current"
    away = query(
        release, "select customer_id, segment from metrics.segment_outlook where change = 'one_order_away' order by all"
    )
    who = away[0][0]
    ((usual,),) = query(
        release,
        "select coalesce(average_order_last_365_days, average_order_lifetime, (select median(average_order_lifetime) from customers.dim_customers)) "
        f"from customers.dim_customers where customer_id = '{who}'",
    )
    untold = {
        name
        for (name,) in query(
            release, "select segment from metrics.segment_outlook_gaps where change = 'one_order_away'"
        )
    }
    members = {name for (name,) in query(release, f"select segment from {WHERE_MEMBER.format(who=who)}")}
    home = stage.restore(shop.aside)
    line = order_line("one-more", customer_id=who, ordered_at=f"{LAST} 15:00:00", amount=f"{usual:.2f}")
    file = next(home.extracts.glob(f"shop/order_lines/{LAST}.*"))
    drop_rows(home, ORDER_LINES, LAST, [*corner_shop()[ORDER_LINES][LAST], line])
    assert file.exists()
    refreshed(home, LAST)
    now = {name for (name,) in ask(home, f"select segment from {WHERE_MEMBER.format(who=who)}")}
    assert now - members - untold == {segment for customer, segment in away if customer == who}
