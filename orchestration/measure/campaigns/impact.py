"""``metrics.campaign_impact``: what each campaign did to the customers assigned to it, by the end of each day, for all of them and segment by segment.

Puts together whom to compare (``running``, ``outcomes``), how (``comparison``, ``permutation``, ``sequential``, ``verdicts``) and what is to be said of it
(``wording``). Money is reckoned when a release is built, for costs may still be corrected.
"""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Any

import duckdb
import numpy as np
import pandas as pd
from scipy.special import ndtr

from orchestration.days import Days
from orchestration.measure.campaigns.comparison import compare
from orchestration.measure.campaigns.measurement import Measurement, record
from orchestration.measure.campaigns.outcomes import METRICS, Outcomes, outcomes_of, read_answers
from orchestration.measure.campaigns.permutation import permutation_p_values
from orchestration.measure.campaigns.running import SETTLING_DAYS, Running, campaigns_to_measure
from orchestration.measure.campaigns.sequential import alphas_at, anytime_factors
from orchestration.measure.campaigns.unrandomised import (
    LEAST_COMPARED,
    compared,
    days_with_time_before,
    record_comparisons,
)
from orchestration.measure.campaigns.verdicts import boundary_decisions, methods, q_values, sample_ratio_p, verdicts
from orchestration.measure.campaigns.wording import TROUBLES, verdict
from orchestration.settings import Home, Settings

#: Name and type of every column, in order.
COLUMNS = {
    "campaign_id": "varchar",
    "as_of_date": "date",
    "segment": "varchar",
    "metric": "varchar",
    "evidence": "varchar",
    "is_primary": "boolean",
    "measured_until": "date",
    "day_index": "integer",
    "planned_days": "integer",
    "information_fraction": "double",
    "n_treatment": "bigint",
    "n_control": "bigint",
    "buyers_treatment": "bigint",
    "buyers_control": "bigint",
    "mean_treatment": "double",
    "mean_control": "double",
    "estimator": "varchar",
    "lift_raw": "double",
    "lift_raw_lower": "double",
    "lift_raw_upper": "double",
    "lift": "double",
    "lower": "double",
    "upper": "double",
    "relative_lift": "double",
    "relative_lower": "double",
    "relative_upper": "double",
    "lower_anytime": "double",
    "upper_anytime": "double",
    "p_value": "double",
    "p_method": "varchar",
    "alpha_now": "double",
    "q_value": "double",
    "boundary_decision": "varchar",
    "cuped_rho": "double",
    "min_detectable": "double",
    "srm_p": "double",
    "contacted": "bigint",
    "flags": "varchar[]",
    "verdict": "varchar",
    "message": "varchar",
}

CREATE = f"""
create schema if not exists metrics;
create table metrics.campaign_impact ({", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())})
"""

#: Of a campaign that is over only what is known on the newest day is kept beside the days of its window.
FORGET = f"""
delete from metrics.campaign_impact
where as_of_date between $first and $last or (as_of_date < $last and as_of_date > measured_until + {SETTLING_DAYS})
"""

#: The horizon to which the anytime interval of a campaign without an end is tuned.
OPEN_HORIZON = 90
#: By so little chance do the arms differ before the campaign, if they were drawn as is said.
DIFFERED_BEFORE = 0.001


def record_impact(connection: duckdb.DuckDBPyConnection, home: Home, settings: Settings, days: Days) -> int:
    """Writes ``metrics.campaign_impact`` for the days, in place of what was there; gives the rows written.

    Grain: one row per campaign, as-of date, segment (null: everybody assigned) and metric, on every day of the campaign's window and while it
    settles, and on the newest day once it is over. Writes what can be seen of campaigns without a holdout beside it (``unrandomised``).
    """
    is_made_anew = not _is_as_it_is_now(connection)
    if is_made_anew:
        days = _all_days_until(connection, days.last)
    found, comparisons = [], []
    read_answers(connection)
    for campaign in campaigns_to_measure(connection, home, days):
        for outcomes in outcomes_of(connection, campaign, settings.business_timezone):
            found += [_impact(outcomes, statistics, settings.currency) for statistics in outcomes.statistics()]
            if not outcomes.is_randomised and outcomes.campaign.days[-1] == days.last:
                comparisons.append(compared(outcomes))
    connection.execute("begin")
    if is_made_anew:
        connection.execute("drop table if exists metrics.campaign_impact")
        connection.execute(CREATE)
    record_comparisons(connection, comparisons)
    connection.execute(FORGET, {"first": days.first, "last": days.last})
    for rows in found:
        connection.register("rows", rows)
        connection.execute("insert into metrics.campaign_impact by name select * from rows")
    connection.execute("commit")
    return sum(len(rows) for rows in found)


def _is_as_it_is_now(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether the table is there, with the columns that it has now; else it is made anew, of all days on record."""
    described = connection.execute(
        "select column_name from duckdb_columns() where schema_name = 'metrics' and table_name = 'campaign_impact' order by column_index"
    )
    return [name for (name,) in described.fetchall()] == list(COLUMNS)


def _all_days_until(connection: duckdb.DuckDBPyConnection, last: date) -> Days:
    first = connection.execute("select min(as_of_date) from metrics.segment_counts_daily").fetchall()[0][0]
    return Days(min(first, last), last)


def _impact(outcomes: Outcomes, statistics: pd.DataFrame, currency: str) -> pd.DataFrame:
    rows = _comparisons(statistics)
    campaign = outcomes.campaign
    rows["campaign_id"] = campaign.campaign_id
    rows["is_primary"] = (rows["metric"] == campaign.primary_metric) & (rows["segment"] == "")
    rows["measured_until"] = campaign.measured_until
    rows["day_index"] = [campaign.day_index(day.date()) for day in rows["as_of_date"]]
    rows["planned_days"] = campaign.planned_days if campaign.planned_days else np.nan
    rows["information_fraction"] = rows["day_index"] / rows["planned_days"]
    rows = _with_troubles(rows, outcomes)
    rows = _randomised(rows, outcomes) if outcomes.is_randomised else _not_randomised(rows, outcomes)
    rows["message"] = ""
    planned = {"planned_days": campaign.planned_days}
    primary = [record(Measurement, row | planned) for row in rows[rows["is_primary"]].to_dict("records")]
    rows.loc[rows["is_primary"], "message"] = [verdict(row, currency) for row in primary]
    rows["segment"] = rows["segment"].where(rows["segment"] != "", None)
    return rows[list(COLUMNS)]


def _comparisons(statistics: pd.DataFrame) -> pd.DataFrame:
    """One row per as_of_date, segment ("" for all) and metric, with the figures of both arms side by side, ready for ``compare``."""
    by_arm = statistics.fillna({"segment": ""}).set_index(["as_of_date", "segment"])
    treatment, control = (by_arm[by_arm["arm"] == arm] for arm in ("treatment", "control"))
    both = treatment.join(control, how="outer", suffixes=("_treatment", "_control"))
    of_metrics = []
    for metric in METRICS:
        figures = {
            f"{name}_{arm}": both[f"{metric}_{name}_{arm}"]
            for name in ("mean", "var", "before_mean", "before_var", "cov")
            for arm in ("treatment", "control")
        }
        counts = {
            f"{name}_{arm}": both[f"{name}_{arm}"].fillna(0).astype(int)
            for name in ("n", "buyers")
            for arm in ("treatment", "control")
        }
        of_metrics.append(pd.DataFrame(counts | figures).assign(metric=metric).reset_index())
    return pd.concat(of_metrics, ignore_index=True)


def _with_troubles(rows: pd.DataFrame, outcomes: Outcomes) -> pd.DataFrame:
    """With what was reported of contacts by each day, the flags that follow, and the chance of the arms' sizes."""
    everybody = rows[(rows["segment"] == "") & (rows["metric"] == METRICS[0])][["as_of_date", "n_treatment"]]
    by_day = everybody.merge(outcomes.troubles(), how="left", on="as_of_date").fillna(0)
    by_day = by_day.astype({name: int for name in by_day.columns if name != "as_of_date"})
    by_day["flags"] = [_flags(day._asdict(), outcomes.campaign, outcomes.is_randomised) for day in by_day.itertuples()]
    return rows.merge(by_day.drop(columns="n_treatment"), how="left", on="as_of_date")


def _flags(counts: dict[str, Any], campaign: Running, is_randomised: bool) -> list[str]:
    """Of a day, from the troubles counted by its end."""
    flags = [f"{name}: {counts[name]}" for name in TROUBLES if counts[name] and (is_randomised or "arm" not in name)]
    if not counts["contacted"]:
        return [*flags, "contacts_not_reported"]
    is_sent = campaign.contacted_until is not None and counts["as_of_date"].date() > campaign.contacted_until
    missed = counts["n_treatment"] - counts["treated_contacted"]
    return [*flags, f"not_contacted: {missed}"] if is_randomised and is_sent and missed > 0 else flags


def _randomised(rows: pd.DataFrame, outcomes: Outcomes) -> pd.DataFrame:
    campaign = outcomes.campaign
    rows = rows.join(methods(_as_judged(rows)))
    rows = rows.join(compare(rows, rows["is_pooled"].to_numpy()))
    differed = rows["as_of_date"].isin(_days_on_which_arms_differed_before(rows))
    rows["evidence"], rows["arms_differed"] = "randomised", differed
    rows["estimator"] = np.where(rows["cuped_rho"] != 0, "difference_of_means_cuped", "difference_of_means")
    rows["p_value"] = _permuted(rows, outcomes)
    rows["srm_p"] = _sample_ratio(rows, campaign)
    rows = rows.join(_looks(rows, campaign))
    family = rows["as_of_date"].astype(str) + np.where(rows["segment"] == "", "", rows["metric"])
    is_named = (rows["segment"] != "") | rows["metric"].isin(campaign.secondary_metrics)
    rows["q_value"] = q_values(rows["p_value"].where(is_named & ~rows["is_primary"]), family)
    judged = _as_judged(rows)
    rows["verdict"] = verdicts(judged)
    rows["boundary_decision"] = boundary_decisions(judged.assign(verdict=rows["verdict"]))
    for flag, where in (("small_holdout", rows["small_holdout"]), ("arms_differed_before", differed)):
        rows["flags"] = [[*flags, flag] if is_so else flags for flags, is_so in zip(rows["flags"], where, strict=True)]
    return rows


def _as_judged(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows as ``verdicts`` knows them. Who answered counts as a buyer where answers are compared; a campaign without an end never is at its end."""
    answers = rows["metric"] == "responded"
    judged = rows.copy()
    for arm in ("treatment", "control"):
        answered = (rows[f"mean_{arm}"] * rows[f"n_{arm}"]).round()
        judged[f"buyers_{arm}"] = rows[f"buyers_{arm}"].where(~answers, answered)
    if "p_value" in rows:
        judged["evidence_p"] = rows["p_value"].where(rows["is_primary"], rows["q_value"])
        judged["alpha"], judged["sample_ratio_p"] = rows["alpha_now"], rows["srm_p"]
        judged["evidence"] = rows["evidence"].where(~rows["arms_differed"], "drawn by nobody")
    judged["information_fraction"] = rows["information_fraction"].fillna(0.0)
    return judged


def _permuted(rows: pd.DataFrame, outcomes: Outcomes) -> pd.Series:
    """The p-values, by permutation where the t test is not to be believed: the same draws for all metrics, whenever they are made."""
    p_values = rows["p_value"].to_numpy(copy=True)
    is_asked = (rows["p_method"] == "permutation").to_numpy()
    is_still = (rows[["var_treatment", "var_control"]] == 0).all(axis=1) & (
        rows["mean_treatment"] == rows["mean_control"]
    )
    p_values[is_asked & is_still] = 1.0  # where everybody did the same, every drawing is alike
    asked = np.flatnonzero(is_asked & ~is_still)
    if not asked.size:
        return pd.Series(p_values, index=rows.index)
    day, segment = rows["as_of_date"].to_numpy()[asked], rows["segment"].to_numpy(str)[asked]
    metric, theta = rows["metric"].map(METRICS.index).to_numpy(int)[asked], rows["cuped_theta"].to_numpy()[asked]
    seed = _seed(outcomes.campaign)
    for today in np.unique(day):
        values = outcomes.values(pd.Timestamp(today).date())
        since, before = (values[[f"{name}{when}" for name in METRICS]].to_numpy(float) for when in ("", "_before"))
        is_control = (values["arm"] == "control").to_numpy()
        inside = outcomes.places(pd.Timestamp(today).date(), list(np.unique(segment[day == today])))
        groups = pd.Series(np.flatnonzero(day == today)).groupby(segment[day == today]).indices
        for name, found in groups.items():
            group = np.flatnonzero(day == today)[found]
            who = inside[name] if name else slice(None)
            figures = since[who][:, metric[group]] - theta[group] * before[who][:, metric[group]]
            p_values[asked[group]] = permutation_p_values(figures, is_control[who], seed)
    return pd.Series(p_values, index=rows.index)


def _seed(campaign: Running) -> int:
    return int(hashlib.sha256(campaign.campaign_id.encode()).hexdigest()[:12], 16)


def _sample_ratio(rows: pd.DataFrame, campaign: Running) -> pd.Series:
    """How rare the arms' sizes are, if they were drawn with the planned share: those that the sender reports, once all
    contacts are made and where it reports both, else those assigned.
    """
    if campaign.holdout is None:
        return pd.Series(np.nan, index=rows.index)
    whole = rows[(rows["segment"] == "") & (rows["metric"] == METRICS[0])].set_index("as_of_date")
    chances = {}
    for day, row in whole.iterrows():
        is_sent = campaign.contacted_until is not None and pd.Timestamp(str(day)).date() > campaign.contacted_until
        is_reported = is_sent and row["reported_treatment"] > 0 and row["reported_control"] > 0
        sizes = ("reported_treatment", "reported_control") if is_reported else ("n_treatment", "n_control")
        chances[day] = sample_ratio_p(
            [int(row[sizes[0]]), int(row[sizes[1]])], [1 - campaign.holdout, campaign.holdout]
        )
    return rows["as_of_date"].map(chances)


def _looks(rows: pd.DataFrame, campaign: Running) -> pd.DataFrame:
    """The level that the day's look may use, and the interval that holds however often one looks."""
    looks = campaign.planned_days or OPEN_HORIZON
    index = rows["day_index"].to_numpy()
    factor = anytime_factors(index.astype(float), looks)
    half = factor * rows["standard_error"].to_numpy()
    level = alphas_at(looks)[index - 1] if campaign.planned_days else 2 * ndtr(-factor)
    return pd.DataFrame(
        {"alpha_now": level, "lower_anytime": rows["lift"] - half, "upper_anytime": rows["lift"] + half},
        index=rows.index,
    )


def _days_on_which_arms_differed_before(rows: pd.DataFrame) -> set[pd.Timestamp]:
    """The days by which the two arms of everybody had spent too differently before the campaign to have been drawn by lot."""
    whole = rows[(rows["segment"] == "") & (rows["metric"] == "spend")]
    before = pd.DataFrame(
        {f"{name}_{arm}": whole[f"before_{name}_{arm}"] for name in ("mean", "var") for arm in ("treatment", "control")}
        | {f"n_{arm}": whole[f"n_{arm}"] for arm in ("treatment", "control")}
    ).assign(
        **{f"{name}_{arm}": np.nan for name in ("before_mean", "before_var", "cov") for arm in ("treatment", "control")}
    )
    p_values = compare(before, np.ones(len(before), dtype=bool))["p_value"]
    return set(whole["as_of_date"][(p_values < DIFFERED_BEFORE).to_numpy()])


def _not_randomised(rows: pd.DataFrame, outcomes: Outcomes) -> pd.DataFrame:
    """The change of those who were contacted beside that of the others. It is a difference of changes, and no lift. The audience are the contacted: a segment
    of others alone is none of its."""
    rows = rows[(rows["segment"] == "") | (rows["n_treatment"] > 0)].copy()
    of_changes = rows[["n_treatment", "n_control"]].copy()
    for arm in ("treatment", "control"):
        of_changes[f"mean_{arm}"] = rows[f"mean_{arm}"] - rows[f"before_mean_{arm}"]
        of_changes[f"var_{arm}"] = rows[f"var_{arm}"] + rows[f"before_var_{arm}"] - 2 * rows[f"cov_{arm}"]
        for name in ("before_mean", "before_var", "cov"):
            of_changes[f"{name}_{arm}"] = np.nan
    changes = compare(of_changes, np.zeros(len(rows), dtype=bool))
    is_matched = (
        rows["as_of_date"].dt.date.isin(days_with_time_before(outcomes))
        & (rows[["n_treatment", "n_control"]].min(axis=1) >= LEAST_COMPARED)
        & (rows["metric"] != "responded")
    ).to_numpy()
    figures = ["lift", "lower", "upper", "p_value", "min_detectable"]
    rows[figures] = changes[figures].where(pd.Series(is_matched, index=rows.index))
    rows["evidence"] = np.where(is_matched, "matched", "none")
    rows["estimator"] = pd.Series("difference_in_differences", index=rows.index).where(is_matched)
    rows["p_method"] = pd.Series("welch", index=rows.index).where(is_matched)
    rows["verdict"] = "not_randomised"
    for missing in sorted(set(COLUMNS) - set(rows.columns) - {"message"}):
        rows[missing] = None
    return rows
