"""What an edited rule would change: who enters, who leaves and who stays, what they are worth, and who uses the segment. Both rules are asked of the
release's day.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import duckdb
from sqlglot import exp

from orchestration.read.conditions import (
    TODAY,
    Unanswerable,
    answered_conditions,
    asked_today,
    published_rule,
)
from orchestration.read.drafts import Draft
from orchestration.read.opened import Release, has_table
from orchestration.read.trial import SHOWN, asking, keep_members
from orchestration.read.waterfall import Waterfall, waterfall_of
from orchestration.sql import identifier
from orchestration.transform.meaning import parse

#: The signs that mean something in Markdown or HTML.
SIGNS = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|~&$])")


@dataclass(frozen=True)
class Group:
    """Customers, and what they spent in the last 365 days, in the business currency."""

    customers: int
    revenue: Decimal


@dataclass(frozen=True)
class CampaignOnIt:
    """A campaign on the segment, or on one that is built on it: ``segment`` says which."""

    campaign_id: str
    segment: str
    campaign_name: str
    state: str
    starts_on: date
    ends_on: date


@dataclass(frozen=True)
class Change:
    """An edited rule beside the published one. ``clauses_gone`` and ``clauses_new`` are those that only one of the two has; ``built_on_it`` are the segments
    with this one in their rule, or in the rule of one that they are built on; ``personas`` speak of this one. ``remark`` says what else has to be known, else None.
    """

    segment: str
    as_of_date: date
    base: int
    members_before: int
    waterfall: Waterfall
    enters: Group
    leaves: Group
    stays: Group
    clauses_gone: tuple[str, ...]
    clauses_new: tuple[str, ...]
    built_on_it: tuple[str, ...]
    campaigns: tuple[CampaignOnIt, ...]
    personas: tuple[str, ...]
    remark: str | None

    @property
    def members_after(self) -> int:
        return self.waterfall.members

    @property
    def is_any(self) -> bool:
        return bool(self.clauses_gone or self.clauses_new or self.enters.customers or self.leaves.customers)


def condition_of(release: Release, segment: str) -> str:
    """The condition of a published rule, to be edited, as the release can be asked it; all of its SQL where it is more than a condition.

    Raises ConfigurationError, with the nearest name, where the release has no such segment.
    """
    with release.cursor() as cursor:
        rule = published_rule(cursor, segment)
        if not rule.is_split:
            return str(
                cursor.execute("select sql from catalog.segments where segment = $1", [segment]).fetchall()[0][0]
            )
    clauses = (parse(clause.sql) for clause in rule.clauses)
    written = (
        f"({one.sql('duckdb', pretty=True)})" if isinstance(one, exp.Or) else one.sql("duckdb", pretty=True)
        for one in clauses
    )
    return "\nand ".join(written)


def preview_change(release: Release, segment: str, draft: Draft) -> Change:
    """What would be, if the draft were the segment's rule.

    Raises ConfigurationError, with the nearest name, where the release has no such segment; DraftRefused and QueryTooLong as a trial does.
    """
    with asking(release, draft.rule) as (cursor, asked):
        rule = published_rule(cursor, segment)
        remark = _keep_members_of_now(cursor, segment)
        keep_members(cursor, asked)
        groups = _groups(cursor)
        built_on_it = _built_on(cursor, segment)
        before, after = ({one.sql: one.text for one in either.clauses} for either in (rule, draft.rule))
        return Change(
            segment=segment,
            as_of_date=release.as_of_date,
            base=cursor.execute(f"select count(*) from {TODAY}").fetchall()[0][0],
            members_before=groups["leaves"].customers + groups["stays"].customers,
            waterfall=waterfall_of(cursor, asked),
            **groups,
            clauses_gone=tuple(text for sql, text in before.items() if sql not in after),
            clauses_new=tuple(text for sql, text in after.items() if sql not in before),
            built_on_it=built_on_it,
            campaigns=_campaigns_on(cursor, [segment, *built_on_it]),
            personas=_personas_of(cursor, segment),
            remark=remark,
        )


def _keep_members_of_now(cursor: duckdb.DuckDBPyConnection, segment: str) -> str | None:
    """Has the members by the published rule in a temporary table; gives what has to be known of them."""
    ((state, since),) = cursor.execute(
        "select state, held_since from catalog.segments where segment = $1", [segment]
    ).fetchall()
    try:
        keep_members(
            cursor, asked_today(published_rule(cursor, segment), answered_conditions(cursor)), "members_before"
        )
    except Unanswerable:
        cursor.execute(
            f"create temp table members_before as select customer_id, {', '.join(SHOWN)} from {TODAY} "
            f"where customer_id in (select customer_id from segments.{identifier(segment)})"
        )
        return f"{segment} is held since {since}: compared are its members of the last good day." if state == "held" else None  # fmt: skip
    told = (
        f"{segment} is held since {since}: compared is what the two rules make of today's data, which is not believed."
    )
    return told if state == "held" else None


def _groups(cursor: duckdb.DuckDBPyConnection) -> dict[str, Group]:
    found = cursor.execute(
        """
        select
            case when before.customer_id is null then 'enters' when after.customer_id is null then 'leaves' else 'stays' end,
            count(*),
            sum(coalesce(after.spend_last_365_days, before.spend_last_365_days))
        from members_before as before full join members as after on after.customer_id = before.customer_id
        group by 1
        """
    ).fetchall()
    nobody = Group(0, Decimal(0))
    counted = {name: Group(customers, revenue or Decimal(0)) for name, customers, revenue in found}
    return {name: counted.get(name, nobody) for name in ("enters", "leaves", "stays")}


def _built_on(cursor: duckdb.DuckDBPyConnection, segment: str) -> tuple[str, ...]:
    rests_on = dict(cursor.execute("select segment, builds_on from catalog.segments").fetchall())
    found: set[str] = set()
    while more := {name for name, under in rests_on.items() if {segment, *found} & set(under or ())} - found:
        found |= more
    return tuple(sorted(found))


def _campaigns_on(cursor: duckdb.DuckDBPyConnection, segments: list[str]) -> tuple[CampaignOnIt, ...]:
    if not has_table(cursor, "catalog.campaigns"):
        return ()
    found = cursor.execute(
        "select campaign_id, segment, campaign_name, state, starts_on, ends_on from catalog.campaigns "
        "where list_contains($1, segment) order by starts_on desc, campaign_id",
        [segments],
    )
    return tuple(CampaignOnIt(*row) for row in found.fetchall())


def _personas_of(cursor: duckdb.DuckDBPyConnection, segment: str) -> tuple[str, ...]:
    if not has_table(cursor, "catalog.personas"):
        return ()
    found = cursor.execute("select persona from catalog.personas where list_contains(segments, $1) order by 1", [segment])  # fmt: skip
    return tuple(persona for (persona,) in found.fetchall())


def in_markdown(change: Change, currency: str) -> str:
    """The change as a comment on a pull request; what others wrote in it is text, and never Markdown."""

    def row(what: str, group: Group) -> str:
        return f"| {what} | {group.customers:,} | {group.revenue:,.2f} {plain(currency)} |"

    lines = [f"### Segment `{change.segment}`, on {change.as_of_date}", ""]
    if not change.is_any:
        lines.append(f"Nothing changes: {change.members_after:,} members, by the same clauses.")
    else:
        lines += [
            f"{change.members_before:,} members become {change.members_after:,}, of {change.base:,} customers.",
            "",
            "| who | customers | spend of the last 365 days |",
            "| --- | ---: | ---: |",
            row("enter", change.enters),
            row("leave", change.leaves),
            row("stay", change.stays),
            "",
            *(f"- gone: {in_code(clause)}" for clause in change.clauses_gone),
            *(f"- new: {in_code(clause)}" for clause in change.clauses_new),
        ]
    lines += [
        "",
        "| clause | left | dropped |",
        "| --- | ---: | ---: |",
        f"| everybody | {change.waterfall.base:,} | |",
    ]
    lines += [
        f"| {in_code(step.clause).replace('|', chr(92) + '|')} | {step.left:,} | {step.dropped:,} |"
        for step in change.waterfall.steps
    ]
    users = ", ".join(f"`{name}`" for name in change.built_on_it) or "none"
    campaigns = ", ".join(
        f"{plain(one.campaign_name)} ({plain(one.state)}, {one.starts_on} to {one.ends_on}"
        + (")" if one.segment == change.segment else f", on `{one.segment}`)")
        for one in change.campaigns
    )
    lines += ["", f"- Segments built on it: {users}", f"- Campaigns on it: {campaigns or 'none'}"]
    lines += [f"- Personas that speak of it: {', '.join(map(plain, change.personas))}"] if change.personas else []
    if change.remark:
        lines += ["", plain(change.remark)]
    return "\n".join(lines) + "\n"


def plain(text: str) -> str:
    return SIGNS.sub(r"\\\1", " ".join(text.split()))


def in_code(text: str) -> str:
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    return f"{fence}{' ' if len(fence) > 1 else ''}{' '.join(text.split())}{' ' if len(fence) > 1 else ''}{fence}"
