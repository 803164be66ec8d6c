"""The kinds of rule that an extract is held to, and the rules that many tables share.

A rule is plain data: its name, a piece of DuckDB SQL, and a reason for people. Nothing here runs SQL or knows where
the rows lie. Besides the columns of its contract a rule may read ``extract_date``, ``file_row`` and ``unreadable``;
the text ``'{business_timezone}'`` stands for the name of the business time zone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from expectations.contracts import ExtractTable

Severity = Literal["critical", "warning"]

#: What becomes of a row that breaks a rule: it is refused whole, it goes on without the value, or it goes on as it is.
Remedy = Literal["refuse the row", "null the value", "keep the row"]


def _severity(remedy: Remedy) -> Severity:
    return "critical" if remedy == "refuse the row" else "warning"


@dataclass(frozen=True)
class Rule:
    """What each row must be: ``holds`` is a SQL predicate that is true for a good row.

    ``columns`` are the columns that the rule vouches for, and those that ``null the value`` empties. Broken rows are
    counted whatever the remedy. A predicate that yields null counts as broken.
    """

    name: str
    holds: str
    columns: tuple[str, ...]
    remedy: Remedy
    because: str

    @property
    def severity(self) -> Severity:
        return _severity(self.remedy)


@dataclass(frozen=True)
class UniqueKey:
    """No two rows of one file have the same key.

    Decided among the rows that no other rule refuses: the last of them is kept, the earlier ones are refused.
    """

    columns: tuple[str, ...]
    because: str
    name: str = "key_is_unique"
    remedy: Remedy = "refuse the row"

    @property
    def severity(self) -> Severity:
        return _severity(self.remedy)


@dataclass(frozen=True)
class TableRule:
    """What the rows together must be, as one of Great Expectations' own expectations.

    ``expectation`` and ``parameters`` name and fill that expectation; ``holds`` says the same as a SQL aggregate, for
    each extract date; ``measure`` is the aggregate that people are shown, in ``unit`` (singular). It refuses no row.
    """

    name: str
    expectation: str
    holds: str
    measure: str
    unit: str
    severity: Severity
    because: str
    columns: tuple[str, ...] = ()
    parameters: Mapping[str, object] = field(default_factory=dict)


AnyRule = Rule | UniqueKey | TableRule


def partition_has_rows() -> TableRule:
    return TableRule(
        name="partition_has_rows",
        expectation="ExpectTableRowCountToBeBetween",
        parameters={"min_value": 1},
        holds="count(*) >= 1",
        measure="count(*)",
        unit="row",
        severity="warning",
        because="A day without rows is possible, and rare enough to be looked at.",
    )


def line_is_readable() -> Rule:
    return Rule(
        name="line_is_readable",
        holds="not map_contains(unreadable, 'line')",
        columns=(),
        remedy="refuse the row",
        because="A line that cannot be split into its columns says nothing about any of them.",
    )


def readable(
    table: ExtractTable, columns: Sequence[str] | None = None, remedy: Remedy = "refuse the row"
) -> list[Rule]:
    """One rule for each column that is not text: what stands in the file can be read as the column's type.

    For all of the table's columns unless ``columns`` names some.
    """
    return [
        Rule(
            name=f"{column}_is_readable",
            holds=f"not map_contains(unreadable, '{column}')",
            columns=(column,),
            remedy=remedy,
            because=f"{column} is {kind}; a value that cannot be read as that would be lost without a word.",
        )
        for column, kind in table.columns.items()
        if kind != "VARCHAR" and (columns is None or column in columns)
    ]


def present(table: ExtractTable, column: str, because: str) -> Rule:
    return Rule(f"{column}_is_present", _is_given(table, column), (column,), "refuse the row", because)


def key_is_present(table: ExtractTable) -> Rule:
    return Rule(
        name="key_is_present",
        holds=" and ".join(_is_given(table, column) for column in table.key),
        columns=table.key,
        remedy="refuse the row",
        because="Without its key a row belongs to nobody, and the next extract cannot correct it.",
    )


def key_is_unique(table: ExtractTable) -> UniqueKey:
    return UniqueKey(
        columns=table.key,
        because="Two rows of one file with the same key contradict each other; the last one is believed.",
    )


def known(column: str, values: Sequence[str], because: str, remedy: Remedy = "refuse the row") -> Rule:
    """The column is empty or one of ``values``."""
    listed = ", ".join(f"'{value}'" for value in values)
    return Rule(f"{column}_is_known", f"{column} is null or {column} in ({listed})", (column,), remedy, because)


def not_negative(column: str, because: str) -> Rule:
    return Rule(f"{column}_is_not_negative", f"{column} is null or {column} >= 0", (column,), "keep the row", because)


def dated_by_the_extract(name: str, column: str, remedy: Remedy, because: str) -> Rule:
    """The date in ``column`` is empty or not after the day that the extract describes."""
    return Rule(name, f"{column} is null or {column} <= extract_date", (column,), remedy, because)


def happened_by_the_extract(name: str, column: str, remedy: Remedy, because: str) -> Rule:
    """The UTC time in ``column`` is empty or, in the business time zone, not after the day of the extract."""
    local_date = f"cast(timezone('{{business_timezone}}', timezone('UTC', {column})) as date)"
    return Rule(name, f"{column} is null or {local_date} <= extract_date", (column,), remedy, because)


def below(column: str, limit: int) -> Rule:
    return Rule(
        name=f"{column}_is_possible",
        holds=f"{column} is null or abs({column}) < {limit}",
        columns=(column,),
        remedy="refuse the row",
        because=f"A {column} of {limit:,} or more is a slip of the keys, and adds up to more than any total can hold.",
    )


def _is_given(table: ExtractTable, column: str) -> str:
    """Not empty and not blank. A value that is there and cannot be read breaks its own rule and not this one too."""
    if table.columns[column] == "VARCHAR":
        return f"(coalesce(trim({column}) <> '', false) or map_contains(unreadable, 'line'))"
    return f"({column} is not null or map_contains(unreadable, '{column}') or map_contains(unreadable, 'line'))"
