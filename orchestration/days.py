"""Days, ranges of days and which of them a run has to evaluate. Pure: no clock, no file, no database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Days:
    """The days from ``first`` to ``last``, both included."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.first > self.last:
            raise ValueError(f"the range begins on {self.first} and ends before it, on {self.last}")

    def __iter__(self) -> Iterator[date]:
        return (self.first + timedelta(days=n) for n in range(len(self)))

    def __len__(self) -> int:
        return (self.last - self.first).days + 1

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last

    def __or__(self, other: Days) -> Days:
        """The shortest range that has both."""
        return Days(min(self.first, other.first), max(self.last, other.last))

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first} to {self.last}"


@dataclass(frozen=True)
class Record:
    """The days on record, and the last of them that every current segment has."""

    days: Days
    complete_until: date


def days_to_evaluate(requested: Days, record: Record | None, first_changed_extract: date | None) -> Days:
    """The as-of dates that a run evaluates so that the record ends up as if every day had been run in order.

    A day's state rests on every extract up to that day, and its entries and exits on the day before. So the run begins
    with the earliest day asked for, not yet recorded, or resting on a changed extract, and goes on to the last day on
    record.
    """
    if record is None:
        return requested
    first = min(requested.first, record.complete_until + ONE_DAY)
    if first_changed_extract is not None and first_changed_extract <= record.days.last:
        first = min(first, max(first_changed_extract, record.days.first))
    return Days(first, max(requested.last, record.days.last))


def chunks(days: list[date], size: int) -> list[list[date]]:
    """The days in order, in lists of at most ``size``."""
    return [days[start : start + size] for start in range(0, len(days), size)]
