"""The personas of a release: all of them with what their claims came to; one in full, with what is said of her, what was tested and who her customers are.

How a claim is tested and what is counted of her customers is in ``measure.personas``, how a persona is written in ``personas.files``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from pydantic import ValidationError

from orchestration.errors import ConfigurationError, ReleaseDamaged, nearest
from orchestration.measure.campaigns.figures import money, percent
from orchestration.measure.personas import wording
from orchestration.measure.personas.verdicts import FLOOR
from orchestration.personas.files import Persona
from orchestration.read.figures import UNKNOWN, number
from orchestration.read.opened import Release

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

#: Fewer customers than this are not described.
FEWEST_CUSTOMERS = FLOOR

Verdict = Literal["holds", "weakened", "contradicted", "too_few_to_tell"]
Role = Literal["evidence", "target", "excluded"]

ROLES: dict[str, str] = {
    "evidence": "stands for its members",
    "target": "is addressed with her in mind",
    "excluded": "its members are not among hers",
}
#: What is known of her customers, in the order in which it is told.
TOPICS: dict[str, str] = {
    "size": "How many",
    "revenue": "What they bring",
    "segment": "Her segments",
    "trend": "How many there were",
    "age": "Age",
    "gender": "Gender",
    "household_size": "Household size",
    "income_band": "Income",
    "interests": "Interests",
    "category": "Categories",
    "department": "Departments",
    "recency": "Days since the last order",
    "frequency": "How often they order",
    "weekday": "Weekday",
    "hour": "Hour of the day",
    "channel_reach": "Channels that reach them",
    "channel_response": "Channels that they answer",
    "campaign": "Campaigns that they were in",
    "flow_in": "Where they came from",
    "flow_out": "Where they went",
}
#: What a finding is of, in the order in which it is told.
FINDINGS: dict[str, str] = {
    "segment_without_persona": "Segments without a persona",
    "persona_without_segment": "Personas without a segment",
    "personas_overlap": "Personas of the same customers",
    "past_review": "Past the day of their review",
    "contradicted_long": "Contradicted for long",
}
CATALOGUE, CLAIMS = "catalog.personas", "metrics.persona_claims"
#: Of a persona whose file could never be read the catalogue has the id alone.
LISTED = f"""
(
    select * replace (
        coalesce(name, persona) as name, coalesce(archetype, 'Nothing of her file could be read yet') as archetype, coalesce(status, 'unread') as status,
        coalesce(owner, 'nobody that is known') as owner, coalesce(is_negative, false) as is_negative,
        coalesce(segments, []) as segments, coalesce(evidence, []) as evidence, coalesce(targets, []) as targets, coalesce(excluded, []) as excluded
    )
    from {CATALOGUE}
)
"""
EVIDENCE, COVERAGE = "metrics.persona_evidence", "metrics.persona_coverage"


@dataclass(frozen=True)
class Listed:
    """A persona as the release's catalogue has her: her ``segments`` by role, her ``customers``, and of her ``claims`` how many came to what.

    ``customers`` and ``review_by`` are None where her file could never be read, ``held_since`` and ``held_because`` where she is not held.
    """

    persona: str
    name: str
    archetype: str
    status: str
    owner: str
    review_by: date | None
    is_negative: bool
    segments: tuple[str, ...]
    evidence: tuple[str, ...]
    targets: tuple[str, ...]
    excluded: tuple[str, ...]
    customers: int | None
    claims: int | None
    claims_tested: int | None
    claims_holding: int | None
    claims_weakened: int | None
    claims_contradicted: int | None
    claims_too_few: int | None
    state: str
    held_since: date | None
    held_because: str | None

    @property
    def is_held(self) -> bool:
        return self.state == "held"

    def role_of(self, segment: str) -> Role | None:
        """As what the segment is linked; None where it is not."""
        if segment in self.evidence:
            return "evidence"
        return "target" if segment in self.targets else "excluded" if segment in self.excluded else None


@dataclass(frozen=True)
class ClaimOnDay:
    """A claim on one day. ``figure`` is what is compared with the limit, with its 95 % interval ``lower`` to ``upper``; ``verdict`` is None of a claim that is not
    tested. ``value`` is the persona's own figure and ``reference`` the one it is compared with, of ``customers`` and ``others``.
    """

    as_of_date: date
    claim: str
    text: str
    kind: str
    measure: str | None
    compared: str | None
    at_least: float | None
    at_most: float | None
    tolerance: float | None
    unit: str | None
    customers: int | None
    others: int | None
    value: float | None
    reference: float | None
    figure: float | None
    lower: float | None
    upper: float | None
    verdict: Verdict | None
    since: date | None
    message: str | None
    state: str

    @property
    def verdict_in_words(self) -> str:
        """``contradicted``, or that it is not tested."""
        if self.verdict:
            return wording.VERDICTS[self.verdict]
        return "not tested yet" if self.kind == "observed" else f"{self.kind}, not tested"

    @property
    def limit(self) -> float | None:
        return self.at_most if self.at_least is None else self.at_least

    @property
    def contradicted_from(self) -> float | None:
        """The figure beyond which it is contradicted, where that is another than the limit."""
        if self.limit is None or not self.tolerance:
            return None
        return self.limit - self.tolerance if self.at_least is not None else self.limit + self.tolerance

    def claimed(self, currency: str) -> str:
        """``at least 1.20 times the rest``; a dash where nothing is claimed that can be counted."""
        if self.limit is None:
            return UNKNOWN
        return wording.claimed(self.at_least, self.at_most, *self._told(currency))

    def seen(self, currency: str) -> str:
        """The figure with its interval; a dash where there is none."""
        if self.figure is None:
            return UNKNOWN
        return wording.seen(self.figure, self.lower, self.upper, *self._told(currency))

    def written(self, figure: float, currency: str) -> str:
        """Another figure of this claim, with what it is compared with."""
        return wording.written(figure, *self._told(currency))

    def _told(self, currency: str) -> tuple[str, str, str]:
        return self.compared or "alone", self.unit or "number", currency


@dataclass(frozen=True)
class Evidence:
    """One item of a topic: a figure of her customers, and of the rest of the base where there is something to compare. Of fewer than 20 customers
    (``is_shown`` is False) neither is known.
    """

    topic: str
    item: str
    customers: int | None
    value: float | None
    rest: float | None
    unit: str
    is_shown: bool

    def written(self, figure: float | None, currency: str) -> str:
        if figure is None:
            return UNKNOWN
        if self.unit == "share":
            return percent(figure)
        return money(figure, currency) if self.unit == "money" else number(figure, _places(figure))


@dataclass(frozen=True)
class Finding:
    """Something that is up with who is spoken of and who is not; ``other`` is the persona or segment that it is with."""

    kind: str
    persona: str | None
    other: str | None
    since: date | None
    message: str


@dataclass(frozen=True)
class Told:
    """A persona in full. ``said`` is her file's last good version, None where there never was one; ``claims`` are those of its newest day, in the file's order."""

    listed: Listed
    said: Persona | None
    claims: tuple[ClaimOnDay, ...]
    evidence: tuple[Evidence, ...]
    findings: tuple[Finding, ...]

    def because(self, claim: str) -> str | None:
        """Because of what an inferred claim is made."""
        return next((one.because for one in self._claims() if one.id == claim), None)

    def settled_by(self, claim: str) -> str | None:
        """What would settle an assumed one."""
        return next((one.settled_by for one in self._claims() if one.id == claim), None)

    def items(self, topic: str) -> tuple[Evidence, ...]:
        return tuple(one for one in self.evidence if one.topic == topic)

    def _claims(self) -> Sequence[Any]:
        return self.said.claims if self.said else ()


@dataclass(frozen=True)
class Link:
    """A segment of a persona, its role, and how many members it has today; None where the release has no such segment."""

    segment: str
    role: Role
    members: int | None


def personas(release: Release) -> list[Listed]:
    """All personas: active ones first, then drafts, then retired ones; of one status by name. Empty where the release was made before there were any."""
    return _listed(release)


def personas_of(release: Release, segment: str) -> list[Listed]:
    """Those that name the segment, in whichever role; in the same order."""
    return [one for one in _listed(release) if segment in one.segments]


def persona_of(release: Release, persona: str) -> Told:
    """Raises ConfigurationError, with the nearest id, where the release has no such persona; ReleaseDamaged where what it says of her cannot be read."""
    found = {one.persona: one for one in _listed(release)}
    if persona not in found:
        hint = nearest(persona, sorted(found)) if found else "there are none."
        raise ConfigurationError(f"There is no persona {persona} in release {release.name}; {hint}")
    ((text,),) = release.rows(f"select said from {CATALOGUE} where persona = $1", [persona])
    said = _said(release, persona, text) if text else None
    order = [claim.id for claim in said.claims] if said else []
    claims = _claims(release, "persona = $1 qualify as_of_date = max(as_of_date) over ()", [persona])
    claims.sort(key=lambda one: order.index(one.claim) if one.claim in order else len(order))
    return Told(
        listed=found[persona],
        said=said,
        claims=tuple(claims),
        evidence=_evidence(release, persona),
        findings=tuple(one for one in coverage(release) if persona in (one.persona, one.other)),
    )


def days_of_claim(release: Release, persona: str, claim: str) -> list[ClaimOnDay]:
    """A claim day by day, the first first."""
    return _claims(release, "persona = $1 and claim = $2", [persona, claim])


def segments_of(release: Release, persona: str) -> list[Link]:
    """The segments that a persona names, those of evidence first; of a persona that there is not none."""
    listed = next((one for one in _listed(release) if one.persona == persona), None)
    if listed is None:
        return []
    members = dict(release.rows("select segment, members from catalog.segments"))
    roles: tuple[tuple[tuple[str, ...], Role], ...] = (
        (listed.evidence, "evidence"),
        (listed.targets, "target"),
        (listed.excluded, "excluded"),
    )
    return [Link(segment, role, members.get(segment)) for segments, role in roles for segment in segments]


def coverage(release: Release) -> list[Finding]:
    """What is up with who is spoken of and who is not, of all personas and segments."""
    if not release.has(COVERAGE):
        return []
    found = _rows(release, Finding, f"from {COVERAGE} order by persona nulls first, other, message")
    return sorted(found, key=lambda one: _place(one.kind, FINDINGS))


def _said(release: Release, persona: str, text: str) -> Persona:
    try:
        return Persona.model_validate_json(text)
    except ValidationError as unreadable:
        raise ReleaseDamaged(
            f"What release {release.name} says of the persona {persona} is of another version of this program: the next refresh writes it anew."
        ) from unreadable


def _listed(release: Release) -> list[Listed]:
    if not release.has(CATALOGUE):
        return []
    found = _rows(release, Listed, f"from {LISTED} order by lower(name), persona")
    return sorted(found, key=lambda one: _place(one.status, ("active", "draft", "retired")))


def _claims(release: Release, where: str, said: Sequence[object]) -> list[ClaimOnDay]:
    if not release.has(CLAIMS):
        return []
    return _rows(release, ClaimOnDay, f"from {CLAIMS} where {where} order by as_of_date, claim", said)


def _evidence(release: Release, persona: str) -> tuple[Evidence, ...]:
    if not release.has(EVIDENCE):
        return ()
    return tuple(_rows(release, Evidence, f"from {EVIDENCE} where persona = $1 order by topic, position, item", [persona]))  # fmt: skip


Record = TypeVar("Record", bound="DataclassInstance")


def _rows(release: Release, kind: type[Record], asked: str, said: Sequence[object] = ()) -> list[Record]:
    """The rows as one of the classes above, whose fields name columns."""
    columns = ", ".join(field.name for field in fields(kind))
    found = release.rows(f"select {columns} {asked}", list(said))
    return [kind(*(tuple(value) if isinstance(value, list) else value for value in row)) for row in found]


def _place(name: str, order: Sequence[str] | dict[str, str]) -> int:
    names = list(order)
    return names.index(name) if name in names else len(names)


def _places(figure: float) -> int:
    return 0 if figure == round(figure) else 1
