"""What a marketer decides of a campaign before it starts: one file each, ``campaigns/<id>.yml``.

How such a file is read and what it may say. Whom the campaign gets is in ``target``, what it did in ``measure``.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from orchestration.errors import ConfigurationError, nearest
from orchestration.file_errors import sentence
from orchestration.settings import Home, Settings
from orchestration.yaml_file import NamedTwice, read_yaml

Channel = Literal["email", "sms", "post", "push"]
Metric = Literal["spend", "ordered", "orders", "responded"]

PROJECT = Path(__file__).resolve().parents[2]

HOW_TO = "docs/how_to/plan_a_campaign.md"

#: An id is a file's name, a folder's and the salt of a hash: lower case, so that no system takes two for one.
ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")

#: What may still be said otherwise once the campaign has started: words and money, nothing that decides who is compared and how.
MAY_CHANGE = ("name", "objective", "contact_cost", "fixed_cost", "margin", "value_of_an_answer", "assumed_lift")

#: What is said of a holdout in place of what is wrong with its number.
REMEDIES = {
    "holdout": "say the share that is not contacted, above 0 and below 1, such as 0.1, or `smallest`. "
    "Without a holdout nobody can tell what the campaign did, and with all of it held out nothing is done."
}

Money = Annotated[Decimal, Field(ge=0)]


class Campaign(BaseModel):
    """One campaign.

    ``holdout`` is the share of the audience that is not contacted, or ``smallest``: as small as still shows ``lift_to_detect``, a relative
    lift, with 80 % power. Contacts are made from ``starts_on`` to ``ends_on``, both included; orders count for ``measured_days`` after. The arms are drawn
    in equal shares within the values of ``stratify_by``: attributes of dim_customers, of which a number is cut into fifths. ``suppress`` names segments whose members are
    left out. Costs and ``value_of_an_answer`` are in the business currency, ``margin`` is the share of net spend that is left once the goods
    are paid. ``assumed_lift`` is relative, for the business case where no like campaign was measured. A campaign ``assigned_by`` the sender has its arms in
    crm/campaign_contacts, and only what is compared is said here.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, arbitrary_types_allowed=True)

    id: str
    name: str = Field(min_length=1)
    objective: str = Field(min_length=1)
    segment: str = Field(min_length=1)
    channel: Channel
    starts_on: date
    ends_on: date
    measured_days: int = Field(ge=0, le=366)
    holdout: Annotated[float, Field(gt=0, lt=1)] | Literal["smallest"]
    lift_to_detect: float | None = Field(default=None, gt=0)
    stratify_by: tuple[str, ...] = ("spend_last_365_days",)
    primary_metric: Metric
    secondary_metrics: tuple[Metric, ...] = ()
    exclusive: bool = True
    suppress: tuple[str, ...] = ()
    assigned_by: Literal["us", "sender"] = "us"
    currency: str
    contact_cost: Money
    fixed_cost: Money = Decimal(0)
    margin: float | None = Field(default=None, gt=0, le=1)
    value_of_an_answer: Money | None = None
    assumed_lift: float | None = None

    @field_validator("id")
    @classmethod
    def _is_a_name(cls, said: str) -> str:
        if not ID.fullmatch(said):
            raise ValueError(f"{said!r} is no id: use lower-case letters, digits, - and _, at most 64")
        return said

    @model_validator(mode="after")
    def _makes_sense(self) -> Campaign:
        if self.ends_on < self.starts_on:
            raise ValueError(f"it ends on {self.ends_on}, before it starts on {self.starts_on}: turn the two round")
        if self.primary_metric in self.secondary_metrics:
            raise ValueError(f"{self.primary_metric} is the primary metric already: take it out of secondary_metrics")
        if self.holdout == "smallest" and self.lift_to_detect is None:
            raise ValueError(
                "the smallest holdout depends on the lift that it is to show: say lift_to_detect, such as 0.05"
            )
        return self

    @property
    def measured_until(self) -> date:
        """The last day whose orders count."""
        return self.ends_on + timedelta(self.measured_days)

    def counts_from(self, morning: date) -> date:
        """The first day whose orders count, launched on a morning: that one where it is late, or the day that its sender begins on."""
        return max(self.starts_on, morning) if self.assigned_by == "us" else self.starts_on

    def said(self) -> dict[str, Any]:
        """All of it as JSON has it, in the order of the fields."""
        return self.model_dump(mode="json")

    def frozen_fields_unlike(self, other: Campaign) -> tuple[str, ...]:
        """What is said otherwise in the two of them, of that which may not change once a campaign has started."""
        said, elsewhere = self.said(), other.said()
        return tuple(field for field in said if field not in MAY_CHANGE and said[field] != elsewhere[field])


def digest(said: Mapping[str, Any]) -> str:
    """SHA-256 of what is frozen when a campaign starts, of all that was said of it then: fields that came later do not count."""
    frozen = {field: value for field, value in said.items() if field not in MAY_CHANGE}
    return hashlib.sha256(json.dumps(frozen, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class CampaignFiles:
    """The campaigns that can be read, by id, and by file what is wrong with the others, in a sentence."""

    folder: Path
    campaigns: Mapping[str, Campaign]
    wrong: Mapping[str, str]

    def named(self, campaign_id: str, others: Iterable[str] = ()) -> Campaign:
        """The campaign of the id. Raises ConfigurationError, with what is wrong with its file or the nearest id, of ``others`` too, where there is none."""
        if campaign_id in self.campaigns:
            return self.campaigns[campaign_id]
        if wrong := self.wrong_with(campaign_id):
            raise ConfigurationError(wrong)
        known = sorted({*self.campaigns, *others})
        hint = nearest(campaign_id, known) if known else f"there are no campaign files in {self.folder}."
        raise ConfigurationError(f"There is no campaign {campaign_id}; {hint}")

    def wrong_with(self, campaign_id: str) -> str | None:
        """What is wrong with the campaign's file; None where nothing is, or there is no file."""
        return next((wrong for file, wrong in self.wrong.items() if Path(file).stem == campaign_id), None)


def campaigns_folder(home: Home, settings: Settings) -> Path:
    """Where the campaign files are: the setting ``campaigns``, seen from the home, else the project's own folder."""
    return home.path / settings.campaigns if settings.campaigns else PROJECT / "campaigns"


def read_campaigns(home: Home, settings: Settings) -> CampaignFiles:
    """Reads every ``<id>.yml`` of the campaigns' folder. What is wrong with one is kept beside the others, for it is no reason to stop a night."""
    folder = campaigns_folder(home, settings)
    campaigns: dict[str, Campaign] = {}
    wrong: dict[str, str] = {}
    files = sorted(file for file in folder.glob("*") if file.suffix in (".yml", ".yaml") and file.is_file())
    for file in files:
        try:
            campaign = read_campaign(file, settings)
        except ConfigurationError as problem:
            wrong[file.name] = str(problem)
            continue
        twin = next((other for other in files if other != file and other.stem == file.stem), None)
        if twin is not None:
            wrong[file.name] = f"{file} and {twin.name} are two files of one campaign: keep one of them."
        else:
            campaigns[campaign.id] = campaign
    return CampaignFiles(folder, campaigns, wrong)


def read_campaign(file: Path, settings: Settings) -> Campaign:
    """One campaign file. Raises ConfigurationError naming the file, the field and the remedy."""
    try:
        said = read_yaml(file, as_written=False)
        if not isinstance(said, dict):
            raise ConfigurationError(f"{file} must have lines of the form `field: value`; see {HOW_TO}.")
        campaign = Campaign.model_validate({"id": file.stem, "currency": settings.currency} | said)
    except ValidationError as invalid:
        raise ConfigurationError(f"{file}: {sentence(invalid.errors(), Campaign, HOW_TO, REMEDIES)}") from None
    except NamedTwice as twice:
        raise ConfigurationError(f"{file}: the field {twice}: take one away.") from None
    except (yaml.YAMLError, ValueError, OSError) as broken:
        raise ConfigurationError(f"{file} is not valid YAML: {' '.join(str(broken).split())}") from broken
    if campaign.id != file.stem:
        raise ConfigurationError(
            f"{file}: its id is {campaign.id!r}, and the file of a campaign is named by its id: call it {campaign.id}.yml, unless that id is used already."
        )
    if campaign.currency != settings.currency:
        raise ConfigurationError(
            f"{file}: its costs are in {campaign.currency}, and the orders in {settings.currency} (settings.yml): say the costs in {settings.currency}."
        )
    return campaign
