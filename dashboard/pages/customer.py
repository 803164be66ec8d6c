"""Customer: the segments of one and since when, the answer to each clause of every rule, and what is known. The one page about one customer."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard.following import remembered
from dashboard.saying import empty, heading, refused
from dashboard.tables import to_read
from orchestration.errors import SegmentsError
from orchestration.read.customer import Answer, Customer, Standing, customer
from orchestration.read.figures import UNKNOWN, counted, day
from orchestration.read.opened import Release

told_of = remembered(customer)


def page(release: Release) -> None:
    st.title("Customer")
    customer_id = st.text_input(
        "Customer's id", key="customer", bind="query-params", type="search", placeholder="The CRM's id"
    )
    if not customer_id:
        return empty(
            "Write the id of a customer: the segments that it is in are shown here, and what keeps it out of the others."
        )
    try:
        told = told_of(release, customer_id.strip())
    except SegmentsError as problem:
        return refused(problem)
    inside = [one for one in told.standings if one.is_member]
    heading(told.customer_id)
    st.text(f"In {len(inside):,} of {counted(len(told.standings), 'segment', 'segments')} on {day(told.as_of_date)}.")
    st.header("In")
    if inside:
        frame = pd.DataFrame(
            [{"segment": one.segment, "label": one.label, "member since": _since(one, release)} for one in inside]
        )
        st.dataframe(frame, hide_index=True, width="stretch", height="content", alt="In")
    else:
        empty("In no segment.")
    _clauses(told)
    _known(told)


def _since(standing: Standing, release: Release) -> str:
    """Nobody knows who was a member before the first day on record."""
    return f"{day(standing.entered_on)}{' or before' if standing.entered_on == release.first_as_of_date else ''}"


def _clauses(told: Customer) -> None:
    st.header("Clause by clause")
    every = st.toggle("With the clauses that are met", key="met")
    values = {one.name: one.said for one in told.known}
    rows = [row for standing in told.standings for row in _rows(standing, every, values)]
    if not rows:
        return empty("Every clause of every segment is met.")
    if not any(row["remark"] for row in rows):
        rows = [{head: cell for head, cell in row.items() if head != "remark"} for row in rows]
    to_read(rows, "Clause by clause")


def _rows(standing: Standing, every: bool, values: dict[str, str]) -> list[dict[str, str]]:
    shown = standing.answers if every else standing.keeps_out
    head = {"segment": standing.segment + (", a member" if standing.is_member else "")}
    if not standing.answers:
        return [head | {"clause": UNKNOWN, "is met": UNKNOWN, "known": UNKNOWN, "remark": standing.remark or ""}]
    return [
        head
        | {
            "clause": one.words,
            "is met": _meets(one),
            "known": _asked(one, values),
            "remark": standing.remark or "",
        }
        for one in shown
    ]


def _asked(answer: Answer, values: dict[str, str]) -> str:
    """The values of what a clause asks: by their names, where they are several."""
    asked = {name: values[name] for name in answer.asks if name in values}
    if len(asked) == 1:
        return next(iter(asked.values()))
    return "; ".join(f"{_words(name)}: {value}" for name, value in asked.items()) or UNKNOWN


def _words(name: str) -> str:
    return name.replace("_", " ")


def _meets(answer: Answer) -> str:
    return "not known" if answer.is_met is None else "yes" if answer.is_met else "no"


def _known(told: Customer) -> None:
    st.header("What is known")
    to_read(
        [{"attribute": one.name, "value": one.said, "means": one.description} for one in told.known],
        "What is known",
        below="means",
    )
