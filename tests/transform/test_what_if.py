"""The models from which the customers are made: what is kept until they become others must know them again, and what is worked out for many
days at once is what each day asks for.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from orchestration.transform.what_if import Copy, CustomerModels, columns_of_tables, copy_beside

PROJECT = Path(__file__).resolve().parents[2]

#: Three models side by side below the customers: a set of them has another order in another process.
FINGERPRINT = """
from orchestration.transform.what_if import CustomerModels
names = ["one", "another", "a_third", "dim_customers"]
nodes = {
    name: {
        "name": name, "resource_type": "model", "database": "w", "schema": "customers", "alias": None,
        "depends_on": {"nodes": names[:3] if name == "dim_customers" else []},
    }
    for name in names
}
models = CustomerModels({"nodes": nodes}, {name: f"select '{name}'" for name in names}, {})
print(models.fingerprint)
"""


def fingerprint(seed: int) -> str:
    command = [sys.executable, "-c", FINGERPRINT]
    environment = {"PYTHONHASHSEED": str(seed), "PYTHONPATH": str(PROJECT)}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return done.stdout.strip()


@pytest.fixture(scope="module")
def fingerprints() -> set[str]:
    return {fingerprint(seed) for seed in range(1, 5)}


def test_the_same_models_have_the_same_fingerprint_in_every_process(fingerprints: set[str]) -> None:
    (only,) = fingerprints
    assert len(only) == 64


#: A model of a customer's day, one that compares customers, and the customers, who name every column of both.
SQL = {
    "versions": "",
    "history": 'select as_of_date, customer_id, count(*) as orders, sum(spend) as spend from "memory"."customers"."versions" '
    "inner join refresh.as_of_dates on valid_from <= as_of_date group by all",
    "ranks": "select as_of_date, customer_id, rank() over (partition by as_of_date order by spend) as place "
    'from "memory"."customers"."history"',
    "dim_customers": "select as_of_date, customer_id, history.orders, history.spend, ranks.place "
    'from "memory"."customers"."history" as history left join "memory"."customers"."ranks" as ranks using (as_of_date, customer_id)',
}
PARENTS = {"versions": [], "history": ["versions"], "ranks": ["history"], "dim_customers": ["history", "ranks"]}
DAYS = "select date '2024-03-01' + range::integer as as_of_date from range(3)"
EVERYTHING = {"customers.history", "customers.ranks"}


@pytest.fixture
def copy() -> Iterator[Copy]:
    nodes = {
        name: {
            "name": name,
            "resource_type": "model",
            "database": "memory",
            "schema": "customers",
            "alias": None,
            "depends_on": {"nodes": parents},
        }
        for name, parents in PARENTS.items()
    }
    with duckdb.connect() as connection:
        connection.execute(
            "create schema customers; create schema refresh; create table refresh.as_of_dates (as_of_date date);"
            "create table customers.versions (customer_id varchar, valid_from date, valid_to date, spend integer);"
            "insert into customers.versions values ('a', '2024-02-01', null, 5), ('a', '2024-03-02', null, 9), ('b', '2024-02-01', null, 7)"
        )
        for name in ("history", "ranks", "dim_customers"):
            connection.execute(f"create table customers.{name} as {SQL[name]}")
        with copy_beside(connection, CustomerModels({"nodes": nodes}, SQL, columns_of_tables(connection))) as made:
            made.know_what_is_known()
            yield made


def customers(copy: Copy, columns: str) -> list[tuple[object, ...]]:
    return copy.connection.execute(f"select {columns} from customers.dim_customers order by all").fetchall()


@pytest.mark.parametrize("tables", [set(), {"customers.history"}])
def test_a_day_asked_of_what_was_worked_out_for_many_is_as_the_day_alone(copy: Copy, tables: set[str]) -> None:
    of_a_day = "select date '2024-03-02' as as_of_date"
    copy.derive(of_a_day, EVERYTHING, compare=True, columns="as_of_date, customer_id, place")
    alone = customers(copy, "*")
    given = copy.derive_what_compares_nobody(DAYS, EVERYTHING, {"place"}, tables)
    copy.derive(of_a_day, EVERYTHING, compare=True, columns="as_of_date, customer_id, place", given=given)
    assert customers(copy, "*") == alone
    assert [row[1:] for row in alone] == [("a", 2), ("b", 1)]


def test_a_table_that_is_read_beside_the_customers_keeps_what_nobody_else_asks_of_it(copy: Copy) -> None:
    given = copy.derive_what_compares_nobody(DAYS, EVERYTHING, {"place"}, {"customers.history"})
    asked = f"select sum(orders) from {given['customers.history']}"
    assert copy.connection.execute(asked).fetchall() == [(8,)]


def test_a_column_that_was_not_kept_is_refused_and_not_null(copy: Copy) -> None:
    given = copy.derive_what_compares_nobody(DAYS, EVERYTHING, {"place"}, set())
    with pytest.raises(duckdb.Error, match=r"history\.orders was not kept"):
        copy.connection.execute(f"select sum(orders) from {given['customers.history']}")
