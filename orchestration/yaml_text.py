"""YAML in which a name stands once: of two the first would be lost without a word. What a file means is said where it is read."""

from __future__ import annotations

import yaml


class NamedTwice(Exception):
    """A name that stands in one mapping in the line ``first`` and in ``again``."""

    def __init__(self, name: str, first: int, again: int) -> None:
        super().__init__(f"`{name}` stands twice, in lines {first} and {again}")
        self.name, self.first, self.again = name, first, again


def demand_each_name_once(node: yaml.MappingNode) -> None:
    """To be asked by a loader before it takes a mapping. Raises NamedTwice."""
    lines: dict[str, int] = {}
    for key, _ in node.value:
        name, line = str(key.value), key.start_mark.line + 1
        if name in lines:
            raise NamedTwice(name, lines[name], line)
        lines[name] = line
