"""Tells a second time why a customer entered or left a segment, with pandas, from the rows that were accepted of the extracts.

Shares nothing with the pipeline. What was known on a day is the newest row of each key up to that day's extract; the five states
between two days are five choices of rows and one of the day; a rule is worked out from nothing in each of them. Only rules that look
at one customer alone: of a rank one cannot say who moved whom.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

import pandas as pd

PRODUCT_X = "1127831"
BABY_CATEGORIES = ["DIAPERS & DISPOSABLES", "BABY FOODS"]
LIFECYCLE = {"never_bought", "new", "won_back", "active", "at_risk", "lapsed"}
STEPS = ["time_passed", "attribute_edited", "own_behaviour", "late_or_corrected_data"]

#: (direction, cause) by customer.
Told = dict[str, tuple[str, str]]


@dataclass(frozen=True, eq=False)
class World:
    """What is known of some customers in one state, seen on one day."""

    day: pd.Timestamp
    customers: pd.DataFrame
    lines: pd.DataFrame

    def members(self, segment: str) -> set[str]:
        if segment in LIFECYCLE:
            return {customer for customer, stage in self._stages.items() if stage == segment}
        return set(getattr(self, f"_{segment}")) & set(self.customers.index)

    # ---- who they are and how they are reached ----

    @cached_property
    def _age(self) -> pd.Series:
        born = self.customers["birth_date"]
        is_to_come = (born.dt.month > self.day.month) | (
            (born.dt.month == self.day.month) & (born.dt.day > self.day.day)
        )
        return self.day.year - born.dt.year - is_to_come

    def _aged(self, youngest: int, oldest: int, gender: str | None = None) -> pd.Index:
        is_aged = (self._age >= youngest) & (self._age <= oldest) & self.customers["birth_date"].notna()
        return self.customers.index[is_aged & ((self.customers["gender"] == gender) if gender else True)]

    @property
    def _men_18_25(self) -> pd.Index:
        return self._aged(18, 25, "male")

    @property
    def _women_25_34(self) -> pd.Index:
        return self._aged(25, 34, "female")

    @property
    def _aged_65_and_over(self) -> pd.Index:
        return self._aged(65, 200)

    @property
    def _birthday_within_7_days(self) -> set[str]:
        """A birthday on 29 February is on 1 March of a year that lacks it."""
        soon = {(day.month, day.day) for day in pd.date_range(self.day, periods=8)}
        if (3, 1) in soon and not self.day.is_leap_year:
            soon.add((2, 29))
        born = self.customers["birth_date"].dropna()
        return {customer for customer, on in born.items() if (on.month, on.day) in soon}

    def _says_yes(self, *columns: str) -> pd.Series:
        return (self.customers[list(columns)] == True).any(axis=1)  # noqa: E712 - null is no yes

    @property
    def _contactable_by_email(self) -> pd.Index:
        return self.customers.index[self._says_yes("email_opt_in") & self.customers["email"].notna()]

    @property
    def _contactable_by_any_channel(self) -> set[str]:
        others = self._says_yes("sms_opt_in", "post_opt_in", "push_opt_in")
        return set(self._contactable_by_email) | set(self.customers.index[others])

    @property
    def _unreachable(self) -> set[str]:
        return set(self.customers.index) - self._contactable_by_any_channel

    @property
    def _food_lovers(self) -> set[str]:
        interests = self.customers["interests"].dropna()
        return {customer for customer, liked in interests.items() if {"cooking", "baking", "wine"} & set(liked)}

    # ---- what they bought ----

    @cached_property
    def _past(self) -> pd.DataFrame:
        return self.lines[self.lines["day"] <= self.day]

    def _since(self, days: int) -> pd.DataFrame:
        return self._past[self._past["day"] > self.day - pd.Timedelta(days=days)]

    @cached_property
    def _visits(self) -> dict[str, list[pd.Timestamp]]:
        sold = self._past[self._past["quantity"] > 0][["customer_id", "day"]].drop_duplicates()
        return {customer: sorted(days) for customer, days in sold.groupby("customer_id")["day"]}

    @staticmethod
    def _orders(lines: pd.DataFrame) -> pd.Series:
        """How many orders; what one order has on two days counts on each."""
        sold = lines[lines["quantity"] > 0]
        return sold[["customer_id", "day", "order_id"]].drop_duplicates().groupby("customer_id").size()

    @cached_property
    def _stages(self) -> dict[str, str]:
        return {customer: self._stage(self._visits.get(customer, [])) for customer in self.customers.index}

    def _stage(self, visits: list[pd.Timestamp]) -> str:
        if not visits:
            return "never_bought"
        ago = [(self.day - on).days for on in visits]
        if ago[0] < 30:
            return "new"
        recent, earlier = [days for days in ago if days < 30], [days for days in ago if days >= 30]
        if recent and earlier[-1] - recent[0] > 90:
            return "won_back"
        return "active" if ago[-1] < 30 else "at_risk" if ago[-1] <= 90 else "lapsed"

    @property
    def _frequent_buyers(self) -> pd.Index:
        orders = self._orders(self._since(90))
        return orders.index[orders >= 12]

    @property
    def _first_time_buyers(self) -> set[str]:
        ever, lately = self._orders(self._past), self._orders(self._since(30))
        return set(ever.index[ever == 1]) & set(lately.index[lately == 1])

    @property
    def _slowing_down(self) -> set[str]:
        half_year, quarter = (self._since(days).groupby("customer_id")["cents"].sum() for days in (180, 90))
        quarter = quarter.reindex(half_year.index, fill_value=0)
        slower = half_year.index[2 * quarter < half_year - quarter]
        return set(slower) & set(self._orders(self._since(90)).index)

    @property
    def _big_baskets(self) -> set[str]:
        """On average 50.00, to the cent; the average is rounded half up."""
        orders = self._orders(self._since(365))
        cents = self._since(365).groupby("customer_id")["cents"].sum().reindex(orders.index)
        return set(orders.index[(2 * cents >= (2 * 5000 - 1) * orders) & (orders >= 4)])

    @property
    def _discount_seekers(self) -> set[str]:
        sums = self._since(365).groupby("customer_id")[["cents", "discount"]].sum()
        listed = sums["cents"] + sums["discount"]
        return set(sums.index[(sums["cents"] >= 0) & (listed != 0) & (sums["discount"] / listed >= 0.2)])

    @property
    def _bought_product_x_3m_over_500(self) -> set[str]:
        spent = self._past.groupby("customer_id")["cents"].sum()
        return self._buyers("product_id", [PRODUCT_X]) & set(spent.index[spent > 50_000])

    @property
    def _parents_of_babies(self) -> set[str]:
        return self._buyers("category", BABY_CATEGORIES)

    def _buyers(self, column: str, values: list[str]) -> set[str]:
        recent = self._past[self._past["day"] > self.day - pd.DateOffset(months=3)]
        return set(recent[recent[column].isin(values) & (recent["quantity"] > 0)]["customer_id"])


@dataclass(frozen=True, eq=False)
class CauseOracle:
    """Says who moved between two days, in which direction, and why."""

    customers: pd.DataFrame
    lines: pd.DataFrame

    @classmethod
    def of(cls, archive: Path, business_timezone: str) -> CauseOracle:
        customers = _accepted(archive / "crm" / "customers")
        lines = _accepted(archive / "shop" / "order_lines")
        local = lines["ordered_at"].dt.tz_localize("UTC").dt.tz_convert(business_timezone)
        return cls(
            customers.assign(birth_date=pd.to_datetime(customers["birth_date"])),
            pd.DataFrame(
                {
                    **{name: lines[name] for name in ("customer_id", "product_id", "sent_on")},
                    # as numbers, which are quick to compare
                    **{name: pd.factorize(lines[name])[0] for name in ("order_line_id", "order_id")},
                    "day": local.dt.tz_localize(None).dt.normalize(),
                    "quantity": lines["quantity"].astype(float),
                    "cents": (lines["amount"].astype(float) * 100).round().astype("int64"),
                    "discount": (lines["discount"].astype(float).fillna(0) * 100).round().astype("int64"),
                    "category": _categories(lines, _accepted(archive / "shop" / "products")),
                }
            ),
        )

    def told(self, segment: str, before: date, day: date, of: Iterable[str]) -> Told:
        """Direction and cause of those of the customers who moved between the two days."""
        worlds = list(self._worlds(pd.Timestamp(before), pd.Timestamp(day), set(of)))
        members = [world.members(segment) for world in worlds]
        was_known, is_known = set(worlds[0].customers.index), set(worlds[-1].customers.index)
        told: Told = {}
        for customer in members[0] ^ members[-1]:
            turned = [step for step in range(1, 5) if (customer in members[step]) != (customer in members[step - 1])]
            cause = STEPS[turned[-1] - 1]
            if customer not in is_known:
                cause = "deleted"
            elif customer not in was_known:
                cause = "new_customer"
            told[customer] = ("entered" if customer in members[-1] else "exited", cause)
        return told

    def _worlds(self, before: pd.Timestamp, day: pd.Timestamp, of: set[str]) -> Iterator[World]:
        """The day before; then the day, with ever more of what came in since."""
        customers = self.customers.iloc[sorted(row for customer in of for row in self._versions_of.get(customer, ()))]
        lines = self.lines.iloc[sorted(row for customer in of for row in self._lines_of.get(customer, ()))]
        known_customers, all_customers = (_known(customers, "customer_id", on) for on in (before, day))
        known_customers, all_customers = (
            known[known["is_deleted"] != True].set_index("customer_id")  # noqa: E712 - null is not deleted
            for known in (known_customers, all_customers)
        )
        known_lines, all_lines = (_known(lines, "order_line_id", on) for on in (before, day))
        is_own = (all_lines["day"] > before) & ~all_lines["order_line_id"].isin(known_lines["order_line_id"])
        yield World(before, known_customers, known_lines)
        yield World(day, known_customers, known_lines)
        yield World(day, all_customers, known_lines)
        yield World(day, all_customers, pd.concat([known_lines, all_lines[is_own]]))
        yield World(day, all_customers, all_lines)

    @cached_property
    def _versions_of(self) -> Mapping[str, Iterable[int]]:
        return self.customers.groupby("customer_id").indices

    @cached_property
    def _lines_of(self) -> Mapping[str, Iterable[int]]:
        return self.lines.groupby("customer_id").indices

    @cached_property
    def came(self) -> pd.DataFrame:
        """What came in by customer and extract date, where the days follow each other: edits, lines of the day itself and all other lines."""
        lines = self.lines.sort_values("sent_on", kind="stable")
        is_first = ~lines.duplicated("order_line_id")
        is_own = is_first & (lines["day"] == lines["sent_on"])
        replaced = lines.assign(sent_on=lines.groupby("order_line_id")["sent_on"].shift(-1)).dropna(subset="sent_on")
        pieces = [
            self.customers[KEY].assign(what="edits"),
            lines.loc[is_own, KEY].assign(what="own"),
            lines.loc[~is_own, KEY].assign(what="others"),
            replaced[KEY].assign(what="others"),
        ]
        return (
            pd.concat(pieces)
            .drop_duplicates()
            .assign(came=True)
            .pivot(index=KEY, columns="what", values="came")
            .notna()
        )


KEY = ["customer_id", "sent_on"]


def _known(rows: pd.DataFrame, key: str, on: pd.Timestamp) -> pd.DataFrame:
    """The newest row of each key; rows are in the order in which they were sent."""
    return rows[rows["sent_on"] <= on].drop_duplicates(key, keep="last")


def _categories(lines: pd.DataFrame, products: pd.DataFrame) -> pd.Series:
    """Each line's category as the newest list of products said when the line was sent."""
    sent, listed = (rows.sort_values("sent_on", kind="stable") for rows in (lines, products))
    found = pd.merge_asof(
        sent[["product_id", "sent_on"]].reset_index(),
        listed[["product_id", "category", "sent_on"]],
        on="sent_on",
        by="product_id",
    )
    return found.set_index("index")["category"]


def _accepted(table: Path) -> pd.DataFrame:
    files = sorted(table.glob("extract_date=*/data.parquet"))
    rows = [
        pd.read_parquet(file).assign(sent_on=pd.Timestamp(file.parent.name.removeprefix("extract_date=")))
        for file in files
    ]
    return pd.concat(rows, ignore_index=True)
