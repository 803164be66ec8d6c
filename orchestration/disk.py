"""Has the system keep what was written: what is on the disk, no power cut takes back. Tells when there is no room for more."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

#: With fewer bytes free than these no night ends.
ROOM = 8_000_000


def flush(path: Path) -> None:
    """Writes a file, or the names in a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_full(path: Path) -> bool:
    """Whether so little is left that a failure is the disk's, whatever DuckDB, SQLite or dbt call it: each has other words, and some have none."""
    return shutil.disk_usage(path).free < ROOM
