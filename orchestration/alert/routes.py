"""Who hears of what: ``alerts.yml`` in the home. A slip in it is a sentence before the night, in which no secret stands."""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from orchestration.alert.channel import Channel
from orchestration.alert.notice import Notice, Severity
from orchestration.errors import ConfigurationError, nearest
from orchestration.settings import Home
from orchestration.yaml_file import NamedTwice, read_yaml

FILE = "alerts.yml"

VARIABLE = re.compile(r"\$\{(\w+)\}")
#: What may be repeated of the file: anything else could be a secret in a wrong place.
NAME = re.compile(r"[\w.@ -]{1,60}")


def _open_channel(url: object) -> Channel:
    if not isinstance(url, str) or not url:
        raise ValueError("must be an Apprise URL, such as slack://${SLACK_TOKEN}/#segments")
    missing = sorted({name for name in VARIABLE.findall(url) if not os.environ.get(name)})
    if missing:
        raise ValueError(
            f"needs the environment variable {missing[0]}, which is not set: set it for the refresh and for Dagster"
        )
    return Channel(VARIABLE.sub(lambda name: os.environ[name[1]], url))


class Receiver(BaseModel):
    """One target and what it wants to hear of: everything, or what meets all the filters that are given."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, hide_input_in_errors=True)

    channel: Annotated[Channel, BeforeValidator(_open_channel)] = Field(alias="url")
    owners: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    severities: tuple[Severity, ...] = ()
    weekly_limit: int | None = Field(default=None, ge=1)

    def wants(self, notice: Notice) -> bool:
        """Whether the filters let the notice pass. What is about no single segment passes none for owners or segments."""
        return (
            (not self.owners or notice.owner in self.owners)
            and (not self.segments or any(fnmatchcase(notice.segment or "", pattern) for pattern in self.segments))
            and (not self.severities or notice.severity in self.severities)
        )


class Routes(BaseModel):
    """The receivers by name. ``weekly_limit`` is how many single messages each gets in seven days; more come as a digest."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    weekly_limit: int = Field(default=10, ge=1)
    receivers: dict[str, Receiver] = Field(min_length=1)

    def limit(self, name: str) -> int:
        return self.receivers[name].weekly_limit or self.weekly_limit


def read_routes(home: Home) -> Routes | None:
    """What ``alerts.yml`` says; None where there is none. Raises ConfigurationError naming the field and the remedy."""
    file = home.path / FILE
    if not file.exists():
        return None
    try:
        routes = Routes.model_validate(read_yaml(file, as_written=True) or {})
    except NamedTwice as twice:
        name = twice.name if NAME.fullmatch(twice.name) else "a name"
        raise ConfigurationError(f"{FILE}: {name} stands twice, again in line {twice.again}: take one away.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as broken:
        # What YAML says of it quotes the line, and the line may have a secret.
        mark = getattr(broken, "problem_mark", None)
        where = f" from line {mark.line + 1} on" if mark else ""
        raise ConfigurationError(f"{file} is not valid YAML in UTF-8{where}.") from None
    except ValidationError as invalid:
        errors = invalid.errors()
        # A field that is missing is as a rule the one that is misspelt.
        unknown = [error for error in errors if error["type"] == "extra_forbidden"]
        raise ConfigurationError(" ".join(_sentence(file, error) for error in unknown or errors)) from None
    for name in routes.receivers:
        if not NAME.fullmatch(name):
            raise ConfigurationError(f"{file}: a receiver's name has letters, digits and - only, such as crm-team.")
    return routes


def demand_known_names(routes: Routes, owners: Collection[str], segments: Collection[str]) -> None:
    """Holds the filters against a release. Raises ConfigurationError where an owner or a pattern matches nothing in it."""
    for name, receiver in routes.receivers.items():
        for owner in receiver.owners:
            if owner not in owners:
                raise ConfigurationError(
                    f"{FILE}: receivers.{name}.owners: no segment has the owner {owner}; {nearest(owner, owners)}"
                )
        for pattern in receiver.segments:
            if not any(fnmatchcase(segment, pattern) for segment in segments):
                raise ConfigurationError(
                    f"{FILE}: receivers.{name}.segments: no segment matches {pattern}; {nearest(pattern, segments)}"
                )


def _sentence(file: Path, error: Any) -> str:
    """The remedy of a mistake. The value itself is never repeated: it may be a secret in the wrong place."""
    if not error["loc"]:
        return f"{file} must have lines of the form `field: value`, and receivers under `receivers:`."
    *above, field = error["loc"]
    place = ".".join(str(part) if NAME.fullmatch(str(part)) else "…" for part in (*above, field))
    known = [_alias(Receiver, name) for name in Receiver.model_fields] if above else list(Routes.model_fields)
    match error["type"]:
        case "extra_forbidden":
            said = f"is an unknown field; {nearest(str(field), known)}"
        case "missing" | "too_short" | "dict_type" if field == "receivers":
            return f"{file} has no receivers: name one under `receivers:`, with its `url:`."
        case "missing":
            said = "is missing; say an Apprise URL, such as slack://${SLACK_TOKEN}/#segments."
        case "model_type" | "dict_type":
            said = "must have lines of the form `field: value`."
        case "tuple_type":
            said = "must be a list, such as [crm]."
        case "literal_error":
            said = f"is not one of {error['ctx']['expected'].replace(chr(39), '')}."
        case "int_parsing" | "int_type" | "greater_than_equal" | "int_from_float":
            said = "must be a whole number of 1 or more."
        case _:
            said = f"{error['msg'].removeprefix('Value error, ')}."
    return f"{file}: {place} {said}"


def _alias(model: type[BaseModel], name: str) -> str:
    return model.model_fields[name].alias or name
