"""Facts that people and receivers make and that nobody could derive again: files in the home of one JSON object a line.
How such a file is read and added to; what is in it, the module says whose it is.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from filelock import FileLock

from orchestration.disk import flush
from orchestration.errors import ConfigurationError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Fact = TypeVar("Fact")

ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def read_facts(file: Path, read: Callable[[str], Fact]) -> list[Fact]:
    """Every fact of the file, the oldest first; none where there is no file.

    Raises ConfigurationError where a line is not as it was written.
    """
    if not file.exists():
        return []
    try:
        return [read(line) for line in file.read_text(encoding="utf-8").splitlines()]
    except (ValueError, TypeError, KeyError) as broken:
        raise ConfigurationError(
            f"{file} cannot be read: put back its last version, one JSON object a line."
        ) from broken


def add_facts(file: Path, facts: Iterable[DataclassInstance]) -> None:
    """Adds facts to the file, all in one rename, so that a reader and a crash find all of them or none."""
    added = "".join(json.dumps(asdict(fact), default=str) + "\n" for fact in facts)
    file.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(file.parent / "facts.lock"):
        before = file.read_text(encoding="utf-8") if file.exists() else ""
        unfinished = file.with_name(f"{file.name}.tmp")
        with unfinished.open("w", encoding="utf-8") as written:
            written.write(before if before.endswith("\n") or not before else f"{before}\n")
            written.write(added)
            written.flush()
            os.fsync(written.fileno())
        unfinished.replace(file)
        flush(file.parent)


def plain_reason(reason: str) -> str:
    """The reason as it is kept. Raises ConfigurationError where there is none, or one that names somebody."""
    if not reason.strip():
        raise ConfigurationError("Say why: the reason is kept, to be read next year.")
    if ADDRESS.search(reason):
        raise ConfigurationError("The reason is kept and shown to others: say it without an e-mail address.")
    return reason.strip()
