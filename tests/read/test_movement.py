"""Flows between any two days are those that the history has, and add up; segments that lie over each other are named."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

import pytest

from orchestration.errors import ConfigurationError
from orchestration.publish.releases import open_for_reading
from orchestration.read.movement import Flow, movement, overlap, schemes
from orchestration.read.opened import Release
from orchestration.settings import Home
from tests.builders import SHOP_DAYS, Changed, Refreshed
from tests.read.small_release import select, small_release

ONE_DAY = timedelta(1)


@pytest.fixture
def company_of_campaigns(campaigns: Refreshed) -> Iterator[Release]:
    opened = open_for_reading(Home(campaigns.aside))
    assert opened is not None
    yield opened
    opened.close()


def moves_of_consecutive_days(release: Release) -> dict[tuple[date, str], set[tuple[str | None, str | None, int]]]:
    """By day and scheme who moved, of the days after the first."""
    days = [release.first_as_of_date + n * ONE_DAY for n in range((release.as_of_date - release.first_as_of_date).days)]
    return {
        (day + ONE_DAY, scheme.name): {
            (flow.from_stage, flow.to_stage, flow.customers)
            for flow in movement(release, scheme.name, day, day + ONE_DAY).flows
            if flow.is_move
        }
        for scheme in schemes(release)
        for day in days
    }


def published_moves(release: Release) -> dict[tuple[date, str], set[tuple[str | None, str | None, int]]]:
    found: dict[tuple[date, str], set[tuple[str | None, str | None, int]]] = {}
    for day, scheme, *move in release.rows(
        "select as_of_date, scheme, from_segment, to_segment, customers from metrics.segment_flows_daily"
    ):
        found.setdefault((day, scheme), set()).add((move[0], move[1], move[2]))
    return found


def test_from_one_day_to_the_next_it_is_what_is_published_of_the_day(
    release: Release, company_of_campaigns: Release
) -> None:
    for one in (release, company_of_campaigns):
        told = moves_of_consecutive_days(one)
        assert {at: moves for at, moves in told.items() if moves} == published_moves(one)
        assert any(told.values())


def test_every_stage_has_its_members_on_both_days(release: Release) -> None:
    first, last = SHOP_DAYS[0], SHOP_DAYS[-1]
    for scheme in schemes(release):
        flows = movement(release, scheme.name, first, last).flows
        for stage in scheme.stages:
            before = sum(flow.customers for flow in flows if flow.from_stage == stage)
            after = sum(flow.customers for flow in flows if flow.to_stage == stage)
            counted = dict(
                release.rows("select as_of_date, members from metrics.segment_counts_daily where segment = $1", [stage])
            )
            assert (before, after) == (counted[first], counted[last]), stage


def test_revenue_is_what_the_customers_of_a_flow_spent_in_the_year_up_to_today(release: Release) -> None:
    everybody = movement(release, "lifecycle", SHOP_DAYS[0], SHOP_DAYS[-1])
    [(spent,)] = release.rows("select sum(spend_last_365_days) from customers.dim_customers")
    assert sum(flow.spend for flow in everybody.flows) == spent


def test_a_deleted_customer_goes_to_no_stage_and_her_spend_is_not_known(changed: Changed) -> None:
    release = changed(
        "delete from customers.dim_customers where customer_id = 'C5'",
        f"update metrics.segment_membership_history set exited_on = '{SHOP_DAYS[-1]}' where customer_id = 'C5' and exited_on is null",
        "delete from metrics.segment_membership_history where customer_id = 'C5' and entered_on = exited_on",
    )
    told = movement(release, "lifecycle", SHOP_DAYS[0], SHOP_DAYS[-1])
    [flow] = [flow for flow in told.flows if flow.to_stage is None]
    assert (flow.customers, flow.spend, flow.gone, told.gone) == (1, Decimal(0), 1, 1)


def test_whoever_comes_to_the_base_comes_from_no_stage(release: Release) -> None:
    told = movement(release, "lifecycle", SHOP_DAYS[0], SHOP_DAYS[-1])
    assert [flow.customers for flow in told.flows if flow.from_stage is None] == [1]


def test_a_stage_that_was_held_or_is_younger_is_remarked_on(changed: Changed) -> None:
    first, second, _, last = SHOP_DAYS
    release = changed(
        f"update metrics.segment_counts_daily set state = 'held' where segment = 'lapsed' and as_of_date in ('{second}', '{last}')",
        f"delete from metrics.segment_counts_daily where segment = 'new' and as_of_date = '{first}'",
    )
    held, younger = movement(release, "lifecycle", first, last).remarks
    assert held.startswith("lapsed was held on 2024-03-12")
    assert younger.startswith("new is on record from 2024-03-10 on")


def test_days_that_are_not_on_record_and_unknown_schemes_are_refused_in_a_sentence(release: Release) -> None:
    first, last = SHOP_DAYS[0], SHOP_DAYS[-1]
    for since, until in ((last, first), (first, first), (first - ONE_DAY, last), (first, last + ONE_DAY)):
        with pytest.raises(ConfigurationError, match="lifecycle is on record from 2024-03-09 to 2024-03-12"):
            movement(release, "lifecycle", since, until)
    with pytest.raises(ConfigurationError, match="There is no scheme lifecicle in the release; did you mean lifecycle"):
        movement(release, "lifecicle", first, last)


def test_a_release_without_a_scheme_or_without_pairs_has_none() -> None:
    release = small_release({"men": select("gender = 'male'")})
    release.connection.execute(
        "alter table catalog.segments add scheme varchar; alter table catalog.segments add family varchar;"
        "create table metrics.segment_counts_daily (segment varchar, as_of_date date);"
        "create table metrics.segment_overlap (segment_a varchar, segment_b varchar, members_a bigint, members_b bigint, members_both bigint, jaccard double)"
    )
    assert schemes(release) == []
    assert (overlap(release).segments, overlap(release).pairs) == (("men",), ())


def test_near_duplicates_and_empty_intersections_are_named_and_stages_of_one_scheme_are_not() -> None:
    release = small_release({name: select("gender = 'male'") for name in ("a", "b", "c", "d", "e", "f")})
    release.connection.execute(
        "alter table catalog.segments add scheme varchar; alter table catalog.segments add family varchar;"
        "update catalog.segments set scheme = 'stages' where segment in ('c', 'd');"
        "create table metrics.segment_overlap (segment_a varchar, segment_b varchar, members_a bigint, members_b bigint, members_both bigint, jaccard double);"
        "insert into metrics.segment_overlap values ('a', 'b', 9, 10, 9, 0.9), ('a', 'c', 9, 10, 8, 0.89), ('b', 'c', 10, 5, 0, 0),"
        "('c', 'd', 5, 5, 0, 0), ('b', 'e', 10, 0, 0, 0), ('b', 'f', 10, 6, 0, 0), ('d', 'e', 0, 0, 0, null)"
    )
    told = overlap(release)
    assert [(pair.segment_a, pair.segment_b) for pair in told.near_duplicates] == [("a", "b")]
    assert [(pair.segment_a, pair.segment_b) for pair in told.empty_intersections] == [("b", "f"), ("b", "c")]
    assert [told.by_chance(pair) for pair in told.empty_intersections] == [10 * 6 / 6, 10 * 5 / 6]


def test_a_flow_within_a_stage_is_no_move() -> None:
    assert not Flow("active", "active", 1, Decimal(0), 0).is_move
    assert Flow(None, "active", 1, Decimal(0), 0).is_move
