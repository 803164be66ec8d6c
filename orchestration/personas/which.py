"""Which tool a task wants, a segment or a persona: stated rules on stated words, and no model. What either of them holds is elsewhere."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Tool = Literal["segment", "persona", "both"]

#: So many words may stand in the place of a … of a keyword.
BETWEEN = 3


@dataclass(frozen=True)
class Place:
    """Where the task is done: a command, and a page of the app."""

    command: str
    page: str

    @property
    def in_words(self) -> str:
        return f"`{self.command}`, and the page {self.page} of the app"


@dataclass(frozen=True)
class Rule:
    """A task that is known, and the keywords by which it is seen.

    A keyword matches whole words, whatever their case. ``*`` ends a stem: any letters may follow. Several words stand side by side, but for ``…``, in whose
    place up to BETWEEN words may stand. ``weak`` keywords count only where no rule matches by its others.
    """

    task: str
    keywords: tuple[str, ...]
    tool: Tool
    reason: str
    place: Place
    weak: tuple[str, ...] = ()


RULES = (
    Rule(
        "choose an audience",
        ("audience*", "recipient*", "addressee*", "mailing list*", "target* group*", "target* customer*", "target list*", "which customers", "whom", "who gets", "who … get", "who … receive", "select* … customer*", "segment*"),
        "segment",
        "An audience is a list of individual customers, and only a segment says of each whether she is in it.",
        Place("segments preview FILE.sql", "Try a segment"),
    ),
    Rule(
        "plan a business case",
        ("business case*", "budget*", "roi", "return on investment", "break even", "profit*", "worth it", "worth doing", "how much … cost*", "how much … bring", "cost*", "forecast*"),
        "segment",
        "A business case needs to know how many they are and what they spend, and these are figures of a segment.",
        Place("segments campaign plan ID", "Campaigns"),
    ),
    Rule(
        "measure impact",
        ("measur*", "impact*", "uplift*", "lift", "incremental*", "effect", "effects", "effectiveness", "result", "results", "holdout*", "control group*", "a b test*", "did … work", "whether … worked"),
        "segment",
        "Impact is a difference between customers who were contacted and customers like them who were not, so they have to be counted one by one.",
        Place("segments campaign show ID", "Campaigns"),
    ),
    Rule(
        "track a trend",
        ("trend*", "track", "tracks", "tracking", "monitor*", "over time", "develop* over", "grow", "grows", "growing", "growth", "shrink*", "declin*", "churn*", "how many", "each month", "month by month", "week by week"),
        "segment",
        "A trend is a count from night to night, and a segment is counted every night.",
        Place("segments explain NAME", "Movement"),
    ),
    Rule(
        "reach customers by channel and timing",
        ("channel*", "timing", "reach", "reaches", "reaching", "reachable", "contactable", "consent*", "opt in*", "opt out*", "unsubscri*", "when to send", "when … send", "best time*", "best day*", "right time", "send time*", "send", "sending", "deliver*"),
        "segment",
        "Whom a channel reaches, and when, is known of each customer by consent and by what was bought and answered.",
        Place("segments show NAME", "Segment"),
    ),
    Rule(
        "shape a value proposition",
        ("value proposition*", "proposition*", "positioning", "usp", "unique selling", "selling point*", "proof point*", "what to offer", "promise*", "why … buy", "customer need*", "customers need", "their needs", "motivation*", "persona*", "archetype*"),
        "persona",
        "A value proposition answers needs and motivations, and those are in a persona; a segment knows only what was done.",
        Place("segments persona new NAME", "Personas"),
    ),
    Rule(
        "design a service",
        ("design*", "service*", "journey*", "experience*", "touchpoint*", "ux", "prototyp*"),
        "persona",
        "A service is designed for what somebody wants to get done, stage by stage, and a persona tells that of an archetype.",
        Place("segments persona new NAME", "Personas"),
    ),
    Rule(
        "find moments of friction",
        ("friction*", "pain", "pains", "painful", "frustrat*", "annoy*", "obstacle*", "barrier*", "hurdle*", "objection*", "complain*", "struggl*"),
        "persona",
        "Where it hurts and why is what a persona says of the journey; figures show that customers leave, and not what kept them from staying.",
        Place("segments persona new NAME", "Personas"),
    ),
    Rule(
        "choose tone and wording",
        ("tone", "tones", "tonality", "wording*", "copy", "copies", "copywriting", "message*", "messaging", "headline*", "subject line*", "slogan*", "tagline*", "phras*", "voice", "what to say", "what to tell", "what … tell them", "how to say"),
        "persona",
        "What to tell them, in which words, follows from what they expect and object to: that is in a persona.",
        Place("segments brief SEGMENT", "Personas"),
    ),
    Rule(
        "brief a writer",
        ("brief*", "writer*", "copywriter*", "agency", "agencies", "freelanc*"),
        "both",
        "A writer has to know who will read it, how many they are and through which channel, and what to tell them and why.",
        Place("segments campaign plan ID", "Personas"),
    ),
    Rule(
        "run a campaign end to end",
        ("run* … campaign*", "plan* … campaign*", "prepar* … campaign*", "organi* … campaign*", "start* … campaign*", "campaign … start to finish", "launch*", "end to end", "roll out", "go to market"),
        "both",
        "A campaign is for the customers of a segment and is measured on them, and what it tells them rests on a persona.",
        Place("segments campaign plan ID", "Campaigns"),
        weak=("campaign*",),
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Match:
    """A rule that matched, and the words of the task by which it did."""

    rule: Rule
    words: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """Which tool the task wants, with every rule that matched; ``tool`` is None where it is not known."""

    task: str
    tool: Tool | None
    matches: tuple[Match, ...]

    @property
    def sentence(self) -> str:
        if self.tool is None:
            said = f"Which tool {self.task.strip()!r} wants is not known" if self.task.strip() else "No task was said"
            return f"{said}: say it by one of the tasks that are known: {', '.join(KNOWN_TASKS)}."
        what = {"segment": "A segment", "persona": "A persona", "both": "Both, a segment and a persona"}[self.tool]
        words = dict.fromkeys(word for match in self.matches for word in match.words)
        return f"{what}: it goes by {', '.join(f'“{word}”' for word in words)}."


#: What can be asked for, in the order of the rules.
KNOWN_TASKS = tuple(rule.task for rule in RULES)


def which(task: str) -> Answer:
    """The tool for a task in words. Where rules of both tools match it wants both; where none does it is not known."""
    words = _words(task)
    matches = _matches(words, [(rule, rule.keywords) for rule in RULES])
    matches = matches or _matches(words, [(rule, rule.weak) for rule in RULES])
    tools: set[Tool] = {match.rule.tool for match in matches}
    if not tools:
        return Answer(task, None, ())
    return Answer(task, tools.pop() if len(tools) == 1 else "both", matches)


def _matches(words: Sequence[str], rules: Sequence[tuple[Rule, tuple[str, ...]]]) -> tuple[Match, ...]:
    found = [
        Match(rule, tuple(dict.fromkeys(at for keyword in keywords if (at := _found(keyword, words)))))
        for rule, keywords in rules
    ]
    return tuple(match for match in found if match.words)


def _words(text: str) -> list[str]:
    """In lower case; a hyphen or an apostrophe ends a word."""
    return re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", text).casefold())


def _found(keyword: str, words: Sequence[str]) -> str | None:
    """The words where the keyword stands first, else None."""
    match = re.search(_pattern(keyword), f" {' '.join(words)} ")
    return match[1] if match else None


def _pattern(keyword: str) -> str:
    parts = [
        rf"(?: \w+){{0,{BETWEEN}}}" if part == "…" else " " + part.replace("*", r"\w*") for part in keyword.split()
    ]
    return rf" ({''.join(parts).removeprefix(' ')})(?= )"
