"""Has the system keep what was written: what is on the disk, no power cut takes back."""

from __future__ import annotations

import os
from pathlib import Path


def flush(path: Path) -> None:
    """Writes a file, or the names in a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
