"""Judges the new extracts of one table: which rows are refused or lose a value, and how each rule fared on each day.

SQL marks the rows and counts them by day; Great Expectations is asked about the same rules over all of them at once,
and the two must agree. Where a marked row goes is not decided here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import duckdb

from expectations import RULES
from expectations.contracts import ExtractTable
from expectations.rules import AnyRule, Rule, TableRule, UniqueKey
from orchestration.ingest.archive import Quality
from orchestration.sql import literal
from orchestration.validate.refusal import Refusal
from orchestration.validate.verdicts import RuleError, Verdict, escaped, verdicts


@dataclass(frozen=True)
class Judgement:
    """By extract date: how every rule fared, in the order of the rules, and what was refused."""

    quality: dict[date, list[Quality]]
    refused: dict[date, Refusal]


@dataclass(frozen=True)
class _Tally:
    """One extract date, or all of them, counted: per rule the broken rows, or for a ``TableRule`` what it found."""

    rows: int
    refused: int
    found: dict[str, Any]


def judge(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    table: ExtractTable,
    *,
    business_timezone: str,
    days: Sequence[date] = (),
    rules: Sequence[AnyRule] | None = None,
    refused_share_limit: float = 1.0,
) -> Judgement:
    """Judges all rows of ``relation`` and marks those that are refused or lose a value.

    A rule that more than ``refused_share_limit`` of an extract's rows break says that its column is broken, and not so many rows: they
    lose the value and are not refused, unless the column is part of the key.

    ``relation`` is a DuckDB table as ``read_extracts`` makes it. Its ``broken_rules`` become the rules that refuse the
    row or empty one of its columns, ``nulled_columns`` those columns of a row that goes on, and ``is_refused`` whether
    it does not. The judgement covers the extract dates of the relation and also the given ``days``, which may have no
    rows. ``rules`` are the table's own unless given.

    Raises ``RuleError``, which names the rule and the table, when a rule cannot be evaluated.
    """
    rules = [_in_timezone(rule, business_timezone) for rule in (RULES[table.id] if rules is None else rules)]
    try:
        broken_columns = _broken_columns(connection, relation, table, rules, refused_share_limit)
        _mark_broken_rows(connection, relation, rules, broken_columns)
        _mark_repeated_keys(connection, relation, rules)
        by_day, all_days, no_rows = _count(connection, relation, rules)
    except duckdb.Error as error:
        raise _what_failed(connection, relation, table, rules, error) from None

    found = verdicts(connection, relation, [(rule, _failing_days(rule)) for rule in rules])
    for rule in rules:
        verdict = found[rule.name]
        if verdict is None:
            raise _what_failed(connection, relation, table, [rule])
        _check_agreement(table, rule, verdict, by_day, all_days)

    tallies = {day: by_day.get(day, no_rows) for day in sorted({*by_day, *days})}
    return Judgement(
        quality={day: [_quality(rule, tally) for rule in rules] for day, tally in tallies.items()},
        refused={
            day: _refusal([rule for rule in rules if day not in broken_columns.get(rule.name, ())], tally)
            for day, tally in tallies.items()
        },
    )


def _in_timezone(rule: AnyRule, business_timezone: str) -> AnyRule:
    if isinstance(rule, UniqueKey):
        return rule
    return replace(rule, holds=rule.holds.replace("'{business_timezone}'", literal(business_timezone)))


def _broken(rule: Rule) -> str:
    return f"({rule.holds}) is not true"


def _listed(conditions: Iterable[tuple[str, str]]) -> str:
    """The list of the texts whose condition holds, each once."""
    cases = ", ".join(f"case when {condition} then '{text}' end" for text, condition in conditions)
    return f"list_sort(list_distinct([{cases}]::varchar[]))"


def _broken_columns(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    table: ExtractTable,
    rules: Sequence[AnyRule],
    limit: float,
) -> dict[str, list[date]]:
    """The rules whose column is broken in an extract, each with the extract dates."""
    refusing = [
        rule
        for rule in rules
        if isinstance(rule, Rule)
        and rule.remedy == "refuse the row"
        and rule.columns
        and not set(rule.columns) & set(table.key)
    ]
    if not refusing or limit >= 1:
        return {}
    counts = ", ".join(f"count(*) filter ({_broken(rule)})" for rule in refusing)
    found: dict[str, list[date]] = {}
    for day, rows, *broken in connection.execute(
        f"select extract_date, count(*), {counts} from {relation} group by extract_date"
    ).fetchall():
        for rule, broken_rows in zip(refusing, broken, strict=True):
            if broken_rows > limit * rows:
                found.setdefault(rule.name, []).append(day)
    return found


def _mark_broken_rows(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    rules: Sequence[AnyRule],
    broken_columns: Mapping[str, Sequence[date]],
) -> None:
    connection.execute(
        f"update {relation} set broken_rules = [], nulled_columns = [], is_refused = false where len(broken_rules) > 0"
    )
    refusing = [rule for rule in rules if isinstance(rule, Rule) and rule.remedy == "refuse the row"]
    nulling = [rule for rule in rules if isinstance(rule, Rule) and rule.remedy == "null the value"]
    if not refusing and not nulling:
        return

    def of_broken_column(rule: Rule) -> str:
        days = ", ".join(f"date '{day}'" for day in broken_columns.get(rule.name, ()))
        return f"extract_date in ({days})" if days else "false"

    is_refused = " or ".join(f"({_broken(rule)} and not {of_broken_column(rule)})" for rule in refusing) or "false"
    nulled = _listed(
        [(column, _broken(rule)) for rule in nulling for column in rule.columns]
        + [
            (column, f"{_broken(rule)} and {of_broken_column(rule)}")
            for rule in refusing
            if rule.name in broken_columns
            for column in rule.columns
        ]
    )
    connection.execute(
        f"update {relation} set broken_rules = {_listed((rule.name, _broken(rule)) for rule in (*refusing, *nulling))}, "
        f"nulled_columns = case when {is_refused} then [] else {nulled} end, is_refused = {is_refused} "
        f"where {' or '.join(_broken(rule) for rule in (*refusing, *nulling))}"
    )


def _mark_repeated_keys(connection: duckdb.DuckDBPyConnection, relation: str, rules: Sequence[AnyRule]) -> None:
    for rule in rules:
        if isinstance(rule, UniqueKey):
            key = ("extract_date", *rule.columns)
            same_key = " and ".join(f"judged.{column} = repeated.{column}" for column in key)
            connection.execute(
                f"update {relation} as judged set is_refused = true, nulled_columns = [], "
                f"broken_rules = list_append(broken_rules, '{rule.name}') "
                f"from ({_repeated_keys(rule, relation)}) as repeated "
                f"where {same_key} and not judged.is_refused and judged.file_row < repeated.last_file_row"
            )


def _repeated_keys(rule: UniqueKey, rows: str) -> str:
    """The keys that several rows of one extract share that no other rule refuses.

    Grouping by a hash first keeps millions of unique keys small; the keys themselves are compared where hashes repeat.
    """
    key = ", ".join(("extract_date", *rule.columns))
    believed = f"(not is_refused or list_contains(broken_rules, '{rule.name}'))"
    return (
        f"select {key}, max(file_row) as last_file_row from {rows} where {believed} and hash({key}) in "
        f"(select hash({key}) from {rows} where {believed} group by hash({key}) having count(*) > 1) "
        f"group by {key} having count(*) > 1"
    )


def _count(
    connection: duckdb.DuckDBPyConnection, relation: str, rules: Sequence[AnyRule]
) -> tuple[dict[date, _Tally], _Tally, _Tally]:
    """The tally of each extract date, of all of them together, and of a day without rows."""
    counts = ", ".join(("count(*)", "count(*) filter (is_refused)", *(_counted(rule) for rule in rules)))
    rows = connection.execute(
        f"select extract_date, grouping(extract_date) = 1, {counts} from {relation} "
        "group by grouping sets ((extract_date), ()) "
        f"union all select null, false, {counts} from {relation} where false"
    ).fetchall()

    by_day: dict[date, _Tally] = {}
    others: dict[bool, _Tally] = {}
    for day, is_all_days, row_count, refused, *found in rows:
        tally = _Tally(row_count, refused, dict(zip((rule.name for rule in rules), found, strict=True)))
        if day is None:
            others[is_all_days] = tally
        else:
            by_day[day] = tally
    return by_day, others[True], others[False]


def _counted(rule: AnyRule) -> str:
    if isinstance(rule, TableRule):
        return f"{{'holds': coalesce({rule.holds}, false), 'measure': {rule.measure}}}"
    if isinstance(rule, Rule) and rule.remedy == "keep the row":
        return f"count(*) filter ({_broken(rule)})"
    return f"count(*) filter (list_contains(broken_rules, '{rule.name}'))"


def _failing_days(rule: AnyRule) -> str:
    """The question for Great Expectations: extract dates and nothing else, so that no value of a row comes back."""
    match rule:
        case Rule():
            return f"select extract_date from {{batch}} where {escaped(_broken(rule))} group by extract_date"
        case UniqueKey():
            return f"select extract_date from ({_repeated_keys(rule, '{batch}')}) as repeated group by extract_date"
        case TableRule():
            return ""


def _check_agreement(
    table: ExtractTable, rule: AnyRule, verdict: Verdict, by_day: dict[date, _Tally], all_days: _Tally
) -> None:
    if isinstance(rule, TableRule):
        agreed = verdict.success == all_days.found[rule.name]["holds"]
    else:
        failing_days = sum(tally.found[rule.name] > 0 for tally in by_day.values())
        agreed = (verdict.success, verdict.failing_days) == (failing_days == 0, failing_days)
    if not agreed:
        raise RuleError(
            f"{table.id}: Great Expectations and the counts by day disagree about the rule {rule.name}. "
            "This is a fault of the program and not of the extract, please report it."
        )


def _quality(rule: AnyRule, tally: _Tally) -> Quality:
    found = tally.found[rule.name]
    if isinstance(rule, TableRule):
        success, observed, unexpected_rows = found["holds"], _in_words(found["measure"], rule.unit), 0
    else:
        success, observed, unexpected_rows = found == 0, _in_words(found, "row"), found
    return Quality(
        expectation=rule.name,
        column_name=", ".join(rule.columns),
        severity=rule.severity,
        success=success,
        observed=observed,
        rows=tally.rows,
        unexpected_rows=unexpected_rows,
    )


def _in_words(number: Any, unit: str) -> str:
    return f"{number:,} {unit}" if number == 1 else f"{number:,} {unit}s"


def _refusal(rules: Sequence[AnyRule], tally: _Tally) -> Refusal:
    refusing = [rule.name for rule in rules if not isinstance(rule, TableRule) and rule.remedy == "refuse the row"]
    by_rule = {name: tally.found[name] for name in refusing if tally.found[name]}
    superseded = sum(by_rule.get(rule.name, 0) for rule in rules if isinstance(rule, UniqueKey))
    return Refusal(tally.rows, tally.refused, by_rule, superseded)


def _what_failed(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    table: ExtractTable,
    rules: Sequence[AnyRule],
    error: duckdb.Error | None = None,
) -> RuleError:
    """Finds the rule that cannot be evaluated. DuckDB's own words are repeated only where they cannot quote a row."""
    for name, attempt in _attempts(rules):
        try:
            connection.execute(f"select {attempt} from {relation}").fetchall()
        except duckdb.TransactionException:
            break  # The caller's transaction died of the first error, and nothing more can be asked in it.
        except duckdb.Error as its_error:
            return RuleError(f"{table.id}: the rule {name} cannot be evaluated ({_reason(its_error)}).")
    names = ", ".join(rule.name for rule in rules)
    reason = _reason(error) if error else "Great Expectations gave no verdict"
    return RuleError(f"{table.id}: these rules cannot be evaluated on {relation} ({reason}): {names}.")


def _attempts(rules: Sequence[AnyRule]) -> Iterator[tuple[str, str]]:
    for rule in rules:
        if isinstance(rule, Rule):
            yield rule.name, f"count(*) filter ({_broken(rule)})"
        elif isinstance(rule, TableRule):
            yield rule.name, _counted(rule)


def _reason(error: duckdb.Error) -> str:
    quotes_no_row = isinstance(error, (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException))
    return str(error).splitlines()[0].strip() if quotes_no_row else type(error).__name__
