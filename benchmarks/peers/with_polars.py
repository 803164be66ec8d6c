"""The night in Polars: lazy frames over Parquet files. Lines and what is added up from them are kept a file per month of orders,
and only the months that tonight's lines touch are written again.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
from sqlglot import exp

from benchmarks.peers.masks import evaluated, parsed
from benchmarks.peers.night import Night, asked

MONEY = pl.Decimal(18, 2)
LINES = (
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
)
OPT_INS = ("email_opt_in", "sms_opt_in", "post_opt_in", "push_opt_in")


def main() -> None:
    """Runs one night."""
    night = asked(__doc__)
    customers = update_customers(night)
    update_lines(night)
    before = _kept(night, "percentiles")
    attributes = attributes_of(night, customers, before)
    attributes.select("customer_id", "spend_percentile").write_parquet(night.state / "percentiles.parquet")
    attributes.write_parquet(night.release / "dim_customers.parquet")
    members = evaluate_segments(night, attributes)
    record(night, members, attributes.height)
    night.archive()


def update_customers(night: Night) -> pl.DataFrame:
    new = pl.read_parquet(night.extract("customers")).with_columns(
        pl.col(*OPT_INS, "is_deleted").fill_null(False),
        pl.col("interests").fill_null([]),
        has_email=pl.col("email").is_not_null(),
    )
    kept = _kept(night, "customers")
    if kept is not None:
        new = pl.concat([kept.join(new, on="customer_id", how="anti"), new.select(kept.columns)])
    new = new.filter(~pl.col("is_deleted"))
    new.write_parquet(night.state / "customers.parquet")
    return new


def update_lines(night: Night) -> None:
    """Puts tonight's lines in the files of their months, takes their older selves out, and adds these months up anew."""
    products = pl.read_parquet(night.extract("products"), columns=["product_id", "category", "department"])
    new = (
        pl.read_parquet(night.extract("order_lines"))
        .join(products, on="product_id", how="left")
        .with_columns(pl.col("discount").fill_null(0), ordered_on=pl.col("ordered_at").dt.date())
        .select(LINES)
    )
    folder = night.state / "lines"
    folder.mkdir(exist_ok=True)
    dated = new.with_columns(month=pl.col("ordered_on").dt.strftime("%Y-%m"))
    by_month = {
        month: lines for (month,), lines in dated.partition_by("month", as_dict=True, include_key=False).items()
    }
    for file in folder.glob("*.parquet"):
        if not pl.read_parquet(file, columns=["order_line_id"]).join(new, on="order_line_id", how="semi").is_empty():
            by_month.setdefault(file.stem, new.clear())
    for month, lines in by_month.items():
        file = folder / f"{month}.parquet"
        if file.exists():
            lines = pl.concat([pl.read_parquet(file).join(new, on="order_line_id", how="anti"), lines])
        lines.write_parquet(file)
        _add_up(night, month, lines)


def _add_up(night: Night, month: str, lines: pl.DataFrame) -> None:
    days = lines.group_by("customer_id", "ordered_on").agg(
        orders=pl.col("order_id").filter(pl.col("quantity") > 0).n_unique(),
        returned_lines=(pl.col("quantity") < 0).sum(),
        spend=pl.col("amount").sum(),
        returned_amount=pl.col("amount").filter(pl.col("amount") < 0).sum(),
        discount=pl.col("discount").sum(),
    )
    categories = lines.filter(pl.col("category").is_not_null()).group_by(
        "customer_id", "ordered_on", "department", "category"
    )
    for name, frame in (("days", days), ("category_days", categories.agg(spend=pl.col("amount").sum()))):
        (night.state / name).mkdir(exist_ok=True)
        frame.write_parquet(night.state / name / f"{month}.parquet")


def attributes_of(night: Night, customers: pl.DataFrame, before: pl.DataFrame | None) -> pl.DataFrame:
    """Every attribute of every customer."""
    history = _history(night)
    lost = pl.lit(None, pl.Float64)
    joined = (
        customers.lazy()
        .join(history, on="customer_id", how="left")
        .join(_favourites(night, "favourite_category", "category"), on="customer_id", how="left")
        .join(_favourites(night, "favourite_department", "department"), on="customer_id", how="left")
        .with_columns(spend_percentile=100 * _percent_rank(pl.col("spend_last_365_days").fill_null(0)))
    )
    if before is None:
        joined = joined.with_columns(spend_percentile_previous_day=lost)
    else:
        renamed = before.lazy().rename({"spend_percentile": "spend_percentile_previous_day"})
        joined = joined.join(renamed, on="customer_id", how="left")
    spend, discount = pl.col("spend_last_365_days").cast(pl.Float64), pl.col("discount_last_365_days")
    with_discount = (discount + pl.col("spend_last_365_days")).cast(pl.Float64)
    numbers = r"^(orders_|spend_l|returned_).*$"
    contactable_by_email = pl.col("email_opt_in") & pl.col("has_email")
    return (
        joined.with_columns(
            average_order_lifetime=_average("spend_lifetime", "orders_lifetime"),
            average_order_last_365_days=_average("spend_last_365_days", "orders_last_365_days"),
            discount_share_last_365_days=pl.when(spend >= 0, with_discount != 0).then(
                discount.cast(pl.Float64) / with_discount
            ),
            is_contactable_by_email=contactable_by_email,
            is_contactable=pl.any_horizontal(contactable_by_email, *OPT_INS[1:]),
            days_since_sign_up=_days(night.day, "signed_up_on"),
            days_since_first_order=_days(night.day, "first_ordered_on"),
            days_since_last_order=_days(night.day, "last_ordered_on"),
            days_away_before_recent_order=(
                pl.col("first_recent_order_on") - pl.col("last_earlier_order_on")
            ).dt.total_days(),
            **_ages(night.day),
            **{f"{name}_score": _score(by) for name, by in _SCORED.items()},
        )
        .with_columns(pl.col(numbers).fill_null(0), lifecycle_stage=_LIFECYCLE, rfm_group=_RFM)
        .collect()
    )


def _history(night: Night) -> pl.LazyFrame:
    day, ordered = pl.col("ordered_on"), pl.col("orders") > 0

    def within(days: int) -> pl.Expr:
        return day > night.day - timedelta(days)

    spend = {f"spend_last_{n}_days": pl.col("spend").filter(within(n)).sum() for n in (30, 90, 180, 365)}
    orders = {f"orders_last_{n}_days": pl.col("orders").filter(within(n)).sum() for n in (30, 90, 365)}
    days = pl.scan_parquet(night.state / "days" / "*.parquet").filter(day <= night.day)
    return days.group_by("customer_id").agg(
        first_ordered_on=day.filter(ordered).min(),
        last_ordered_on=day.filter(ordered).max(),
        first_recent_order_on=day.filter(ordered & within(30)).min(),
        last_earlier_order_on=day.filter(ordered & ~within(30)).max(),
        orders_lifetime=pl.col("orders").sum(),
        spend_lifetime=pl.col("spend").sum(),
        discount_last_365_days=pl.col("discount").filter(within(365)).sum(),
        returned_lines_lifetime=pl.col("returned_lines").sum(),
        returned_amount_lifetime=-pl.col("returned_amount").sum(),
        **spend,
        **orders,
    )


def _favourites(night: Night, name: str, of: str) -> pl.LazyFrame:
    in_window = (pl.col("ordered_on") > night.day - timedelta(365)) & (pl.col("ordered_on") <= night.day)
    return (
        pl.scan_parquet(night.state / "category_days" / "*.parquet")
        .filter(in_window)
        .group_by("customer_id", of)
        .agg(pl.col("spend").sum())
        .filter(pl.col("spend") > 0)
        .sort(["spend", of], descending=[True, False])
        .group_by("customer_id", maintain_order=True)
        .agg(pl.col(of).first().alias(name))
    )


def _percent_rank(values: pl.Expr) -> pl.Expr:
    return (values.rank("min").cast(pl.Float64) - 1) / (values.count() - 1)


_SCORED = {"recency": "last_ordered_on", "frequency": "orders_last_365_days", "monetary": "spend_last_365_days"}


def _score(by: str) -> pl.Expr:
    among = pl.when(pl.col("orders_last_365_days") > 0).then(pl.col(by))
    return (1 + (5 * _percent_rank(among)).floor()).clip(upper_bound=5).cast(pl.Int32)


def _average(spend: str, orders: str) -> pl.Expr:
    average = pl.when(pl.col(orders) != 0).then(pl.col(spend).cast(pl.Float64) / pl.col(orders))
    return ((100 * average + 0.5).floor() / 100).cast(MONEY)


def _days(today: date, since: str) -> pl.Expr:
    return (pl.lit(today) - pl.col(since)).dt.total_days()


def _ages(today: date) -> dict[str, pl.Expr]:
    """Age, and days until the next birthday: born on 29 February, it is on 1 March where there is no such day."""
    born = pl.col("birth_date")
    is_before = born.dt.month().cast(pl.Int32) * 100 + born.dt.day() > today.month * 100 + today.day

    def birthday(year: int) -> pl.Expr:
        leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        is_moved = (born.dt.month() == 2) & (born.dt.day() == 29) & (not leap)
        return pl.date(
            year,
            pl.when(is_moved).then(3).otherwise(born.dt.month()),
            pl.when(is_moved).then(1).otherwise(born.dt.day()),
        )

    this_year, next_year = birthday(today.year), birthday(today.year + 1)
    upcoming = pl.when(this_year >= today).then(this_year).otherwise(next_year)
    return {
        "age": today.year - born.dt.year() - is_before.cast(pl.Int32),
        "days_until_birthday": (upcoming - pl.lit(today)).dt.total_days(),
    }


_LIFECYCLE = (
    pl.when(pl.col("first_ordered_on").is_null())
    .then(pl.lit("never_bought"))
    .when(pl.col("days_since_first_order") < 30)
    .then(pl.lit("new"))
    .when(pl.col("days_away_before_recent_order") > 90)
    .then(pl.lit("won_back"))
    .when(pl.col("days_since_last_order") < 30)
    .then(pl.lit("active"))
    .when(pl.col("days_since_last_order") <= 90)
    .then(pl.lit("at_risk"))
    .otherwise(pl.lit("lapsed"))
)
_HIGH = {name: pl.col(f"{name}_score") for name in _SCORED}
_RFM = (
    pl.when(_HIGH["recency"] >= 4, _HIGH["frequency"] >= 4, _HIGH["monetary"] >= 4)
    .then(pl.lit("champions"))
    .when(_HIGH["recency"] >= 3, _HIGH["frequency"] >= 3)
    .then(pl.lit("loyal"))
    .when(_HIGH["recency"] >= 3)
    .then(pl.lit("promising"))
    .when((_HIGH["frequency"] >= 3) | (_HIGH["monetary"] >= 3))
    .then(pl.lit("needs_attention"))
    .when(_HIGH["recency"].is_not_null())
    .then(pl.lit("dormant"))
)


class Columns:
    """The rules' operators as Polars expressions; ``bought`` reads the lines of the year once."""

    def __init__(self, night: Night) -> None:
        self.night, self.masks = night, dict[str, pl.Expr]()
        lines = pl.scan_parquet(night.state / "lines" / "*.parquet").filter(
            pl.col("ordered_on") > night.day - timedelta(366)
        )
        self.lines = lines.select("customer_id", "product_id", "category", "ordered_on", "quantity").collect()

    def column(self, name: str) -> pl.Expr:
        return pl.col(name)

    def is_null(self, value: pl.Expr) -> pl.Expr:
        return value.is_null()

    def fill_null(self, value: pl.Expr, filler: Any) -> pl.Expr:
        return value.fill_null(filler)

    def is_in(self, value: pl.Expr, choices: list[Any]) -> pl.Expr:
        return value.is_in(choices)

    def has(self, lists: str, item: str) -> pl.Expr:
        return pl.col(lists).list.contains(item)

    def divided(self, value: pl.Expr, by: Any) -> pl.Expr:
        return value.cast(pl.Float64) / by

    def member_of(self, segment: str) -> pl.Expr:
        return self.masks[segment]

    def bought(self, condition: exp.Expression) -> pl.Expr:
        bought = self.lines.filter(evaluated(condition, self, self.night.day))
        return pl.col("customer_id").is_in(bought["customer_id"].unique().implode())


def evaluate_segments(night: Night, attributes: pl.DataFrame) -> pl.DataFrame:
    """One row per segment and member."""
    columns = Columns(night)
    for name, tree in parsed(night.conditions).items():
        columns.masks[name] = evaluated(tree, columns, night.day)
    masks = attributes.select("customer_id", **columns.masks)
    of_each = [
        masks.filter(pl.col(name)).select(pl.lit(name).alias("segment"), "customer_id") for name in night.conditions
    ]
    return pl.concat(of_each)


def record(night: Night, members: pl.DataFrame, base: int) -> None:
    """Brings the history of memberships up to date and writes today's members and the counts."""
    history = _kept(night, "history")
    if history is None:
        history = members.clear().with_columns(entered_on=pl.lit(night.day), exited_on=pl.lit(None, pl.Date))
    stay, is_open = ["segment", "customer_id"], pl.col("exited_on").is_null()
    before = history.filter(is_open)
    entered = members.join(before, on=stay, how="anti").with_columns(
        entered_on=pl.lit(night.day), exited_on=pl.lit(None, pl.Date)
    )
    exited = before.join(members, on=stay, how="anti").with_columns(exited_on=pl.lit(night.day))
    still = before.join(members, on=stay, how="semi")
    history = pl.concat([history.filter(~is_open), exited, still, entered])
    history.write_parquet(night.state / "history.parquet")
    history.filter(is_open).drop("exited_on").write_parquet(night.release / "members.parquet")

    def sizes(rows: pl.DataFrame, name: str) -> pl.DataFrame:
        counted = pl.DataFrame({"segment": list(night.conditions)}).join(
            rows.group_by("segment").len(name), on="segment", how="left"
        )
        return counted.select(pl.col(name).fill_null(0).cast(pl.Int64))

    since = [sizes(entered, "entered"), sizes(exited, "exited")]
    if night.is_first:
        since = [frame.clear(len(frame)) for frame in since]
    counts = pl.concat(
        [pl.DataFrame({"segment": list(night.conditions)}), sizes(members, "members"), *since], how="horizontal"
    )
    counts = counts.with_columns(as_of_date=pl.lit(night.day), base_customers=pl.lit(base, pl.Int64))
    file = night.release / "counts.parquet"
    pl.concat([pl.read_parquet(file), counts] if file.exists() else [counts]).write_parquet(file)


def _kept(night: Night, name: str) -> pl.DataFrame | None:
    file: Path = night.state / f"{name}.parquet"
    return pl.read_parquet(file) if file.exists() else None


if __name__ == "__main__":
    main()
