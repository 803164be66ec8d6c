"""The receivers of the tests: a mail server and a webhook on this machine, started by the test that asks for them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from orchestration.settings import Home
from tests.alert.builders import DAY, Mailbox, Webhook, free_port, publish, serve


@pytest.fixture
def webhook(httpserver: HTTPServer) -> Webhook:
    hook = Webhook(httpserver)

    def answer(request: Request) -> Response:
        path = request.path.strip("/")
        hook.got.setdefault(path, []).append(json.loads(request.get_data()))
        return Response("no", status=500) if path in hook.broken else Response("ok")

    httpserver.expect_request(re.compile(".*"), method="POST").respond_with_handler(answer)
    return hook


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
