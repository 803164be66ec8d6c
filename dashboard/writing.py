"""Where a condition is written: the text, beside it all that can be asked with its words, and each of it to be put in by its name."""

from __future__ import annotations

import streamlit as st

from dashboard.following import remembered
from dashboard.saying import empty
from dashboard.tables import to_read
from orchestration.read.attributes import attributes
from orchestration.read.opened import LIMIT_SECONDS, Release
from orchestration.read.portrait import names

attributes_of, names_of = remembered(attributes), remembered(names)
#: Of the text and of the list beside it, in pixels.
HEIGHT = 270

#: What is said while a draft is asked, so that nobody takes the figures of the one before for its own.
ASKING = f"The draft is asked; after {LIMIT_SECONDS:.0f} seconds it is cancelled."
#: What the project's macros ask, and how they are written.
MACROS = {
    "{{ interested_in('wine') }}": "Told us of the interest.",
    "{{ in_lifecycle_stage('at_risk') }}": "Is in the stage of the lifecycle: never_bought, new, won_back, active, at_risk, lapsed.",
    "{{ in_rfm_group('champions') }}": "Is in the RFM group: champions, loyal, promising, needs_attention, dormant.",
    "{{ bought(product_id=var('product_x'), within='3 months') }}": "Bought the product in the time that ends on the as-of date. Answered where a segment asks the same.",
}


def written(release: Release, key: str, at_first: str = "") -> str:
    """The text of a condition, as it stands now. ``key`` tells one such place from another."""
    can_be_asked = {one.name: one.description for one in attributes_of(release)}
    can_be_asked |= MACROS
    can_be_asked |= {f"{{{{ member_of('{name}') }}}}": f"Is a member of {name}." for name in names_of(release)}
    text, put_in, kept = f"{key} text", f"{key} put in", f"{key} kept"
    # What a field holds is forgotten when another page is looked at; what was written is not.
    st.session_state.setdefault(text, st.session_state.get(kept, at_first))

    def add() -> None:
        if chosen := st.session_state[put_in]:
            st.session_state[text] = f"{st.session_state[text].rstrip()} {chosen} ".lstrip()
        st.session_state[put_in] = None

    left, right = st.columns([3, 2])
    with left:
        st.text_area("Condition", key=text, height=HEIGHT, placeholder="age >= 65\n    and gender = 'female'")
        st.selectbox(
            "Put in",
            can_be_asked,
            format_func=lambda name: f"{name}: {can_be_asked[name]}",
            index=None,
            key=put_in,
            on_change=add,
            placeholder="An attribute, or members of a segment: write to find it",
        )
        st.button("Ask", key=f"{key} ask", help="Or press Ctrl and Enter in the text.")
    with right:
        _list(can_be_asked, f"{key} search")
    st.session_state[kept] = st.session_state[text]
    return str(st.session_state[text])


def _list(can_be_asked: dict[str, str], key: str) -> None:
    search = (st.text_input("Search what can be asked", key=key, type="search") or "").lower().split()
    found = {
        name: words for name, words in can_be_asked.items() if all(word in f"{name} {words}".lower() for word in search)
    }
    if not found:
        return empty("Nothing that can be asked has these words.")
    with st.container(height=HEIGHT):
        to_read(
            [{"An attribute, and what it means": name, "means": words} for name, words in found.items()],
            "What can be asked",
            below="means",
        )
