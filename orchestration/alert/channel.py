"""The only place that knows Apprise: a channel made from a receiver's URL, and one message through it. Whoever reads what it
answers never sees the URL, nor what Apprise logs of it.
"""

from __future__ import annotations

import logging
import re
import time
from dataclasses import dataclass
from typing import Literal

import apprise
from apprise.attachment.memory import AttachMemory

from orchestration.errors import nearest

#: How long a channel may take to answer; ``cto`` and ``rto`` in its URL say otherwise.
SECONDS_TO_ANSWER = 10
#: How long a whole message may take, of a channel that answers in small pieces.
SECONDS_TO_SEND = 45

TARGETS = "https://appriseit.com/services"

Kind = Literal["failure", "warning", "success", "info"]

MAIL = ("mailto", "mailtos")
SCHEME = re.compile(r"[a-z][a-z0-9]{1,19}(?=://)")
#: What we want to know of Apprise's own words.
TELLING = re.compile(r"error=\d{3}\b|[Cc]onnection error")


def _without_secrets(record: logging.LogRecord) -> bool:
    """Apprise logs tokens and URLs: nothing of its words goes on, to no handler of anybody, but what is telling."""
    record.msg, record.args = " ".join(TELLING.findall(record.getMessage())), ()
    return bool(record.msg)


apprise.logger.addFilter(_without_secrets)
apprise.logger.propagate = False


@dataclass(frozen=True)
class Letter:
    """A message as it is sent: ``html`` for the channels that show it, ``text`` for the others, and a picture as PNG."""

    title: str
    text: str
    html: str
    kind: Kind
    picture: bytes | None = None


@dataclass(frozen=True)
class Answer:
    """What became of one attempt. ``slow`` is a channel that did not answer in time, and may have taken the message all the same."""

    arrived: bool
    reason: str | None = None
    slow: bool = False


class Channel:
    """One target. Raises ValueError, in words without the URL, where Apprise can make none of it."""

    def __init__(self, url: str) -> None:
        scheme = SCHEME.match(url)
        known = sorted(apprise.NotificationManager().schemas())  # type: ignore[no-untyped-call]
        if scheme is None:
            raise ValueError(f"is not a URL that begins with a channel's name, such as mailto://; see {TARGETS}")
        if scheme[0] not in known:
            near = nearest(scheme[0], known)
            hint = f"; {near}" if near.startswith("did") else ","
            raise ValueError(f"begins with {scheme[0]}://, and there is no such channel{hint} see {TARGETS}")
        service = apprise.Apprise.instantiate(_with_defaults(url, scheme[0]), asset=_ASSET)
        if service is None:
            raise ValueError(f"is not whole, or not as {scheme[0]}:// wants it; see {TARGETS}")
        targets = len(service) // (service.retry + 1)
        if targets > 1:
            raise ValueError(
                f"names {targets} targets: give each a receiver of its own, so that one that cannot be reached "
                "does not have the others told twice"
            )
        if scheme[0] in MAIL:
            service.request_rate_per_sec = 0  # Apprise would pause for 5.5 s between two mails
        self.kind = scheme[0]
        self._service = service

    def __repr__(self) -> str:
        return f"Channel({self.kind})"

    def send(self, letter: Letter) -> Answer:
        """One attempt, which ends within SECONDS_TO_SEND."""
        sender = apprise.Apprise(self._service, asset=_ASSET)
        shows_html = self._service.resolve_format() == apprise.NotifyFormat.HTML
        picture = letter.picture and AttachMemory(letter.picture, name="series.png", mimetype="image/png")  # type: ignore[no-untyped-call]
        began = time.monotonic()
        result = sender.notify(
            letter.html if shows_html else letter.text,
            title=letter.title,
            notify_type=apprise.NotifyType(letter.kind),
            body_format=apprise.NotifyFormat.HTML if shows_html else apprise.NotifyFormat.TEXT,
            attach=picture or None,
        )
        if any(attempt for answered in result for attempt in answered):
            return Answer(arrived=True)
        patience = min(self._service.socket_connect_timeout, self._service.socket_read_timeout)
        if time.monotonic() - began >= patience:
            return Answer(arrived=False, reason=f"no answer within {patience:g} s", slow=True)
        said = " ".join(entry.message for entry in result.logs())
        if status := re.search(r"error=(\d+)", said):
            return Answer(arrived=False, reason=f"the message was refused (HTTP {status[1]})")
        if said:
            return Answer(arrived=False, reason="it cannot be reached, or does not let us in")
        return Answer(arrived=False, reason="the message was refused")


_ASSET = apprise.AppriseAsset(
    app_id="nightly-segments",
    app_desc="nightly-segments",
    app_url="",
    async_mode=False,
    service_timeout=SECONDS_TO_SEND,
)


def _with_defaults(url: str, scheme: str) -> str:
    """Our patience, and of a mail the picture within its text, where the URL does not say otherwise."""
    defaults = {"cto": str(SECONDS_TO_ANSWER), "rto": str(SECONDS_TO_ANSWER)}
    if scheme in MAIL:
        defaults["inline"] = "yes"
    asked = url.partition("?")[2]
    said = {part.partition("=")[0].lower() for part in asked.split("&")}
    added = "&".join(f"{name}={value}" for name, value in defaults.items() if name not in said)
    return f"{url}{'&' if '?' in url else '?'}{added}" if added else url
