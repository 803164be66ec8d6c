"""The benchmark of a night of campaigns at toy size: it measures what it says it does."""

from __future__ import annotations

from benchmarks.campaign_night import measured


def test_every_campaign_is_measured_for_everybody_and_each_segment_in_every_metric() -> None:
    wall, processor, rows = measured(customers=400, campaigns=2, segments=3, holdout=0.5)
    assert rows == 2 * (1 + 3) * 4
    assert wall > 0
    assert processor > 0
