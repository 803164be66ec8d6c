"""The alert ledger, ``deliveries.jsonl`` in the home: what was sent to whom, and what could not be. Facts, never derived."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from orchestration.facts import add_facts, read_facts
from orchestration.settings import Home

FILE = "deliveries.jsonl"

#: How long a failed delivery is tried again and shown, and the window of the weekly limit.
WEEK = timedelta(days=7)

Outcome = Literal["sending", "sent", "digested", "failed"]


@dataclass(frozen=True)
class Entry:
    """One notice on its way to one receiver. ``at`` is UTC.

    ``sending`` is written before the message leaves; where no other outcome follows, the process was ended in that
    instant and nobody knows whether the message arrived. ``letter`` is the key of the first notice in the same message.
    ``attempts`` are those of this run. ``kept`` is the notice itself where it failed and no release could give it again.
    """

    key: str
    receiver: str
    at: str
    outcome: Outcome
    letter: str
    title: str
    attempts: int = 0
    reason: str | None = None
    kept: dict[str, Any] | None = None

    @classmethod
    def read(cls, line: str) -> Entry:
        return cls(**json.loads(line))

    @property
    def time(self) -> datetime:
        return datetime.fromisoformat(self.at)

    @property
    def said(self) -> str:
        """Why it was not delivered, for a person."""
        if self.outcome == "sending":
            return "unknown: cut short while it was sent, and not sent again"
        return f"failed: {self.reason}; tried again in the next run"


@dataclass
class Ledger:
    """All entries of a home, and what follows from them."""

    home: Home
    entries: list[Entry] = field(default_factory=list)

    @classmethod
    def read(cls, home: Home) -> Ledger:
        """Raises ConfigurationError where the file is not as it was written."""
        return cls(home, read_facts(home.path / FILE, Entry.read))

    def add(self, entries: Iterable[Entry]) -> None:
        added = list(entries)
        add_facts(self.home.path / FILE, added)
        self.entries += added

    def latest(self) -> dict[tuple[str, str], Entry]:
        """The last entry of each receiver and key."""
        return {(entry.receiver, entry.key): entry for entry in self.entries}

    def done(self, receiver: str) -> set[str]:
        """The keys that must not be sent to the receiver again, those whose fate nobody knows among them."""
        return {key for (name, key), entry in self.latest().items() if name == receiver and entry.outcome != "failed"}

    def keys_told(self) -> set[str]:
        """The keys that any receiver was told of."""
        return {key for (_, key), entry in self.latest().items() if entry.outcome != "failed"}

    def letters_in_week(self, receiver: str, now: datetime) -> int:
        """How many single messages the receiver got in the seven days that end now."""
        return len(
            {
                (entry.at, entry.letter)
                for entry in self.latest().values()
                if entry.receiver == receiver
                and entry.outcome in ("sent", "sending")
                and now - WEEK < entry.time <= now
            }
        )

    def first_tried(self, receiver: str, key: str) -> datetime:
        """When the receiver was first to be told of the key."""
        return min(entry.time for entry in self.entries if (entry.receiver, entry.key) == (receiver, key))

    def undelivered(self, now: datetime) -> list[Entry]:
        """What failed or was cut short within the last seven days and was not delivered since."""
        return [
            entry
            for entry in self.latest().values()
            if entry.outcome in ("sending", "failed") and now - WEEK < entry.time <= now
        ]
