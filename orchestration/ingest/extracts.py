"""Finds the extracts that other systems dropped: which file is which table's, for which day. Does not open them for
their rows.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

from expectations.contracts import ExtractTable
from orchestration.errors import ExtractMissing, ExtractUnreadable

FORMATS = ("parquet", "csv", "csv.gz", "jsonl")
_NAME = re.compile(r"(\d{4}-\d{2}-\d{2})\.(parquet|csv|csv\.gz|jsonl)")


@dataclass(frozen=True)
class Extract:
    """One file: the rows of one table for one day."""

    table: ExtractTable
    extract_date: date
    path: Path
    format: str

    @property
    def name(self) -> str:
        """How messages call it."""
        return f"{self.table.id} of {self.extract_date} ({self.path.name})"

    @cached_property
    def sha256(self) -> str:
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    @cached_property
    def stamp(self) -> str:
        """Size and time of change when first asked: equal stamps mean that the file is the same without reading it."""
        return self._stamp_now()

    @property
    def was_replaced(self) -> bool:
        """Whether the file is another one than when its stamp was first asked for."""
        return self._stamp_now() != self.stamp

    def _stamp_now(self) -> str:
        status = self.path.stat()
        return f"{self.path.name} {status.st_size} {status.st_mtime_ns}"

    @property
    def is_empty(self) -> bool:
        """Whether it has no byte, and so no row. A Parquet file without rows has bytes: without any it is broken."""
        return self.format != "parquet" and self.path.stat().st_size == 0


def find_extracts(folder: Path, table: ExtractTable) -> dict[date, Extract]:
    """The extracts of a table under ``extracts/``, by extract date.

    Names that begin with a dot or an underscore, or end in .tmp or .part, are somebody's unfinished work and left
    alone. Raises ExtractUnreadable for a name that is no date, and for two files of one day.
    """
    found: dict[date, Extract] = {}
    for path in sorted((folder / table.source / table.name).glob("*")):
        if path.name.startswith((".", "_")) or path.suffix in (".tmp", ".part"):
            continue
        named = _day_and_format(path)
        if named is None:
            raise ExtractUnreadable(
                f"{path} is not named <YYYY-MM-DD>.<{'|'.join(FORMATS)}>, so nobody can tell its day. Rename it, or move it away."
            )
        day, format_ = named
        if day in found:
            raise ExtractUnreadable(
                f"{table.id} has two files for {day}: {found[day].path.name} and {path.name}. Keep the one to believe."
            )
        found[day] = Extract(table, day, path, format_)
    return found


def days_named(folder: Path, table: ExtractTable) -> set[date]:
    """The days for which there is a file, whatever else lies beside it; for those who must not fail for a bad name."""
    days = (_day_and_format(path) for path in (folder / table.source / table.name).glob("*"))
    return {named[0] for named in days if named}


def _day_and_format(path: Path) -> tuple[date, str] | None:
    """What the file's name says, if it is a day and a format."""
    matched = _NAME.fullmatch(path.name)
    try:
        return (date.fromisoformat(matched[1]), matched[2]) if matched else None
    except ValueError:
        return None


def newest_day(folder: Path, tables: list[ExtractTable]) -> date:
    """The newest day with an extract of any required table. Raises ExtractMissing where there is none at all."""
    days = [day for table in tables if table.required for day in find_extracts(folder, table)]
    if not days:
        required = " and ".join(str(folder / table.source / table.name) for table in tables if table.required)
        raise ExtractMissing(
            f"There are no extracts yet: drop files named <YYYY-MM-DD>.parquet (or csv, csv.gz, jsonl) into {required}, "
            "or write the demo company's with `segments demo`."
        )
    return max(days)
