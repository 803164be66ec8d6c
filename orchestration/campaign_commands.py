"""The commands ``segments campaign …``: thin. They read what was asked for, call the packages, and print what these return."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from orchestration.terminal import Context, command, listing, no_release

if TYPE_CHECKING:
    from orchestration.target.business_case import BusinessCase, Line
    from orchestration.target.holdouts import Holdout


@click.group()
def campaign() -> None:
    """Plan a campaign, see whom it gets and what it did."""


@campaign.command()
@click.argument("campaign_id", metavar="ID")
@command
def plan(context: Context, campaign_id: str) -> None:
    """Show whether the campaign ID is worth doing, whom it gets, and whether anybody will know what it did."""
    from orchestration.target.planning import read_plan

    planned = read_plan(context.home, context.settings, campaign_id)
    if planned is None:
        raise no_release(context)
    context.answer(
        asdict(planned.case) | {"launched": planned.launched}, lambda: _page_of_case(planned.case, planned.launched)
    )


def _page_of_case(case: BusinessCase, launched: bool) -> Group:
    when = f"as it was planned on {case.as_of_date}; the campaign has started" if launched else f"on {case.as_of_date}"
    parts: list[RenderableType] = [
        Text(f"{case.campaign_id}: {case.campaign_name}, {when}, release {case.release}"),
        Text(
            f"{case.objective}. By {case.channel}, {case.starts_on} to {case.measured_until}, {case.planned_days} days."
        ),
        "",
        Text(case.verdict, style="bold"),
        "",
        _waterfall(case),
    ]
    if case.audience:
        parts += [
            listing("What a holdout shows and costs", [_holdout_row(one, case) for one in case.holdouts]),
            _account(case),
            *(Text(f"- {sentence}") for sentence in case.sentences),
        ]
    return Group(*parts)


def _waterfall(case: BusinessCase) -> Table:
    before = [None, *(step.customers for step in case.steps)]
    rows = [
        {"": step.step, "customers": step.customers, "fewer": None if last is None else last - step.customers}
        for step, last in zip(case.steps, before, strict=False)
    ]
    return listing("Who gets it", rows)


def _holdout_row(one: Holdout, case: BusinessCase) -> dict[str, Any]:
    from orchestration.target.figures import about, percent

    trust = {"good": "yes", "wide": "yes, roughly", "none": "no: too few buyers"}[one.trust]
    if one.trust != "none" and one.visible_relative is None:
        trust = "no: nothing varies"
    return {
        "holdout": f"{percent(one.share)}{', yours' if one.is_own else ''}",
        "customers": one.control,
        "buyers": round(one.control_buyers),
        "answers": trust,
        "lifts seen from": "-"
        if one.trust == "none" or one.visible_relative is None
        else percent(one.visible_relative),
        f"each, {_unit(case)}": "-" if one.trust == "none" or one.visible is None else f"{one.visible:,.2f}",
        "variance to 50:50": "-" if one.variance is None else f"x {one.variance:,.2f}",
        f"{'margin' if case.margin else 'revenue'} forgone": "-"
        if one.forgone is None
        else about(one.forgone, case.currency),
    }


def _unit(case: BusinessCase) -> str:
    metric = case.base.metric if case.base else "spend"
    return {"spend": case.currency, "orders": "orders"}.get(metric, "share")


def _account(case: BusinessCase) -> Table:
    lift = case.expected.relative
    ends = lift is not None and lift.lower is not None
    title = {
        "measured": "What it may bring, by what like campaigns did",
        "assumed": "What it would bring if the assumed lift were true",
        "unknown": "What it costs",
    }[case.expected.source]
    return listing(f"{title}, {case.currency}", _account_rows(case.account.lines, ends))


def _account_rows(lines: Sequence[Line], ends: bool) -> list[dict[str, Any]]:
    """Whole figures, of which the sum is the sum: what is rounded is its lines."""
    columns = ("expected", "lower", "upper") if ends else ("expected",)
    titles = {"expected": "expected", "lower": "at the lower end", "upper": "at the upper end"}
    summed = dict.fromkeys(columns, 0)
    rows = []
    for line in lines:
        shown = {column: summed[column] if line.is_sum else round(getattr(line.amount, column)) for column in columns}
        summed = {column: summed[column] + shown[column] for column in columns}
        rows.append({"": line.what} | {titles[column]: amount for column, amount in shown.items()})
    return rows
