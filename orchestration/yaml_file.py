"""The files that people write in YAML. A name may stand once in them: of two that are the same the first would never count, and nobody would be told."""

from __future__ import annotations

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from orchestration.errors import ConfigurationError

#: What is quoted of a file that may have a secret in the wrong place.
NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")


def read_yaml(file: Path, *, as_written: bool) -> Any:
    """What the file says; ``as_written`` leaves every value a text, for YAML would read the product 0123 as 83, and yes as true.

    Raises ConfigurationError, with the line, where a name stands twice, and what PyYAML raises where it is not YAML in UTF-8.
    """
    try:
        return yaml.load(file.read_text(encoding="utf-8"), _AsWritten if as_written else _Typed)
    except _Twice as twice:
        name = twice.name if NAME.fullmatch(twice.name) else "a name"
        raise ConfigurationError(f"{file}: {name} stands twice, again in line {twice.line}: take one away.") from None


class _Twice(Exception):
    def __init__(self, name: str, line: int) -> None:
        super().__init__(name, line)
        self.name, self.line = name, line


class _Once:
    """Of a loader that stops at a name that stands twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        names = [key.value for key, _ in node.value]
        for position, (key, _) in enumerate(node.value):
            if key.value in names[:position]:
                raise _Twice(str(key.value), key.start_mark.line + 1)
        return super().construct_mapping(node, deep=deep)  # type: ignore[misc, no-any-return]


class _AsWritten(_Once, yaml.BaseLoader):
    pass


class _Typed(_Once, yaml.SafeLoader):
    pass
