"""A browser, the app on the corner shop's release, and other releases to put in its place."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import duckdb
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from orchestration.publish.releases import FILE, OPENED, Manifest
from orchestration.settings import Home
from tests.builders import Refreshed

ROOT = Path(__file__).parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SECONDS_TO_START = 180

#: What must not be so of a page that was looked at, as sentences.
Troubles = list[str]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium; installed where it is missing and may be."""
    with sync_playwright() as playwright:
        # Alone in a container the browser may be root, which its sandbox does not like.
        browser = playwright.chromium.launch(executable_path=_chromium(), args=["--no-sandbox"])
        yield browser
        browser.close()


def _chromium() -> str:
    if not _found() and os.geteuid() == 0 and shutil.which("apt-get"):
        for command in (["update"], ["install", "--yes", "--no-install-recommends", "chromium"]):
            subprocess.run(["apt-get", *command], check=False, capture_output=True)
    return _found() or pytest.skip("There is no Chromium, and it could not be installed: put `chromium` on the PATH.")


def _found() -> str | None:
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


@pytest.fixture(scope="session")
def shown(shop: Refreshed, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The home that the app shows."""
    return Home(Path(shutil.copytree(shop.aside, tmp_path_factory.mktemp("shown") / "home", symlinks=True)))


@pytest.fixture(scope="session")
def app(shown: Home) -> Iterator[str]:
    """The address of the app on that home, as `segments app` starts it."""
    with serving(shown) as address:
        yield address


class serving:
    """The app on a home, for the length of the block."""

    def __init__(self, home: Home) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{port}"
        self._command = [
            sys.executable, "-c", "from orchestration.cli import main; main()",
            "app", "--home", str(home.path), "--port", str(port),
        ]  # fmt: skip

    def __enter__(self) -> str:
        own = {name: value for name, value in os.environ.items() if not name.startswith("SEGMENTS_")}
        # A session of its own: the command and the server that it starts are ended together.
        self._process = subprocess.Popen(
            self._command,
            cwd=ROOT,
            env=own,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        until = time.monotonic() + SECONDS_TO_START
        while not self._answers():
            assert self._process.poll() is None, "the app ended before it began"
            assert time.monotonic() < until, f"the app does not answer after {SECONDS_TO_START} seconds"
        return self.address

    def __exit__(self, *_: object) -> None:
        os.killpg(self._process.pid, signal.SIGTERM)
        self._process.wait()

    def _answers(self) -> bool:
        try:
            with urlopen(f"{self.address}/_stcore/health", timeout=1) as health:
                return bool(health.status == 200)
        except (URLError, TimeoutError, ConnectionError):
            time.sleep(0.1)
            return False


@pytest.fixture
def troubles() -> Troubles:
    return []


@pytest.fixture
def page(browser: Browser, troubles: Troubles) -> Iterator[Page]:
    """An empty page at the size of a laptop. Where it meets an error, asks another host or opens a dialog, the test fails."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.on("console", lambda said: troubles.append(f"console: {said.text}") if _is_error(said) else None)
    page.on("pageerror", lambda error: troubles.append(f"error: {error}"))
    page.on("dialog", lambda dialog: (troubles.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    page.on("request", lambda request: troubles.append(f"asks {request.url}") if _elsewhere(request.url) else None)
    yield page
    context.close()
    assert troubles == []


def _is_error(said: ConsoleMessage) -> bool:
    """Streamlit looks for its server below the address of a page before it does so at the root; that it is not there is no error."""
    return said.type == "error" and not re.search(r"/\w+/_stcore/(health|host-config)$", said.location["url"])


def _elsewhere(url: str) -> bool:
    return not url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:"))


#: Publishes the shop's release anew after the statements were run on its file; gives the new one's name.
Publish = Callable[..., str]


@pytest.fixture
def publish(shown: Home) -> Iterator[Publish]:
    """Other releases in the place of the shop's, until the end of the test."""
    first = (shown.releases / "current").readlink().name
    made: list[Path] = []

    def publish(*statements: str) -> str:
        name = f"variant-{time.monotonic_ns()}"
        folder = shown.releases / name
        shutil.copytree(shown.releases / first, folder, symlinks=True)
        (folder / FILE).chmod(0o644)
        with duckdb.connect(str(folder / FILE)) as connection:
            for statement in statements:
                connection.execute(statement)
        replace(Manifest.read(folder), release=name).write(folder)
        assert (folder / OPENED).exists()
        point_at(shown, name)
        made.append(folder)
        return name

    yield publish
    point_at(shown, first)
    for folder in made:
        shutil.rmtree(folder)


def point_at(home: Home, release: str) -> None:
    """By one rename, as it is done at night."""
    pointer = home.releases / ".current"
    pointer.symlink_to(release)
    pointer.replace(home.releases / "current")
