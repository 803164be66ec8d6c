"""Hands the judgement to ingest in ingest's words, under the home's settings."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import duckdb

from expectations import RULES
from expectations.contracts import BASE, ExtractTable
from orchestration.ingest.archive import partition
from orchestration.ingest.assets import Judge, Judged
from orchestration.settings import Home, Settings
from orchestration.validate.judging import judge
from orchestration.validate.profile import profiles
from orchestration.validate.refusal import too_much_refused


def judge_with(home: Home, settings: Settings) -> Judge:
    """The judge of a home, in its business time zone and with its limit of refused rows."""

    def judged(
        connection: duckdb.DuckDBPyConnection, relation: str, table: ExtractTable, days: Sequence[date]
    ) -> dict[date, Judged]:
        judgement = judge(
            connection,
            relation,
            table,
            business_timezone=settings.business_timezone,
            days=days,
            refused_share_limit=settings.refused_share_limit,
        )
        looks = profiles(connection, relation, table, business_timezone=settings.business_timezone, days=days)
        return {
            day: Judged(
                quality=judgement.quality[day],
                profile=looks[day].as_json(),
                refused=judgement.refused[day].refused,
                refusal=too_much_refused(
                    table.id,
                    day,
                    judgement.refused[day],
                    settings.refused_share_limit,
                    partition(home.quarantine, table, day),
                ),
                # Every segment is made of customers: without them there is nothing to hold some of.
                stops=table.id == BASE,
            )
            for day in days
        }

    return judged


def rule_names(table: ExtractTable) -> list[str]:
    """The names of a table's rules, in their order."""
    return [rule.name for rule in RULES[table.id]]
