"""Days of which it is known beforehand that they are not like others: ``calendar.yml`` in the home.

Holidays of a country, single days, and events that last: a sale, maintenance. Campaigns are not here: they come with the extracts.
"""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

import holidays
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from orchestration.errors import ConfigurationError
from orchestration.settings import Home
from orchestration.yaml_file import NamedTwice, read_yaml

FILE = "calendar.yml"


class Event(BaseModel):
    """A stretch of days with a name, both ends included; of all segments, or of those that it names."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    name: str = Field(min_length=1)
    first: date = Field(alias="from")
    last: date = Field(alias="to")
    segments: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Event:
        if self.last < self.first:
            raise ValueError(f"{self.name!r} ends on {self.last}, before it begins on {self.first}: turn the two round")
        return self

    def days(self) -> Iterator[date]:
        return (self.first + timedelta(n) for n in range((self.last - self.first).days + 1))


class Calendar(BaseModel):
    """The public holidays of a country (ISO 3166 code), or of its ``subdivision``; single ``days`` with their reason; ``events`` that last."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    country: str | None = None
    subdivision: str | None = None
    days: dict[date, str] = Field(default_factory=dict)
    events: tuple[Event, ...] = ()

    @field_validator("country")
    @classmethod
    def _is_a_country(cls, code: str | None) -> str | None:
        if code is not None and code not in holidays.list_supported_countries():
            raise ValueError(f"no holidays are known of {code!r}; use a code such as GB or US")
        return code

    @model_validator(mode="after")
    def _has_the_subdivision(self) -> Calendar:
        try:
            self.holidays_of([2024])
        except NotImplementedError as unknown:
            raise ValueError(
                f"{self.country} has no subdivision {self.subdivision!r} whose holidays are known"
            ) from unknown
        return self

    @field_validator("events")
    @classmethod
    def _happens_once_at_a_time(cls, events: tuple[Event, ...]) -> tuple[Event, ...]:
        for one, next_one in pairwise(sorted(events, key=lambda event: (event.name, event.first))):
            if one.name == next_one.name and next_one.first <= one.last:
                raise ValueError(
                    f"{one.name!r} is there twice on {next_one.first}: make it one event, or give the second another name"
                )
        return events

    def holidays_of(self, years: Iterable[int]) -> dict[date, str]:
        """The public holidays of the years, by their name."""
        if not self.country:
            return {}
        found = holidays.country_holidays(self.country, subdiv=self.subdivision, years=years)
        return {day: str(name) for day, name in found.items()}


@dataclass(frozen=True)
class KnownDays:
    """The known days by their reason; a day with several has them all."""

    calendar: Calendar

    def among(self, days: Iterable[date], segment: str | None = None) -> dict[date, str]:
        """The known ones of the days, each with its reason: for everybody, or for a segment, for which more may be known."""
        asked = set(days)
        reasons: defaultdict[date, list[str]] = defaultdict(list)
        for known in (self.calendar.holidays_of({day.year for day in asked}), self.calendar.days):
            for day in known.keys() & asked:
                reasons[day].append(known[day])
        for event in self.calendar.events:
            if not event.segments or segment in event.segments:
                for day in asked.intersection(event.days()):
                    reasons[day].append(event.name)
        return {day: " and ".join(dict.fromkeys(reasons[day])) for day in sorted(reasons)}


def read_known_days(home: Home) -> KnownDays:
    """What ``calendar.yml`` says; nothing where there is none. Raises ConfigurationError naming the field."""
    file = home.path / FILE
    try:
        said = read_yaml(file, as_written=False) if file.exists() else {}
        return KnownDays(Calendar.model_validate(said or {}))
    except ValidationError as invalid:
        error = invalid.errors()[0]
        field = ".".join(str(part) for part in error["loc"])
        near = difflib.get_close_matches(field, Calendar.model_fields, n=1, cutoff=0.4)
        hint = (
            f"; did you mean `{near[0]}`?"
            if near and error["type"] == "extra_forbidden"
            else f": {error['msg'].removeprefix('Value error, ')}."
        )
        raise ConfigurationError(f"{file}: field `{field}`{hint}") from None
    except NamedTwice as twice:
        raise ConfigurationError(f"{file}: {twice}: take one away.") from None
    except (yaml.YAMLError, ValueError) as broken:  # a day that is in no calendar, such as 30 February
        raise ConfigurationError(f"{file} is not valid YAML: {broken}") from broken
