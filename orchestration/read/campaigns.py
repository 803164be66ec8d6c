"""All campaigns of a release with what its day says of each, and what is held against believing one. What one of them did, in full, is told by ``target.outcome``."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from orchestration.measure.campaigns.figures import as_sentence, count, several
from orchestration.measure.campaigns.measurement import Measurement, record
from orchestration.measure.campaigns.verdicts import LEAST_SAMPLE_RATIO_P
from orchestration.measure.campaigns.wording import meaning, verdict
from orchestration.read.opened import Release

#: In the order in which they are looked at.
STATES = ("running", "measuring", "planned", "not launched", "over", "withdrawn")

EVIDENCE = {
    "randomised": "drawn by lot",
    "matched": "nobody held out, changes compared",
    "none": "nobody held out, nothing to compare",
}

#: What a verdict says of the members of one segment among all who were contacted; of any other nobody can tell.
IN_A_SEGMENT = {"win": "more, beyond chance", "loss": "less, beyond chance", "too_early": "too early to tell"}

CAMPAIGNS = "select {columns} from catalog.campaigns order by starts_on desc nulls last, campaign_id"

#: The primary metric of everybody, on the campaign's newest day.
NEWEST = """
select * from metrics.campaign_impact
where is_primary and segment is null
qualify row_number() over (partition by campaign_id order by as_of_date desc) = 1
"""


@dataclass(frozen=True)
class Planned:
    """A campaign as the release's catalogue has it. ``treatment``, ``control`` and ``release`` are its receipt's, and None where another system chose whom
    to contact.
    """

    campaign_id: str
    campaign_name: str
    objective: str | None
    segment: str | None
    channel: str | None
    state: str
    starts_on: date | None
    ends_on: date | None
    measured_until: date | None
    assigned_by: str
    holdout: float | None
    primary_metric: str
    contact_cost: float | None
    fixed_cost: float | None
    margin: float | None
    value_of_an_answer: float | None
    treatment: int | None
    control: int | None
    release: str | None


@dataclass(frozen=True)
class Check:
    """Something that has to be so before the figures of a campaign may be believed. ``is_kept`` is None where nobody can know."""

    claim: str
    is_kept: bool | None
    seen: str


@dataclass(frozen=True)
class Campaign:
    """A campaign, and the primary metric of everybody assigned on its newest day; None where nothing is measured."""

    planned: Planned
    newest: Measurement | None

    @property
    def evidence(self) -> str:
        return EVIDENCE[self.newest.evidence] if self.newest else ""

    @property
    def verdict(self) -> str:
        """Did it work, in a sentence."""
        if self.newest is None:
            return f"Nothing is measured yet: the campaign is {self.planned.state}."
        return as_sentence(verdict(self.newest, currency=""))

    @property
    def checks(self) -> tuple[Check, ...]:
        row = self.newest
        return () if row is None else (*self._arms(row), _ratio(row), _contamination(row), _orders(row))

    def _arms(self, row: Measurement) -> tuple[Check, ...]:
        treatment, control = self.planned.treatment, self.planned.control
        if treatment is None or control is None:
            return ()
        seen = f"{count(treatment)} and {count(control)} on the receipt, {count(row.n_treatment)} and {count(row.n_control)} measured"
        is_kept = (treatment, control) == (row.n_treatment, row.n_control)
        return (Check("Everybody whom the receipt assigned is measured", is_kept, seen),)


def campaigns(release: Release) -> list[Campaign]:
    """All campaigns: those that run first, then those that are measured or planned, then the others; of one state the newest first."""
    if not release.has("metrics.campaign_impact"):
        return []
    columns = ", ".join(field.name for field in fields(Planned))
    planned = [Planned(*row) for row in release.rows(CAMPAIGNS.format(columns=columns))]
    newest = _newest(release)
    found = [Campaign(one, newest.get(one.campaign_id)) for one in planned]
    return sorted(
        found, key=lambda one: STATES.index(one.planned.state) if one.planned.state in STATES else len(STATES)
    )


def _newest(release: Release) -> dict[str, Measurement]:
    with release.cursor() as cursor:
        found = cursor.execute(NEWEST)
        columns = [column[0] for column in found.description or ()]
        rows: list[dict[str, Any]] = [dict(zip(columns, row, strict=True)) for row in found.fetchall()]
    return {row["campaign_id"]: record(Measurement, row) for row in rows}


def _ratio(row: Measurement) -> Check:
    claim = "The arms have the sizes with which they were drawn"
    if row.evidence != "randomised":
        return Check(claim, None, "nobody drew arms")
    if row.srm_p is None:
        return Check(claim, None, "no share was planned")
    return Check(claim, row.srm_p >= LEAST_SAMPLE_RATIO_P, f"chance of such sizes: {row.srm_p:.2g}")


def _contamination(row: Measurement) -> Check:
    claim = "Nobody of the control group was contacted"
    if row.evidence != "randomised":
        return Check(claim, None, "there is no control group")
    if "contacts_not_reported" in row.flags:
        return Check(claim, None, "no contact was reported")
    said = next((meaning(flag) for flag in row.flags if flag.startswith("controls_contacted")), None)
    return Check(claim, said is None, said or f"of {several(row.n_control, 'customer')} nobody")


def _orders(row: Measurement) -> Check:
    said = next((meaning(flag) for flag in row.flags if flag.startswith("orders_missing")), None)
    return Check("All days of the window brought orders that are believed", said is None, said or "all days so far")
