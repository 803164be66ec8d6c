"""What campaigns like this one did, where it was measured against a holdout: the lift that a business case may expect. How it was measured is in ``measure``."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import duckdb
import numpy as np
from scipy import stats
from statsmodels.stats.meta_analysis import combine_effects

from orchestration.campaigns.files import Campaign
from orchestration.measure.campaigns.figures import Range
from orchestration.read.opened import has_table

NORMAL_95 = float(stats.norm.ppf(0.975))


@dataclass(frozen=True)
class Measured:
    """The relative lift of one finished campaign on its primary metric."""

    campaign_id: str
    channel: str | None
    lift: Range


@dataclass(frozen=True)
class ExpectedLift:
    """The relative lift to expect, and where it comes from: ``measured`` campaigns, ``assumed`` in the campaign's file, or ``unknown``.

    ``campaigns`` are all like campaigns that were measured to their end, lost ones included; ``same_channel`` whether they used this one's channel.
    """

    source: Literal["measured", "assumed", "unknown"]
    relative: Range | None = None
    campaigns: tuple[str, ...] = ()
    same_channel: bool = True


def expected_lift(release: duckdb.DuckDBPyConnection, campaign: Campaign) -> ExpectedLift:
    """What to expect of the campaign's primary metric: like campaigns on its channel, else on any, else what its file assumes."""
    measured = measured_lifts(release, campaign)
    alike = [one for one in measured if one.channel == campaign.channel]
    chosen = alike or measured
    if chosen:
        ids = tuple(one.campaign_id for one in chosen)
        return ExpectedLift("measured", pooled([one.lift for one in chosen]), ids, bool(alike))
    if campaign.assumed_lift is not None:
        return ExpectedLift("assumed", Range(campaign.assumed_lift))
    return ExpectedLift("unknown")


def measured_lifts(release: duckdb.DuckDBPyConnection, campaign: Campaign) -> list[Measured]:
    """The lifts of other campaigns that were randomised, sound and measured to the end of their window, whether they won or not."""
    if not knows_campaigns(release):
        return []
    rows = release.execute(
        """
        with newest as (
            from metrics.campaign_impact
            where segment is null and metric = $metric and is_primary and campaign_id <> $id
            qualify row_number() over (partition by campaign_id order by as_of_date desc) = 1
        )
        select newest.campaign_id, known.channel, newest.relative_lift, newest.relative_lower, newest.relative_upper
        from newest
        left join catalog.campaigns as known on known.campaign_id = newest.campaign_id
        where newest.evidence = 'randomised' and newest.information_fraction >= 1
            and newest.verdict not in ('invalid_sample_ratio', 'not_randomised')
            and newest.relative_lift is not null and newest.relative_upper > newest.relative_lower
        order by newest.campaign_id
        """,
        {"metric": campaign.primary_metric, "id": campaign.id},
    ).fetchall()
    return [Measured(id_, channel, Range(*figures)) for id_, channel, *figures in rows]


def measured_responses(release: duckdb.DuckDBPyConnection, campaign: Campaign) -> float | None:
    """The share of contacted customers who responded to like campaigns; None where none was measured."""
    if not knows_campaigns(release):
        return None
    rows = release.execute(
        """
        select coalesce(known.channel = $channel, false), impact.n_treatment, impact.mean_treatment
        from metrics.campaign_impact as impact
        left join catalog.campaigns as known using (campaign_id)
        where impact.segment is null and impact.metric = 'responded' and impact.information_fraction >= 1
            and impact.campaign_id <> $id and impact.n_treatment > 0 and impact.mean_treatment is not null
        qualify row_number() over (partition by impact.campaign_id order by impact.as_of_date desc) = 1
        """,
        {"channel": campaign.channel, "id": campaign.id},
    ).fetchall()
    chosen = [row for row in rows if row[0]] or rows
    contacted = sum(row[1] for row in chosen)
    return sum(row[1] * row[2] for row in chosen) / contacted if contacted else None


def knows_campaigns(release: duckdb.DuckDBPyConnection) -> bool:
    """Whether the release has what campaigns did."""
    return has_table(release, "metrics.campaign_impact") and has_table(release, "catalog.campaigns")


def pooled(lifts: list[Range]) -> Range:
    """What the next like campaign may do: the mean of a random-effects model (DerSimonian and Laird), and the interval of one more draw.

    That interval is wider than the mean's own: it has in it how much campaigns differ (Higgins, Thompson and Spiegelhalter 2009, with the normal quantile: of two or
    three campaigns it is rather too narrow).
    """
    if len(lifts) == 1:
        return lifts[0]
    widths = np.array([(lift.upper or 0) - (lift.lower or 0) for lift in lifts])
    effects = np.array([lift.expected for lift in lifts])
    with np.errstate(all="ignore"):  # effects that are all the same
        together = combine_effects(effects, (widths / (2 * NORMAL_95)) ** 2, method_re="dl")
    # Alike to within their errors they are one effect: statsmodels lets the variance between them go below nothing.
    differ = float(together.tau2) > 0
    mean, error = (
        (together.mean_effect_re, together.sd_eff_w_re) if differ else (together.mean_effect_fe, together.sd_eff_w_fe)
    )
    half = NORMAL_95 * math.sqrt(float(error) ** 2 + max(0.0, float(together.tau2)))
    mean = float(mean)
    return Range(mean, mean - half, mean + half)
