"""The campaigns of a release: each once, with the newest sentence said of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from orchestration.publish.releases import open_for_reading
from orchestration.read.campaigns import campaigns as campaigns_of
from orchestration.read.opened import Release
from orchestration.settings import Home
from orchestration.target.outcome import outcome_in, read_outcome
from tests.builders import Changed, Refreshed


@pytest.fixture(scope="module")
def measured(campaigns: Refreshed) -> Iterator[Release]:
    release = open_for_reading(Home(campaigns.aside))
    assert release is not None
    yield release
    release.close()


def test_each_campaign_is_there_once_with_its_newest_verdict(measured: Release) -> None:
    told = {one.campaign_id: one for one in campaigns_of(measured)}
    catalogued = {campaign for (campaign,) in measured.rows("select campaign_id from catalog.campaigns")}
    assert set(told) == catalogued
    for campaign, line in told.items():
        newest = measured.rows(
            "select verdict, evidence from metrics.campaign_impact where campaign_id = $1 and segment is null and is_primary order by as_of_date desc limit 1",
            [campaign],
        )
        assert [(line.verdict, line.evidence)] == (newest or [(None, None)])


def test_the_newest_start_comes_first(measured: Release) -> None:
    starts = [one.starts_on for one in campaigns_of(measured) if one.starts_on]
    assert starts == sorted(starts, reverse=True)


def test_what_the_release_alone_tells_of_a_campaign_is_what_the_command_tells(
    measured: Release, campaigns: Refreshed
) -> None:
    for campaign in ("arms", "no_holdout"):
        said = read_outcome(Home(campaigns.aside), campaign)
        assert said is not None
        alone = outcome_in(measured, campaign)
        assert (alone.verdict, alone.primary, alone.currency) == (said.verdict, said.primary, said.currency)


def test_a_release_from_before_campaigns_were_measured_has_none(changed: Changed) -> None:
    assert campaigns_of(changed("drop table metrics.campaign_impact")) == []
