"""The night in pandas, on Arrow's types. Lines and what is added up from them are kept a file per month of orders, and only the
months that tonight's lines touch are written again. Money is added up in cents, since groups of decimals are slow.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from benchmarks.peers.masks import evaluated, parsed
from benchmarks.peers.night import Night, asked

MONEY = pa.decimal128(18, 2)
DATE = pd.ArrowDtype(pa.date32())
LINES = [
    "order_line_id",
    "order_id",
    "customer_id",
    "product_id",
    "category",
    "department",
    "ordered_on",
    "quantity",
    "amount",
    "discount",
]
OPT_INS = ["email_opt_in", "sms_opt_in", "post_opt_in", "push_opt_in"]
DAY, STAY = ["customer_id", "ordered_on"], ["segment", "customer_id"]


def main() -> None:
    """Runs one night."""
    night = asked(__doc__)
    customers = update_customers(night)
    update_lines(night)
    attributes = attributes_of(night, customers)
    attributes[["spend_percentile"]].to_parquet(night.state / "percentiles.parquet")
    attributes.to_parquet(night.release / "dim_customers.parquet")
    members = evaluate_segments(night, attributes)
    record(night, members, len(attributes))
    night.archive()


def update_customers(night: Night) -> pd.DataFrame:
    new = _read(night.extract("customers"))
    new["has_email"] = new.pop("email").notna()
    for name in (*OPT_INS, "is_deleted"):
        new[name] = new[name].fillna(False)
    file = night.state / "customers.parquet"
    if file.exists():
        kept = _read(file)
        new = pd.concat([kept[~kept["customer_id"].isin(new["customer_id"])], new])
    new = new[~new["is_deleted"]]
    new.to_parquet(file, index=False)
    return new.set_index("customer_id")


def update_lines(night: Night) -> None:
    """Puts tonight's lines in the files of their months, takes their older selves out, and adds these months up anew."""
    new = _read(night.extract("order_lines"))
    new = new.merge(
        _read(night.extract("products"), ["product_id", "category", "department"]), on="product_id", how="left"
    )
    new["ordered_on"] = new["ordered_at"].astype(DATE)
    new["amount"], new["discount"] = _cents(new["amount"]), _cents(new["discount"].fillna(Decimal(0)))
    new["quantity"] = new["quantity"].astype("double[pyarrow]")
    new = new[LINES]
    folder = night.state / "lines"
    folder.mkdir(exist_ok=True)
    by_month = dict(iter(new.groupby(_month(new["ordered_on"]))))
    for file in folder.glob("*.parquet"):
        if _read(file, ["order_line_id"])["order_line_id"].isin(new["order_line_id"]).any():
            by_month.setdefault(file.stem, new[:0])
    for month, lines in by_month.items():
        file = folder / f"{month}.parquet"
        if file.exists():
            kept = _read(file)
            lines = pd.concat([kept[~kept["order_line_id"].isin(new["order_line_id"])], lines])
        lines.to_parquet(file, index=False)
        _add_up(night, month, lines)


def _add_up(night: Night, month: str, lines: pd.DataFrame) -> None:
    bought, returned = lines["quantity"] > 0, lines["quantity"] < 0
    orders = lines.loc[bought, [*DAY, "order_id"]].drop_duplicates().groupby(DAY).size()
    lines = lines.assign(
        returned_lines=returned.astype("int64[pyarrow]"), returned_amount=lines["amount"].where(lines["amount"] < 0, 0)
    )
    days = lines.groupby(DAY)[["returned_lines", "amount", "returned_amount", "discount"]].sum()
    days["orders"] = orders.reindex(days.index, fill_value=0)
    categories = lines.groupby([*DAY, "department", "category"])["amount"].sum()
    for name, frame in (("days", days), ("category_days", categories)):
        (night.state / name).mkdir(exist_ok=True)
        frame.reset_index().rename(columns={"amount": "spend"}).to_parquet(
            night.state / name / f"{month}.parquet", index=False
        )


def attributes_of(night: Night, customers: pd.DataFrame) -> pd.DataFrame:
    """Every attribute of every customer."""
    frame = customers.join(_history(night)).join(_favourites(night))
    frame["is_contactable_by_email"] = frame["email_opt_in"] & frame["has_email"]
    frame["is_contactable"] = (
        frame["is_contactable_by_email"] | frame["sms_opt_in"] | frame["post_opt_in"] | frame["push_opt_in"]
    )
    for name, since in (
        ("sign_up", "signed_up_on"),
        ("first_order", "first_ordered_on"),
        ("last_order", "last_ordered_on"),
    ):
        frame[f"days_since_{name}"] = _day_number(night.day) - _day_numbers(frame[since])
    away = _day_numbers(frame["first_recent_order_on"]) - _day_numbers(frame["last_earlier_order_on"])
    frame["days_away_before_recent_order"] = away
    _add_ages(frame, night.day)
    _add_ranks(frame)
    before = night.state / "percentiles.parquet"
    nothing = pd.Series(pd.NA, index=frame.index, dtype="double[pyarrow]")
    frame["spend_percentile_previous_day"] = (
        pd.read_parquet(before, dtype_backend="pyarrow")["spend_percentile"].reindex(frame.index)
        if before.exists()
        else nothing
    )
    _add_money(frame)
    frame["lifecycle_stage"] = _first_of(
        frame,
        never_bought=frame["first_ordered_on"].isna(),
        new=frame["days_since_first_order"] < 30,
        won_back=frame["days_away_before_recent_order"] > 90,
        active=frame["days_since_last_order"] < 30,
        at_risk=frame["days_since_last_order"] <= 90,
        lapsed=frame["first_ordered_on"].notna(),
    )
    recency, frequency, monetary = (frame[f"{name}_score"] for name in _SCORED)
    frame["rfm_group"] = _first_of(
        frame,
        champions=(recency >= 4) & (frequency >= 4) & (monetary >= 4),
        loyal=(recency >= 3) & (frequency >= 3),
        promising=recency >= 3,
        needs_attention=(frequency >= 3) | (monetary >= 3),
        dormant=recency.notna(),
    )
    return frame


def _history(night: Night) -> pd.DataFrame:
    days = _read(night.state / "days")
    days = days[days["ordered_on"] <= night.day]
    history = (
        days.groupby("customer_id")[["orders", "spend", "returned_lines", "returned_amount"]]
        .sum()
        .add_suffix("_lifetime")
    )
    history["returned_amount_lifetime"] *= -1
    within = {n: days["ordered_on"] > night.day - timedelta(n) for n in (30, 90, 180, 365)}
    for n, is_within in within.items():
        sums = days[is_within].groupby("customer_id")[["orders", "spend", "discount"]].sum()
        history = history.join(sums.rename(columns=lambda name, n=n: f"{name}_last_{n}_days"))
    ordered = days["orders"] > 0
    for name, those, edge in (
        ("first_ordered_on", ordered, "min"),
        ("last_ordered_on", ordered, "max"),
        ("first_recent_order_on", ordered & within[30], "min"),
        ("last_earlier_order_on", ordered & ~within[30], "max"),
    ):
        history[name] = days[those].groupby("customer_id")["ordered_on"].agg(edge)
    return history


def _favourites(night: Night) -> pd.DataFrame:
    days = _read(night.state / "category_days")
    days = days[(days["ordered_on"] > night.day - timedelta(365)) & (days["ordered_on"] <= night.day)]

    def favourite(of: str) -> pd.Series:
        spend = days.groupby(["customer_id", of])["spend"].sum().reset_index()
        best_first = spend[spend["spend"] > 0].sort_values(["spend", of], ascending=[False, True])
        return best_first.drop_duplicates("customer_id").set_index("customer_id")[of]

    return pd.concat({f"favourite_{of}": favourite(of) for of in ("category", "department")}, axis="columns")


def _add_ages(frame: pd.DataFrame, today: date) -> None:
    """Age, and days until the next birthday: born on 29 February, it is on 1 March where there is no such day."""
    born = frame["birth_date"]
    month, day = (born.dt.month, born.dt.day)
    frame["age"] = (
        today.year - born.dt.year - (month * 100 + day > today.month * 100 + today.day).astype("int64[pyarrow]")
    )

    def birthday(year: int) -> pd.Series:
        parts = pd.DataFrame({"year": year, "month": month.fillna(1).astype(int), "day": 1}, index=frame.index)
        return _day_numbers(pd.to_datetime(parts).astype(DATE)) + day - 1

    this_year, next_year = birthday(today.year), birthday(today.year + 1)
    upcoming = this_year.where(this_year >= _day_number(today), next_year)
    frame["days_until_birthday"] = upcoming - _day_number(today)


_SCORED = {"recency": "last_ordered_on", "frequency": "orders_last_365_days", "monetary": "spend_last_365_days"}


def _add_ranks(frame: pd.DataFrame) -> None:
    frame["spend_percentile"] = 100 * _percent_rank(frame["spend_last_365_days"].fillna(0))
    buyers = frame[frame["orders_last_365_days"] > 0]
    for name, by in _SCORED.items():
        values = _day_numbers(buyers[by]) if by == "last_ordered_on" else buyers[by]
        frame[f"{name}_score"] = (1 + np.floor(5 * _percent_rank(values))).clip(upper=5).astype("int64[pyarrow]")


def _percent_rank(values: pd.Series) -> pd.Series:
    return ((values.astype("int64").rank(method="min") - 1) / (len(values) - 1)).astype("double[pyarrow]")


def _add_money(frame: pd.DataFrame) -> None:
    """Averages and shares, and the sums of cents as decimals."""
    numbers = [name for name in frame.columns if name.startswith(("orders_", "spend_l", "returned_"))]
    share = frame["discount_last_365_days"] + frame["spend_last_365_days"]
    discounted = frame["discount_last_365_days"] / 100 / (share / 100).where(share != 0)
    frame["discount_share_last_365_days"] = discounted.where(frame["spend_last_365_days"] >= 0)
    for period in ("lifetime", "last_365_days"):
        orders = frame[f"orders_{period}"]
        average = frame[f"spend_{period}"] / 100 / orders.where(orders != 0)
        frame[f"average_order_{period}"] = _money(np.floor(100 * average + 0.5).astype("int64[pyarrow]"))
    for name in numbers:
        frame[name] = frame[name].fillna(0)
        if name.startswith(("spend_", "returned_amount_")):
            frame[name] = _money(frame[name])


def _first_of(frame: pd.DataFrame, **conditions: pd.Series) -> pd.Series:
    """The name of the first condition that holds, nothing where none does."""
    holds = [condition.fillna(False).to_numpy(bool) for condition in conditions.values()]
    return pd.Series(np.select(holds, list(conditions), None), frame.index, dtype="string[pyarrow]")


def _cents(money: pd.Series) -> pd.Series:
    return (money * 100).astype("int64[pyarrow]")


def _money(cents: pd.Series) -> pd.Series:
    decimals = pc.multiply(pc.cast(pa.array(cents), pa.decimal128(19, 0)), pa.scalar(Decimal("0.01")))
    return pd.Series(pd.arrays.ArrowExtensionArray(pc.cast(decimals, MONEY)), cents.index)


def _month(days: pd.Series) -> pd.Series:
    return days.dt.strftime("%Y-%m")


def _day_number(day: date) -> int:
    return (day - date(1970, 1, 1)).days


def _day_numbers(days: pd.Series) -> pd.Series:
    return days.astype("int32[pyarrow]").astype("int64[pyarrow]")


class Columns:
    """The rules' operators on the columns of a frame."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame

    def column(self, name: str) -> pd.Series:
        return self.frame[name]

    def is_null(self, value: pd.Series) -> pd.Series:
        return value.isna().astype("bool[pyarrow]")

    def fill_null(self, value: pd.Series, filler: Any) -> pd.Series:
        return value.fillna(filler)

    def is_in(self, value: pd.Series, choices: list[Any]) -> pd.Series:
        return value.isin(choices).astype("bool[pyarrow]")

    def divided(self, value: pd.Series, by: Any) -> pd.Series:
        return value.astype("double[pyarrow]") / by


class Attributes(Columns):
    """The same on customers, with what rules ask of other tables; ``bought`` reads the lines of the year once."""

    def __init__(self, night: Night, frame: pd.DataFrame) -> None:
        super().__init__(frame)
        self.day, self.masks = night.day, dict[str, pd.Series]()
        self.interests = frame["interests"].explode()
        lines = _read(night.state / "lines", ["customer_id", "product_id", "category", "ordered_on", "quantity"])
        self.lines = lines[lines["ordered_on"] > night.day - timedelta(366)]

    def has(self, lists: str, item: str) -> pd.Series:
        return self._among(self.interests.index[self.interests == item])

    def member_of(self, segment: str) -> pd.Series:
        return self.masks[segment]

    def bought(self, condition: exp.Expression) -> pd.Series:
        holds = evaluated(condition, Columns(self.lines), self.day)
        return self._among(self.lines.loc[holds.fillna(False), "customer_id"].unique())

    def _among(self, customers: Any) -> pd.Series:
        return pd.Series(self.frame.index.isin(customers), self.frame.index, dtype="bool[pyarrow]")


def evaluate_segments(night: Night, attributes: pd.DataFrame) -> pd.DataFrame:
    """One row per segment and member."""
    columns = Attributes(night, attributes)
    for name, tree in parsed(night.conditions).items():
        columns.masks[name] = evaluated(tree, columns, night.day).fillna(False)
    customers = attributes.index.to_series(index=range(len(attributes)))
    of_each = {name: customers[mask.to_numpy(bool)] for name, mask in columns.masks.items()}
    members = pd.concat(of_each, names=["segment"]).rename("customer_id").reset_index("segment").reset_index(drop=True)
    return members.astype({"segment": "string[pyarrow]"})


def record(night: Night, members: pd.DataFrame, base: int) -> None:
    """Brings the history of memberships up to date and writes today's members and the counts."""
    file = night.state / "history.parquet"
    today = members.assign(entered_on=night.day, exited_on=None).astype({"entered_on": DATE, "exited_on": DATE})
    history = _read(file) if file.exists() else today[:0]
    is_open = history["exited_on"].isna()
    both = history[is_open].merge(members, on=STAY, how="outer", indicator=True)
    entered = today.merge(both.loc[both["_merge"] == "right_only", STAY], on=STAY)
    exited = (
        both.loc[both["_merge"] == "left_only", history.columns].assign(exited_on=night.day).astype({"exited_on": DATE})
    )
    still = both.loc[both["_merge"] == "both", history.columns]
    history = pd.concat([history[~is_open], exited, still, entered])
    history.to_parquet(file, index=False)
    pd.concat([still, entered])[[*STAY, "entered_on"]].to_parquet(night.release / "members.parquet", index=False)
    _count(night, base, members=members, entered=entered, exited=exited)


def _count(night: Night, base: int, **rows: pd.DataFrame) -> None:
    names = list(night.conditions)
    counts = pd.DataFrame(
        {name: frame.groupby("segment").size().reindex(names, fill_value=0) for name, frame in rows.items()}
    )
    if night.is_first:
        counts[["entered", "exited"]] = None
    counts = counts.rename_axis("segment").reset_index().assign(as_of_date=night.day, base_customers=base)
    counts = counts.astype({"as_of_date": DATE, "entered": "int64[pyarrow]", "exited": "int64[pyarrow]"})
    file = night.release / "counts.parquet"
    pd.concat([_read(file), counts] if file.exists() else [counts]).to_parquet(file, index=False)


def _read(file: Path, columns: list[str] | None = None) -> pd.DataFrame:
    return pd.read_parquet(file, columns=columns, dtype_backend="pyarrow")


if __name__ == "__main__":
    main()
