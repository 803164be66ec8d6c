"""The receivers of the tests: a mail server and a webhook on this machine, started by the test that asks for them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_httpserver import HTTPServer

from orchestration.settings import Home
from tests.alert.builders import DAY, Mailbox, Webhook, free_port, publish, serve


@pytest.fixture
def webhook(httpserver: HTTPServer) -> Webhook:
    return Webhook.listening(httpserver)


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox(free_port())
    controller = serve(box)
    controller.start()
    yield box
    controller.stop()


@pytest.fixture
def published(home: Home) -> Home:
    """A home with a release of DAY in which nothing is held."""
    publish(home, DAY)
    return home
