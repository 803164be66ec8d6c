"""Asks Great Expectations whether the newest extract of a table is as usual: the bounds go in as suite parameters.

The figures of the extract are one row of a table of one column a figure, so that a suite of any size reads next to nothing.
The days of a backfill before the newest are held against their bounds in the record alone, for a batch costs the same at any size.
"""

from __future__ import annotations

from datetime import date
from math import isfinite

import duckdb

from expectations.contracts import ExtractTable
from orchestration.sql import identifier, literal
from orchestration.validate.verdicts import RuleError

FIGURES = "quality.figures_of_the_newest"


def ask_great_expectations(connection: duckdb.DuckDBPyConnection, table: ExtractTable, day: date) -> int:
    """Validates the verdicts shown on one extract; gives how many there were.

    Raises RuleError where Great Expectations comes to another verdict than the record.
    """
    judged = connection.execute(
        "select expectation || ' ' || column_name, figure, lower, upper, severity, success "
        "from quality.verdicts where is_shown and table_id = $table and extract_date = $day order by 1",
        {"table": table.id, "day": day},
    ).fetchall()
    if not judged:
        return 0
    from orchestration.validate.duckdb_for_gx import batch_of, great_expectations

    columns = ", ".join(f"{figure!r}::double as {identifier(name)}" for name, figure, *_ in judged)
    connection.execute(f"create or replace table {FIGURES} as select {columns}")
    bounds: dict[str, float] = {}
    with batch_of(connection, FIGURES) as batch:
        gx = great_expectations()
        suite = gx.ExpectationSuite(name=f"{table.id} of {day}")
        for number, (name, _, lower, upper, severity, _) in enumerate(judged):
            limits = {"min_value": (f"lower_{number}", lower), "max_value": (f"upper_{number}", upper)}
            limits = {side: limit for side, limit in limits.items() if isfinite(limit[1])}
            bounds |= dict(limits.values())
            suite.add_expectation(
                gx.expectations.ExpectColumnValuesToBeBetween(
                    column=name,
                    **{side: {"$PARAMETER": parameter} for side, (parameter, _) in limits.items()},
                    severity=severity,
                    meta={"rule": name},
                )
            )
        outcome = batch.validate(suite, result_format="BOOLEAN_ONLY", expectation_parameters=bounds)
    found = {result.expectation_config.meta["rule"]: bool(result.success) for result in outcome.results}
    if differing := [name for name, *_, success in judged if found.get(name) is not bool(success)]:
        raise RuleError(
            f"{table.id} of {day}: Great Expectations and the record disagree about {', '.join(differing)}. "
            "This is a fault of the program and not of the extract, please report it."
        )
    return len(judged)


def newest(connection: duckdb.DuckDBPyConnection, table: ExtractTable) -> date | None:
    """The newest day on which an extract of the table was judged."""
    found: date | None = connection.execute(
        f"select max(extract_date) from quality.verdicts where table_id = {literal(table.id)}"
    ).fetchall()[0][0]
    return found
