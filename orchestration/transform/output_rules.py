"""What a segment's YAML demands of its size before it is believed. The rules are judged in SQL (segment_sizes)."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from orchestration.errors import ConfigurationError


class Change(BaseModel):
    """A change from one believed size to the next: more than ``share`` of it (0.5 is half of it), and ``members`` or more."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    share: float = Field(gt=0, le=10)
    members: int = Field(default=1, ge=1)


class OutputRules(BaseModel):
    """The ``output_rules`` of a segment; without any, it is held where it would lose all of its members."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    min_members: int | None = Field(default=None, ge=0)
    max_members: int | None = Field(default=None, ge=0)
    hold_if_changed_by: Change | None = None
    allow_empty: bool = False
    #: Whether a broken rule holds the segment, or publishes it with a remark.
    on_breach: Literal["hold", "warn"] = "hold"

    @model_validator(mode="after")
    def _is_possible(self) -> OutputRules:
        if self.min_members is not None and self.max_members is not None and self.min_members > self.max_members:
            raise ValueError(f"min_members {self.min_members} is more than max_members {self.max_members}")
        return self


def output_rules(segment: str, said: Any) -> OutputRules:
    """The rules as a segment's YAML says them. Raises ConfigurationError naming the file, the field and the nearest known
    one.
    """
    try:
        return OutputRules.model_validate(said or {})
    except ValidationError as invalid:
        raise ConfigurationError(
            " ".join(f"models/segments/{segment}.yml, output_rules: {_sentence(error)}" for error in invalid.errors())
        ) from None


def _sentence(error: ErrorDetails) -> str:
    field = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        known: Iterable[str] = Change.model_fields if len(error["loc"]) > 1 else OutputRules.model_fields
        near = difflib.get_close_matches(str(error["loc"][-1]), list(known), n=1, cutoff=0.4)
        return f"unknown field `{field}`; " + (
            f"did you mean `{near[0]}`?" if near else f"known are {', '.join(known)}."
        )
    reason = error["msg"].removeprefix("Value error, ")
    return f"`{field}` is {error['input']!r}: {reason}." if field else f"{reason}."
