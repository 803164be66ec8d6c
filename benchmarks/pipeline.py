"""The pipeline as the benchmarks run it: a copy of the product, a home over a made-up company's extracts, and its commands as whole processes."""

from __future__ import annotations

import json
import shutil
import sys
from datetime import date
from pathlib import Path

from benchmarks.processes import Cost, measured
from benchmarks.segments import add_segments

REPOSITORY = Path(__file__).resolve().parents[1]
PRODUCT = ("orchestration", "expectations", "dbt_project")

#: What `segments refresh --from … --to …` and `segments refresh --select …` do, and nothing else.
REFRESH = """
import sys
from datetime import date
from pathlib import Path
from orchestration.days import Days
from orchestration.refresh import refresh
from orchestration.settings import load_settings, locate_home
home = locate_home(Path(sys.argv[1]))
refresh(home, load_settings(home), Days(*map(date.fromisoformat, sys.argv[2:])))
"""
SELECT = """
import sys
from pathlib import Path
from orchestration.refresh import give_past
from orchestration.selection import Selection
from orchestration.settings import load_settings, locate_home
home = locate_home(Path(sys.argv[1]))
give_past(home, load_settings(home), Selection((sys.argv[2],)))
"""


class Pipeline:
    """The product in ``folder/product``, with ``segments`` of them if it ships fewer, and its home ``folder/pipeline``, empty but for the company's
    extracts and settings.
    """

    def __init__(self, folder: Path, company: Path, segments: int = 0) -> None:
        self.folder = folder.absolute()
        self.product, self.home = self.folder / "product", self.folder / "pipeline"
        self.company = company.absolute()
        shutil.rmtree(self.product, ignore_errors=True)
        for package in PRODUCT:
            leave_out = shutil.ignore_patterns("__pycache__", "target", "logs", "dbt_packages")
            shutil.copytree(REPOSITORY / package, self.product / package, ignore=leave_out)
        self.segments = add_segments(self.product / "dbt_project", segments)
        self.begin_anew()

    def begin_anew(self) -> None:
        """Empties the home."""
        shutil.rmtree(self.home, ignore_errors=True)
        self.home.mkdir()
        (self.home / "extracts").symlink_to(self.company / "extracts")
        shutil.copy(self.company / "settings.yml", self.home)

    def refresh(self, first: date, last: date | None = None) -> Cost:
        """Refreshes the day, or the days from the ``first`` to the ``last``."""
        return self._cost("-c", REFRESH, str(self.home), str(first), str(last or first))

    def give_past(self, segment: str) -> Cost:
        """Gives a segment its past alone."""
        return self._cost("-c", SELECT, str(self.home), segment)

    def explain(self, segment: str) -> Cost:
        """Explains the newest day of a segment, the command's start included."""
        return self._cost("-m", "orchestration.cli", "explain", segment, "--home", str(self.home))

    def rules(self) -> dict[str, str]:
        """The segments' rules as dbt compiled them last."""
        names = {file.stem for file in (self.product / "dbt_project" / "models" / "segments").glob("*.sql")}
        compiled = json.loads((self.home / "dbt" / "compiled.json").read_text())["models"]
        return {name: compiled[name] for name in sorted(names)}

    @property
    def release(self) -> Path:
        return self.home / "releases" / "current" / "segments.duckdb"

    def _cost(self, *words: str) -> Cost:
        cost, _ = measured([sys.executable, *words], self.product, self.folder / "pipeline.log")
        return cost
