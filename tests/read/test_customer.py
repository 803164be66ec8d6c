"""One customer is told segment by segment and clause by clause, and nothing says how to reach her."""

from __future__ import annotations

from datetime import date

import pytest

from orchestration.errors import ConfigurationError
from orchestration.read.customer import Customer, Standing, customer
from orchestration.read.opened import Release
from tests.read.small_release import DAY, select, small_release


def standings(told: Customer) -> dict[str, Standing]:
    return {standing.segment: standing for standing in told.standings}


def test_who_meets_every_clause_is_a_member_and_who_does_not_is_none(release: Release) -> None:
    for (customer_id,) in release.rows("select customer_id from customers.dim_customers"):
        told = customer(release, customer_id)
        assert len(told.standings) == release.rows("select count(*) from catalog.segments")[0][0]
        for standing in told.standings:
            assert standing.answers
            assert standing.is_member == all(answer.is_met for answer in standing.answers), standing
            assert standing.is_member == (not standing.keeps_out)


def test_since_when_she_is_a_member_is_what_the_release_says(release: Release) -> None:
    told = standings(customer(release, "C8"))
    for segment in ("contactable_by_any_channel", "rfm_loyal", "active"):
        entered = release.rows(f"select entered_on from segments.{segment} where customer_id = 'C8'")
        assert told[segment].entered_on == (entered[0][0] if entered else None)


def test_a_clause_is_met_or_not_or_cannot_be_told() -> None:
    release = small_release({"young_men": select("gender = 'male' and age < 25")})
    answers = {who: [one.is_met for one in standings(customer(release, who))["young_men"].answers] for who in ("bert", "anna", "emil", "fred")}  # fmt: skip
    assert answers == {"bert": [True, True], "anna": [False, False], "emil": [True, None], "fred": [None, None]}
    kept_out = standings(customer(release, "emil"))["young_men"].keeps_out
    assert [(one.clause, one.is_met) for one in kept_out] == [("age < 25", None)]


def test_of_a_held_segment_it_says_that_the_clauses_are_of_another_day() -> None:
    release = small_release({"men": select("gender = 'male'")}, {"men": ["anna"]})
    release.connection.execute("update catalog.segments set state = 'held', held_since = date '2024-03-29'")
    told = standings(customer(release, "anna"))["men"]
    assert (told.entered_on, [one.is_met for one in told.answers]) == (DAY, [False])
    assert told.remark is not None
    assert "Held since 2024-03-29" in told.remark


def test_each_attribute_comes_with_its_words_and_none_is_an_address(release: Release) -> None:
    told = {one.name: one for one in customer(release, "C8").known}
    assert told["birth_date"].value == date(1968, 3, 9)
    assert "Completed years" in told["age"].description
    assert all(one.description for one in told.values())
    assert {name for name in told if "email" in name or "phone" in name or "address" in name} == {
        "has_email",
        "email_opt_in",
        "is_contactable_by_email",
    }
    assert not any("@" in str(one.value) for one in told.values())


def test_who_is_not_in_the_base_is_said_not_to_be(release: Release) -> None:
    with pytest.raises(ConfigurationError, match="There is no customer nobody in the base on 2024-03-12"):
        customer(release, "nobody")
