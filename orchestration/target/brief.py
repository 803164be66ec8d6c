"""The page that a marketer hands to a writer: who is in a segment and how many, what to tell them and why, through which channel, and what a campaign could show.

From a release to Markdown. Words of files and extracts are text in it, never Markdown or HTML; no figure is made here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from orchestration.campaigns.files import read_campaigns
from orchestration.errors import ConfigurationError
from orchestration.measure.campaigns.figures import as_sentence, count, money, percent, several, signed_percent
from orchestration.measure.campaigns.verdicts import CLAIMS_FROM
from orchestration.measure.campaigns.wording import seen
from orchestration.publish.releases import open_for_reading
from orchestration.read.campaigns import IN_A_SEGMENT, Campaign, campaigns
from orchestration.read.change import plain
from orchestration.read.figures import day, number, share
from orchestration.read.opened import Release, has_table
from orchestration.read.people import FEWEST_MEMBERS, Distinction, people
from orchestration.read.personas import ClaimOnDay, Told, persona_of, personas_of
from orchestration.read.portrait import Words, words_of
from orchestration.read.reach import Reach, reach
from orchestration.read.series import daily_series
from orchestration.settings import Home, Settings
from orchestration.sql import identifier
from orchestration.target.business_case import BusinessCase
from orchestration.target.holdouts import LARGEST, holdout, smallest_control
from orchestration.target.outcome import outcome_in
from orchestration.target.past import Past, past_of_audience, past_of_segment
from orchestration.target.planning import Plan, read_plan

#: A campaign of which nothing is planned yet: its days, the share held out, and the lift that it is asked for.
DAYS, HELD_OUT, LIFT = 28, 0.1, 0.1
#: Days back of the trend.
TREND_DAYS = 28
#: Distinctions that are told, and the standardized difference below which none is: of 0.2 people say small.
MOST_DISTINCT, LEAST_DIFFERENCE = 6, 0.2
#: The end of a segment's description, which is for who reads its table.
GRAIN = "One row per member and as-of date."
#: Campaigns that are told as tried before, the newest first.
TRIED = 5
#: States of campaigns that were begun.
BEGUN = ("running", "measuring", "over")


@dataclass(frozen=True)
class Brief:
    """A segment's brief as ``markdown``; ``personas`` are the ids of those that it tells of, ``campaigns`` of those whose plan it tells."""

    segment: str
    release: str
    as_of_date: date
    personas: tuple[str, ...]
    campaigns: tuple[str, ...]
    markdown: str


def read_brief(home: Home, settings: Settings, segment: str) -> Brief | None:
    """The brief of a segment with the plans of the campaigns whose files are about it; None before the first release.

    Raises ConfigurationError, with the nearest name, where the release has no such segment.
    """
    release = open_for_reading(home)
    if release is None:
        return None
    try:
        words_of(release, segment)
        plans: list[Plan] = []
        wrong: list[str] = []
        for campaign_id, campaign in read_campaigns(home, settings).campaigns.items():
            if campaign.segment != segment or campaign.ends_on <= release.as_of_date:
                continue
            try:
                plan = read_plan(home, settings, campaign_id)
            except ConfigurationError as problem:
                wrong.append(f"{campaign_id} cannot be planned: {problem}")
            else:
                plans += [plan] if plan else []
        return brief(release, segment, plans, wrong)
    finally:
        release.close()


def brief(release: Release, segment: str, plans: Sequence[Plan] = (), wrong: Sequence[str] = ()) -> Brief:
    """The brief of a segment from an opened release, with the ``plans`` of campaigns on it and what is ``wrong`` with others, in sentences.

    Raises ConfigurationError, with the nearest name, where the release has no such segment.
    """
    words = words_of(release, segment)
    told = [persona_of(release, one.persona) for one in personas_of(release, segment)]
    speaking = [one for one in told if one.listed.role_of(segment) != "excluded" and one.listed.status != "retired"]
    reached = reach(release, segment)
    parts = [
        [f"# Brief: {plain(words.label)}"],
        [f"Segment `{segment}`, on {release.as_of_date}, release `{release.name}`."],
        *_who(release, words),
        *_personas(segment, speaking, [one for one in told if one not in speaking], release.currency),
        *_reach(words, reached),
        *_case(release, words, reached, plans, wrong),
        *_tried(release, segment),
    ]
    ids = tuple(one.listed.persona for one in speaking)
    text = "\n\n".join("\n".join(part) for part in parts if part) + "\n"
    return Brief(segment, release.name, release.as_of_date, ids, tuple(plan.case.campaign_id for plan in plans), text)


#: Lines that stand together: a heading, a paragraph, a list or a table.
Part = list[str]


def _who(release: Release, words: Words) -> list[Part]:
    parts = [
        ["## Who, and how many"],
        [plain(words.description.removesuffix(GRAIN))],
        [" ".join(_how_many(release, words))],
    ]
    if words.state == "held":
        parts.append([f"**Held since {day(words.held_since)}:** {plain(words.held_because or '')}. Told is the last good version."])  # fmt: skip
    found = people(release, words.segment)
    distinct = _distinct(found.distinctions)
    if not found.distinctions:
        parts.append([f"What distinguishes them is not told: they, or the others, are fewer than {FEWEST_MEMBERS}."])
    elif not distinct:
        parts.append(["Beside what the rule itself asks they are much like the rest of the base in all that is known of them."])  # fmt: skip
    else:
        rows = [f"| {plain(_what(one))} | {_figure(one, one.members)} | {_figure(one, one.others)} |" for one in distinct]  # fmt: skip
        parts.append(["What distinguishes them most from the rest of the base, beside what the rule itself asks:"])
        parts.append(["| | members | the others |", "| --- | ---: | ---: |", *rows])
    return parts


def _distinct(found: Iterable[Distinction]) -> list[Distinction]:
    """The greatest, but for those of which nobody would say that they are; of attributes whose names begin alike, such as spend over several times, the first."""
    told: dict[str, Distinction] = {}
    for one in found:
        if not one.in_rule and abs(one.difference) >= LEAST_DIFFERENCE:
            told.setdefault(one.attribute.split("_")[0], one)
    return list(told.values())[:MOST_DISTINCT]


def _how_many(release: Release, words: Words) -> list[str]:
    said = [f"{several(words.members, 'member')}, {share(words.share_of_base)} of the base."]
    days = {one.as_of_date: one for one in daily_series(release, words.segment)}
    before = days.get(release.as_of_date - timedelta(TREND_DAYS))
    if before is None:
        said.append(f"How many there were {TREND_DAYS} days before is not on record.")
    elif before.members:
        moved = signed_percent(words.members / before.members - 1)
        said.append(f"{TREND_DAYS} days before there were {count(before.members)}: {moved}.")
    else:
        said.append(f"{TREND_DAYS} days before there was nobody.")
    today = days.get(release.as_of_date)
    if today and today.lower is not None and today.upper is not None:
        said.append(f"Usual for the day are {count(today.lower)} to {count(today.upper)}.")
    return said


def _personas(segment: str, told: Sequence[Told], others: Sequence[Told], currency: str) -> list[Part]:
    parts = [["## What to tell them, and why"]]
    if not told:
        parts.append([f"No persona speaks of `{segment}`: nobody has said what its members need, fear or hope for. Write one in a file, `personas/<id>.yml`, before anybody writes to them."])  # fmt: skip
    for one in told:
        parts += _persona(segment, one, currency)
    for one in others:
        listed = one.listed
        why = "is retired" if listed.status == "retired" else "is not about them: the segment's members are left out of her customers"  # fmt: skip
        parts.append([f"{plain(listed.name)} {why}."])
    return parts


def _persona(segment: str, told: Told, currency: str) -> list[Part]:
    listed, said = told.listed, told.said
    parts = [[f"### {plain(listed.name)}"], [f"*{plain(listed.archetype)}*"]]
    if listed.role_of(segment) == "target":
        parts.append([f"The segment is addressed with her in mind. What is claimed of her is tested on others: {', '.join(f'`{one}`' for one in listed.evidence)}."])  # fmt: skip
    if listed.is_negative:
        parts.append(["**Do not win her:** she is one whom the company does not seek."])
    if listed.status == "draft":
        parts.append(["She is a draft: nobody has said yet that she may be used."])
    if listed.is_held:
        parts.append([f"**Held since {day(listed.held_since)}:** {plain(listed.held_because or '')}. Told is what was last good."])  # fmt: skip
    if said is None:
        return [*parts, ["Nothing of her could ever be read: her file says nothing yet."]]
    parts.append([f"**Value proposition:** {plain(said.value_proposition)}"])
    lists = {
        "Needs": said.needs,
        "Pains": [f"{one.text} ({one.moment}; {one.severity})" for one in said.pain_points],
        "Motivations": said.motivations,
        "Objections": said.objections,
        "Proof points": said.proof_points,
        "Tone": (said.tone,),
    }
    parts.append([f"- **{what}:** {_joined(texts)}" for what, texts in lists.items() if texts])
    parts += [[f"> {plain(one.text)}", ">", f"> ({plain(one.source)}, {one.said_on})"] for one in said.quotes]
    return [*parts, *_claims(told, currency)]


def _claims(told: Told, currency: str) -> list[Part]:
    against = [one for one in told.claims if one.verdict == "contradicted"]
    rest = [one for one in told.claims if one.verdict != "contradicted"]
    parts: list[Part] = []
    if rest:
        parts += [["What is claimed of her:"], [f"- {_claim(told, one, currency)}" for one in rest]]
    if against:
        lines = [f"- {_text(one.text)} Contradicted since {day(one.since)}: {_seen(one, currency)}." for one in against]
        parts += [["**Do not write this:**"], lines]
    return parts


def _claim(told: Told, one: ClaimOnDay, currency: str) -> str:
    if one.kind == "inferred":
        return f"{_text(one.text)} **Inferred, not tested**, because of this: {plain(told.because(one.claim) or '')}"
    if one.kind == "assumed":
        return f"{_text(one.text)} **Assumed, not tested.** It would be settled by: {plain(told.settled_by(one.claim) or '')}"
    since = f" since {day(one.since)}" if one.since else ""
    verdict = {"holds": "Holds", "weakened": "Weakened: do not lean on it"}.get(
        one.verdict or "", as_sentence(one.verdict_in_words).rstrip(".")
    )
    return f"{_text(one.text)} **{verdict}**{since}: {_seen(one, currency)}."


def _seen(one: ClaimOnDay, currency: str) -> str:
    if one.figure is None:
        return plain((one.message or "").removesuffix("."))
    return f"{one.seen(plain(currency))}, claimed {one.claimed(plain(currency))}"


def _reach(words: Words, reached: Sequence[Reach]) -> list[Part]:
    rows = [f"| {one.channel} | {count(one.consented)} | {count(one.targetable)} |" for one in reached]
    return [
        ["## Through which channel"],
        [f"Usually reached by {plain(words.channel)}. Of {several(words.members, 'member')}:"],
        ["| channel | consented | reached |", "| --- | ---: | ---: |", *rows],
        ["Reached: with an address, as far as one is known, and not unsubscribed."],
    ]


def _case(
    release: Release, words: Words, reached: Sequence[Reach], plans: Sequence[Plan], wrong: Sequence[str]
) -> list[Part]:
    parts = [["## The business case"]]
    for plan in plans:
        parts += _of_a_plan(plan.case, plan.launched)
    parts += [[plain(sentence)] for sentence in wrong]
    planned = {plan.case.campaign_id for plan in plans}
    for one in campaigns(release):
        known = one.planned
        if known.segment == words.segment and known.state == "planned" and known.campaign_id not in planned:
            parts.append([f"{plain(known.campaign_name)} is planned from {day(known.starts_on)} on by {plain(known.channel or 'a channel that is not known')}. Its plan: `segments campaign plan {known.campaign_id}`."])  # fmt: skip
    if not plans:
        parts.append([f"What a campaign of {DAYS} days could show:"])
        parts.append([f"- {sentence}" for sentence in _could_show(release, words, reached)])
    return parts


def _of_a_plan(case: BusinessCase, launched: bool) -> list[Part]:
    when = f"{case.starts_on} to {case.measured_until}, by {case.channel}"
    state = "as it was when it started" if launched else "as it is planned"
    return [
        [f"**{plain(case.campaign_name)}** (`{case.campaign_id}`), {when}, {state}. Its objective: {plain(case.objective)}"],
        [plain(case.verdict)],
        [f"- {plain(sentence)}" for sentence in case.sentences],
    ]  # fmt: skip


def _could_show(release: Release, words: Words, reached: Sequence[Reach]) -> Iterable[str]:
    usual = next((one for one in reached if one.channel == words.channel), None)
    customers = usual.targetable if usual else words.members
    whom = f"whom {plain(words.channel)} reaches" if usual else "of whom no usual channel is known"
    past = _past(release, words.segment)
    base = past.rate("spend") if past else None
    if past is None or base is None:
        yield "No order is on record: nobody can say what it would show."
        return
    if past.of == "audience":
        yield f"Too few were in the segment {DAYS} days before to rest on, or nobody knows who was. Told is what today's members did, which misleads where they are chosen by what they did."
    who = "who were in the segment before" if past.of == "segment" else "who are in it today"
    yield f"In the {past.days} days from {past.first_day} to {past.last_day} {percent(past.buyers)} of the {several(past.customers, 'customer')} {who} ordered, and net spend per customer was {money(base.mean, plain(release.currency))}."  # fmt: skip
    if customers == 0:
        yield f"There are no members {whom}: nobody can be contacted."
        return
    yield f"There are {several(customers, 'member')} {whom}."
    shown = holdout(HELD_OUT, customers, base, past.buyers)
    if shown.trust == "none" or shown.visible_relative is None:
        yield f"With {percent(HELD_OUT)} held out nothing could be claimed: there would be about {several(shown.control_buyers, 'buyer')} among them, and under {CLAIMS_FROM} nothing is."  # fmt: skip
    else:
        yield f"With {percent(HELD_OUT)} held out ({several(shown.control, 'customer')}) lifts of spend above {percent(shown.visible_relative)} would show, in 4 of 5 such campaigns."  # fmt: skip
    control = smallest_control(customers, base, past.buyers, LIFT)
    if control is None:
        yield f"No control group is large enough to show a lift of {percent(LIFT)}: not even {percent(LARGEST)} of them would do."  # fmt: skip
    else:
        yield f"To show a lift of {percent(LIFT)}, hold out at least {several(control, 'customer')}, {percent(control / customers)} of them."  # fmt: skip


def _past(release: Release, segment: str) -> Past | None:
    with release.cursor() as cursor:
        if not has_table(cursor, "customers.order_days"):
            return None
        members = f"segments.{identifier(segment)}"
        return past_of_segment(cursor, segment, release.as_of_date, DAYS) or past_of_audience(
            cursor, members, release.as_of_date, DAYS
        )


def _tried(release: Release, segment: str) -> list[Part]:
    known = campaigns(release)
    own = [one for one in known if one.planned.segment == segment and one.planned.state in BEGUN][:TRIED]
    lines = [f"- {_campaign(one)}: {plain(outcome_in(release, one.planned.campaign_id).verdict)}" for one in own]
    lines += list(_among_others(release, segment, known))[:TRIED]
    return [["## What was tried before"], lines or ["No campaign on it is on record, and of none of the others is its effect on these members known."]]  # fmt: skip


def _among_others(release: Release, segment: str, known: Sequence[Campaign]) -> Iterable[str]:
    """What campaigns on somebody else did to the members."""
    if not known:
        return
    measured = {
        campaign_id
        for (campaign_id,) in release.rows(
            "select distinct campaign_id from metrics.campaign_impact where segment = $1", [segment]
        )
    }
    for one in known:
        if one.planned.campaign_id not in measured or one.planned.segment == segment:
            continue
        rows = outcome_in(release, one.planned.campaign_id).segments
        for row in (row for row in rows if row.segment == segment):
            said = IN_A_SEGMENT.get(row.verdict, "cannot tell")
            yield f"- {_campaign(one)}, of these members among its own: {said}; {plain(seen(row, release.currency))}\\."


def _campaign(one: Campaign) -> str:
    known = one.planned
    return f"**{plain(known.campaign_name)}** ({plain(known.channel or 'channel not known')}, from {day(known.starts_on)})"  # fmt: skip


def _joined(texts: Iterable[str]) -> str:
    return "; ".join(plain(text) for text in texts)


def _text(text: str) -> str:
    return plain(as_sentence(text.strip()))


def _what(one: Distinction) -> str:
    name = one.attribute.replace("_", " ")
    return name if one.value is None else f"{name}: {one.value}"


def _figure(one: Distinction, value: float) -> str:
    return share(value) if one.is_share else number(value, 2)
