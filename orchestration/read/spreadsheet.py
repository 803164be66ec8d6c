"""Tables as files that people open in a spreadsheet: CSV in which no cell is taken for a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

#: A spreadsheet takes a cell for a formula that begins so (OWASP: CSV injection), in full width too. A regular expression of DuckDB and of Python.
BEGINS_A_FORMULA = "^[=+\\-@\\t\\r\\n＝＋－＠]"  # noqa: RUF001 - the full-width ones are meant


def as_csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Texts that begin like a formula get an apostrophe in front; numbers, days and nothing at all (an empty cell) are as they are."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows([_plain(cell) for cell in row] for row in rows)
    return text.getvalue()


def _plain(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and re.search(BEGINS_A_FORMULA, cell) else cell
