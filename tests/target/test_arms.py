"""Who is drawn for which arm: the same on any machine, in equal shares within strata, and exactly as many as asked for."""

from __future__ import annotations

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Sequence

import duckdb
from hypothesis import given
from hypothesis import strategies as st

from orchestration.campaigns.receipts import checksum
from orchestration.target.arms import ARMS, DRAW, cut_into_strata, draw_arms

Arms = dict[str, tuple[str, str]]

STRATA = st.dictionaries(st.text(min_size=1, max_size=8), st.sampled_from("abcdefgh"), min_size=1, max_size=60)
SHARES = st.floats(0.001, 0.999)


def drawn(strata: Sequence[tuple[str, str]], holdout: float, salt: str = "spring", threads: int = 2) -> Arms:
    """Arm and stratum of each customer."""
    with duckdb.connect(config={"threads": threads}) as connection:
        connection.execute("create temp table strata (customer_id text, stratum text)")
        connection.executemany("insert into strata values (?, ?)", list(strata))
        connection.execute(DRAW, {"salt": salt, "holdout": holdout})
        return {one: (arm, stratum) for one, arm, stratum in connection.execute("from assignment").fetchall()}


def controls(arms: Arms) -> dict[str, int]:
    return Counter(stratum for arm, stratum in arms.values() if arm == "control")


@given(strata=STRATA, holdout=SHARES)
def test_each_stratum_is_within_one_customer_of_its_share_and_all_of_them_are_exactly_the_share(
    strata: dict[str, str], holdout: float
) -> None:
    arms = drawn(list(strata.items()), holdout)
    held_out, sizes = controls(arms), Counter(strata.values())
    assert {one: stratum for one, (_, stratum) in arms.items()} == strata
    for stratum, size in sizes.items():
        assert abs(held_out[stratum] - holdout * size) <= 1 + 1e-9, stratum
    assert sum(held_out.values()) == math.floor(holdout * len(strata) + 0.5)


@given(strata=STRATA, holdout=SHARES, data=st.data())
def test_the_order_of_the_rows_and_the_number_of_threads_change_nothing(
    strata: dict[str, str], holdout: float, data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(list(strata.items())))
    assert drawn(shuffled, holdout, threads=1) == drawn(list(strata.items()), holdout, threads=4)


@given(strata=STRATA, holdout=SHARES)
def test_anybody_with_a_hash_function_draws_the_same(strata: dict[str, str], holdout: float) -> None:
    """What the receipt promises for years, written down a second time without DuckDB."""

    def lot(of: str) -> tuple[str, str]:
        return hashlib.sha256(f"spring:{of}".encode()).hexdigest(), of

    members = defaultdict(list)
    for customer, stratum in strata.items():
        members[stratum].append(customer)
    expected, before = set(), 0
    for stratum in sorted(members, key=lot):
        now = before + len(members[stratum])
        share = math.floor(holdout * now + 0.5) - math.floor(holdout * before + 0.5)
        expected |= set(sorted(members[stratum], key=lot)[:share])
        before = now
    assert {one for one, (arm, _) in drawn(list(strata.items()), holdout).items() if arm == "control"} == expected


def test_another_campaign_draws_others() -> None:
    strata = [(f"C{one}", "all") for one in range(200)]
    spring, summer = drawn(strata, 0.5), drawn(strata, 0.5, salt="summer")
    both = sum(spring[one] == summer[one] == ("control", "all") for one, _ in strata)
    assert 30 < both < 70


def test_of_strata_too_small_for_a_control_of_their_own_any_may_get_one() -> None:
    """Were the strata in order of their names, the same ones would be held out in every campaign."""
    strata = [(f"C{one:02}", f"S{one:02}") for one in range(50)]
    ever = Counter(
        one for number in range(60) for one, (arm, _) in drawn(strata, 0.2, f"c{number}").items() if arm == "control"
    )
    assert sum(ever.values()) == 600
    assert len(ever) == 50
    assert max(ever.values()) < 30


def cut(rows: Sequence[tuple[str, object]], type_: str) -> dict[str, str]:
    """The stratum of each customer by one attribute."""
    with duckdb.connect() as connection:
        connection.execute(
            f"create schema customers; create table customers.dim_customers (customer_id text, a {type_})"
        )
        connection.executemany("insert into customers.dim_customers values (?, ?)", list(rows))
        connection.execute("create temp table audience as select customer_id from customers.dim_customers")
        cut_into_strata(connection, ["a"])
        return dict(connection.execute("from strata").fetchall())


def test_a_number_is_cut_into_fifths_and_nothing_and_null_stand_alone() -> None:
    spends: list[tuple[str, object]] = [(f"C{one}", one) for one in range(-2, 9)]
    strata = cut([*spends, ("N", None)], "decimal(18, 2)")
    assert strata["N"] == "a is null"
    assert strata["C0"] == "a = 0"
    assert [strata[f"C{one}"] for one in (-2, -1, 1, 2, 3, 4, 5, 6, 7, 8)] == [
        f"a {fifth}/5" for fifth in (1, 1, 2, 2, 3, 3, 4, 4, 5, 5)
    ]


@given(st.lists(st.integers(-3, 12), min_size=1, max_size=40))
def test_equal_numbers_are_never_parted_and_larger_ones_never_come_before(numbers: list[int]) -> None:
    strata = cut([(str(at), number) for at, number in enumerate(numbers)], "bigint")
    by_number = {number: {strata[str(at)] for at, one in enumerate(numbers) if one == number} for number in numbers}
    assert all(len(found) == 1 for found in by_number.values())
    fifths = [min(by_number[number]) for number in sorted(by_number) if number != 0]
    assert fifths == sorted(fifths)


def test_a_date_is_cut_into_fifths_too() -> None:
    strata = cut([(f"C{day}", f"2024-01-1{day}") for day in range(5)], "date")
    assert list(strata.values()) == [f"a {fifth}/5" for fifth in range(1, 6)]


def test_other_values_stand_as_they_are_and_those_beyond_the_twenty_most_frequent_together() -> None:
    regions = [(f"{region}-{one}", f"R{region:02}") for region in range(25) for one in range(2 if region < 19 else 1)]
    strata = cut([*regions, ("N", None)], "text")
    assert strata["N"] == "a is null"
    assert strata["3-0"] == strata["3-1"] == "a = R03"
    assert strata["19-0"] == "a = R19"
    assert {strata[f"{region}-0"] for region in range(20, 25)} == {"a is rare"}


def test_several_attributes_are_crossed_and_none_is_one_stratum() -> None:
    with duckdb.connect() as connection:
        connection.execute(
            "create schema customers; create table customers.dim_customers as "
            "select i::text as customer_id, i % 2 = 0 as is_even, ['x', 'y'][1 + i % 2] as letter from range(8) t(i)"
        )
        connection.execute("create temp table audience as select customer_id from customers.dim_customers")
        crossed = draw_arms(connection, "spring", 0.25, ["is_even", "letter"])
        assert [(one.stratum, one.treatment, one.control) for one in crossed] == [
            ("is_even = false, letter = y", 3, 1),
            ("is_even = true, letter = x", 3, 1),
        ]
        [everybody] = draw_arms(connection, "spring", 0.25, [])
        assert (everybody.treatment, everybody.control) == (6, 2)


def test_the_checksum_is_that_of_the_lines_that_the_receipt_names() -> None:
    with duckdb.connect() as connection:
        connection.execute(
            "create table assignment as from (values ('b', 'control'), ('a', 'treatment')) t(customer_id, arm)"
        )
        assert checksum(connection, ARMS) == hashlib.sha256(b"a,treatment\nb,control\n").hexdigest()
