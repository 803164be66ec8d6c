"""The check that stops a run is seen in Dagster as what it is: passed on a good night, failed on the night it stopped."""

from __future__ import annotations

import dagster as dg
import pytest

from orchestration.errors import ExtractRefused
from orchestration.ingest.assets import REFUSED_SHARE
from tests.builders import CUSTOMERS, MARKER, SHOP_DAYS, Refreshed, Stage, customer, drop_rows, last_verdict, refreshed


def test_an_extract_of_refused_rows_stops_the_run_as_a_failed_check(stage: Stage, shop: Refreshed) -> None:
    home = stage.restore(shop.aside)
    assert last_verdict(home, CUSTOMERS, REFUSED_SHARE).passed
    drop_rows(home, CUSTOMERS, SHOP_DAYS[-1], [customer("C1"), customer("", email=MARKER)])
    with pytest.raises(ExtractRefused) as refusal:
        refreshed(home, SHOP_DAYS[-1])
    verdict = last_verdict(home, CUSTOMERS, REFUSED_SHARE)
    assert (verdict.passed, verdict.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert verdict.description == str(refusal.value)
    assert MARKER not in str(verdict)
