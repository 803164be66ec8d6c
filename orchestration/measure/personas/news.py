"""Which claims of the newest days somebody has to hear of: those that lost ground. Told once, and not again while they stay so, or come and go within a month."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import duckdb

from orchestration.measure.personas.verdicts import WORSE

#: A verdict that was told is not told again for so many days.
QUIET_DAYS = 28

_RANK = " ".join(f"when '{verdict}' then {rank}" for verdict, rank in WORSE.items())

NEWS = f"""
with ranked as (
    select *, case verdict {_RANK} end as rank
    from metrics.persona_claims
    where state = 'fresh' and verdict is not null
)
select today.persona, today.claim, today.as_of_date, today.verdict, today.text, today.message
from ranked as today
where today.as_of_date > (select max(as_of_date) - $days from metrics.segment_counts_daily) and today.rank > 0
    and not exists (
        from ranked as before
        where before.persona = today.persona and before.claim = today.claim and before.claim_hash = today.claim_hash
            and before.as_of_date < today.as_of_date and before.as_of_date >= today.as_of_date - {QUIET_DAYS}
            and before.rank >= today.rank
    )
order by today.as_of_date, today.persona, today.claim
"""


@dataclass(frozen=True)
class LostGround:
    """A claim that is weakened or contradicted since the day."""

    persona: str
    claim: str
    as_of_date: date
    verdict: str
    text: str
    message: str

    @property
    def sentence(self) -> str:
        return f"{self.text.rstrip('.')}. {self.message}"


def lost_ground(connection: duckdb.DuckDBPyConnection, days: int = 1) -> list[LostGround]:
    """The claims that lost ground on one of so many last days, of a warehouse or a release."""
    return [LostGround(*row) for row in connection.execute(NEWS, {"days": days}).fetchall()]
