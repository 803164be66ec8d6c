"""Runs a command as a whole process and says what it cost: wall-clock time, processor time and peak memory of its whole tree.

Linux only: the tree is read from /proc.
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SAMPLED_EVERY = 0.05
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Cost:
    """Seconds on the clock, seconds of processor (user and system, children included), and bytes resident at the peak."""

    wall: float
    processor: float
    peak_memory: int


class CommandFailed(Exception):
    """The measured command ended with an error; the message has the end of what it said."""


def measured(command: Sequence[str], folder: Path, log: Path) -> tuple[Cost, str]:
    """Runs the command in the folder; gives its cost and its standard output. Its standard error goes to the log."""
    started = time.perf_counter()
    with log.open("w") as errors:
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=errors, text=True)
        peak = _Peak(process.pid)
        peak.start()
        assert process.stdout is not None
        said = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    peak.finish()
    if process.returncode:
        last_words = "\n".join(log.read_text().splitlines()[-30:])
        raise CommandFailed(f"{' '.join(command)} ended with {process.returncode}:\n{last_words}")
    return Cost(wall, used.ru_utime + used.ru_stime, peak.seen), said


class _Peak(threading.Thread):
    """Watches how much memory a process and all its descendants have together."""

    def __init__(self, root: int) -> None:
        super().__init__(daemon=True)
        self.root, self.seen = root, 0
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(SAMPLED_EVERY):
            self.seen = max(self.seen, _resident(self.root))

    def finish(self) -> None:
        self._over.set()
        self.join()


def _resident(root: int) -> int:
    parents, sizes = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(folder.name)], sizes[int(folder.name)] = int(fields[1]), int(fields[21]) * PAGE
    tree, found = {root}, {root}
    while found:
        found = {process for process, parent in parents.items() if parent in found} - tree
        tree |= found
    shared = [_shared(process) for process in tree]
    return sum(sizes.get(process, 0) for process in tree) - sum(shared) + max(shared)


def _shared(process: int) -> int:
    """Bytes of what processes share by intent, such as the buffers of a PostgreSQL server, which count once."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    return 1024 * sum(int(line.split()[1]) for line in status.splitlines() if line.startswith("RssShmem:"))
