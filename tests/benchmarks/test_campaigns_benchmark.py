"""The benchmark of campaigns at toy size: what is drawn is the panel's, what is made to happen is found, and a broken promise is told."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benchmarks.campaigns import POOLS, Pool, adjustment, campaigns, daily_spend, false_alarms, grocery, placebos

pytestmark = pytest.mark.filterwarnings("error")


@pytest.mark.parametrize("pool", POOLS, ids=[pool.name for pool in POOLS])
def test_customers_of_a_pool_spend_what_they_are_said_to_on_average(pool: Pool) -> None:
    drawn = [pool.draw(np.random.default_rng(seed), 20_000) for seed in range(20)]
    assert np.mean([now.mean() for now, _, _ in drawn]) == pytest.approx(
        np.mean([mean for _, _, mean in drawn]), rel=0.02
    )
    assert all((now >= 0).all() and (before >= 0).all() for now, before, _ in drawn)


def test_a_year_of_the_panel_is_drawn_from_whole_windows() -> None:
    until_now, before, _ = grocery(182).draw(np.random.default_rng(1), 5_000)
    assert (until_now + before).max() == pytest.approx(daily_spend()[:, :364].sum(axis=1).max(), rel=0.05)


def test_a_lift_that_was_made_to_happen_is_found_and_nothing_is_not() -> None:
    rng = np.random.default_rng(2)
    for lift, low, high in ((0.0, 0.0, 0.2), (1.0, 0.9, 1.0)):
        found = campaigns(rng, POOLS[0], 600, 120, 40, lift)
        assert low <= (found["p_value"] <= 0.05).mean() <= high
        assert (found["truth"] > 0).all() == (lift > 0)
    assert (found["p_method"] == "permutation").all()


def test_too_many_false_alarms_are_no_kept_promise() -> None:
    cells = pd.DataFrame({"rule": [0.05, 0.05], "welch": [0.05, 0.2], "campaigns": 4_000})
    assert [claim.holds for claim in false_alarms(cells)] == [True]
    assert [claim.holds for claim in false_alarms(cells.assign(rule=[0.05, 0.07]))] == [False]
    assert [claim.holds for claim in false_alarms(cells.assign(rule=[0.05, 0.02]))] == [False]


def test_every_claim_names_its_figure_and_what_was_needed() -> None:
    rng = np.random.default_rng(3)
    for claim in [*adjustment(rng, 5), *placebos(rng, 3)]:
        assert claim.what
        assert claim.measured
        assert claim.needed
