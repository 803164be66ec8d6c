"""A copy of a home in which nights are rehearsed: made once, set aside, and brought back before each night.

A night is a whole process, as at night, so that nothing of one is left in the next. The home itself is only read.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from orchestration.days import Days
from orchestration.publish.releases import OPENED
from orchestration.settings import Home

ROOT = Path(__file__).resolve().parents[2]

#: What a home derives from its facts; it is not copied, for the copy derives its own.
DERIVED = ("warehouse.duckdb*", "releases", "dagster", "dbt", "*.lock")
#: Nobody is to be told of a fault that was planted.
RECEIVERS = ("alerts.yml",)
#: Folders whose files are written once and replaced by a rename: a second name for a file is as good as a copy of it.
NEVER_WRITTEN_INTO = ("extracts", "archive", "quarantine", "releases")
_PROGRESS = re.compile(r"\d{2}:\d{2}:\d{2}  |Refreshing ")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True)
class Published:
    """One segment on the newest day of a release; ``checksum`` tells its members from any others."""

    state: str
    held_since: date | None
    held_because: str | None
    raw_columns: frozenset[str]
    members: int
    checksum: int
    entered: int | None = None
    exited: int | None = None


@dataclass(frozen=True, order=True)
class Failure:
    """An expectation that an extract of the night did not meet."""

    table: str
    column: str
    expectation: str
    severity: str
    observed: str


@dataclass(frozen=True)
class Night:
    """How a night ended: its exit code and what it said; segments and failures are those of the release that it left."""

    day: date
    exit_code: int
    said: str
    segments: dict[str, Published]
    failures: frozenset[Failure]

    @property
    def is_published(self) -> bool:
        return self.exit_code in (0, 3)

    @property
    def held(self) -> frozenset[str]:
        return frozenset(name for name, segment in self.segments.items() if segment.state == "held")


@dataclass(frozen=True)
class Rehearsal:
    """A folder with the copy of a home at work, and that copy as it was set aside."""

    folder: Path

    @property
    def home(self) -> Home:
        return Home(self.folder / "home")

    @property
    def aside(self) -> Path:
        return self.folder / "aside"

    def copy_facts(self, home: Home, before: date) -> None:
        """Copies what the home knows of the days before one: settings, extracts, archive and whatever else has no later
        day in its name. Not whom it tells of alerts.
        """

        def not_copied(folder: str, names: list[str]) -> set[str]:
            derived = (
                shutil.ignore_patterns(*DERIVED, *RECEIVERS)(folder, names) if Path(folder) == home.path else set()
            )
            return set(derived) | {name for name in names if _day_of(name) is not None and _is_later(name, before)}

        shutil.copytree(home.path, self.home.path, ignore=not_copied, symlinks=True)

    def set_aside(self) -> None:
        """Keeps the copy as it is now; what dbt parsed stays where it is, for it depends on the folder alone."""
        _copy(self.home.path, self.aside)

    def restore(self) -> None:
        """Brings the copy back as it was set aside."""
        for left in self.home.path.iterdir():
            if left.is_symlink() or left.is_file():
                left.unlink()
            elif left.name != "dbt":
                shutil.rmtree(left)
        _copy(self.aside, self.home.path)

    def refresh(self, days: Days) -> Night:
        """Refreshes the days by the command, and reads how the last of them ended."""
        command = [sys.executable, "-m", "orchestration.cli", "refresh", "--home", str(self.home.path), "--json"]
        command += ["--from", str(days.first), "--to", str(days.last)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        segments, failures = _read(self.home, days.last)
        said = last_words(done.stderr).replace(f"{self.home.path}/", "")
        return Night(days.last, done.returncode, said, segments, failures)


def last_words(stderr: str) -> str:
    """What a refresh said when it ended: what comes after the lines in which it tells how far it is."""
    lines = stderr.splitlines()
    progress = [number for number, line in enumerate(lines) if _PROGRESS.match(line)]
    return "\n".join(lines[progress[-1] + 1 if progress else 0 :]).strip()


def _copy(source: Path, target: Path) -> None:
    target.mkdir(exist_ok=True)
    for path in source.iterdir():
        if path.name in ("dbt", "refresh.lock"):
            continue
        if path.is_dir():
            copy = _link if path.name in NEVER_WRITTEN_INTO else shutil.copy2
            shutil.copytree(path, target / path.name, symlinks=True, copy_function=copy)
        else:
            shutil.copy2(path, target)


def _link(source: str, target: str) -> str:
    Path(target).hardlink_to(source)
    return target


def _day_of(name: str) -> date | None:
    found = _DAY.search(name)
    try:
        return date.fromisoformat(found[0]) if found else None
    except ValueError:
        return None


def _is_later(name: str, before: date) -> bool:
    day = _day_of(name)
    return day is not None and day >= before


def _read(home: Home, day: date) -> tuple[dict[str, Published], frozenset[Failure]]:
    file = home.releases / "current" / OPENED
    if not file.exists():
        return {}, frozenset()
    with duckdb.connect(str(file), read_only=True) as release:
        segments = release.execute(
            "select s.segment, s.state, s.held_since, s.held_because, s.raw_columns, count(h.customer_id), "
            "coalesce(sum(hash(h.customer_id)::hugeint), 0), c.entered, c.exited from catalog.segments as s "
            "inner join metrics.segment_counts_daily as c using (segment, as_of_date) "
            "left join metrics.segment_membership_history as h on h.segment = s.segment and h.exited_on is null group by all"
        ).fetchall()
        failures = release.execute(
            "select source || '/' || table_name, column_name, expectation, severity, observed from metrics.input_quality "
            "where extract_date = $day and not success",
            {"day": day},
        ).fetchall()
    return (
        {
            name: Published(state, since, because, frozenset(columns), members, int(checksum), entered, exited)
            for name, state, since, because, columns, members, checksum, entered, exited in segments
        },
        frozenset(Failure(*(value or "" for value in failure)) for failure in failures),
    )
