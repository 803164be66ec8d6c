"""What an edited rule would change is counted customer by customer, and told with all who use the segment."""

from __future__ import annotations

from decimal import Decimal

import pytest

from orchestration.errors import ConfigurationError
from orchestration.read.change import Change, Group, in_markdown, preview_change
from orchestration.read.drafts import read_draft
from orchestration.read.opened import Release
from orchestration.transform.project import PROJECT_DIR
from tests.read.small_release import BOUGHT_FRUIT, select, small_release, with_answers

VARIABLES = {"business_timezone": "America/New_York", "product_x": "X"}
HOSTILE = "Spring </td><script>alert(1)</script> | *sale* `now`"


def change(release: Release, segment: str, written: str) -> Change:
    return preview_change(release, segment, read_draft(release, written, VARIABLES))


@pytest.fixture
def company() -> Release:
    release = small_release(
        {
            "men": select("gender = 'male' and age > 10"),
            "men_with_fruit": select("customer_id in (select customer_id from segments.men)"),
            "their_friends": select("customer_id in (select customer_id from segments.men_with_fruit)"),
            "others": select("gender = 'female'"),
        }
    )
    release.connection.execute(
        "update catalog.segments set builds_on = ['men'] where segment = 'men_with_fruit';"
        "update catalog.segments set builds_on = ['men_with_fruit'] where segment = 'their_friends';"
        "create table catalog.campaigns (campaign_id varchar, campaign_name varchar, segment varchar, state varchar, starts_on date, ends_on date);"
    )
    release.connection.execute(
        "insert into catalog.campaigns values ('c1', $1, 'men', 'running', '2024-03-01', '2024-04-01')", [HOSTILE]
    )
    return release


def test_who_enters_leaves_and_stays_is_counted_with_what_they_spent(company: Release) -> None:
    told = change(company, "men", "gender = 'male' and coalesce(age, 0) < 50")
    assert (told.members_before, told.members_after) == (2, 2)
    assert (told.enters, told.leaves, told.stays) == (
        Group(1, Decimal("0.50")),
        Group(1, Decimal("0.00")),
        Group(1, Decimal("20.00")),
    )
    assert (told.clauses_gone, told.clauses_new) == (("age > 10",), ("COALESCE(age, 0) < 50",))


def test_who_builds_on_the_segment_is_told_at_any_distance(company: Release) -> None:
    assert change(company, "men", "age > 20").built_on_it == ("men_with_fruit", "their_friends")
    assert change(company, "others", "age > 20").built_on_it == ()


def test_campaigns_on_the_segment_and_on_those_built_on_it_are_told(company: Release) -> None:
    company.connection.execute(
        "insert into catalog.campaigns select 'c2', 'Fruit', 'their_friends', 'planned', date '2024-04-02', date '2024-04-09'"
    )
    told = change(company, "men", "age > 20")
    assert [(one.campaign_id, one.segment) for one in told.campaigns] == [("c2", "their_friends"), ("c1", "men")]
    assert "Fruit (planned, 2024-04-02 to 2024-04-09, on `their_friends`)" in in_markdown(told, "GBP")
    assert change(company, "others", "age > 20").campaigns == ()


def test_personas_that_speak_of_the_segment_are_told_where_the_release_has_some(company: Release) -> None:
    assert change(company, "men", "age > 20").personas == ()
    company.connection.execute(
        "create table catalog.personas as select * from (values ('fathers', ['men', 'others']), ('aunts', ['others'])) as p (persona, segments)"
    )
    assert change(company, "men", "age > 20").personas == ("fathers",)


def test_every_shipped_rule_changes_nothing_as_it_stands(release: Release) -> None:
    for segment, members in release.rows("select segment, members from catalog.segments"):
        told = change(release, segment, (PROJECT_DIR / "models" / "segments" / f"{segment}.sql").read_text())
        assert (told.is_any, told.members_before, told.members_after) == (False, members, members), segment


def test_a_rule_on_order_lines_is_compared_with_its_published_members() -> None:
    published = {"fruit": select(f"{BOUGHT_FRUIT} and age > 10")}
    for release in (
        small_release(published, {"fruit": ["bert"]}),
        with_answers(small_release(published, {"fruit": ["bert"]}), {BOUGHT_FRUIT: ["bert", "fred"]}),
    ):
        told = change(release, "fruit", "age < 27")
        assert (told.enters.customers, told.leaves.customers, told.stays.customers) == (1, 0, 1)


def test_of_a_held_segment_the_two_rules_are_compared_and_not_its_last_good_day(company: Release) -> None:
    company.connection.execute("update catalog.segments set state = 'held', held_since = '2024-03-30'; delete from segments.men")  # fmt: skip
    told = change(company, "men", "gender = 'male'")
    assert (told.members_before, told.members_after) == (2, 3)
    assert told.remark is not None
    assert "held since 2024-03-30" in told.remark


def test_for_a_pull_request_it_is_markdown_and_what_others_wrote_is_text(company: Release) -> None:
    said = in_markdown(change(company, "men", "gender = 'male' and age < 50 and 'a|`b' <> 'c'"), "GBP")
    assert "2 members become 1, of 6 customers." in said
    assert "| leave | 1 | 0.00 GBP |" in said
    assert "- gone: `age > 10`" in said
    assert "| `` 'a\\|`b' <> 'c' `` | 1 | 0 |" in said
    assert "<script>" not in said
    assert "Spring \\<" in said


def test_a_change_that_changes_nothing_says_so(company: Release) -> None:
    assert "Nothing changes: 2 members" in in_markdown(change(company, "men", "gender = 'male' and age > 10"), "GBP")


def test_an_unknown_segment_is_named_with_the_nearest(company: Release) -> None:
    with pytest.raises(ConfigurationError, match="did you mean men"):
        change(company, "mem", "age > 20")
