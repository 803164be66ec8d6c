"""The sentence that stops a run, to the letter."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from orchestration.validate.refusal import Refusal, too_much_refused

DAY = date(2017, 3, 1)
FILE = Path("/home/quarantine/data.parquet")


def test_the_sentence_says_where_how_much_why_and_the_remedy() -> None:
    refusal = Refusal(rows=412, refused=31, by_rule={"key_is_present": 1, "birth_date_is_possible": 30})
    assert too_much_refused("crm/customers", DAY, refusal, 0.01, FILE) == (
        "crm/customers of 2017-03-01: 31 of 412 rows refused (7.5 %, the limit is 1 %): 30 birth_date_is_possible, "
        "1 key_is_present. The rows, each with the rules it broke, are in /home/quarantine/data.parquet. "
        "Correct the extract and deliver it again, or raise refused_share_limit in settings.yml."
    )


def test_exactly_the_limit_goes_on_and_one_row_more_stops() -> None:
    assert too_much_refused("crm/customers", DAY, Refusal(700, 7, {"key_is_present": 7}), 0.01, FILE) is None
    assert too_much_refused("crm/customers", DAY, Refusal(700, 8, {"key_is_present": 8}), 0.01, FILE)


def test_an_extract_without_rows_never_stops() -> None:
    assert too_much_refused("crm/customers", DAY, Refusal(0, 0, {}), 0.0, FILE) is None


def test_a_share_just_above_the_limit_reads_as_above_it() -> None:
    sentence = too_much_refused(
        "shop/order_lines", DAY, Refusal(1_000_000, 10_100, {"key_is_present": 10_100}), 0.01, FILE
    )
    assert sentence is not None
    assert "10,100 of 1,000,000 rows refused (1.01 %, the limit is 1 %)" in sentence


def test_all_rows_refused_reads_as_a_hundred_percent() -> None:
    sentence = too_much_refused("shop/products", DAY, Refusal(2, 2, {"key_is_present": 2}), 0.125, FILE)
    assert sentence is not None
    assert "(100 %, the limit is 12.5 %)" in sentence
