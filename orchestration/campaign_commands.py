"""The commands ``segments campaign …``: thin. They read what was asked for, call the packages, and print what these return."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from orchestration.terminal import FAILED, Context, command, listing, no_release, notes

if TYPE_CHECKING:
    from orchestration.measure.campaigns.measurement import Measurement
    from orchestration.target.business_case import BusinessCase, Line
    from orchestration.target.holdouts import Holdout
    from orchestration.target.launching import CampaignState
    from orchestration.target.outcome import Beside, Outcome


@click.group()
def campaign() -> None:
    """Plan a campaign, see whom it gets and what it did."""


class Share(click.FloatRange):
    """A range of numbers, of which "not a number" is none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        share: float = super().convert(value, param, ctx)
        if math.isnan(share):
            self.fail(f"{value} is no number.", param, ctx)
        return share


@campaign.command("list")
@command
def list_(context: Context) -> None:
    """Show every campaign: whether it has started, and why not where it should have."""
    from orchestration.target.listing import all_campaigns

    found = all_campaigns(context.home, context.settings)
    context.answer({"campaigns": [asdict(one) for one in found]}, lambda: _page_of_states(found))


@campaign.command()
@click.argument("campaign_id", metavar="ID")
@command
def verify(context: Context, campaign_id: str) -> int | None:
    """Draw the campaign ID again from the release of its receipt, and compare byte for byte."""
    from orchestration.target.verifying import verify as derive_again

    found = derive_again(context.home, context.settings, campaign_id)
    context.answer(asdict(found), lambda: Text(found.sentence))
    return None if found.holds else FAILED


@campaign.command()
@click.option("--segment", required=True, help="The segment whose members it is played on.")
@click.option(
    "--effect",
    type=Share(0, 1),
    default=0.1,
    show_default=True,
    help="The share of their orders that the contacted make twice; 0 is an A/A.",
)
@click.option(
    "--holdout",
    type=Share(0, 1, min_open=True, max_open=True),
    default=0.5,
    show_default=True,
    help="Share.",
)
@click.option("--days", type=click.IntRange(min=2), default=28, show_default=True, help="Days that it is measured.")
@click.option("--channel", type=click.Choice(["email", "sms", "post", "push"]), default="email", show_default=True)
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    help="A new folder in which the copy stays, to be looked at.",
)
@command
def simulate(
    context: Context, segment: str, effect: float, holdout: float, days: int, channel: str, keep: Path | None
) -> None:
    """Plant a campaign with a known effect in a copy of the home, and see whether what is measured holds it: so it should 19 times of 20."""
    from orchestration.drill.campaigns import simulate_one

    simulated = simulate_one(
        context.home,
        context.settings,
        segment=segment,
        effect=effect,
        holdout=holdout,
        days=days,
        channel=channel,
        keep=keep,
        progress=lambda said: notes.print(said),
    )

    def page() -> Group:
        from orchestration.drill.campaigns import rows_of
        from orchestration.measure.campaigns.figures import as_sentence

        kept = [Text(f"The copy is in {keep}/home.")] if keep else []
        return Group(
            listing("Net spend per customer who was contacted", rows_of([simulated])),
            Text(as_sentence(simulated.message)),
            *kept,
        )

    context.answer(asdict(simulated) | {"is_covered": simulated.is_covered}, page)


def _page_of_states(found: list[CampaignState]) -> Group:
    if not found:
        return Group("There are no campaigns: docs/how_to/plan_a_campaign.md says how to plan one.")
    whys = [Text(f"{one.id}: {one.because}") for one in found if one.because]
    return Group(listing("Campaigns", [_row_of_state(one) for one in found]), *whys)


def _row_of_state(one: CampaignState) -> dict[str, Any]:
    return {
        "campaign": one.id,
        "name": one.name,
        "segment": one.segment,
        "assigned by": one.assigned_by,
        "state": one.state,
        "starts": one.launched_on or one.starts_on,
        "ends": one.ends_on,
        "measured until": one.measured_until,
        "treatment": one.treatment,
        "control": one.control,
    }


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


@campaign.command()
@click.argument("campaign_id", metavar="ID")
@click.option(
    "--picture",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Draw the effect by day into this file too, .svg or .png.",
)
@command
def show(context: Context, campaign_id: str, picture: Path | None) -> None:
    """Show what the campaign ID did, beside what was foreseen of it."""
    from orchestration.target.outcome import read_outcome

    outcome = read_outcome(context.home, campaign_id)
    if outcome is None:
        raise no_release(context)
    drawn = None
    if picture:
        from orchestration.target.picture import write_picture

        is_drawn = write_picture(outcome, picture)
        drawn = str(picture) if is_drawn else None
    context.answer(
        asdict(outcome) | {"picture": drawn},
        lambda: Group(_page_of_outcome(outcome), *_of_picture(outcome, picture, drawn)),
    )


def _of_picture(outcome: Outcome, asked: Path | None, drawn: str | None) -> list[Text]:
    if asked is None:
        return []
    if drawn is None:
        return [Text(f"{asked} is not drawn: nothing could be compared on any day.")]
    may_be_claimed = outcome.primary is not None and outcome.primary.may_be_claimed
    what = "The effect by day" if may_be_claimed else "The difference by day, which is not to be read as an effect,"
    return [Text(f"{what} is in {drawn}.")]


def _page_of_outcome(outcome: Outcome) -> Group:
    known = outcome.known
    facts = [
        known.objective,
        f"By {known.channel}" if known.channel else None,
        f"{known.starts_on} to {known.measured_until or 'no end'}",
    ]
    parts: list[RenderableType] = [
        Text(f"{known.campaign_id}: {known.campaign_name}, on {outcome.as_of_date}, release {outcome.release}"),
        Text(". ".join(fact for fact in facts if fact) + "."),
        "",
        Text(outcome.verdict, style="bold"),
        "",
        *(Text(f"- {sentence}") for sentence in outcome.sentences),
        "",
    ]
    if outcome.beside:
        parts.append(_foreseen_and_measured(outcome))
    if outcome.case and outcome.is_randomised:
        parts.append(Text(f"The plan of {outcome.case.as_of_date} said: {outcome.case.verdict}\n"))
    if outcome.segments:
        good = (
            "intervals for one look" if outcome.segments[0].is_final else "intervals that hold however often one looks"
        )
        parts.append(listing(f"In its segments, {good}", [_segment_row(row) for row in outcome.segments]))
    parts += _of_no_holdout(outcome)
    return Group(*parts)


def _foreseen_and_measured(outcome: Outcome) -> Table:
    rows = [_beside_row(one, outcome.currency) for one in outcome.beside]
    if outcome.case is None:
        return listing("Measured", [{name: said for name, said in row.items() if name != "foreseen"} for row in rows])
    return listing("Foreseen and measured", rows)


def _beside_row(one: Beside, currency: str) -> dict[str, Any]:
    from orchestration.measure.campaigns.figures import in_unit

    unit = f", {currency}" if one.unit == "money" else ""
    return {
        "": f"{one.what}{unit}",
        "foreseen": in_unit(one.foreseen, one.unit),
        "measured": in_unit(one.measured, one.unit),
    }


def _segment_row(row: Measurement) -> dict[str, Any]:
    from orchestration.measure.campaigns.figures import in_unit

    return {
        "segment": row.segment,
        "drawn to be contacted": row.n_treatment,
        "held out": row.n_control,
        "lift (95 %)": in_unit(row.relative, "share"),
        "q": "-" if row.q_value is None else f"{row.q_value:.2g}",
    }


def _of_no_holdout(outcome: Outcome) -> list[RenderableType]:
    """How unlike the contacted were, and what the same comparison finds where there is nothing to find."""
    parts: list[RenderableType] = []
    if outcome.balance:
        rows = [
            {
                "": one.attribute,
                "contacted": _decimal(one.mean_contacted),
                "others": _decimal(one.mean_others),
                "apart, sd": _decimal(one.standardized_difference),
                "others, weighted": _decimal(one.mean_matched),
                "apart then, sd": _decimal(one.standardized_difference_matched),
            }
            for one in outcome.balance
        ]
        parts.append(listing("Were they alike before it began?", rows))
    if outcome.comparisons:
        rows = [
            {
                "from": str(one.starts_on),
                "what": "no campaign: a placebo" if one.is_placebo else "the campaign",
                "how": one.estimator.replace("_", " "),
                f"difference, {outcome.currency} each": _decimal(one.difference),
                "95 %": f"{_decimal(one.lower)} to {_decimal(one.upper)}",
                "p": "-" if one.p_value is None else f"{one.p_value:.2g}",
            }
            for one in outcome.comparisons
        ]
        parts.append(listing("How their spend changed beside the others'", rows))
    return parts


def _decimal(figure: float | None) -> str:
    return "-" if figure is None else f"{round(figure, 2) + 0.0:,.2f}"


def _page_of_case(case: BusinessCase, launched: bool) -> Group:
    from orchestration.measure.campaigns.figures import several

    when = f"as it was planned on {case.as_of_date}; the campaign has started" if launched else f"on {case.as_of_date}"
    parts: list[RenderableType] = [
        Text(f"{case.campaign_id}: {case.campaign_name}, {when}, release {case.release}"),
        Text(
            f"{case.objective}. By {case.channel}, {case.starts_on} to {case.measured_until}, {several(case.planned_days, 'day')}."
        ),
        "",
        Text(case.verdict, style="bold"),
        "",
        _waterfall(case),
    ]
    if case.audience and case.answer != "no_comparison":
        parts.append(listing("What a holdout shows and costs", [_holdout_row(one, case) for one in case.holdouts]))
    if case.audience:
        parts += [
            _account(case),
            *(Text(f"- {sentence}") for sentence in case.sentences),
        ]
    return Group(*parts)


def _waterfall(case: BusinessCase) -> Table:
    before = [None, *(step.customers for step in case.steps)]
    rows = [
        {
            "": step.step.replace("_", " "),
            "customers": step.customers,
            "fewer": None if last is None else last - step.customers,
        }
        for step, last in zip(case.steps, before, strict=False)
    ]
    return listing("Who gets it", rows)


def _holdout_row(one: Holdout, case: BusinessCase) -> dict[str, Any]:
    from orchestration.measure.campaigns.figures import about, percent
    from orchestration.target.holdouts import shows

    trust = {"good": "yes", "wide": "yes, roughly", "none": "no: too few buyers"}[one.trust]
    if one.trust != "none" and one.visible_relative is None:
        trust = "no: nothing varies"
    elif one.trust != "none" and case.base and not shows(one, case.base):
        trust = "no: there is no room for it"
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
    title = (
        "What it costs"
        if case.account.revenue is None
        else {
            "measured": "What it may bring, by what like campaigns did",
            "assumed": "What it would bring if the assumed lift were true",
        }[case.expected.source]
    )
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
