"""A choice that stands in the address, so that it can be sent to somebody. What an address asks for and there is not is told, and not passed over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import streamlit as st

from dashboard.saying import notice
from orchestration.read.figures import day

#: Characters of what was asked for that are said again.
SAID = 80


def chosen(label: str, options: Sequence[str], key: str, width: int | None = None) -> str:
    """One of the options, of which there is at least one; the first where the address names none of them."""
    asked = st.query_params.get(key)
    if asked is not None and asked not in options:
        notice("warning", f"There is no {label.lower()} {asked[:SAID]} in this release: another is shown.")
    value: str = st.selectbox(label, options, key=key, bind="query-params", width=width or "stretch")
    return value


def chosen_day(label: str, value: date, first: date, last: date, key: str) -> date | None:
    """A day of the record; None as long as none is chosen."""
    asked = st.query_params.get(key)
    if asked is not None and not _is_day(asked, first, last):
        notice(
            "warning",
            f"{asked[:SAID]} is no day of the record, which goes from {day(first)} to {day(last)}: another is shown.",
        )
    found = st.date_input(label, value, first, last, format="YYYY-MM-DD", key=key, bind="query-params", width=180)
    return found if isinstance(found, date) else None


def _is_day(asked: str, first: date, last: date) -> bool:
    try:
        return first <= date.fromisoformat(asked) <= last
    except ValueError:
        return False
