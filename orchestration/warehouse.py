"""The only place that opens the warehouse: one DuckDB file, private to the run, that one process at a time may write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
from filelock import FileLock, Timeout

from orchestration.errors import ConfigurationError, RefreshRunning, WarehouseFailed, without_values
from orchestration.settings import Home, Settings


@dataclass(frozen=True)
class Warehouse:
    """Opens ``warehouse.duckdb`` of a home with the settings' limits."""

    home: Home
    settings: Settings
    #: Who waits for the file to be opened, to keep it so.
    _holders: list[ExitStack] = field(default_factory=list, init=False, repr=False, compare=False)

    @property
    def path(self) -> Path:
        return self.home.warehouse

    @contextmanager
    def connect(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection for the length of the block; dbt opens the file with a connection of its own, outside of it.

        Raises ConfigurationError where DuckDB does not accept the settings, WarehouseFailed where it gives up later. The
        error itself goes no further: Dagster would keep its words, and they may quote a customer.
        """
        self.home.path.mkdir(parents=True, exist_ok=True)
        try:
            with self._open() as connection:
                if self._holders:
                    self._holders.pop().enter_context(self._open())
                connection.execute("set TimeZone = 'UTC'")
                connection.execute("set enable_progress_bar = false")
                yield connection
        except duckdb.Error as problem:
            raise WarehouseFailed(
                f"DuckDB gave up on {self.path.name}: {without_values(str(problem))}. "
                "Refresh again; if it comes again, `segments rebuild` derives the warehouse anew."
            ) from None

    @contextmanager
    def held_open(self) -> Iterator[None]:
        """Keeps the file open through the block from its first use on, for opening and closing it costs more than most of what is asked."""
        with ExitStack() as holder:
            self._holders.append(holder)
            try:
                yield
            finally:
                self._holders.clear()

    def _open(self) -> duckdb.DuckDBPyConnection:
        try:
            return duckdb.connect(str(self.path), config=self.limits)
        except (duckdb.InvalidInputException, duckdb.ParserException) as refused:
            raise ConfigurationError(
                f"DuckDB does not accept memory_limit `{self.settings.memory_limit}` or threads "
                f"`{self.settings.threads}` of settings.yml: {refused}"
            ) from refused

    @property
    def limits(self) -> dict[str, str | bool | int | float | list[str]]:
        return {
            "memory_limit": self.settings.memory_limit,
            "threads": str(self.settings.threads),
            "temp_directory": f"{self.path}.tmp",
        }


@contextmanager
def all_or_nothing(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """What is written in the block is written as a whole or, where it fails, not at all."""
    connection.execute("begin")
    try:
        yield
    except BaseException:
        connection.execute("rollback")
        raise
    connection.execute("commit")


@contextmanager
def only_one_refresh(home: Home) -> Iterator[None]:
    """Holds the home's lock, under which everything works that writes what others read: warehouse, dbt project, releases.

    Who holds it may ask for it again, so that each such function takes it for itself. The operating system lets it go
    when the process ends, however it ends. Raises RefreshRunning when another process or thread holds it.
    """
    home.path.mkdir(parents=True, exist_ok=True)
    lock = FileLock(home.path / "refresh.lock", is_singleton=True)
    try:
        with lock.acquire(blocking=False):
            yield
    except Timeout as held:
        raise RefreshRunning(
            f"Another refresh of {home.path} is running. Wait until it has ended; it cannot be left behind by a crash."
        ) from held
