"""What a table of a release is. Which ones there are is in ``tables``, ``campaign_tables`` and ``persona_tables``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ReleaseTable:
    """One table of a release: ``query`` reads the warehouse; ``comment`` and ``columns`` are its words.

    Words that are left out here are those of the dbt ``model``, which is the one of the same name unless it is said.
    """

    name: str
    query: str
    comment: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    model: str = ""
