"""Tables that can be taken along. The grid's own download is off, for it would hand a spreadsheet whatever formula somebody wrote into a name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import streamlit as st

from orchestration.read.spreadsheet import as_csv


def download(rows: Sequence[Any], fields: Sequence[str], file_name: str) -> None:
    """A button that saves the given fields of rows, which are dataclasses, as CSV."""
    cells = [asdict(row) for row in rows]
    text = as_csv(fields, ([cell[field] for field in fields] for cell in cells))
    st.download_button("Download as CSV", text, file_name=file_name, mime="text/csv", on_click="ignore")
