"""The kinds of trouble that a caller can act on. Each message is a sentence: what is wrong, where, and the remedy.

Also how a sentence names what was probably meant, and what of dbt's and DuckDB's own words such a sentence may repeat: never a customer's value.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

#: Kinds of error that come before a row is read, or tell only of files and sizes: dbt's and DuckDB's names, last words.
_OF_NO_ROW = {"Parser", "Binder", "Catalog", "IO", "Memory", "Compilation", "Parsing", "Raw"}
#: What is said where the disk is full, by the system and by SQLite, and where DuckDB's memory limit is reached.
_DISK_IS_FULL = ("No space left on device", "database or disk is full")
_MEMORY_IS_SHORT = "Out of Memory Error"
#: What dbt puts around the database's own error.
_AROUND = {"Runtime", "Database"}
_KIND = re.compile(r"\b(\w+) Error\b")
#: The name of a kind of error of Spark's, behind which its words begin.
_CONDITION = re.compile(r"\[([A-Z][A-Z0-9_.]+)\]")
_COLUMN = re.compile(r" when casting from source column (\w+)$", re.MULTILINE)


class SegmentsError(Exception):
    """Something went wrong that a person can mend."""


class ConfigurationError(SegmentsError):
    """The settings or the way a command was called are wrong; nothing was done."""


class ExtractMissing(SegmentsError):
    """A required extract has not arrived."""


class ExtractUnreadable(SegmentsError):
    """An extract cannot be read as its table."""


class ExtractRefused(SegmentsError):
    """Too large a share of an extract's rows broke a critical rule."""


class RefreshRunning(SegmentsError):
    """Another refresh of the same home is at work."""


class WarehouseFailed(SegmentsError):
    """DuckDB gave up on the warehouse."""


class DiskFull(SegmentsError):
    """There is no room left where the home is."""


class PlaceUnusable(SegmentsError):
    """A file or a folder is not what it has to be, or may not be read or written."""


class MemoryTooSmall(SegmentsError):
    """DuckDB may not use as much memory as a query needs."""


class StepTooEarly(SegmentsError):
    """A step of the run was started before the steps that it rests on had ended."""


class ReleaseDamaged(SegmentsError):
    """A release does not hold what its manifest says."""


class CampaignWaits(SegmentsError):
    """A campaign that should start cannot yet."""


class QueryTooLong(SegmentsError):
    """A query of a release took longer than anybody waits, and was cancelled."""


class DraftRefused(ConfigurationError):
    """A draft of a segment cannot be answered as it stands."""


def known_error(problem: BaseException) -> SegmentsError | None:
    """What the machine lacks, or the first of our own errors in the chain of a failure: Dagster wraps what a step or a resource raises."""
    chain: list[BaseException] = []
    cause: BaseException | None = problem
    while cause is not None and cause not in chain:  # Dagster's re-raised errors can be each other's context
        chain.append(cause)
        cause = cause.__cause__ or cause.__context__
    own = next((one for one in chain if isinstance(one, SegmentsError)), None)
    return _lacking(chain) or own or _of_a_place(chain)


def _lacking(chain: Iterable[BaseException]) -> SegmentsError | None:
    """Told by their words, for SQLite, DuckDB, dbt and the system each have an error of their own for it."""
    said = " ".join(map(str, chain))
    if any(words in said for words in _DISK_IS_FULL):
        return disk_full()
    if _MEMORY_IS_SHORT in said:
        return MemoryTooSmall(
            "DuckDB needs more memory than it may use: raise memory_limit in settings.yml, or lower threads, and refresh again. "
            "Nothing was published, and the last release is untouched."
        )
    return None


def disk_full() -> DiskFull:
    return DiskFull(
        "The disk with the home on it is full: free some space and refresh again. Nothing was published, and the last release is untouched."
    )


def _of_a_place(chain: Iterable[BaseException]) -> SegmentsError | None:
    """What the system says of a file, whose name is no customer's."""
    for one in chain:
        if isinstance(one, OSError) and one.filename and one.strerror:
            return PlaceUnusable(
                f"{one.filename} cannot be used ({one.strerror}): put it right and try again; `segments status` tells which release is published."
            )
    return None


def in_a_sentence(problem: BaseException) -> str:
    """What a person is told of a failure. Of one that is not ours its kind alone: its words may quote a customer."""
    return str(known_error(problem) or unforeseen(type(problem).__name__))


def unforeseen(kind: str) -> str:
    return (
        f"Something unforeseen went wrong ({kind}). See where with --debug; "
        "`segments status` tells which release is published."
    )


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of a sentence that says what there is in the place of an unknown name."""
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.4)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}."


def without_values(said: str) -> str:
    """What dbt or DuckDB said of a failure, on one line, less all that may be a customer's value.

    An error that comes before any row is read is told whole. Of another its kind and column are told and nothing else,
    for DuckDB puts values between quotes of either kind, between brackets, or with nothing around them.
    """
    kinds = [kind for kind in _KIND.finditer(said) if kind[1] not in _OF_NO_ROW | _AROUND]
    if not kinds:
        return " ".join(said.split())
    column = _COLUMN.findall(said)
    where = f" in the column {column[-1]}" if column else ""
    return f"{' '.join(said[: kinds[0].end()].split())}{where} (its words are left out: they may quote a customer)"


def condition_of(said: str) -> str:
    """The kind alone of what Spark said of a failure: its words quote values in many forms."""
    conditions = _CONDITION.findall(said)
    kind = f" with {conditions[0]}" if conditions else ""
    return f"Spark gave up{kind} (its words are left out: they may quote a customer)"
