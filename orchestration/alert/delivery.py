"""Sends what was not sent yet, once per key and receiver, and keeps what became of it in the ledger.

A message is noted as ``sending`` on the disk before it leaves, and as ``sent`` when the channel took it. A process that is
killed before the first note sends it in the next run. Killed between the two notes, nobody knows whether the message arrived: it
is shown as unknown and not sent again, for nothing is to be told twice. A channel that does not answer in time counts as not reached,
and is tried again in the next run: it alone may show a message twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

from filelock import FileLock
from tenacity import Retrying, retry_if_result, stop_after_attempt, wait_exponential

from orchestration.alert.acknowledgements import Acknowledgement, read_acknowledgements, silenced
from orchestration.alert.channel import Answer, Letter
from orchestration.alert.ledger import WEEK, Entry, Ledger, Outcome
from orchestration.alert.message import ORDER, digest
from orchestration.alert.notice import Notice
from orchestration.alert.notices import failure_notice
from orchestration.alert.routes import Receiver, Routes, read_routes
from orchestration.days import Days
from orchestration.errors import ConfigurationError
from orchestration.publish.releases import current_release
from orchestration.settings import Home, Settings

#: A receiver of whom so many messages failed one after the other is left alone for the rest of the run.
FAILURES_IN_A_ROW = 2


@dataclass(frozen=True)
class Patience:
    """How often a message is tried in one run, and how long after the first failure, in seconds; then twice as long each time."""

    attempts: int = 3
    first_wait: float = 1.0


@dataclass(frozen=True)
class Delivery:
    """What a run told: the last entry for each notice and receiver, and by key why nobody was told of the others."""

    entries: tuple[Entry, ...] = ()
    silenced: Mapping[str, str] = field(default_factory=dict)

    @property
    def sent(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.outcome == "sent"]

    @property
    def digested(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.outcome == "digested"]

    @property
    def failed(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.outcome == "failed"]


def check_alerts(home: Home) -> Routes | None:
    """Reads all that telling rests on. Raises ConfigurationError: to be called before a night, which must not learn it at its end."""
    read_acknowledgements(home)
    Ledger.read(home)
    return read_routes(home)


def tell(
    home: Home, notices: Iterable[Notice], now: datetime | None = None, patience: Patience | None = None
) -> Delivery:
    """Tells the receivers of ``alerts.yml`` what they were not told yet of the release's newest seven days.

    To be called once the release is published. Raises ConfigurationError where ``alerts.yml`` is wrong, and never for a
    message that could not be delivered.
    """
    routes, manifest = read_routes(home), current_release(home)
    if routes is None or manifest is None:
        return Delivery()
    recent = [notice for notice in notices if notice.as_of_date > manifest.as_of_date - WEEK]
    return deliver(home, recent, routes, now or datetime.now(UTC), read_acknowledgements(home), patience)


def tell_failure(
    home: Home,
    settings: Settings,
    days: Days | None,
    sentence: str,
    at: datetime | None = None,
    patience: Patience | None = None,
) -> Delivery:
    """Tells that the refresh of the days failed, in a sentence; once on one business day for the same days. Never raises for what
    is wrong in the home: it would stand before the failure itself.
    """
    at = at or datetime.now(UTC)
    with suppress(ConfigurationError, OSError):
        if routes := read_routes(home):
            return deliver(home, [failure_notice(days, settings, sentence, at)], routes, at, (), patience)
    return Delivery()


def deliver(
    home: Home,
    notices: Sequence[Notice],
    routes: Routes,
    now: datetime,
    acknowledgements: Sequence[Acknowledgement] = (),
    patience: Patience | None = None,
) -> Delivery:
    """Sends each receiver the notices that it wants and was not sent yet, and notes what became of each.

    The worst come first; beyond the weekly limit the rest of the run is one digest. ``now`` is the run's clock. A receiver that
    cannot be reached stops no other.
    """
    home.path.mkdir(parents=True, exist_ok=True)
    # Two that deliver at a time would each send what the other has not noted yet.
    with FileLock(home.path / "deliveries.lock"):
        ledger = Ledger.read(home)
        by_key = {notice.key: notice for notice in (*_kept(ledger, now), *notices)}
        silent = {key: why for key, notice in by_key.items() if (why := silenced(acknowledgements, notice))}
        loud = sorted(
            (notice for key, notice in by_key.items() if key not in silent),
            key=lambda notice: (ORDER.index(notice.severity), notice.as_of_date, notice.key),
        )
        entries: list[Entry] = []
        for name, receiver in routes.receivers.items():
            postman = _Postman(name, receiver, ledger, now, patience or Patience())
            entries += postman.deliver(loud, routes.limit(name))
    return Delivery(tuple(entries), silent)


@dataclass
class _Postman:
    """Brings one receiver its messages of one run."""

    name: str
    receiver: Receiver
    ledger: Ledger
    now: datetime
    patience: Patience
    failures: int = 0

    def deliver(self, notices: Sequence[Notice], limit: int) -> list[Entry]:
        letters: dict[tuple[str, ...], list[Notice]] = {}
        for notice in self._news(notices):
            letters.setdefault(_cause(notice), []).append(notice)
        room = max(0, limit - self.ledger.letters_in_week(self.name, self.now))
        single, beyond = list(letters.values())[:room], list(letters.values())[room:]
        entries = [entry for together in single for entry in self._send(together, "sent")]
        if rest := [notice for together in beyond for notice in together]:
            entries += self._send(rest, "digested")
        return entries

    def _news(self, notices: Sequence[Notice]) -> list[Notice]:
        """What it wants and was not sent yet. Of a recovery it hears where it heard of the trouble, whatever it filters."""
        told = self.ledger.done(self.name)
        wanted = [notice for notice in notices if notice.state != "recovered" and self.receiver.wants(notice)]
        heard = told | {notice.key for notice in wanted}
        return [
            notice
            for notice in notices
            if notice.key not in told
            and (notice in wanted or (notice.state == "recovered" and _has_heard(heard, notice)))
        ]

    def _send(self, notices: Sequence[Notice], delivered: Outcome) -> list[Entry]:
        if self.failures >= FAILURES_IN_A_ROW:
            return self._note(notices, "failed", 0, f"not tried: the {FAILURES_IN_A_ROW} messages before it failed")
        letter = digest(notices)
        self._note(notices, "sending")
        answer, attempts = self._try(letter)
        if answer.arrived:
            self.failures = 0
            return self._note(notices, delivered, attempts)
        self.failures += 1
        return self._note(notices, "failed", attempts, answer.reason)

    def _try(self, letter: Letter) -> tuple[Answer, int]:
        """Who is slow is not asked again at once: it would hold up the others, and may have the message already."""
        retrying = Retrying(
            stop=stop_after_attempt(self.patience.attempts),
            wait=wait_exponential(multiplier=self.patience.first_wait),
            retry=retry_if_result(lambda answer: not answer.arrived and not answer.slow),
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
        )
        answer = retrying(self.receiver.channel.send, letter)
        return answer, int(retrying.statistics["attempt_number"])

    def _note(
        self, notices: Sequence[Notice], outcome: Outcome, attempts: int = 0, reason: str | None = None
    ) -> list[Entry]:
        entries = [
            Entry(
                key=notice.key,
                receiver=self.name,
                at=self.now.astimezone(UTC).isoformat(timespec="seconds"),
                outcome=outcome,
                letter=notices[0].key,
                title=notice.title,
                attempts=attempts,
                reason=reason,
                kept=asdict(notice) if outcome == "failed" and notice.segment is None else None,
            )
            for notice in notices
        ]
        self.ledger.add(entries)
        return entries


def _cause(notice: Notice) -> tuple[str, ...]:
    """Segments that are held for one reason are one message."""
    return (notice.severity, notice.state, notice.message) if notice.state == "held" else (notice.key,)


def _has_heard(keys: Iterable[str], recovery: Notice) -> bool:
    episode = recovery.key.removesuffix("/recovered")
    return any(key == episode or key.startswith(f"{episode}/") for key in keys)


def _kept(ledger: Ledger, now: datetime) -> list[Notice]:
    """What could not be delivered within the last seven days, and no release gives again."""
    return [
        Notice.read(entry.kept)
        for entry in ledger.undelivered(now)
        if entry.kept and now - WEEK < ledger.first_tried(entry.receiver, entry.key)
    ]
