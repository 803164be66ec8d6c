"""Tables that can be taken along, and tables that are read. The grid's own download is off, for it would hand a spreadsheet whatever formula somebody wrote into a name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from html import escape
from itertools import groupby
from typing import Any

import pandas as pd
import streamlit as st

from orchestration.read import palette
from orchestration.read.spreadsheet import as_csv

#: Characters of what is no sentence.
LONGEST_FIGURE = 12
QUIET = f"color:{palette.GREY}"
CELL = f"text-align:left;vertical-align:top;font-weight:400;padding:.35rem .5rem;border:0;border-bottom:1px solid {palette.LIGHT_GREY};overflow-wrap:break-word"


def download(rows: Sequence[Any], fields: Sequence[str], file_name: str) -> None:
    """A button that saves the given fields of rows, which are dataclasses, as CSV."""
    cells = [asdict(row) for row in rows]
    text = as_csv(fields, ([cell[field] for field in fields] for cell in cells))
    st.download_button("Download as CSV", text, file_name=file_name, mime="text/csv", on_click="ignore")


def to_read(rows: Sequence[Mapping[str, str]], name: str, below: str | None = None) -> None:
    """A table of sentences, which a grid would cut off: here they take the lines that they need.

    Rows with the same first cell share it. What is under the head ``below`` stands below the first cell, where a column of its own would be narrow.
    """
    first, *others = (head for head in rows[0] if head != below)
    heads = "".join(f'<th scope="col" style="{CELL};{QUIET}">{_text(head)}</th>' for head in (first, *others))
    lines = []
    for shared, alike in groupby(rows, key=lambda row: row[first]):
        together = list(alike)
        words = f'<div style="{QUIET}">{_text(together[0][below])}</div>' if below else ""
        head = f'<th scope="row" rowspan="{len(together)}" style="{CELL}"><span>{_text(shared)}</span>{words}</th>'
        for place, row in enumerate(together):
            cells = "".join(
                f'<td style="{CELL};{_on_one_line(row[other])}">{_text(row[other])}</td>' for other in others
            )
            lines.append(f"<tr>{head if place == 0 else ''}{cells}</tr>")
    st.html(
        f'<div style="overflow-x:auto"><table aria-label="{escape(name)}" style="width:100%;border-collapse:collapse;font-size:.875rem">'
        f"<thead><tr>{heads}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
    )


def _on_one_line(cell: str) -> str:
    """A figure or a day stays in one piece."""
    return "white-space:nowrap" if len(cell) <= LONGEST_FIGURE else ""


def _text(cell: str) -> str:
    """A long name may go on in the next line after each of its words."""
    return re.sub("([_/])", r"\1<wbr>", escape(cell))


def by_thousands(frame: pd.DataFrame) -> dict[str, Any]:
    """The columns of whole numbers of a table, with their thousands apart."""
    return {
        str(column): st.column_config.NumberColumn(format="localized")
        for column in frame.columns
        if pd.api.types.is_integer_dtype(frame[column])
    }
