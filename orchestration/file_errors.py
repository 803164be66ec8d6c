"""What is wrong with a file that people write, in a sentence with the remedy: for who knows YAML, and not Python."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, get_args

from pydantic import BaseModel

from orchestration.errors import nearest

#: What to do about a value, by how the name of the mistake begins.
REMEDIES = {
    "tuple_": "say a list, such as [one, another]",
    "date_": "say a day, such as 2024-03-31",
    "bool_": "say true or false",
    "int_": "say a whole number",
    "float_": "say a number",
    "decimal_": "say a number",
    "too_short": "say at least one",
    "string_too_short": "say something",
    "string_pattern_mismatch": "use lower-case letters, digits and _, at most 64",
    "string_": "say text, in quotes where it looks like a number or a day",
    "model_": "say lines of the form `field: value`",
    "literal_error": "say {expected}",
    "greater_than_equal": "say {ge:g} or more",
    "greater_than": "say more than {gt:g}",
    "less_than_equal": "say {le:g} or less",
    "finite_number": "say a number that has an end",
}


def sentence(errors: Sequence[Any], model: type[BaseModel], see: str, remedies: Mapping[str, str] | None = None) -> str:
    """The first of what pydantic found in a ``model``, in our words; a field that there is not comes before the one that is missing for it.

    ``remedies`` are said in place of ours for a field of that name; ``see`` is the page that tells of the fields.
    """
    error = min(errors, key=lambda error: error["type"] != "extra_forbidden")
    if error["type"] != "extra_forbidden" and (empty := _empty(model, errors)):
        return f"{empty}: say something there; see {see}."
    place = _fields_of(model, error["loc"])
    field = _path([*error["loc"]]) if error["type"] in ("extra_forbidden", "missing") else _path(place)
    said = {name: remedy for name, remedy in (remedies or {}).items() if error["loc"] and name == error["loc"][0]}
    match error["type"]:
        case "extra_forbidden":
            last = str(error["loc"][-1])
            before = _path(error["loc"][:-1])
            inside = f" of {before}" if before else ""
            return f"unknown field `{last}`{inside}; {nearest(last, _names(_model_at(model, error['loc'][:-1])))}"
        case "missing":
            return f"the field `{field}` is missing; see {see}."
        case _ if said:
            return f"{field} is {error['input']!r}: {said[str(error['loc'][0])]}"
        case _ if not error["loc"]:
            return f"{_reason(error)}."
        case _ if isinstance(error["input"], dict):
            return f"`{field}`: {_reason(error)}."
        case _:
            # Of a list of values the one that is wrong is shown: its place says no more.
            named = _path(place[:-1]) if place and isinstance(place[-1], int) else field
            return f"field `{named}` is {_as_written(error['input'])}: {_reason(error)}."


def _empty(model: type[BaseModel], errors: Sequence[Any]) -> str:
    """All the fields that stand there with nothing behind them, as the beginning of a sentence; nothing where there are none."""
    places = [_fields_of(model, error["loc"]) for error in errors if error["loc"] and error["type"] != "missing" and error["input"] is None]  # fmt: skip
    named = [f"`{name}`" for name in dict.fromkeys(_path(place[:-1] if isinstance(place[-1], int) else place) for place in places if place)]  # fmt: skip
    if len(named) < 2:
        return f"the field {named[0]} is empty" if named else ""
    return f"the fields {', '.join(named[:-1])} and {named[-1]} are empty"


def _fields_of(model: type[BaseModel], places: Sequence[str | int]) -> list[str | int]:
    """A place without what pydantic puts in it besides fields: the kinds of a choice."""
    return [part for part in places if isinstance(part, int) or part in _fields_on_the_way(model, places)]


def _path(places: Sequence[str | int]) -> str:
    """``claims 2, tolerance`` as a person would count: from one."""
    said = ""
    for place in places:
        said += f" {place + 1}" if isinstance(place, int) else f".{place}" if said else str(place)
    return said


def _fields_on_the_way(model: type[BaseModel], places: Sequence[str | int]) -> set[str]:
    fields: set[str] = set()
    for length in range(len(places)):
        fields |= set(_names(_model_at(model, places[:length])))
    return fields


def _names(model: type[BaseModel]) -> list[str]:
    """What the fields are called in a file."""
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_at(model: type[BaseModel], places: Sequence[str | int]) -> type[BaseModel]:
    """The model that stands at a place of another."""
    for place in places:
        if isinstance(place, str) and place in model.model_fields:
            model = _model_in(model.model_fields[place].annotation) or model
    return model


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)


def _as_written(value: object) -> str:
    return str(value) if isinstance(value, date) else repr(value)


def _reason(error: Any) -> str:
    kind, limits = str(error["type"]), error.get("ctx", {})
    for begins, remedy in REMEDIES.items():
        if kind.startswith(begins):
            return f"{_meant(error)}{remedy.format(**limits)}"
    return str(error["msg"]).removeprefix("Value error, ")


def _meant(error: Any) -> str:
    """The one of the words to choose from that was probably meant, as the beginning of a remedy."""
    if error["type"] != "literal_error" or not isinstance(error["input"], str):
        return ""
    known = re.findall(r"'([^']*)'", error["ctx"]["expected"])
    near = difflib.get_close_matches(error["input"], known, n=1, cutoff=0.65)
    return f"did you mean {near[0]}? Else " if near else ""
