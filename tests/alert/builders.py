"""A home with a release of three segments and nothing else, notices about them, and receivers that listen on this machine."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from orchestration.alert.delivery import Patience
from orchestration.alert.notice import Notice, Series
from orchestration.settings import Home
from tests.release_by_hand import release_by_hand

DAY = date(2017, 11, 14)
NOW = datetime(2017, 11, 15, 2, 30, tzinfo=UTC)
NIGHT = timedelta(days=1)
#: As often as at night, and without the waits.
AT_ONCE = Patience(first_wait=0.001)

OWNERS = {"at_risk": "crm", "rfm_champions": "crm", "men_18_25": "brand"}


def publish(home: Home, day: date = DAY, held: Mapping[str, tuple[date, str]] | None = None) -> None:
    """A release of the day in which the segments given are held, since when and why."""
    with release_by_hand(home, f"{day}-0000", day) as release:
        release.execute("create schema catalog")
        release.execute(
            "create table catalog.segments (segment text, owner text, members int, held_since date, held_because text, definition_hash text, columns_used text[], builds_on text[], scheme text)"
        )
        for segment, owner in OWNERS.items():
            since, because = (held or {}).get(segment, (None, None))
            release.execute(
                "insert into catalog.segments values (?, ?, 1275, ?, ?, 'abc', [], [], null)",
                [segment, owner, since, because],
            )


def shift(segment: str = "at_risk", state: str = "opened", **said: Any) -> Notice:
    """A shift of a segment on DAY, but for what is said."""
    since = said.pop("since", DAY)
    return Notice(
        **{
            "key": f"shift/{segment}/members/{since}/{state}",
            "as_of_date": DAY,
            "segment": segment,
            "owner": OWNERS.get(segment, "crm"),
            "severity": "info" if state == "recovered" else "warning",
            "state": state,
            "title": f"{segment}: 180 members, 250–290 expected",
            "message": f"{segment} has 180 members on {DAY}, where 250–290 were expected.",
            "since": since,
            "measure": "members",
        }
        | said
    )


def series() -> Series:
    days = tuple(DAY - timedelta(days=ago) for ago in reversed(range(40)))
    known = (None,) * 7 + (270.0,) * 33
    return Series(
        days,
        observed=(*(268.0 + day.day % 5 for day in days[:-1]), 180.0),
        expected=known,
        lower=tuple(value and value - 20 for value in known),
        upper=tuple(value and value + 20 for value in known),
    )


def write_alerts(home: Home, text: str) -> None:
    home.path.mkdir(parents=True, exist_ok=True)
    (home.path / "alerts.yml").write_text(text)


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Webhook:
    """What each path of a web server got; it answers 500 on those that are broken."""

    server: HTTPServer
    got: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)

    @classmethod
    def listening(cls, server: HTTPServer) -> Webhook:
        hook = cls(server)

        def answer(request: Request) -> Response:
            path = request.path.strip("/")
            hook.got.setdefault(path, []).append(json.loads(request.get_data()))
            return Response("no", status=500) if path in hook.broken else Response("ok")

        server.expect_request(re.compile(".*"), method="POST").respond_with_handler(answer)
        return hook

    def url(self, path: str = "crm", **options: Any) -> str:
        asked = "&".join(f"{name}={value}" for name, value in options.items())
        return f"json://127.0.0.1:{self.server.port}/{path}" + (f"?{asked}" if asked else "")

    def titles(self, path: str = "crm") -> list[str]:
        return [str(message["title"]) for message in self.got.get(path, [])]


@dataclass
class Mailbox:
    """What an SMTP server got. It refuses every recipient for whom it is told to."""

    port: int
    refused: set[str] = field(default_factory=set)
    mails: list[EmailMessage] = field(default_factory=list)
    attempts: int = 0

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.attempts += 1
        if address in self.refused:
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        mail = message_from_bytes(envelope.content or b"", policy=policy.default)  # type: ignore[arg-type]
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 OK"

    def url(self, to: str = "crm@shop.example") -> str:
        return f"mailto://127.0.0.1:{self.port}?from=segments@shop.example&to={to}&mode=insecure"


def serve(mailbox: Mailbox) -> Controller:
    return Controller(mailbox, hostname="127.0.0.1", port=mailbox.port)
