"""Refreshes days of a home in a process of its own, to be watched or killed: ``refresh_days.py HOME FIRST LAST``."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

from orchestration.settings import Home
from tests.builders import refreshed

if __name__ == "__main__":
    print(refreshed(Home(Path(sys.argv[1])), *map(date.fromisoformat, sys.argv[2:4])).release)
