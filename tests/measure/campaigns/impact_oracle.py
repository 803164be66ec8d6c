"""What ``metrics.campaign_impact`` must say of the company of campaigns, worked out with pandas and scipy from the rows of its extracts alone.

Only who was a member of which segment is taken from the release: that is proved elsewhere.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.multitest import multipletests

from tests.builders import CUSTOMERS, ORDER_LINES, Company
from tests.campaign_company import (
    ASSIGNED,
    CONTACTS,
    DAYS,
    FIRST,
    LAST,
    LAUNCHED_ON,
    LISTED,
    ONE_DAY,
    OUR_FILES,
    RESPONSES,
    ZONE,
)

METRICS = ["spend", "ordered", "orders", "responded"]
SETTLING = timedelta(7)
#: An arm of fewer buyers, or with a smaller share, is a small holdout; with fewer contacted or others nothing is compared.
LEAST_BUYERS, LEAST_SHARE, LEAST_COMPARED = 200, 0.3, 25


@dataclass(frozen=True)
class Window:
    """Of a campaign, as it was known on a day: orders count from the first to the last day, both included."""

    first: date
    last: date | None

    def passed(self, day: date) -> int:
        return ((min(day, self.last) if self.last else day) - self.first).days + 1

    @property
    def planned(self) -> int | None:
        return (self.last - self.first).days + 1 if self.last else None


class ImpactOracle:
    """Of the company whose rows are given, with the memberships that the release tells."""

    def __init__(self, company: Company, members: pd.DataFrame) -> None:
        self._members = members
        lines = _with_dates(company, ORDER_LINES)
        local = pd.to_datetime(lines["ordered_at"]).dt.tz_localize("UTC").dt.tz_convert(ZONE)
        self._lines = lines.assign(
            ordered_on=local.dt.date,
            quantity=lines["quantity"].astype(float),
            cents=(lines["amount"].astype(float) * 100).round(),
        )
        self._contacts = _with_dates(company, CONTACTS).replace("", None)
        self._contacts["contacted_on"] = pd.to_datetime(self._contacts["contacted_on"]).dt.date
        answers = _with_dates(company, RESPONSES)
        local = pd.to_datetime(answers["responded_at"]).dt.tz_localize("UTC").dt.tz_convert(ZONE)
        self._answers = answers.assign(responded_on=local.dt.date)
        self._known = _with_dates(company, CUSTOMERS).groupby("customer_id")["extract_date"].min()

    # ---- which days, and whom ----

    def window(self, campaign: str, day: date) -> Window | None:
        """As it was known by the day; None where it was not, or not any more."""
        if campaign in OUR_FILES:
            decided = OUR_FILES[campaign]
            return Window(LAUNCHED_ON, decided.ends_on + timedelta(decided.measured_days))
        listed = LISTED[max(on for on in LISTED if on <= day)]
        return Window(*listed[campaign][:2]) if campaign in listed else None

    def days(self, campaign: str) -> list[date]:
        """On which it is measured: its window and a week, and the newest on record."""

        def is_measured(day: date) -> bool:
            window = self.window(campaign, day)
            if window is None or day < window.first:
                return False
            return window.last is None or day <= window.last + SETTLING or day == LAST

        return [day for day in DAYS if is_measured(day)]

    def arms(self, campaign: str, day: date) -> tuple[bool, pd.Series]:
        """Whether arms were drawn, and the arm of each customer by the day."""
        if campaign in ASSIGNED:
            return True, pd.Series(ASSIGNED[campaign])
        reported = self._reported(campaign, day)
        arms = reported.dropna(subset="arm").drop_duplicates("customer_id").set_index("customer_id")["arm"]
        if set(arms) == {"treatment", "control"}:
            return True, arms
        contacted = self._contacted(campaign, day).index
        bought = set(self._lines_by(day)["customer_id"])
        known = self._known[self._known <= day].index
        others = [one for one in known if one in bought and one not in set(reported["customer_id"])]
        return False, pd.Series(
            ["treatment"] * len(contacted) + ["control"] * len(others), [*contacted, *others], dtype=object
        )

    def segments(self, campaign: str, arms: pd.Series, is_randomised: bool) -> dict[str | None, list[str]]:
        """The members, among the assigned, of each segment that the audience meets, the day before the start; None are all."""
        first = LAUNCHED_ON if campaign in ASSIGNED else LISTED[FIRST][campaign][0]
        on = max(FIRST, first - ONE_DAY)
        history = self._members
        there = history[(history["entered_on"] <= on) & (history["exited_on"].isna() | (history["exited_on"] > on))]
        audience = set(arms.index if is_randomised else arms.index[arms == "treatment"])
        met = {
            segment: [one for one in group if one in arms.index]
            for segment, group in there.groupby("segment")["customer_id"]
            if audience & set(group)
        }
        return {None: list(arms.index), **met}

    def _reported(self, campaign: str, day: date) -> pd.DataFrame:
        return self._contacts[(self._contacts["campaign_id"] == campaign) & (self._contacts["extract_date"] <= day)]

    def _contacted(self, campaign: str, day: date) -> pd.Series:
        """The day of the contact of each customer who was contacted, and not only was to be, by the day."""
        reported = self._reported(campaign, day).dropna(subset="contacted_on")
        made = reported[reported["contacted_on"] <= day]
        return made.drop_duplicates("customer_id").set_index("customer_id")["contacted_on"]

    # ---- what they did ----

    @cache  # noqa: B019
    def _lines_by(self, day: date) -> pd.DataFrame:
        """Each order line as it was last known by the day."""
        return self._lines[self._lines["extract_date"] <= day].drop_duplicates("order_line_id", keep="last")

    def figures(self, customers: pd.Index, day: date, first: date, last: date) -> pd.DataFrame:
        """Spend, whether there was an order, and orders of each customer from the first to the last day, both included."""
        lines = self._lines_by(day)
        lines = lines[(lines["ordered_on"] >= first) & (lines["ordered_on"] <= last)]
        orders = lines[lines["quantity"] > 0].drop_duplicates(["customer_id", "ordered_on", "order_id"])
        made = pd.DataFrame(
            {
                "spend": lines.groupby("customer_id")["cents"].sum() / 100,
                "orders": orders.groupby("customer_id").size(),
            }
        )
        made = made.reindex(customers).fillna(0.0)
        return made.assign(ordered=(made["orders"] > 0).astype(float))

    def outcomes(self, campaign: str, day: date) -> tuple[bool, pd.DataFrame]:
        """Whether arms were drawn; and of each customer the arm, each metric in the window and, with _before, in as many days just before it."""
        window = self.window(campaign, day)
        assert window is not None
        is_randomised, arms = self.arms(campaign, day)
        passed = timedelta(window.passed(day))
        since = self.figures(arms.index, day, window.first, window.first + passed - ONE_DAY)
        before = self.figures(arms.index, day, window.first - passed, window.first - ONE_DAY)
        said = self._answers[(self._answers["campaign_id"] == campaign) & (self._answers["extract_date"] <= day)]
        said = said[said["response"].isin(["click", "redeem"])]
        in_time = said["responded_on"].between(window.first, window.first + passed - ONE_DAY)
        since["responded"] = arms.index.isin(said[in_time]["customer_id"]).astype(float)
        before["responded"] = 0.0
        return is_randomised, since.join(before.add_suffix("_before")).assign(arm=arms)

    # ---- the comparison ----

    def rows(self, campaign: str) -> pd.DataFrame:
        """What the release must say of all days and segments of the campaign."""
        rows: list[dict[str, Any]] = []
        for day in self.days(campaign):
            window = self.window(campaign, day)
            assert window is not None
            is_randomised, everybody = self.outcomes(campaign, day)
            first_ordered_on = self._lines_by(day)["ordered_on"].min()
            has_past = (window.first - first_ordered_on).days >= 2 * (window.planned or window.passed(day))
            for segment, group in self.segments(campaign, everybody["arm"], is_randomised).items():
                customers = everybody.loc[group]
                for metric in METRICS:
                    row = {"as_of_date": day, "segment": segment, "metric": metric, "day_index": window.passed(day)}
                    row |= _arms_of(customers, metric)
                    if is_randomised:
                        row |= _randomised(customers, metric)
                    else:
                        row |= _changes(customers, metric, has_past)
                    rows.append(row)
        return pd.DataFrame(rows)

    def flags(self, campaign: str, day: date) -> dict[str, int]:
        """How many customers each kind of trouble concerns by the day; kinds without any are left out."""
        window = self.window(campaign, day)
        assert window is not None
        is_randomised, arms = self.arms(campaign, day)
        contacted = self._contacted(campaign, day)
        reported = self._reported(campaign, day)
        arms_told = reported.dropna(subset="arm").groupby("customer_id")["arm"]
        answers = self._answers[(self._answers["campaign_id"] == campaign) & (self._answers["extract_date"] <= day)]
        known = self._known[self._known <= day].index
        told = set(reported["customer_id"])
        counts = {
            "contacted_before_launch": int((contacted < window.first).sum()),
            "contacts_of_others": len(told - set(known) | (told - set(arms.index) if is_randomised else set())),
            "responses_without_contact": len(set(answers["customer_id"]) - set(contacted.index)),
        }
        if is_randomised:
            first_told = arms_told.first()
            counts |= {
                "controls_contacted": int((arms.reindex(contacted.index) == "control").sum()),
                "in_both_arms": int((arms_told.nunique() > 1).sum()),
                "arms_unlike_the_receipt": int(
                    (first_told != arms.reindex(first_told.index)).sum() if campaign in ASSIGNED else 0
                ),
            }
        return {name: count for name, count in counts.items() if count}


def _with_dates(company: Company, table: str) -> pd.DataFrame:
    """All rows of a table in the order in which they came."""
    return pd.DataFrame([row | {"extract_date": day} for day in sorted(company[table]) for row in company[table][day]])


def _split(customers: pd.DataFrame, values: pd.Series) -> tuple[pd.Series, pd.Series]:
    return values[customers["arm"] == "treatment"], values[customers["arm"] == "control"]


def _arms_of(customers: pd.DataFrame, metric: str) -> dict[str, Any]:
    treatment, control = _split(customers, customers[metric])
    bought = [int(one.sum()) for one in _split(customers, customers["ordered"])]
    return {
        "n_treatment": len(treatment),
        "n_control": len(control),
        "buyers_treatment": bought[0],
        "buyers_control": bought[1],
        "mean_treatment": treatment.mean(),
        "mean_control": control.mean(),
    }


def _randomised(customers: pd.DataFrame, metric: str) -> dict[str, Any]:
    values, before = customers[metric], customers[f"{metric}_before"]
    sizes = customers["arm"].value_counts().reindex(["treatment", "control"]).fillna(0)
    active = customers[metric if metric == "responded" else "ordered"] > 0
    fewest = min(int(one.sum()) for one in _split(customers, active))
    is_uneven = sizes.min() / sizes.sum() < LEAST_SHARE - 1e-9
    is_small = is_uneven or fewest < LEAST_BUYERS
    varies = len(customers) > 1 and before.var() > 0
    # Both arms are one sample here: the slope must not know who was treated.
    theta = np.cov(values, before)[0, 1] / before.var() if varies and sizes.min() > 1 else 0.0
    adjusted = values - theta * (before - before.mean())
    raw, raw_lower, raw_upper, _, _ = _interval(customers, values, is_small)
    lift, lower, upper, error, p_value = _interval(customers, adjusted, is_small)
    return {
        "evidence": "randomised",
        "lift_raw": raw,
        "lift_raw_lower": raw_lower,
        "lift_raw_upper": raw_upper,
        "lift": lift,
        "lower": lower,
        "upper": upper,
        "min_detectable": (stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) * error,
        "t_p_value": p_value,
        "small_holdout": is_small,
    }


def _changes(customers: pd.DataFrame, metric: str, has_past: bool) -> dict[str, Any]:
    row: dict[str, Any] = {"evidence": "none", "small_holdout": False}
    smaller = customers["arm"].value_counts().reindex(["treatment", "control"]).fillna(0).min()
    if not has_past or smaller < LEAST_COMPARED or metric == "responded":
        return row
    change = customers[metric] - customers[f"{metric}_before"]
    lift, lower, upper, error, p_value = _interval(customers, change, is_pooled=False)
    detectable = (stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) * error
    return row | {
        "evidence": "matched",
        "lift": lift,
        "lower": lower,
        "upper": upper,
        "min_detectable": detectable,
        "p_value": p_value,
    }


def _interval(customers: pd.DataFrame, values: pd.Series, is_pooled: bool) -> tuple[float, float, float, float, float]:
    """Difference of means, its 95 % interval, standard error and p-value."""
    treatment, control = _split(customers, values)
    difference = treatment.mean() - control.mean()
    if min(len(treatment), len(control)) < 2 or max(treatment.var(), control.var()) < 1e-18:
        return difference, np.nan, np.nan, np.nan, np.nan
    with warnings.catch_warnings():
        # An arm in which nobody differs is a fact and no loss of precision.
        warnings.simplefilter("ignore", RuntimeWarning)
        found = stats.ttest_ind(treatment, control, equal_var=is_pooled)
    between = found.confidence_interval(0.95)
    error = (between.high - between.low) / 2 / stats.t.ppf(0.975, found.df)
    return difference, between.low, between.high, error, found.pvalue


def q_values(p_values: pd.Series) -> pd.Series:
    """Benjamini and Hochberg's, of one family."""
    known = p_values.dropna()
    found = multipletests(known, method="fdr_bh")[1] if len(known) else []
    return pd.Series(found, known.index).reindex(p_values.index)
