"""The commands that look into a release for one segment, one draft or one customer: thin. They read what was asked for, call ``read``, and print."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from orchestration.errors import ConfigurationError, nearest
from orchestration.terminal import Context, cell, command, listing, no_release

if TYPE_CHECKING:
    from orchestration.read.change import Change
    from orchestration.read.change import Group as Customers
    from orchestration.read.customer import Customer, Standing
    from orchestration.read.opened import Release
    from orchestration.read.trial import Trial
    from orchestration.read.waterfall import Waterfall

#: Characters of the longest bar.
BAR = 24
#: Segments that are shown beside one, or beside a draft.
TOP_OVERLAPS = 5


@click.command()
@click.argument("name")
@command
def show(context: Context, name: str) -> None:
    """Show the segment NAME: its rule, its size, whom each clause drops, what it depends on, whom it shares members with."""
    from orchestration.read.neighbours import shared
    from orchestration.read.portrait import words_of
    from orchestration.read.waterfall import waterfall

    with _release(context) as release:
        words, told, overlaps = words_of(release, name), waterfall(release, name), shared(release, name)[:TOP_OVERLAPS]

    def page() -> Group:
        facts = Table.grid(padding=(0, 2))
        for word, said in (
            ("objective", words.objective),
            ("owner", words.owner),
            ("channel", words.channel),
            ("members", f"{words.members:,}, {words.share_of_base:.1%} of the base"),
            ("moved", f"{cell(words.entered)} entered, {cell(words.exited)} exited"),
            ("state", words.state_in_words),
            ("depends on", "\n".join(words.raw_columns)),
        ):
            facts.add_row(word, Text(said))
        rows = [
            {"segment": other.segment, "members of both": other.members_both, "jaccard": f"{other.jaccard:.2f}"}
            for other in overlaps
        ]
        return Group(
            Text(f"{name}: {words.label}, on {release.as_of_date}, release {release.name}"),
            "",
            Text(words.description),
            "",
            Text(words.sql),
            "",
            facts,
            "",
            *_shown(told),
            listing("Is most like", rows),
        )

    document = {"release": release.name, "as_of_date": release.as_of_date, **asdict(words)}
    context.answer(document | {"overlaps": [asdict(other) for other in overlaps], "waterfall": asdict(told)}, page)


@click.command()
@click.argument("file", type=click.File(encoding="utf-8"))
@click.option("--name", help="What the draft is called; default: the file.")
@command
def preview(context: Context, file: TextIO, name: str | None) -> None:
    """Try the draft of a segment in FILE (- is stdin): a condition, or a whole file as in models/segments. Nothing is written."""
    from orchestration.read.drafts import read_draft
    from orchestration.read.trial import try_draft

    with _release(context) as release:
        trial = try_draft(release, read_draft(release, file.read(), context.settings.variables))
    called = name or (Path(file.name).stem if file.name != "<stdin>" else "the draft")
    document = {"name": called, "release": release.name, "members": trial.members, "share_of_base": trial.share_of_base}
    context.answer(document | asdict(trial), lambda: _page_of_trial(called, release, trial))


@click.command()
@click.argument("name")
@click.option("--markdown", is_flag=True, help="As Markdown, for a pull request.")
@command
def diff(context: Context, name: str, markdown: bool) -> None:
    """Compare the segment NAME as its file in the project says with the current release: who enters, who leaves, who uses it."""
    from orchestration.read.change import in_markdown, preview_change
    from orchestration.read.drafts import read_draft
    from orchestration.transform.scaffold import rules_written

    files = rules_written()
    if name not in files:
        raise ConfigurationError(f"The project has no segment {name}; {nearest(name, sorted(files))}")
    settings = context.settings
    with _release(context) as release:
        draft = read_draft(release, files[name].read_text(encoding="utf-8"), settings.variables)
        change = preview_change(release, name, draft)
    if markdown and not context.as_json:
        click.echo(in_markdown(change, settings.currency), nl=False)
        return
    document = {"release": release.name, "members_after": change.members_after} | asdict(change)
    context.answer(document, lambda: _page_of_change(change, settings.currency))


@click.command()
@click.argument("customer_id", metavar="ID")
@command
def customer(context: Context, customer_id: str) -> None:
    """Show the customer ID: her segments and since when, and which clauses keep her out of the others."""
    from orchestration.read.customer import customer as look_at

    with _release(context) as release:
        told = look_at(release, customer_id)
    context.answer({"release": release.name} | asdict(told), lambda: _page_of_customer(told))


@contextmanager
def _release(context: Context) -> Iterator[Release]:
    from orchestration.publish.releases import open_for_reading

    release = open_for_reading(context.home)
    if release is None:
        raise no_release(context)
    try:
        yield release
    finally:
        release.close()


def _shown(told: Waterfall) -> list[RenderableType]:
    """From everybody to the members, a line a clause, with a bar of who is left and who is dropped there."""
    everybody: dict[str, Any] = {
        "clause": "everybody",
        "left": told.base,
        "dropped": None,
        "dropped if alone": None,
        "kept out by it only": None,
    }
    rows = [everybody | {"": _bar(told.base, 0, told.base)}]
    rows += [
        {
            "clause": step.clause,
            "left": step.left,
            "dropped": step.dropped,
            "dropped if alone": step.dropped_alone,
            "kept out by it only": step.kept_out,
            "": _bar(step.left, step.dropped, told.base),
        }
        for step in told.steps
    ]
    remark: list[RenderableType] = [Text(told.remark, style="yellow"), ""] if told.remark else []
    return [listing("From everybody to the members", rows), *remark]


def _bar(left: int, dropped: int, base: int) -> Text:
    """Who is left and who is dropped, of everybody. Whom it shows are told apart without colour too."""
    wide = round(BAR * left / base) if base else 0
    upto = round(BAR * (left + dropped) / base) if base else 0
    return Text.assemble(("█" * wide, "cyan"), ("░" * (upto - wide), "bright_black"))


def _page_of_trial(called: str, release: Release, trial: Trial) -> Group:
    share = "" if trial.share_of_base is None else f", {trial.share_of_base:.1%} of the base"
    sizes = [{"on": one.as_of_date, "members": one.members, "of base": _share(one.members, one.base)} for one in trial.history]  # fmt: skip
    overlaps = [
        {"segment": one.segment, "members of both": one.members_both, "jaccard": f"{one.jaccard or 0:.2f}"}
        for one in trial.overlaps[:TOP_OVERLAPS]
        if one.members_both
    ]
    spreads = [
        {
            "attribute": spread.attribute if place == 0 else "",
            "value": one.value,
            "members": one.members,
            "of members": _share(one.members, trial.members),
            "of base": _share(one.base, trial.waterfall.base),
        }
        for spread in trial.spreads
        for place, one in enumerate(spread.bins)
    ]
    gap: list[RenderableType] = [Text(trial.history_gap), ""] if trial.history_gap else []
    return Group(
        Text(f"{called}: {trial.members:,} members{share}, on {trial.as_of_date}, release {release.name}"),
        "",
        *_shown(trial.waterfall),
        listing("Its size at the month ends, of who are customers still", sizes),
        *gap,
        listing("Shares most members with", overlaps),
        listing("Who they are", spreads),
    )


def _page_of_change(change: Change, currency: str) -> Group:
    def row(what: str, group: Customers, style: str) -> dict[str, Any]:
        spent = f"{group.revenue:,.2f} {currency}"
        return {"who": Text(what, style=style), "customers": group.customers, "spend of the last 365 days": spent}

    rows = [
        row("enter", change.enters, "green"),
        row("leave", change.leaves, "red"),
        row("stay", change.stays, ""),
    ]
    campaigns = [
        {"campaign": one.campaign_id, "segment": one.segment, "name": one.campaign_name, "state": one.state, "starts": one.starts_on, "ends": one.ends_on}
        for one in change.campaigns
    ]  # fmt: skip
    clauses: list[RenderableType] = [
        *(Text(f"- {clause}", style="red") for clause in change.clauses_gone),
        *(Text(f"+ {clause}", style="green") for clause in change.clauses_new),
    ]
    built = ", ".join(change.built_on_it) or "none"
    return Group(
        Text(f"{change.segment}: {change.members_before:,} members become {change.members_after:,}, on {change.as_of_date}"),
        *([Text(change.remark, style="yellow")] if change.remark else []),
        "",
        *(clauses or [Text("The clauses are the same.")]),
        "",
        listing("Who", rows),
        *_shown(change.waterfall),
        Text(f"Segments built on it: {built}"),
        listing("Campaigns on it", campaigns) if campaigns else Text("Campaigns on it: none"),
        *([Text(f"Personas that speak of it: {', '.join(change.personas)}")] if change.personas else []),
    )  # fmt: skip


def _page_of_customer(told: Customer) -> Group:
    inside = [
        {"segment": one.segment, "since": one.entered_on, "what": one.label} for one in told.standings if one.is_member
    ]
    outside = [
        {"segment": one.segment, "what": one.label, "kept out by": _kept_out(one)}
        for one in told.standings
        if not one.is_member
    ]
    attributes = [{"attribute": one.name, "value": one.said} for one in told.known]
    return Group(
        Text(f"{told.customer_id}, on {told.as_of_date}: in {len(inside):,} of {len(told.standings):,} segments"),
        "",
        listing("In", inside),
        listing("Not in", outside),
        listing("What is known", attributes),
    )


def _kept_out(standing: Standing) -> str:
    said = [f"{one.clause}{'' if one.is_met is False else ' (not known)'}" for one in standing.keeps_out]
    return "\n".join([*said, *([standing.remark] if standing.remark else [])])


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "-"
