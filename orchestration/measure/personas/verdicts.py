"""What a figure with its interval says of a claim. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Figures = NDArray[np.float64]

HOLDS, WEAKENED, CONTRADICTED, TOO_FEW = "holds", "weakened", "contradicted", "too_few_to_tell"

#: Of fewer customers nothing is shown and nothing is said.
FLOOR = 20

#: What is worse than what; that nobody can tell is no news.
WORSE = {HOLDS: 0, TOO_FEW: 0, WEAKENED: 1, CONTRADICTED: 2}


def verdicts(
    figure: Figures, lower: Figures, upper: Figures, limit: float, tolerance: float, *, is_least: bool
) -> NDArray[np.str_]:
    """One verdict per figure, of a claim that it is at least the ``limit`` (else at most).

    Contradicted: all of the interval is beyond the tolerance. Too few to tell: it reaches from there to the limit, or there is none. Holds: the figure is
    as claimed, and nothing of the interval is beyond the tolerance. Weakened: everything between.
    """
    if not is_least:
        figure, lower, upper, limit = -figure, -upper, -lower, -limit
    beyond = limit - tolerance
    unknown = np.isnan(figure) | np.isnan(lower) | np.isnan(upper)
    # An end on the border itself is within it: the last digit of a quotient decides nothing.
    nearly = 1e-9 * np.maximum(1.0, abs(limit))
    return np.select(
        [
            unknown,
            upper < beyond - nearly,
            (lower < beyond - nearly) & (upper >= limit - nearly),
            (lower >= beyond - nearly) & (figure >= limit - nearly),
        ],
        [TOO_FEW, CONTRADICTED, TOO_FEW, HOLDS],
        WEAKENED,
    )
