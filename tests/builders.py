"""Small companies for the tests: extracts as files, a home to refresh, and a release as plain rows.

A test says only how a row differs from a good one, and how a company's days differ from good days.
"""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb

from expectations.contracts import EXTRACT_TABLES
from orchestration.days import Days
from orchestration.instance import open_instance
from orchestration.publish.releases import Manifest
from orchestration.read.opened import Release
from orchestration.refresh import refresh
from orchestration.settings import Home, load_settings

Row = dict[str, Any]
Rows = list[tuple[Any, ...]]
#: The rows of every extract: by table id, then by extract date.
Company = dict[str, dict[date, list[Row]]]

CUSTOMERS, ORDER_LINES, PRODUCTS = "crm/customers", "shop/order_lines", "shop/products"

#: A customer's value. It may stand in the archive and the quarantine, and nowhere else.
MARKER = "jane.roe@marker.example"

SETTINGS = 'business_timezone: America/New_York\ncurrency: USD\nproduct_x: "X"\n'
EXTRA_DAYS_OF_HISTORY = 420


def customer(customer_id: str, /, **said: Any) -> Row:
    """A good row of crm/customers, but for what is said."""
    return {
        "customer_id": customer_id,
        "email": MARKER,
        "gender": "female",
        "birth_date": "1980-02-29",
        "country": "US",
        "region": "Ohio",
        "signed_up_on": "2016-05-01",
        "preferred_channel": "email",
        "email_opt_in": "true",
        "sms_opt_in": "false",
        "post_opt_in": "",
        "push_opt_in": "false",
        "interests": "cooking;wine",
        "household_size": "2",
        "age_band": "35-44",
        "income_band": "50-74K",
        "is_deleted": "false",
    } | said


def order_line(order_line_id: str, /, **said: Any) -> Row:
    """A good row of shop/order_lines, but for what is said."""
    return {
        "order_line_id": order_line_id,
        "order_id": f"order-of-{order_line_id}",
        "customer_id": "C1",
        "product_id": "P1",
        "ordered_at": "2024-01-05 15:00:00",
        "quantity": "2",
        "amount": "7.98",
        "discount": "0.50",
    } | said


def product(product_id: str, category: str, department: str = "GROCERY") -> Row:
    """A good row of shop/products."""
    return {
        "product_id": product_id,
        "product_name": product_id.title(),
        "category": category,
        "department": department,
        "brand": "Private",
    }


def as_csv(table_id: str, rows: Iterable[Row], *, delimiter: str = ",", line_end: str = "\n") -> str:
    """The rows as a CSV file; a column that no row has and the contract wants is empty."""
    rows = list(rows)
    columns = list(dict.fromkeys([*EXTRACT_TABLES[table_id].columns, *(name for row in rows for name in row)]))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", delimiter=delimiter, lineterminator=line_end)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def drop(home: Home, table_id: str, name: str, content: str | bytes) -> Path:
    """Drops a file into the extracts, as another system would."""
    path = home.extracts / table_id / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def drop_rows(home: Home, table_id: str, day: date, rows: Iterable[Row]) -> Path:
    return drop(home, table_id, f"{day}.csv", as_csv(table_id, rows))


def drop_company(home: Home, company: Company) -> None:
    """Drops every extract of the company, and its settings."""
    home.path.mkdir(parents=True, exist_ok=True)
    (home.path / "settings.yml").write_text(SETTINGS)
    for table_id, extracts in company.items():
        for day, rows in extracts.items():
            drop_rows(home, table_id, day, rows)


def refreshed(home: Home, first: date, last: date | None = None) -> Manifest:
    """Refreshes the days and gives the manifest of the release."""
    return refresh(home, load_settings(home), Days(first, last or first))


@contextmanager
def a_refresh_at_work(home: Home) -> Iterator[None]:
    """Another process holds the home's lock for the length of the block. Raises RuntimeError where it cannot get it."""
    script = (
        "import sys; from pathlib import Path; from orchestration.settings import Home; "
        "from orchestration.warehouse import only_one_refresh\n"
        "with only_one_refresh(Home(Path(sys.argv[1]))): print('at work', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(home.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as other:
        assert other.stdout is not None
        if other.stdout.readline() != "at work\n":
            raise RuntimeError("the other process could not begin to be at work")
        try:
            yield
        finally:
            other.communicate()


def copied_home(path: Path, folder: Path) -> Path:
    """A copy of the home, without what dbt parsed of it."""
    return Path(shutil.copytree(path, folder, symlinks=True, ignore=shutil.ignore_patterns("dbt")))


@dataclass(frozen=True)
class Stage:
    """One folder in which a test may build a home from nothing, or from one that was set aside.

    Only what dbt parsed is kept from one test to the next: it depends on the folder and not on the company.
    """

    path: Path

    def home(self, company: Company | None = None) -> Home:
        """A home without a past; with the extracts of the company, if one is given."""
        self.path.mkdir(exist_ok=True)
        shutil.rmtree(self.path / "dbt" / "logs", ignore_errors=True)
        for left in self.path.iterdir():
            if left.is_file():
                left.unlink()
            elif left.name != "dbt":
                shutil.rmtree(left)
        home = Home(self.path)
        if company is not None:
            drop_company(home, company)
        return home

    def set_aside(self, folder: Path) -> Path:
        """Copies the home as it stands; times of change too, so that no extract looks new."""
        return copied_home(self.path, folder)

    def restore(self, aside: Path) -> Home:
        """The home as it was set aside."""
        home = self.home()
        shutil.copytree(aside, self.path, symlinks=True, dirs_exist_ok=True)
        return home


@dataclass(frozen=True)
class Refreshed:
    """A home that was refreshed and set aside, with all that its release holds."""

    aside: Path
    manifest: Manifest
    contents: dict[str, Rows]


#: The shop's release after the statements given were run on it.
Changed = Callable[..., Release]


def last_verdict(home: Home, asset: str, check: str) -> dg.AssetCheckEvaluation:
    """What the last run that came to a check told Dagster of it."""
    key = dg.AssetCheckKey(dg.AssetKey(asset.split("/")), check)
    with open_instance(home) as instance:
        [record] = instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
    assert record.event is not None
    evaluation = record.event.get_dagster_event().event_specific_data
    assert isinstance(evaluation, dg.AssetCheckEvaluation)
    return evaluation


def query(release: Path, sql: str) -> Rows:
    """Asks a release, given by its folder, as an analyst would."""
    with duckdb.connect(str(release / "segments.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def ask(home: Home, sql: str) -> Rows:
    """Asks the current release of a home."""
    return query(home.releases / "current", sql)


def contents(release: Path) -> dict[str, Rows]:
    """All rows of all tables of a release, in one order."""
    with duckdb.connect(str(release / "segments.duckdb"), read_only=True) as connection:
        tables = connection.execute("select schema_name, table_name from duckdb_tables() order by all").fetchall()
        return {
            f"{schema}.{table}": connection.execute(f'select * from {schema}."{table}" order by all').fetchall()
            for schema, table in tables
        }


def current_contents(home: Home) -> dict[str, Rows]:
    return contents(home.releases / "current")


# ---- the corner shop: a company of two dozen customers with every kind of trouble in four days ----

SHOP_DAYS = [date(2024, 3, 9), date(2024, 3, 10), date(2024, 3, 11), date(2024, 3, 12)]


def corner_shop() -> Company:
    """Four days, on the second of which New York puts its clocks forward.

    The first extract carries the past. Then come corrections, late lines, a return, a guest who is unknown at first, a
    customer deleted and back, a reclassified product, a quiet CRM. ``product_x`` is X.
    """
    first, second, third, fourth = SHOP_DAYS
    people = [_person(number) for number in range(24)]
    return {
        CUSTOMERS: {
            first: people,
            second: [people[3] | {"birth_date": "2004-03-11"}, people[9] | {"gender": ""}],
            third: [people[5] | {"is_deleted": "true"}, people[7] | {"email_opt_in": "false"}, customer("guest")],
            fourth: [people[5]],
        },
        ORDER_LINES: {
            first: [line for number in range(23) for line in _past_of(number)]
            + [
                _bought("wrong", 2, "2024-03-09 18:00:00", amount="600.00"),
                _bought("last-minute-winter", 4, "2024-03-10 04:59:59"),
            ],
            second: [
                _bought("wrong", 2, "2024-03-09 18:00:00", amount="6.00"),
                _bought("last-minute-summer", 4, "2024-03-11 03:59:59"),
                order_line("guest-1", customer_id="guest", ordered_at="2024-03-10 15:00:00"),
                _bought("of-a-stranger", 2, "2024-03-10 15:00:00", customer_id="stranger"),
            ],
            third: [
                _bought("late", 8, "2024-03-09 17:00:00", product_id="X", amount="900.00"),
                _bought("last-minute-winter", 6, "2024-03-10 04:59:59"),
                _bought("returned", 10, "2024-03-11 12:00:00", quantity="-1", amount="-80.00"),
                _bought("today", 11, "2024-03-11 12:00:00", product_id="BABY"),
                _bought("of-a-champion", 0, "2024-03-11 12:00:00"),
            ],
            fourth: [_bought("first-ever", 23, "2024-03-12 12:00:00")],
        },
        PRODUCTS: {
            first: [product("X", "FRUIT", "PRODUCE"), product("P1", "SNACKS"), product("BABY", "INFANT CARE PRODUCTS")],
            third: [product("X", "BERRIES", "PRODUCE"), product("P1", "SNACKS"), product("BABY", "SNACKS")],
        },
    }


def _person(number: int) -> Row:
    return customer(
        f"C{number}",
        gender=("male", "female", "other", "")[number % 4] if number % 4 else "male",
        birth_date="" if number == 13 else str(date(1944 + 3 * number, 3, 1 + number)),
        preferred_channel=("email", "sms", "post", "push", "")[number % 5],
        email_opt_in=str(number % 3 == 0).lower(),
        post_opt_in=str(number % 6 == 1).lower(),
        interests=("cooking", "", "baking;parenting", "wine")[number % 4],
        household_size=str(1 + number % 5),
    )


def _past_of(number: int) -> list[Row]:
    """Orders every few days, the fewer the higher the number; some stopped months ago."""
    stopped = 0 if number % 4 else 15 * number
    days_ago = range(stopped, EXTRA_DAYS_OF_HISTORY, 6 + 5 * number)
    return [
        _bought(
            f"{number}-{ago}",
            number,
            (datetime(2024, 3, 9, 16, tzinfo=UTC) - timedelta(days=ago)).strftime("%Y-%m-%d %H:%M:%S"),
            product_id=("P1", "X", "BABY", "P1", "unlisted")[(number + ago) % 5],
            amount=f"{5 + number * 2 + ago % 7}.{ago % 10}0",
            discount=f"{(number + ago) % 9}.00",
        )
        for ago in days_ago
    ]


def _bought(line: str, number: int, ordered_at: str, **said: Any) -> Row:
    return order_line(line, **{"customer_id": f"C{number}", "ordered_at": ordered_at} | said)


def without(company: Company, table_id: str, day: date) -> Company:
    """The company without one of its extracts."""
    return company | {table_id: {at: rows for at, rows in company[table_id].items() if at != day}}


def with_rows(company: Company, table_id: str, extracts: Mapping[date, list[Row]]) -> Company:
    """The company with other rows in the given extracts of one table."""
    return company | {table_id: company[table_id] | dict(extracts)}
