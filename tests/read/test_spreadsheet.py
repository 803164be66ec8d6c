"""What a spreadsheet makes of a cell."""

from __future__ import annotations

import csv
import io
from datetime import date

import pytest

from orchestration.read.spreadsheet import as_csv


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])  # noqa: RUF001 - the full-width ones are meant
def test_a_text_that_begins_like_a_formula_is_taken_for_text(begin: str) -> None:
    [_, [cell]] = csv.reader(io.StringIO(as_csv(["label"], [[f"{begin}1+1"]]), newline=""))
    assert cell == f"'{begin}1+1"


def test_figures_days_and_other_texts_are_as_they_are() -> None:
    assert as_csv(["a", "b", "c", "d"], [[-5, date(2024, 1, 5), None, 'a "b", c=d']]) == (
        'a,b,c,d\r\n-5,2024-01-05,,"a ""b"", c=d"\r\n'
    )
