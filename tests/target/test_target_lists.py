"""The list for the sender: the treated alone, only what the channel needs, nothing that a spreadsheet would run, and for no other eyes."""

from __future__ import annotations

import csv
import stat
from datetime import timedelta
from pathlib import Path

import pytest

from orchestration.campaigns.receipts import assignment_file, receipt_folder
from orchestration.settings import Home
from orchestration.target.launching import launch
from orchestration.target.target_list import CSV, PARQUET
from tests.target.builders import (
    DAY,
    MORNING,
    SETTINGS,
    SmallRelease,
    archive_emails,
    campaign_file,
    publish,
    rows,
    shopper,
    shoppers,
)


def launched(home: Home, **said: object) -> Path:
    campaign_file(home, **said)
    [state] = launch(home, SETTINGS)
    assert state.state == "launched", state.because
    return receipt_folder(home, "spring")


def cells(folder: Path) -> list[list[str]]:
    with (folder / CSV).open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def addresses(number: int) -> dict[str, str | None]:
    return {f"C{one:04}": f"c{one}@marker.example" for one in range(number)}


def test_the_list_has_the_treated_and_nobody_of_the_holdout(home: Home) -> None:
    publish(home, SmallRelease(shoppers(40)))
    folder = launched(home)
    treated = [(one,) for one, arm, _ in rows(assignment_file(home, "spring")) if arm == "treatment"]
    assert len(treated) == 32
    assert rows(folder / PARQUET) == treated
    assert cells(folder) == [["customer_id"], *map(list, treated)]


@pytest.mark.parametrize("channel", ["sms", "post", "push"])
def test_where_no_address_of_ours_is_needed_none_is_in_it(home: Home, channel: str) -> None:
    publish(home, SmallRelease(shoppers(40)))
    archive_emails(home, DAY, addresses(40))
    folder = launched(home, channel=channel)
    assert cells(folder)[0] == ["customer_id"]
    assert b"marker.example" not in b"".join(file.read_bytes() for file in folder.iterdir())


def test_by_email_it_has_the_newest_believed_address_up_to_the_day(home: Home) -> None:
    publish(home, SmallRelease(shoppers(40), left_out=[(DAY - timedelta(1), ["email"]), (DAY, ["gender"])]))
    archive_emails(home, DAY - timedelta(3), addresses(40))
    archive_emails(home, DAY - timedelta(2), {"C0001": "moved@marker.example", "C0002": "moved-2@marker.example"})
    archive_emails(home, DAY - timedelta(1), {"C0002": "not-believed@marker.example"})
    archive_emails(home, DAY, {"C0003": "today@marker.example", "stranger": "s@marker.example"})
    archive_emails(home, MORNING, {"C0004": "tomorrow@marker.example"})
    folder = launched(home, channel="email", holdout=0.1)
    found = {customer: email for customer, email in rows(folder / PARQUET)}
    expected = addresses(40) | {
        "C0001": "moved@marker.example",
        "C0002": "moved-2@marker.example",
        "C0003": "today@marker.example",
    }
    assert len(found) == 36
    assert found == {customer: expected[customer] for customer in found}
    assert cells(folder) == [
        ["customer_id", "email"],
        *([customer, email] for customer, email in sorted(found.items())),
    ]


def test_only_the_list_has_an_address_and_only_its_owner_can_read_it(home: Home) -> None:
    publish(home, SmallRelease(shoppers(40)))
    archive_emails(home, DAY, addresses(40))
    folder = launched(home, channel="email")
    with_addresses = {file.name for file in folder.iterdir() if b"marker.example" in file.read_bytes()}
    assert with_addresses == {CSV, PARQUET}
    assert {stat.S_IMODE((folder / file).stat().st_mode) for file in with_addresses} == {0o600}


def test_an_archive_that_has_lost_an_address_makes_the_campaign_wait_and_names_nobody(home: Home) -> None:
    publish(home, SmallRelease(shoppers(40)))
    archive_emails(home, DAY, addresses(40) | dict.fromkeys(addresses(30)))
    campaign_file(home, channel="email", holdout=0.1)
    [state] = launch(home, SETTINGS)
    assert state.state == "waiting"
    assert "27 customers of the list had an e-mail address in the release and none in the archive" in str(state.because)
    assert "marker" not in str(state.because)
    assert list(home.campaigns.iterdir()) == []


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r", "\n", "＝"])  # noqa: RUF001
def test_no_cell_is_a_formula_to_a_spreadsheet_and_parquet_is_as_it_is(home: Home, first: str) -> None:
    dangerous = f'{first}HYPERLINK("http://evil.example","a,b")'
    people = [*shoppers(9), shopper(dangerous)]
    publish(home, SmallRelease(people))
    archive_emails(home, DAY, {one["customer_id"]: f"{first}cmd@marker.example" for one in people})
    folder = launched(home, channel="email", holdout=0.2, stratify_by=[])
    kept, written = rows(folder / PARQUET), cells(folder)[1:]
    assert all(email == f"{first}cmd@marker.example" for _, email in kept)
    assert [email for _, email in written] == [f"'{first}cmd@marker.example"] * 8
    assert all(cell[0] not in "=+-@\t\r\n＝" for row in written for cell in row)  # noqa: RUF001
    assert {customer.lstrip("'") for customer, _ in written} == {customer for customer, _ in kept}
