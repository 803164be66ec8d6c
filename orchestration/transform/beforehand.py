"""What of a segment's rule is known of a day to come: the conditions that rest on a customer's own rows, and not those that compare customers.

Windows end and birthdays come on days that are known. How customers will compare is not, for it hangs on what all of them do until then: a condition
on where a customer stands among all stands as it is tonight, which is said, and a rule that asks nothing else is not told. Reads rules and looks at no row.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

from orchestration.transform.clauses import Clause, Rule
from orchestration.transform.rules import Rules

UNKNOWN = "how customers will compare hangs on what all of them do until then"


class Beforehand:
    """The rules of all segments, each in two: what is known beforehand, and what compares customers."""

    def __init__(self, rules: Rules) -> None:
        self._all = rules

    @cached_property
    def rules(self) -> Rules:
        """The rules without the conditions that compare customers."""
        return replace(
            self._all,
            rules={
                segment: replace(rule, clauses=tuple(clause for clause in rule.clauses if not self._compares(clause)))
                for segment, rule in self._all.rules.items()
            },
        )

    def comparing(self, segment: str) -> Rule | None:
        """The conditions of a segment's rule that compare customers, as a rule of their own; None where there are none."""
        rule = self._all.rules[segment]
        clauses = tuple(clause for clause in rule.clauses if self._compares(clause))
        return replace(rule, clauses=clauses) if clauses else None

    def untold(self, segment: str) -> str:
        """Why the segment's days ahead are not known beforehand; empty where they are."""
        rule = self._all.rules[segment]
        if ranked := [other for clause in rule.clauses for other in clause.segments if self.comparing(other)]:
            return f"it builds on {', '.join(ranked)}, which compares customers"
        compared = [clause for clause in rule.clauses if self._compares(clause)]
        if len(compared) == len(rule.clauses) or not all(map(self._stands, compared)):
            columns = sorted({column for clause in compared for column in clause.columns & self.compared})
            return f"it compares customers ({', '.join(columns)}), and {UNKNOWN}"
        if not all(clause.is_of_one and clause.tables <= self._tables_of_one for clause in rule.clauses):
            return "its rule looks at several customers at once, or into a table of which the days ahead are not worked out"
        return ""

    def taken_as_tonight(self, segment: str) -> str:
        """Of a segment whose days ahead are told, what is not told of them; empty where all is."""
        rule = self.comparing(segment)
        return (
            f"{' and '.join(clause.text for clause in rule.clauses)} is taken as it is tonight: {UNKNOWN}"
            if rule
            else ""
        )

    def _compares(self, clause: Clause) -> bool:
        return bool(clause.columns & self.compared)

    def _stands(self, clause: Clause) -> bool:
        """Whether a condition that compares asks nothing but where a customer stands among all, and so nothing that is known of a day ahead."""
        asks_a_day = "as_of_date" in clause.sql
        return clause.columns <= self._all.models.ranks and not (asks_a_day or clause.segments or clause.tables)

    @cached_property
    def compared(self) -> set[str]:
        """The attributes in rules that compare a customer with others."""
        return self._all.models.comparing_among(self._all.attributes)

    @cached_property
    def _tables_of_one(self) -> set[str]:
        models = self._all.models
        of_one = {table for table in models.derived if not models.beneath({table}) & models.comparing}
        return {versions.table for versions in models.versioned} | of_one
