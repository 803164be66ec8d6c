"""Asks Great Expectations whether the rows of one relation are what the rules say they are.

Turns rules into a suite and results into verdicts: a rule's name, a yes or no and a number come back, never a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb

from expectations.rules import AnyRule, TableRule

if TYPE_CHECKING:
    from great_expectations.core.expectation_validation_result import ExpectationSuiteValidationResult
    from great_expectations.expectations.expectation import Expectation


class RuleError(Exception):
    """A rule cannot be evaluated, or Great Expectations and SQL disagree about it. The message quotes no row."""


@dataclass(frozen=True)
class Verdict:
    """What Great Expectations found; for a rule on rows also the number of extract dates with a broken row."""

    success: bool
    failing_days: int | None


def verdicts(
    connection: duckdb.DuckDBPyConnection, relation: str, rules: Sequence[tuple[AnyRule, str]]
) -> dict[str, Verdict | None]:
    """The verdict on each rule by its name; None when the rule could not be evaluated.

    Each rule comes with the query for its failing extract dates, in which ``{batch}`` stands for the rows (not used for
    a ``TableRule``). Such a query selects nothing but dates, so that no customer's value can get into a result.
    """
    found: dict[str, Verdict | None] = {rule.name: None for rule, _ in rules}
    on_rows = {rule.name for rule, _ in rules if not isinstance(rule, TableRule)}
    for result in validation(connection, relation, rules).results:
        config = result.expectation_config
        if config is not None and result.result:
            name = config.meta["rule"]
            found[name] = Verdict(bool(result.success), result.result["observed_value"] if name in on_rows else None)
    return found


def validation(
    connection: duckdb.DuckDBPyConnection, relation: str, rules: Sequence[tuple[AnyRule, str]]
) -> ExpectationSuiteValidationResult:
    """Great Expectations' own result, in its order, which is not that of the rules."""
    from orchestration.validate.duckdb_for_gx import batch_of, great_expectations

    with batch_of(connection, relation) as batch:
        suite = great_expectations().ExpectationSuite(name=relation)
        for rule, failing_days in rules:
            try:
                suite.add_expectation(_expectation(rule, failing_days))
            except (AttributeError, TypeError, ValueError) as error:
                raise RuleError(f"Great Expectations does not accept the rule {rule.name}: {error}") from error
        without_rows = {"result_format": "BASIC", "partial_unexpected_count": 0}
        outcome: ExpectationSuiteValidationResult = batch.validate(suite, result_format=without_rows)
        return outcome


def escaped(sql: str) -> str:
    """SQL in which Great Expectations finds no placeholder in a brace and SQLAlchemy no parameter after a colon."""
    return sql.replace("{", "{{").replace("}", "}}").replace(":", r"\:")


def _expectation(rule: AnyRule, failing_days: str) -> Expectation:
    from orchestration.validate.duckdb_for_gx import great_expectations

    kinds = great_expectations().expectations
    about = {"severity": rule.severity, "notes": rule.because, "meta": {"rule": rule.name}}
    expectation: Expectation
    if isinstance(rule, TableRule):
        expectation = getattr(kinds, rule.expectation)(**rule.parameters, **about)
    else:
        expectation = kinds.UnexpectedRowsExpectation(unexpected_rows_query=failing_days, **about)
    return expectation
