"""The files that people write in YAML. A name may stand once in them: of two that are the same the first would never count, and nobody would be told."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml


class NamedTwice(Exception):
    """A name that stands in one mapping in the line ``first`` and in ``again``."""

    def __init__(self, name: str, first: int, again: int) -> None:
        super().__init__(f"`{name}` stands twice, in lines {first} and {again}")
        self.name, self.first, self.again = name, first, again


def read_yaml(file: Path, *, as_written: bool) -> Any:
    """What the file says; ``as_written`` leaves every value a text, for YAML would read the product 0123 as 83, and yes as true.

    Raises NamedTwice where a name does, and what PyYAML raises where it is not YAML in UTF-8.
    """
    try:
        return yaml.load(file.read_text(encoding="utf-8"), _AsWritten if as_written else _Typed)
    except (KeyError, IndexError, AttributeError, RecursionError) as lost:
        # PyYAML itself stumbles over a tag that its value does not fit, and over what is nested too deep.
        raise yaml.YAMLError("a tag such as !!int does not fit its value, or it is nested too deep") from lost


class _Once:
    """Of a loader that stops at a name that stands twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        lines: dict[str, int] = {}
        for key, _ in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if name in lines:
                raise NamedTwice(name, lines[name], line)
            lines[name] = line
        return super().construct_mapping(node, deep=deep)  # type: ignore[misc, no-any-return]


class _AsWritten(_Once, yaml.BaseLoader):
    pass


class _Typed(_Once, yaml.SafeLoader):
    pass
