"""Where the home is and what ``settings.yml`` in it may say. Every other module is handed a ``Settings``; none reads
the environment.
"""

from __future__ import annotations

import difflib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from orchestration.errors import ConfigurationError
from orchestration.yaml_file import NamedTwice, read_yaml

#: What the dbt models can run on.
ENGINES = ("duckdb", "spark")
DEFAULT_HOME = Path(".segments")
#: A size as DuckDB has them, or a share.
SIZE = re.compile(r"(\d+(?:\.\d+)?) ?(%|[kmgt]?i?b)", re.IGNORECASE)
#: The hour of the business day at which the night's refresh begins.
NIGHTLY_HOUR = 2


class Settings(BaseModel):
    """What a company decides for its home; every field is optional.

    ``refused_share_limit`` is a share between 0 and 1 of the rows of one extract. ``memory_limit`` is DuckDB's notation
    (``4GB``, ``60%``). ``product_x`` is the product id of the segment ``bought_product_x_3m_over_500``.
    ``campaigns`` and ``personas`` are the folders of those files, seen from the home; without them, the project's own. ``global_holdout`` is the share of all
    customers whom no campaign of ours contacts, between 0 and 1. ``target`` is the engine of the dbt models, ``duckdb`` or ``spark``; ``spark``
    is a master (``local[*]``, ``spark://host:7077``) or a Connect server (``sc://host:15002``), and ``spark_properties`` are Spark's own.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    business_timezone: str = "UTC"
    currency: str = "GBP"
    product_x: str = ""
    keep_releases: int = Field(default=14, ge=1)
    refused_share_limit: float = Field(default=0.01, ge=0, le=1)
    memory_limit: str = "60%"
    threads: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1, le=1024)
    campaigns: str = ""
    personas: str = ""
    global_holdout: float = Field(default=0, ge=0, lt=1)
    target: str = "duckdb"
    spark: str = "local[*]"
    spark_properties: dict[str, str] = {}

    @property
    def variables(self) -> dict[str, str]:
        """Those that ``var`` gives in the dbt project."""
        return self.model_dump(include={"business_timezone", "product_x"})

    @field_validator("business_timezone")
    @classmethod
    def _is_a_known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as unknown:
            raise ValueError(f"{name!r} is not a time zone; use a name such as Europe/London") from unknown
        return name

    @field_validator("memory_limit")
    @classmethod
    def _is_a_size(cls, limit: str) -> str:
        said = SIZE.fullmatch(limit)
        if said is None or float(said[1]) == 0 or (said[2] == "%" and float(said[1]) > 100):
            raise ValueError("it is a size such as 4GB, or a share of the machine's memory such as 60%")
        return limit

    @field_validator("target")
    @classmethod
    def _is_an_engine(cls, target: str) -> str:
        if target not in ENGINES:
            raise ValueError(f"the dbt models run on {' or '.join(ENGINES)}")
        return target

    @field_validator("spark_properties", mode="before")
    @classmethod
    def _are_texts(cls, said: Any) -> Any:
        """Spark has them as texts, YAML as numbers and yes or no; from the environment they come as one line of YAML."""
        properties = yaml.safe_load(said) if isinstance(said, str) else said
        return {name: _as_text(value) for name, value in properties.items()} if isinstance(properties, dict) else said

    @field_validator("product_x")
    @classmethod
    def _can_stand_in_a_query(cls, product: str) -> str:
        if "'" in product or "\\" in product:
            raise ValueError("a product id has no quotes or backslashes")
        return product


@dataclass(frozen=True)
class Home:
    """The folder of one company: extracts in, archive, warehouse, releases out."""

    path: Path

    @property
    def extracts(self) -> Path:
        return self.path / "extracts"

    @property
    def archive(self) -> Path:
        return self.path / "archive"

    @property
    def quarantine(self) -> Path:
        return self.path / "quarantine"

    @property
    def warehouse(self) -> Path:
        return self.path / "warehouse.duckdb"

    @property
    def releases(self) -> Path:
        return self.path / "releases"

    @property
    def campaigns(self) -> Path:
        return self.path / "campaigns"

    @property
    def dagster(self) -> Path:
        return self.path / "dagster"

    @property
    def dbt(self) -> Path:
        return self.path / "dbt"

    @property
    def spark(self) -> Path:
        return self.path / "spark"


def _as_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def locate_home(given: Path | None = None) -> Home:
    """The home given, else ``SEGMENTS_HOME``, else ``.segments`` here; as an absolute path."""
    return Home((given or Path(os.environ.get("SEGMENTS_HOME") or DEFAULT_HOME)).absolute())


def load_settings(home: Home) -> Settings:
    """Reads ``settings.yml``, with ``SEGMENTS_<FIELD>`` from the environment in its place where set.

    Raises ConfigurationError naming the field, and the nearest known one where it is unknown.
    """
    file = home.path / "settings.yml"
    try:
        said = read_yaml(file, as_written=True) if file.exists() else {}
    except NamedTwice as twice:
        raise ConfigurationError(f"{file}: the field {twice}: take one away.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as broken:
        raise ConfigurationError(f"{file} is not valid YAML: {broken}") from broken
    if not said:
        said = {}
    if not isinstance(said, dict):
        raise ConfigurationError(f"{file} must have lines of the form `field: value`, such as `currency: GBP`.")
    for field in Settings.model_fields:
        if (value := os.environ.get(f"SEGMENTS_{field.upper()}")) is not None:
            said[field] = value
    try:
        return Settings(**{str(field): value for field, value in said.items()})
    except ValidationError as invalid:
        raise ConfigurationError(" ".join(_sentence(file, error) for error in invalid.errors())) from None


def _sentence(file: Path, error: object) -> str:
    assert isinstance(error, dict)
    field = str(error["loc"][0])
    if error["type"] == "extra_forbidden":
        near = difflib.get_close_matches(field, Settings.model_fields, n=1, cutoff=0.4)
        hint = f"did you mean `{near[0]}`?" if near else f"known fields are {', '.join(Settings.model_fields)}."
        return f"{file}: unknown field `{field}`; {hint}"
    reason = str(error["msg"]).removeprefix("Value error, ")
    if (variable := f"SEGMENTS_{field.upper()}") in os.environ:
        return f"The environment variable {variable} is {error['input']!r}: {reason}."
    return f"{file}: field `{field}` is {error['input']!r}: {reason}."
