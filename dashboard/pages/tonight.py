"""Tonight: what the release says in the morning, and every segment as a row."""

from __future__ import annotations

import streamlit as st

from orchestration.read.opened import Release


def page(release: Release) -> None:
    st.title("Tonight")
