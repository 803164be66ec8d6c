"""How sentences are shown, above all those of others: as the text that they are, never as Markdown or HTML."""

from __future__ import annotations

from html import escape
from typing import Literal

import streamlit as st

from orchestration.errors import SegmentsError
from orchestration.read import palette

Tone = Literal["critical", "warning", "info"]

COLOURS: dict[Tone, str] = {"critical": palette.CRITICAL, "warning": palette.WARNING, "info": palette.QUIET}


def heading(text: str, level: Literal[1, 2, 3] = 2) -> None:
    """A heading with the words of others in it."""
    st.html(f'<h{level} style="margin:0;overflow-wrap:anywhere">{escape(text)}</h{level}>')


def sentence(text: str) -> None:
    """A sentence that stands among others."""
    st.html(f'<p style="margin:0;overflow-wrap:anywhere">{escape(text)}</p>')


def notice(tone: Tone, text: str, title: str = "") -> None:
    """A sentence that wants to be seen; how much so is in ``title`` too, for a colour alone does not say it."""
    head = f"<strong>{escape(title)}</strong><br>" if title else ""
    role = "alert" if tone == "critical" else "note"
    st.html(
        f'<div role="{role}" style="border-left:4px solid {COLOURS[tone]};padding:.25rem .75rem;overflow-wrap:anywhere">'
        f"{head}{escape(text)}</div>"
    )


def empty(text: str) -> None:
    """Stands where there is nothing to draw, and says why."""
    notice("info", text)


def refused(problem: SegmentsError) -> None:
    """Why there is no answer; DuckDB's own message keeps its lines, for it points at a place in them."""
    said, *place = str(problem).split("\n")
    notice("critical", said)
    if place:
        st.code("\n".join(place).strip("\n"), language=None)
