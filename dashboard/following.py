"""Which release the app shows: the published one, opened once for all who look, and the next one as soon as it is there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import streamlit as st

from orchestration.errors import ReleaseDamaged
from orchestration.publish.releases import current_name, open_named
from orchestration.read.opened import Release
from orchestration.settings import Home

P = ParamSpec("P")
T = TypeVar("T")

#: How often it is looked whether another release is the current one.
SECONDS_BETWEEN_LOOKS = 2.0
#: The one before stays open until the next, for whoever is in the middle of reading it.
KEPT_OPEN = 2
#: Answers kept of each question, over all that was asked with it.
ANSWERS_KEPT = 200


def current_release(home: Home) -> Release | None:
    """The published release; None before the first. Raises ReleaseDamaged where it cannot be opened."""
    name = current_name(home)
    if name is None:
        return None
    try:
        return _opened(home, name)
    except ReleaseDamaged:
        if current_name(home) == name:
            raise
        return current_release(home)  # it was replaced meanwhile


@st.fragment(run_every=SECONDS_BETWEEN_LOOKS)
def follow(home: Home, shown: str | None) -> None:
    """Draws everything anew once another release than the one ``shown`` is the current one."""
    if current_name(home) != shown:
        st.rerun()


def remembered(read: Callable[P, T]) -> Callable[P, T]:
    """The same function, asked once per release and arguments: a release never changes."""
    name_of: dict[str | type[Any], Callable[[Any], Any]] = {Release: lambda release: release.name}
    return st.cache_data(show_spinner=False, max_entries=ANSWERS_KEPT, hash_funcs=name_of)(read)


@st.cache_resource(show_spinner=False, max_entries=KEPT_OPEN, on_release=Release.close, hash_funcs={Home: str})
def _opened(home: Home, name: str) -> Release:
    return open_named(home, name)
