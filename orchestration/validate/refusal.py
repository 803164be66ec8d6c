"""When so much of an extract is refused that the run must stop, and the sentence that says so."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path

#: With how many decimals a percentage is said, the fewest that show what matters.
DECIMALS = (1, 2, 4)


@dataclass(frozen=True)
class Refusal:
    """The refused rows of one extract: ``by_rule`` counts a row once for each critical rule that it broke. Of these ``superseded``
    ones have a later row of the same key in the file, which says what holds: with them nothing is lost.
    """

    rows: int
    refused: int
    by_rule: dict[str, int]
    superseded: int = 0

    @property
    def lost(self) -> int:
        return self.refused - self.superseded

    @property
    def share(self) -> float:
        return self.lost / self.rows if self.rows else 0.0


def too_much_refused(table_id: str, extract_date: date, refusal: Refusal, limit: float, quarantine: Path) -> str | None:
    """The sentence that stops the run when the refused share of an extract is above ``limit``, else None.

    ``quarantine`` is the file that has the refused rows.
    """
    if refusal.share <= limit:
        return None
    share, allowed = _percentages(refusal.share, limit)
    reasons = sorted(refusal.by_rule.items(), key=lambda item: (-item[1], item[0]))
    return (
        f"{table_id} of {extract_date}: {refusal.lost:,} of {refusal.rows:,} rows refused "
        f"({share}, the limit is {allowed}): {', '.join(f'{rows:,} {rule}' for rule, rows in reasons)}. "
        f"The rows, each with the rules it broke, are in {quarantine}. Correct the extract and deliver it again, or raise refused_share_limit in settings.yml."
    )


def _percentages(share: float, limit: float) -> tuple[str, str]:
    """Both as percentages; the share with as few decimals as still show that it is above the limit."""
    decimals = next((places for places in DECIMALS if round(share * 100, places) > limit * 100), sys.float_info.dig)
    return f"{round(share * 100, decimals):.{decimals}f}".rstrip("0").rstrip(".") + " %", f"{limit * 100:g} %"
