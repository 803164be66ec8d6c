"""How often this process looks for garbage. States no rule."""

from __future__ import annotations

import gc

#: Of what is allocated and not yet freed: Python's own 700 has it look a thousand times while it imports Dagster, dbt and Great Expectations,
#: which keep what they make. It is a tenth of a small night's processor time.
ALLOCATIONS = 10_000


def collect_rarely() -> None:
    """Has Python look for garbage less often; how much of it there may be stays small beside what the libraries hold."""
    gc.set_threshold(ALLOCATIONS, 10, 10)
