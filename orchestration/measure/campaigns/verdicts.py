"""What may be said of a campaign: which test its arms deserve, whether they were drawn as planned, and the verdict.

Tables of comparisons in, words out. The rule lives here alone; the statistics it chooses among are in the other modules.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import binomtest, chisquare
from statsmodels.stats.multitest import multipletests

Numbers = NDArray[np.float64]

Method = Literal["welch", "permutation", "pooled"]
Verdict = Literal["win", "loss", "no_evidence", "too_early", "underpowered", "invalid_sample_ratio", "not_randomised"]
Decision = Literal["continue", "stop_for_win", "stop_for_loss", "final"]

VERDICTS: tuple[Verdict, ...] = get_args(Verdict)

#: An arm with a smaller share of the customers than this is a small holdout, and so is one with fewer buyers.
LEAST_SHARE, LEAST_BUYERS = 0.30, 200
#: With fewer buyers in an arm, arrangements are counted: spend's long tail has not averaged out. From here on the t test of one
#: variance rejects as often, at any allocation (benchmarks/campaigns.py).
PERMUTED_BELOW = 1_000
#: With fewer buyers in an arm nothing is claimed.
CLAIMS_FROM = 25
#: A sample ratio rarer than this was not drawn as planned (Fabijan and others 2019).
LEAST_SAMPLE_RATIO_P = 0.001
#: With fewer customers the sample ratio is tested exactly.
EXACT_BELOW = 1_000
#: Shares of an allocation that differ by less are equal.
ROUNDING = 1e-9


def methods(table: pd.DataFrame) -> pd.DataFrame:
    """Which test each comparison deserves.

    ``table`` has one row per comparison: ``n_treatment``, ``n_control`` (customers) and ``buyers_treatment``, ``buyers_control``
    (those of them whose metric is not zero). Gives, with the same index: ``p_method`` (``permutation`` where an arm has fewer than
    1,000 buyers; else ``pooled`` at an allocation worse than 70/30 and ``welch`` at a better one); ``is_pooled``, the variance of the
    interval (``compare``), which is pooled for small holdouts; ``small_holdout`` (worse than 70/30, or fewer than 200 buyers in an
    arm); and ``underpowered`` (fewer than 25).

    Welch's test calls one of ten to three of ten differences where nothing happened when few are held out: the few, with their long
    tail unseen, vary too little in the sample. The arrangements of all customers know the whole tail.
    """
    sizes = table[["n_treatment", "n_control"]].to_numpy(float, na_value=0.0)
    buyers = _fewest_buyers(table)
    smaller_share = sizes.min(axis=1) / np.maximum(sizes.sum(axis=1), 1)
    is_uneven = smaller_share < LEAST_SHARE - ROUNDING
    is_small = is_uneven | (buyers < LEAST_BUYERS)
    method = np.where(buyers < PERMUTED_BELOW, "permutation", np.where(is_uneven, "pooled", "welch"))
    return pd.DataFrame(
        {"p_method": method, "is_pooled": is_small, "small_holdout": is_small, "underpowered": buyers < CLAIMS_FROM},
        table.index,
    )


def sample_ratio_p(sizes: Sequence[int], planned: Sequence[float]) -> float:
    """How probable arms of these sizes are when drawn with the planned shares (which need not sum to 1).

    Chi-squared; of two arms with fewer than 1,000 customers the exact binomial. NaN without customers. Raises ValueError where there
    are not as many shares as arms, or one is not positive.
    """
    if len(sizes) != len(planned) or not all(share > 0 for share in planned):
        raise ValueError(
            f"{len(sizes)} arms were planned with the shares {list(planned)}; give each arm a positive share."
        )
    customers = sum(sizes)
    if not customers:
        return float("nan")
    shares = np.array(planned, float) / sum(planned)
    if len(sizes) == 2 and customers < EXACT_BELOW:
        return float(binomtest(sizes[0], customers, shares[0]).pvalue)
    return float(chisquare(sizes, customers * shares).pvalue)


def q_values(p_values: pd.Series, family: pd.Series) -> pd.Series:
    """The share of false discoveries among all rows of a family that are at most as probable (Benjamini and Hochberg 1995).

    Same index; a missing p-value stays missing and counts for nothing. A family is one metric of one campaign's segments on one day.
    """
    found = pd.Series(np.nan, p_values.index, dtype=float)
    known = p_values.notna().to_numpy()
    for rows in pd.Series(np.flatnonzero(known)).groupby(family.to_numpy()[known], dropna=False):
        found.iloc[rows[1]] = multipletests(p_values.iloc[rows[1]].to_numpy(float), method="fdr_bh")[1]
    return found


def verdicts(table: pd.DataFrame) -> pd.Series:
    """One word per row of what may be said, the first of these that holds:

    - ``not_randomised``: ``evidence`` is not ``randomised``; whatever is shown is no lift.
    - ``invalid_sample_ratio``: ``sample_ratio_p`` is below .001; the arms are not what was planned. Missing blocks nothing.
    - ``too_early``: fewer than 25 buyers in an arm (``buyers_treatment``, ``buyers_control``), and the campaign still runs
      (``information_fraction`` below 1).
    - ``underpowered``: the same, and it does not.
    - ``win``, ``loss``: ``evidence_p`` is at most ``alpha``, by the sign of ``lift``. ``alpha`` is the level of the day's look
      (``sequential``); ``evidence_p`` is the p-value of a campaign's one primary metric, and of a segment's row its q-value.
    - ``too_early``: the campaign still runs.
    - ``no_evidence``: it is over and showed nothing; not that nothing happened.
    """
    runs = table["information_fraction"].to_numpy(float, na_value=np.nan) < 1
    is_known = table["evidence_p"].to_numpy(float, na_value=np.nan) <= table["alpha"].to_numpy(float, na_value=np.nan)
    lift = table["lift"].to_numpy(float, na_value=np.nan)
    is_small = _fewest_buyers(table) < CLAIMS_FROM
    rules: list[tuple[Verdict, NDArray[np.bool_]]] = [
        ("not_randomised", (table["evidence"] != "randomised").to_numpy(bool)),
        ("invalid_sample_ratio", table["sample_ratio_p"].to_numpy(float, na_value=np.nan) < LEAST_SAMPLE_RATIO_P),
        ("too_early", is_small & runs),
        ("underpowered", is_small),
        ("win", is_known & (lift > 0)),
        ("loss", is_known & (lift < 0)),
        ("too_early", runs),
    ]
    words = np.select([holds for _, holds in rules], [word for word, _ in rules], "no_evidence")
    return pd.Series(words, table.index, dtype="str", name="verdict")


def boundary_decisions(table: pd.DataFrame) -> pd.Series:
    """What the day's look decides of a campaign with these ``verdict`` and ``information_fraction``: ``final`` once the horizon is
    reached, ``stop_for_win`` or ``stop_for_loss`` where the boundary was crossed before, else ``continue``.
    """
    runs = table["information_fraction"].to_numpy(float, na_value=np.nan) < 1
    verdict = table["verdict"].to_numpy()
    words: list[Decision] = ["final", "stop_for_win", "stop_for_loss"]
    found = np.select([~runs, verdict == "win", verdict == "loss"], words, "continue")
    return pd.Series(found, table.index, dtype="str", name="boundary_decision")


def _fewest_buyers(table: pd.DataFrame) -> Numbers:
    return np.asarray(table[["buyers_treatment", "buyers_control"]].to_numpy(float, na_value=0.0).min(axis=1))
