"""Days of which it is known beforehand that they are not like others: ``calendar.yml`` in the home."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import holidays
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from orchestration.errors import ConfigurationError
from orchestration.settings import Home

FILE = "calendar.yml"


class Calendar(BaseModel):
    """The public holidays of a country (ISO 3166 code), or of its ``subdivision``, and single ``days`` with their reason."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    country: str | None = None
    subdivision: str | None = None
    days: dict[date, str] = Field(default_factory=dict)

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

    def holidays_of(self, years: Iterable[int]) -> dict[date, str]:
        """The public holidays of the years, by their name."""
        if not self.country:
            return {}
        found = holidays.country_holidays(self.country, subdiv=self.subdivision, years=years)
        return {day: str(name) for day, name in found.items()}


@dataclass(frozen=True)
class KnownDays:
    """The known days by their reason; asked for a day, None where it is like any other."""

    calendar: Calendar

    def among(self, days: Iterable[date]) -> dict[date, str]:
        """The known ones of the days, each with its reason."""
        asked = list(days)
        known = self.calendar.holidays_of({day.year for day in asked}) | self.calendar.days
        return {day: known[day] for day in asked if day in known}


def read_known_days(home: Home) -> KnownDays:
    """What ``calendar.yml`` says; nothing where there is none. Raises ConfigurationError naming the field."""
    file = home.path / FILE
    try:
        said = yaml.safe_load(file.read_text(encoding="utf-8")) if file.exists() else {}
        return KnownDays(Calendar.model_validate(said or {}))
    except (yaml.YAMLError, UnicodeDecodeError) as broken:
        raise ConfigurationError(f"{file} is not valid YAML: {broken}") from broken
    except ValidationError as invalid:
        error = invalid.errors()[0]
        field = ".".join(str(part) for part in error["loc"])
        near = difflib.get_close_matches(field, Calendar.model_fields, n=1, cutoff=0.4)
        hint = f"; did you mean `{near[0]}`?" if near and error["type"] == "extra_forbidden" else f": {error['msg']}."
        raise ConfigurationError(f"{file}: field `{field}`{hint}") from None
