"""The words of a segment: what it is, for whom, by which rule, in which state. What is counted of it is in the other modules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from orchestration.errors import ConfigurationError, nearest
from orchestration.read.opened import Release


@dataclass(frozen=True)
class Words:
    """What the catalogue says of one segment, with the day's count; ``entered`` and ``exited`` are None on its first day on record."""

    segment: str
    label: str
    description: str
    objective: str
    owner: str
    channel: str
    family: str
    scheme: str | None
    builds_on: list[str]
    sql: str
    raw_columns: list[str]
    members: int
    share_of_base: float
    entered: int | None
    exited: int | None
    state: str
    held_since: date | None
    held_because: str | None
    released_by: str | None

    @property
    def state_in_words(self) -> str:
        return "fresh" if self.state == "fresh" else f"held since {self.held_since}: {self.held_because}"


def words_of(release: Release, segment: str) -> Words:
    """Raises ConfigurationError, with the nearest name, where the release has no such segment."""
    found = release.rows(
        "select s.segment, label, description, objective, owner, channel, family, scheme, builds_on, sql, raw_columns, s.members, "
        "coalesce(c.share_of_base, 0), c.entered, c.exited, s.state, held_since, s.held_because, released_by from catalog.segments as s "
        "inner join metrics.segment_counts_daily as c using (segment, as_of_date) where s.segment = $1",
        [segment],
    )
    if not found:
        raise ConfigurationError(
            f"There is no segment {segment} in release {release.name}; {nearest(segment, names(release))}"
        )
    return Words(*found[0])


def names(release: Release) -> list[str]:
    """The segments of a release, by name."""
    return [name for (name,) in release.rows("select segment from catalog.segments order by segment")]
