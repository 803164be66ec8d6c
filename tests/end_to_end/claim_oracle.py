"""Works the claims of personas out a second time, with pandas, from the rows of the extracts as they came.

Shares nothing with the pipeline but the files: its own as-of state, its own sums customer by customer (money in whole cents), intervals by statsmodels and
scipy, quotients as the roots of what their definition says. Who is a member of a segment is taken from the release: that is tested elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

import duckdb
import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.stats import norm, skew, t
from statsmodels.stats.proportion import proportion_confint

from orchestration.personas.claims import Claim, Measure
from orchestration.personas.files import Persona
from orchestration.settings import Home
from tests.builders import Company, as_csv

TABLES = {
    "crm/customers": "customer_id",
    "shop/order_lines": "order_line_id",
    "shop/products": "product_id",
    "crm/campaigns": "campaign_id",
    "crm/campaign_contacts": "",
    "crm/campaign_responses": "",
}
Frames = Mapping[str, pd.DataFrame]
#: Of one measure, per customer who counts: what is summed above the line, and below it.
Values = pd.DataFrame


def rows_of(company: Company) -> Frames:
    """The extracts of a company that a test wrote, everything as text."""
    import io

    frames = {}
    for table in TABLES:
        parts = [
            pd.read_csv(io.StringIO(as_csv(table, rows)), dtype=str, keep_default_na=False).assign(extract_date=day)
            for day, rows in sorted(company.get(table, {}).items())
        ]
        frames[table] = pd.concat(parts, ignore_index=True).astype(object) if parts else pd.DataFrame()
    return frames


def archived_rows(home: Home) -> Frames:
    """What the archive of a home holds, everything as text: a list is joined by semicolons, and what is missing is empty."""
    frames = {}
    for table in TABLES:
        parts = []
        for file in sorted((home.archive / table).glob("extract_date=*/data.parquet")):
            rows = duckdb.execute(
                "select columns(*)::varchar from read_parquet($file, hive_partitioning = false)", {"file": str(file)}
            ).df()
            parts.append(rows.fillna("").assign(extract_date=date.fromisoformat(file.parent.name.split("=")[1])))
        frames[table] = pd.concat(parts, ignore_index=True).astype(object)
    customers = frames["crm/customers"]
    customers["interests"] = customers["interests"].str.strip("[]").str.replace(", ", ";").astype(object)
    return frames


@dataclass(frozen=True)
class Interval:
    value: float
    lower: float
    upper: float


@dataclass(frozen=True)
class Said:
    """What the oracle says of a claim on a day."""

    customers: int
    others: int | None
    value: float
    reference: float
    figure: Interval
    verdict: str


@dataclass(frozen=True, eq=False)
class ClaimOracle:
    """Says what becomes of a claim on a day. ``history`` has the columns segment, customer_id, entered_on and exited_on."""

    rows: Frames
    history: pd.DataFrame
    timezone: str = "America/New_York"

    @classmethod
    def of(cls, rows: Frames, history: Sequence[tuple[Any, ...]]) -> ClaimOracle:
        columns = ["segment", "customer_id", "entered_on", "exited_on"]
        return cls(rows, pd.DataFrame(history, columns=columns, dtype=object))

    # ---- who ----

    @cache  # noqa: B019 - one oracle lives as long as its tests
    def base(self, day: date) -> pd.DataFrame:
        known = self._as_of("crm/customers", day)
        return known[known["is_deleted"].str.lower() != "true"].set_index("customer_id")

    @cache  # noqa: B019
    def members(self, segment: str, day: date) -> frozenset[str]:
        of_it = self.history[self.history["segment"] == segment]
        is_in = [
            entered <= day and (pd.isna(exited) or exited > day)
            for entered, exited in zip(of_it["entered_on"], of_it["exited_on"], strict=True)
        ]
        return frozenset(of_it["customer_id"][is_in]) & set(self.base(day).index)

    def customers(self, persona: Persona, day: date) -> set[str]:
        who: set[str] = set()
        for segment in persona.evidence:
            who |= self.members(segment, day)
        for segment in persona.segments_of("excluded"):
            who -= self.members(segment, day)
        return who

    # ---- what ----

    def _as_of(self, table: str, day: date) -> pd.DataFrame:
        rows = self.rows[table]
        return rows[rows["extract_date"] <= day].drop_duplicates(TABLES[table], keep="last")

    @cache  # noqa: B019
    def lines(self, day: date) -> pd.DataFrame:
        """The order lines as they are known on the day, with the goods as they were known when the line came."""
        lines = self._as_of("shop/order_lines", day)
        at = pd.to_datetime(lines["ordered_at"], utc=True).dt.tz_convert(self.timezone)
        cents = (pd.to_numeric(lines["amount"]) * 100).round().astype("int64")
        discount = (pd.to_numeric(lines["discount"].replace("", "0")) * 100).round().astype("int64")
        lines = lines.assign(
            day=at.dt.date, cents=cents, off=discount, is_sale=pd.to_numeric(lines["quantity"]) > 0
        ).drop(columns=["amount", "quantity"])
        products = self.rows["shop/products"][["product_id", "category", "department", "extract_date"]]
        left = lines.assign(at=pd.to_datetime(lines["extract_date"])).sort_values("at", kind="stable")
        right = products.assign(at=pd.to_datetime(products["extract_date"])).sort_values("at", kind="stable")
        return pd.merge_asof(left, right.drop(columns="extract_date"), on="at", by="product_id")

    @cache  # noqa: B019
    def _window(self, day: date, days: int) -> pd.DataFrame:
        lines = self.lines(day)
        ago = pd.Series([(day - on).days for on in lines["day"]], index=lines.index)
        return lines[(ago >= 0) & (ago < days) & lines["customer_id"].isin(self.base(day).index)]

    @cache  # noqa: B019
    def values(self, measure: Measure, day: date) -> Values:
        """num and den of every customer of the base who counts, by customer."""
        values = getattr(self, f"_{measure.of}")(measure, day)
        assert set(values.index) <= set(self.base(day).index)
        return values.astype("int64")

    def _everybody(self, num: pd.Series, day: date) -> Values:
        return pd.DataFrame({"num": num.reindex(self.base(day).index, fill_value=0), "den": 1})

    def _orders_of(self, bought: pd.DataFrame) -> pd.Series:
        sales = bought[bought["is_sale"]]
        return sales.drop_duplicates(["customer_id", "day", "order_id"]).groupby("customer_id").size()

    def _spend(self, measure: Measure, day: date) -> Values:
        return self._everybody(self._window(day, measure.in_last_days).groupby("customer_id")["cents"].sum(), day)

    def _orders(self, measure: Measure, day: date) -> Values:
        return self._everybody(self._orders_of(self._window(day, measure.in_last_days)), day)

    def _ordered(self, measure: Measure, day: date) -> Values:
        return self._everybody((self._orders_of(self._window(day, measure.in_last_days)) > 0).astype(int), day)

    def _order_value(self, measure: Measure, day: date) -> Values:
        bought = self._window(day, measure.in_last_days)
        return self._where_known(bought.groupby("customer_id")["cents"].sum(), self._orders_of(bought))

    def _discount_share(self, measure: Measure, day: date) -> Values:
        sums = self._window(day, measure.in_last_days).groupby("customer_id")[["off", "cents"]].sum()
        return self._where_known(sums["off"], sums["off"] + sums["cents"])

    def _spend_on_weekdays(self, measure: Measure, day: date) -> Values:
        bought = self._window(day, measure.in_last_days)
        is_on = [on.strftime("%A").lower() in measure.weekdays for on in bought["day"]]
        return self._where_known(
            bought[is_on].groupby("customer_id")["cents"].sum(), bought.groupby("customer_id")["cents"].sum()
        )

    def _spend_share_of(self, measure: Measure, day: date) -> Values:
        bought = self._window(day, measure.in_last_days)
        bought = bought[bought["category"].notna() & (bought["category"] != "")]
        return self._where_known(
            bought[self._is_of(bought, measure)].groupby("customer_id")["cents"].sum(),
            bought.groupby("customer_id")["cents"].sum(),
        )

    def _shopping_days_of(self, measure: Measure, day: date) -> Values:
        days = self._days_of(measure, day)
        return self._everybody(days.drop_duplicates(["customer_id", "day"]).groupby("customer_id").size(), day)

    def _buyers_of(self, measure: Measure, day: date) -> Values:
        buyers = self._days_of(measure, day)["customer_id"].unique()
        return self._everybody(pd.Series(1, index=buyers), day)

    def _days_of(self, measure: Measure, day: date) -> pd.DataFrame:
        bought = self._window(day, measure.in_last_days)
        bought = bought[bought["category"].notna() & (bought["category"] != "")]
        of_it = bought[self._is_of(bought, measure)]
        net = of_it.groupby(["customer_id", "day", "department", "category"], dropna=False)["cents"].sum()
        return net[net > 0].reset_index()

    @staticmethod
    def _is_of(bought: pd.DataFrame, measure: Measure) -> pd.Series:
        column = "category" if measure.category else "department"
        return bought[column].fillna("").str.lower() == (measure.category or measure.department or "").lower()

    def _answered(self, measure: Measure, day: date) -> Values:
        sent = self.rows["crm/campaign_contacts"]
        sent = sent[(sent["extract_date"] <= day) & (sent["contacted_on"] != "")]
        sent = sent.drop_duplicates(["campaign_id", "customer_id"], keep="first")
        lists = self.rows["crm/campaigns"]
        channels = lists[(lists["extract_date"] <= day) & (lists["channel"] != "")].drop_duplicates(
            "campaign_id", keep="last"
        )
        by_it = set(channels["campaign_id"][channels["channel"] == measure.channel])
        ago = np.array([(day - date.fromisoformat(on[:10])).days for on in sent["contacted_on"]], dtype=int)
        sent = sent[(ago >= 0) & (ago < measure.in_last_days) & sent["campaign_id"].isin(by_it)]
        sent = sent[sent["customer_id"].isin(self.base(day).index)]
        got = self.rows["crm/campaign_responses"]
        got = got[(got["extract_date"] <= day) & got["response"].isin(["click", "redeem"])]
        pairs = set(zip(got["campaign_id"], got["customer_id"], strict=True))
        has = [pair in pairs for pair in zip(sent["campaign_id"], sent["customer_id"], strict=True)]
        return pd.DataFrame({"num": has, "den": 1}, index=sent["customer_id"]).groupby(level=0).sum()

    def _customers_with(self, measure: Measure, day: date) -> Values:
        base = self.base(day)
        if measure.attribute == "age":
            born = base["birth_date"][base["birth_date"] != ""]
            said = born.map(lambda text: _age(date.fromisoformat(text), day))
        else:
            assert measure.attribute is not None
            said = base[measure.attribute]
            said = said.replace("", "false") if measure.attribute.endswith("opt_in") else said[said != ""]
        asked = [str(value).lower() if isinstance(value, bool) else str(value) for value in measure.is_]
        is_so = pd.Series(True, index=said.index)
        if asked:
            is_so &= np.array([any(part in asked for part in str(one).split(";")) for one in said], dtype=bool)
        if measure.at_least is not None:
            is_so &= pd.to_numeric(said) >= measure.at_least
        if measure.at_most is not None:
            is_so &= pd.to_numeric(said) <= measure.at_most
        return pd.DataFrame({"num": is_so.astype(int), "den": 1})

    def _also_in(self, measure: Measure, day: date) -> Values:
        assert measure.segment is not None
        return self._everybody(pd.Series(1, index=sorted(self.members(measure.segment, day))), day)

    @staticmethod
    def _where_known(num: pd.Series, den: pd.Series) -> Values:
        den = den[den != 0]
        return pd.DataFrame({"num": num.reindex(den.index, fill_value=0), "den": den})

    # ---- what it says ----

    def said(self, persona: Persona, claim: Claim, day: date) -> Said:
        """The figures and the verdict of an observed claim; the figures are nan where they are not to be shown."""
        assert claim.measure is not None
        assert claim.tolerance is not None
        hers = self.customers(persona, day)
        values = self.values(claim.measure, day)
        mine = values[values.index.isin(hers)]
        one, other, r = interval(mine, claim.measure), None, 0.0
        if claim.another is not None:
            theirs = self.values(claim.another, day)
            theirs = theirs[theirs.index.isin(hers)]
            r = correlation(mine, theirs)
            other = interval(theirs, claim.another)
        elif claim.compared != "alone":
            theirs = values[~values.index.isin(hers)]
            other = interval(theirs, claim.measure)
        else:
            theirs = mine
        if len(mine) < 20 or len(theirs) < 20:
            nothing = Interval(np.nan, np.nan, np.nan)
            return Said(len(mine), None if other is None else len(theirs), np.nan, np.nan, nothing, "too_few_to_tell")
        figure = one
        if other is not None:
            figure = (quotient if claim.compared.startswith("times") else difference)(one, other, r)
        return Said(
            len(mine),
            None if other is None else len(theirs),
            one.value,
            np.nan if other is None else other.value,
            figure,
            verdict(figure, claim),
        )


def _age(born: date, day: date) -> int:
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def interval(values: Values, measure: Measure) -> Interval:
    """Of a share Wilson's by statsmodels, of anything else the roots of Hall's cubic; both from what each customer adds to the quotient."""
    n = len(values)
    if n < 2 or values["den"].sum() == 0:
        return Interval(np.nan, np.nan, np.nan)
    scale = 100 if measure.unit == "money" else 1
    num, den = values["num"] / scale, values["den"].astype(float)
    value = num.sum() / den.sum()
    parts = num - value * den
    weights = den / den.sum()
    error = np.sqrt(n / (n - 1) * (parts**2 * (1 + 2 * weights)).sum()) / abs(den.sum())
    as_if = 1 / (weights**2).sum()
    quantile = t.ppf(0.975, max(as_if - 1, 1))
    if measure.unit == "share" and 0 <= value <= 1:
        as_many = value * (1 - value) / error**2 if error > 1e-9 else n
        lower, upper = proportion_confint(value * as_many, as_many, alpha=2 * norm.sf(quantile), method="wilson")
        return Interval(value, lower, upper)
    if parts.abs().max() < 1e-9:
        return Interval(value, value, value)
    skewness = skew(parts)

    def transformed(studentised: float) -> float:
        """Hall's cubic, of a mean that is studentised without the root of its number."""
        bent = studentised + skewness * studentised**2 / 3 + skewness**2 * studentised**3 / 27
        return np.sqrt(as_if) * (bent + skewness / (6 * as_if))

    far = 1e4
    low, high = (
        brentq(lambda x, end=end: transformed(x) - end, -far, far, xtol=1e-14) for end in (quantile, -quantile)
    )
    return Interval(value, value - error * np.sqrt(as_if) * low, value - error * np.sqrt(as_if) * high)


def correlation(one: Values, other: Values) -> float:
    """Of two figures of the same customers; whoever counts in one alone adds nothing to it."""
    parts = [
        (values["num"] - values["num"].sum() / values["den"].sum() * values["den"]) if len(values) else values["num"]
        for values in (one, other)
    ]
    both = pd.concat(parts, axis=1).dropna().to_numpy(float)
    length = np.sqrt((parts[0].astype(float) ** 2).sum() * (parts[1].astype(float) ** 2).sum())
    return float((both[:, 0] * both[:, 1]).sum() / length) if length > 0 else 0.0


def difference(one: Interval, other: Interval, r: float) -> Interval:
    a, b = one.value - one.lower, other.upper - other.value
    c, d = one.upper - one.value, other.value - other.lower
    value = one.value - other.value
    down, up = a * a + b * b - 2 * r * a * b, c * c + d * d - 2 * r * c * d
    return Interval(value, value - np.sqrt(max(down, 0)), value + np.sqrt(max(up, 0)))


def quotient(one: Interval, other: Interval, r: float) -> Interval:
    """Its ends are the factors by which the other may be multiplied so that the difference is just nothing at its ends."""
    if not other.value > 0:
        return Interval(np.nan, np.nan, np.nan)
    value = one.value / other.value

    def lower_end(factor: float) -> float:
        scaled = Interval(factor * other.value, factor * other.lower, factor * other.upper)
        return difference(one, scaled, r).lower

    def upper_end(factor: float) -> float:
        scaled = Interval(factor * other.value, factor * other.lower, factor * other.upper)
        return difference(one, scaled, r).upper

    assert one.lower >= 0, "the factor may be negative: choose another claim"
    lower = 0.0 if value == 0 else brentq(lower_end, 0, value, xtol=1e-14)
    if other.lower <= 0:
        return Interval(value, lower, np.inf)
    most = max(2 * value, 1e-9)
    while upper_end(most) > 0:
        most *= 2
    return Interval(value, lower, brentq(upper_end, value, most, xtol=1e-14))


def verdict(figure: Interval, claim: Claim) -> str:
    if np.isnan([figure.value, figure.lower, figure.upper]).any():
        return "too_few_to_tell"
    assert claim.tolerance is not None
    if claim.at_least is not None:
        ends, limit, value = (figure.lower, figure.upper), claim.at_least, figure.value
    else:
        assert claim.at_most is not None
        ends, limit, value = (-figure.upper, -figure.lower), -claim.at_most, -figure.value
    worst, best = ends
    border = limit - claim.tolerance
    if best < border:
        return "contradicted"
    if worst < border:
        return "too_few_to_tell" if best >= limit else "weakened"
    return "holds" if value >= limit else "weakened"
