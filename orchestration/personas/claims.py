"""What a persona claims, and by which measure an observed claim is tested. How a measure is worked out is in ``measure.personas``."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr, StringConstraints, model_validator

from orchestration.campaigns.files import Channel

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
Attribute = Literal[
    "gender",
    "age",
    "country",
    "region",
    "household_size",
    "age_band",
    "income_band",
    "preferred_channel",
    "interests",
    "email_opt_in",
    "sms_opt_in",
    "post_opt_in",
    "push_opt_in",
]

#: Of these a customer's value is a number, and can be at least or at most so much.
NUMBERS = ("age", "household_size")

#: What is measured of the customers of a persona: what it means, and which of the other fields of a measure it needs.
MEASURES: dict[str, tuple[str, tuple[str, ...]]] = {
    "spend": ("net spend per customer", ()),
    "orders": ("orders per customer", ()),
    "ordered": ("share of customers with an order", ()),
    "order_value": ("net spend per order", ()),
    "discount_share": ("share of the price that discounts took off", ()),
    "spend_on_weekdays": ("share of net spend on the weekdays", ("weekdays",)),
    "buyers_of": ("share of customers who bought of the category or department", ("goods",)),
    "shopping_days_of": ("days per customer with a purchase of the category or department", ("goods",)),
    "spend_share_of": ("share of net spend on the category or department", ("goods",)),
    "answered": ("share of contacts by the channel that were clicked or redeemed", ("channel",)),
    "customers_with": ("share of customers with the attribute, of those of whom it is known", ("attribute",)),
    "also_in": ("share of customers who are members of the segment too", ("segment",)),
}
#: These are asked of a day and not of the time before it.
OF_A_DAY = ("customers_with", "also_in")


class Measure(BaseModel):
    """One figure of a group of customers, on an as-of date. ``in_last_days`` counts back from it, itself included.

    ``customers_with`` compares ``attribute`` by ``is`` (one of the values), ``at_least`` and ``at_most``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, populate_by_name=True)

    of: Literal[
        "spend",
        "orders",
        "ordered",
        "order_value",
        "discount_share",
        "spend_on_weekdays",
        "buyers_of",
        "shopping_days_of",
        "spend_share_of",
        "answered",
        "customers_with",
        "also_in",
    ]
    in_last_days: int = Field(default=90, ge=1, le=366)
    weekdays: tuple[Weekday, ...] = ()
    category: str | None = None
    department: str | None = None
    channel: Channel | None = None
    attribute: Attribute | None = None
    is_: tuple[StrictStr | StrictBool | StrictInt, ...] = Field(default=(), alias="is")
    at_least: float | None = None
    at_most: float | None = None
    segment: str | None = None

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> Measure:
        needs = MEASURES[self.of][1]
        given = {
            "weekdays": bool(self.weekdays),
            "goods": (self.category is None) != (self.department is None),
            "channel": self.channel is not None,
            "attribute": self.attribute is not None,
            "segment": self.segment is not None,
        }
        said = {"goods": "either category or department", "weekdays": "weekdays, such as [saturday, sunday]"}
        for what, is_given in given.items():
            if what in needs and not is_given:
                raise ValueError(f"{self.of} needs {said.get(what, what)}: say it")
        if len({*self.weekdays}) < len(self.weekdays):
            raise ValueError("weekdays has one of them twice: say each once")
        unasked = [
            field
            for field, what in FIELDS_OF_NEEDS.items()
            if what not in needs and getattr(self, field) not in ((), None)
        ]
        if unasked:
            raise ValueError(f"{self.of} has no use for {unasked[0].rstrip('_')}: take it away")
        if self.of == "customers_with" and not self.is_ and self.at_least is None and self.at_most is None:
            raise ValueError(
                f"customers_with {self.attribute} needs a value: say is, such as [one, another], at_least or at_most"
            )
        if wrong := [value for value in self.is_ if value not in VALUES.get(str(self.attribute), self.is_)]:
            there_are = ", ".join(map(_said, VALUES[str(self.attribute)]))
            raise ValueError(f"{self.attribute} is never {_said(wrong[0])}: say one of {there_are}")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError(f"nothing is at least {self.at_least:g} and at most {self.at_most:g}: turn the two round")
        if self.attribute and self.attribute not in NUMBERS and not (self.at_least is None and self.at_most is None):
            raise ValueError(
                f"{self.attribute} is no number: say is, such as [one, another], in place of at_least and at_most"
            )
        # The usual number says nothing: it stands in what is written of a measure, to be read again.
        if self.of in OF_A_DAY and self.in_last_days != Measure.model_fields["in_last_days"].default:
            raise ValueError(f"{self.of} is asked of a day: take in_last_days away")
        return self

    @property
    def unit(self) -> Literal["money", "share", "number"]:
        return "money" if self.of in ("spend", "order_value") else "number" if self.of in ("orders", "shopping_days_of") else "share"  # fmt: skip

    @property
    def values(self) -> tuple[tuple[str, str], ...]:
        """The goods and the values of an attribute that are asked for, each behind what it is of."""
        goods = [
            (kind, said.lower())
            for kind, said in (("category", self.category), ("department", self.department))
            if said
        ]
        return (*goods, *((str(self.attribute), _said(value)) for value in self.is_))

    @property
    def in_words(self) -> str:
        words = MEASURES[self.of][0]
        goods = self.category or self.department
        words = words.replace("the category or department", goods or "").replace(
            "the weekdays", ", ".join(self.weekdays)
        )
        words = words.replace("the channel", self.channel or "").replace("the segment", self.segment or "")
        if self.of == "customers_with":
            values = [f"is {' or '.join(_said(value) for value in self.is_)}"] if self.is_ else []
            values += [] if self.at_least is None else [f"is at least {self.at_least:g}"]
            values += [] if self.at_most is None else [f"is at most {self.at_most:g}"]
            words = f"share of customers whose {self.attribute} {' and '.join(values)}, of those of whom it is known"
        return words if self.of in OF_A_DAY else f"{words}, in {self.in_last_days} days"


#: By which need each field of a measure is asked for.
FIELDS_OF_NEEDS = {
    "weekdays": "weekdays",
    "category": "goods",
    "department": "goods",
    "channel": "channel",
    "attribute": "attribute",
    "is_": "attribute",
    "at_least": "attribute",
    "at_most": "attribute",
    "segment": "segment",
}

#: What only an observed claim has.
OF_A_TEST = ("measure", "compared", "another", "at_least", "at_most", "tolerance")

#: The values that a contract knows of an attribute; of any other there are those that customers ever had.
VALUES: dict[str, tuple[str | bool, ...]] = {
    "gender": ("female", "male", "other"),
    "preferred_channel": get_args(Channel),
    **{f"{channel}_opt_in": (True, False) for channel in get_args(Channel)},
}

Compared = Literal["alone", "times_the_rest", "above_the_rest", "times_another", "above_another"]


class Claim(BaseModel):
    """Something that a persona says of its customers.

    An ``observed`` claim is tested every night: its ``measure``, ``compared`` with that of the rest of the base, or with ``another`` of the same customers, is
    ``at_least`` or ``at_most`` so much. ``tolerance`` is how far from that it may be before the claim is contradicted, in the same unit. An ``inferred`` one
    says ``because`` of what, an ``assumed`` one by what it would be ``settled_by``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_]{0,63}$")
    text: Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
    kind: Literal["observed", "inferred", "assumed"]
    measure: Measure | None = None
    compared: Compared = "alone"
    another: Measure | None = None
    at_least: float | None = None
    at_most: float | None = None
    tolerance: Annotated[float, Field(ge=0)] | None = None
    because: str | None = Field(default=None, min_length=1)
    settled_by: str | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _can_be_tested(self) -> Claim:
        if self.kind == "observed":
            if self.measure is None:
                raise ValueError(f"the claim {self.id} is observed and has no measure: say by what it is tested")
            if (self.at_least is None) == (self.at_most is None):
                raise ValueError(f"the claim {self.id} needs either at_least or at_most: say one of them")
            if self.tolerance is None:
                raise ValueError(
                    f"the claim {self.id} has no tolerance: say how far from {self.limit:g} it may be before it is contradicted, 0 for not at all"
                )
            if self.compared.endswith("another") != (self.another is not None):
                raise ValueError(
                    f"the claim {self.id}: another is the measure that {self.compared} compares with: say both, or neither"
                )
        elif of_a_test := [field for field in OF_A_TEST if getattr(self, field) not in (None, "alone")]:
            raise ValueError(
                f"the claim {self.id} is {self.kind} and has no use for {of_a_test[0]}, for only an observed one is tested: take it away"
            )
        self._demand_a_limit_that_can_be()
        if self.kind == "inferred" and not self.because:
            raise ValueError(f"the claim {self.id} is inferred: say because of what")
        if self.kind == "assumed" and not self.settled_by:
            raise ValueError(f"the claim {self.id} is assumed: say by what it would be settled (settled_by)")
        return self

    def _demand_a_limit_that_can_be(self) -> None:
        """Of a share between 0 and 1, and of a difference of two of the same unit."""
        is_of_a_share = (
            self.measure is not None and self.measure.unit == "share" and not self.compared.startswith("times")
        )
        if is_of_a_share and not -1 <= self.limit <= 1:
            raise ValueError(f"the claim {self.id} is of a share, and {self.limit:g} is none: say 0.25 for 25 %")
        if self.compared == "above_another" and {one.unit for one in self.measures} != {self.measures[0].unit}:
            raise ValueError(f"the claim {self.id} subtracts a figure of another unit: compare two of the same")

    @property
    def limit(self) -> float:
        """What it is at least, or at most."""
        return self.at_least if self.at_least is not None else self.at_most or 0.0

    @property
    def measures(self) -> tuple[Measure, ...]:
        return tuple(measure for measure in (self.measure, self.another) if measure)


def _said(value: str | bool | int) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
