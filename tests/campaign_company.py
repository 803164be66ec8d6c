"""A company of five hundred with every kind of campaign in eighteen days, on the eighth of which New York puts its clocks forward.

Campaigns of a sender with arms, with arms that came late, without any, without an end, withdrawn, moved, over before the first day;
our own with their receipts; and everything that can be wrong with contacts and answers, once each. What they are is said at each.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import duckdb

from orchestration.campaigns.files import Campaign, digest
from orchestration.campaigns.receipts import ASSIGNMENT, RECEIPT, Receipt, Stratum, receipt_folder
from orchestration.settings import Home
from tests.builders import CUSTOMERS, ORDER_LINES, PRODUCTS, SETTINGS, Company, Row, customer, drop_company, order_line
from tests.builders import product as a_product

CAMPAIGNS, CONTACTS, RESPONSES = "crm/campaigns", "crm/campaign_contacts", "crm/campaign_responses"
ZONE = ZoneInfo("America/New_York")
ONE_DAY = timedelta(1)


def march(day: int) -> date:
    return date(2024, 3, day)


FIRST, LAST = march(3), march(20)
DAYS = [FIRST + timedelta(n) for n in range((LAST - FIRST).days + 1)]
#: The first extract carries orders from here on: 19 days before the campaigns of the sixth start.
FIRST_ORDERED_ON = date(2024, 2, 16)
SEED = 20240303

PEOPLE = [f"C{number:03}" for number in range(500)]
#: Of the CRM, and without an order, ever.
NEVER_BOUGHT = PEOPLE[490:]
#: Whom the CRM knows only on the ninth; she orders from the beginning. Is assigned to ``arms`` on the fifth, and stands among the others.
GUEST = "guest"
#: Whom the CRM never knows.
STRANGER = "stranger"

ARMS = {one: "treatment" if number % 2 else "control" for number, one in enumerate(PEOPLE[:480])}
#: Assigned to be contacted by ``arms``, as the guest is, and never contacted.
UNCONTACTED = PEOPLE[61]
CONTACTED = PEOPLE[0:120:2]
OURS = {one: "control" if number % 4 == 0 else "treatment" for number, one in enumerate(PEOPLE[100:300])}
HARM = {one: "control" if number % 2 == 0 else "treatment" for number, one in enumerate(PEOPLE[:400])}
UNEVEN = {one: "control" if number % 2 == 0 else "treatment" for number, one in enumerate(PEOPLE[200:400])}

#: Kinds of trouble in ``arms``, and who is in them.
DELETED, IN_BOTH_ARMS, CONTAMINATED, TOO_SOON, ANSWERED_UNASKED = (
    PEOPLE[3],
    PEOPLE[5],
    PEOPLE[8],
    PEOPLE[9],
    PEOPLE[10],
)
#: In the first, an order of the window comes three days late; in the second, one is sent back; the third's is corrected to nothing.
LATE, RETURNED, CORRECTED = PEOPLE[13], PEOPLE[15], PEOPLE[17]
#: The sender reports these of ``ours`` in the other arm.
MIXED_UP = PEOPLE[101:103]
#: Two of the control group of ``ours`` who were contacted.
OURS_CONTAMINATED = [PEOPLE[104], PEOPLE[108]]

#: As the sender lists them: starts_on, ends_on, contact_cost, fixed_cost. Each list holds until the next.
LISTED: dict[date, dict[str, tuple[date, date | None, str, str]]] = {}
LISTED[FIRST] = {
    "arms": (march(6), march(10), "0.5", "100"),
    "late_arms": (march(6), march(10), "0.5", ""),
    "no_holdout": (march(6), march(10), "0.5", "100"),
    "open_ended": (march(6), None, "0.5", ""),
    "few": (march(6), march(10), "", ""),
    "withdrawn": (march(6), march(16), "", ""),
    "moved": (march(6), march(8), "", ""),
    "over_before": (date(2024, 2, 22), date(2024, 2, 27), "", ""),
    "ours": (march(11), march(14), "9", "9"),
}
LISTED[march(9)] = LISTED[FIRST] | {"moved": (march(6), march(12), "", "")}
LISTED[march(13)] = {name: said for name, said in LISTED[march(9)].items() if name != "withdrawn"}


def campaign_file(campaign_id: str, **said: Any) -> Campaign:
    """Contacts from the 11th to the 14th, orders to the 17th, one in two held out, but for what is said."""
    return Campaign.model_validate(
        {
            "id": campaign_id,
            "name": campaign_id.title(),
            "objective": "See what it does",
            "segment": "active",
            "channel": "email",
            "starts_on": march(11),
            "ends_on": march(14),
            "measured_days": 3,
            "holdout": 0.5,
            "primary_metric": "spend",
            "currency": "USD",
            "contact_cost": Decimal("0.62"),
            "fixed_cost": Decimal(90),
            "margin": 0.28,
        }
        | said
    )


#: Launched a day after they were to start. Of ``planned`` there is only the file.
OUR_FILES = {
    "ours": campaign_file("ours", holdout=0.25, secondary_metrics=("ordered", "orders", "responded")),
    "harm": campaign_file("harm", starts_on=march(12), fixed_cost=Decimal(0), margin=None),
    "uneven": campaign_file("uneven", primary_metric="ordered", segment="men_18_25"),
}
PLANNED = campaign_file("planned", starts_on=march(25), ends_on=march(30))
LAUNCHED_ON = march(12)
ASSIGNED = {"ours": OURS, "harm": HARM, "uneven": UNEVEN}


@cache
def company() -> Company:
    dice = random.Random(SEED)
    return {
        CUSTOMERS: _customers(dice),
        ORDER_LINES: _order_lines(dice),
        PRODUCTS: {FIRST: [a_product("X", "FRUIT", "PRODUCE"), a_product("P1", "SNACKS")]},
        CAMPAIGNS: {
            day: [
                {
                    "campaign_id": name,
                    "campaign_name": name.title(),
                    "segment": "active",
                    "channel": "email",
                    "starts_on": str(starts_on),
                    "ends_on": str(ends_on or ""),
                    "contact_cost": contact_cost,
                    "fixed_cost": fixed_cost,
                }
                for name, (starts_on, ends_on, contact_cost, fixed_cost) in listed.items()
            ]
            for day, listed in LISTED.items()
        },
        CONTACTS: _contacts(),
        RESPONSES: _responses(),
    }


def drop_campaigns(home: Home) -> None:
    """The company's extracts, its campaign files, and what was drawn for ours."""
    drop_company(home, company())
    (home.path / "settings.yml").write_text(SETTINGS + "campaigns: campaign_files\n")
    folder = home.path / "campaign_files"
    folder.mkdir()
    for one in (*OUR_FILES.values(), PLANNED):
        (folder / f"{one.id}.yml").write_text(json.dumps(one.model_dump(mode="json", exclude_none=True)))
    for name, arms in ASSIGNED.items():
        _launch(home, OUR_FILES[name], arms)


def _launch(home: Home, campaign: Campaign, arms: dict[str, str]) -> None:
    sizes = [sum(arm == one for arm in arms.values()) for one in ("treatment", "control")]
    lines = "".join(f"{one},{arm}\n" for one, arm in sorted(arms.items()))
    receipt = Receipt(
        campaign=campaign.said(),
        frozen=digest(campaign.said()),
        release="2024-03-11-aaaa",
        as_of_date=LAUNCHED_ON - ONE_DAY,
        launched_on=LAUNCHED_ON,
        holdout=float(campaign.holdout),
        strata=(Stratum("all", *sizes),),
        salt="salt",
        checksum=hashlib.sha256(lines.encode()).hexdigest(),
    )
    folder = receipt_folder(home, campaign.id)
    folder.mkdir(parents=True)
    (folder / RECEIPT).write_text(receipt.text())
    with duckdb.connect() as connection:
        connection.execute("create table assignment (customer_id varchar, arm varchar, stratum varchar)")
        connection.executemany("insert into assignment values (?, ?, 'all')", sorted(arms.items()))
        connection.execute(f"copy assignment to '{folder / ASSIGNMENT}' (format parquet)")


# ---- the extracts ----


def _daily(extracts: dict[date, list[Row]]) -> dict[date, list[Row]]:
    return {day: extracts.get(day, []) for day in DAYS}


def _customers(dice: random.Random) -> dict[date, list[Row]]:
    people = [
        customer(
            one,
            gender=dice.choice(["male", "female", "other", ""]),
            birth_date=str(date(dice.randint(1940, 2007), dice.randint(1, 12), dice.randint(1, 28))),
            preferred_channel=dice.choice(["email", "sms", "post", "push"]),
            household_size=str(dice.randint(1, 6)),
            email_opt_in=dice.choice(["true", "false"]),
        )
        for one in PEOPLE
    ]
    deleted = next(row for row in people if row["customer_id"] == DELETED) | {"is_deleted": "true"}
    return _daily({FIRST: people, march(8): [deleted], march(9): [customer(GUEST)]})


def _order_lines(dice: random.Random) -> dict[date, list[Row]]:
    """Who orders much goes on to, so that the time before tells of the window. Those to whom ``harm`` is done hardly order any more."""
    extracts: dict[date, list[Row]] = {day: [] for day in DAYS}
    for number, one in enumerate([*PEOPLE, GUEST, STRANGER]):
        if one in NEVER_BOUGHT:
            continue
        rate, size = dice.uniform(0.25, 0.75), dice.lognormvariate(3, 0.5)
        day = FIRST_ORDERED_ON
        while day <= LAST:
            is_harmed = LAUNCHED_ON <= day <= march(17) and HARM.get(one) == "treatment"
            if dice.random() < rate * (0.1 if is_harmed else 1):
                amount = round(size * dice.lognormvariate(0, 0.8), 2)
                for line in range(dice.choice([1, 1, 2])):
                    extracts[max(day, FIRST)].append(
                        bought(
                            one,
                            f"{number}-{day}-{line}",
                            day,
                            time(dice.randint(0, 23), dice.randint(0, 59)),
                            order_id=f"{number}-{day}-{dice.randint(0, line)}",
                            amount=f"{amount:.2f}",
                            product_id=dice.choice(["X", "P1"]),
                        )
                    )
            day += ONE_DAY
    extracts[FIRST].append(bought(PEOPLE[480], "the-first-of-all", FIRST_ORDERED_ON, time(12)))
    extracts[march(6)] += [
        bought(PEOPLE[1], "the-second-before", march(5), time(23, 59, 59), amount="1000.00"),
        bought(PEOPLE[1], "the-first-second", march(6), time(0), amount="2000.00"),
        bought(CORRECTED, "corrected", march(6), time(12), amount="900.00"),
    ]
    extracts[march(8)].append(bought(CORRECTED, "corrected", march(6), time(12), amount="0.00", quantity="0"))
    extracts[march(9)].append(
        bought(RETURNED, "returned", march(9), time(15), amount="-250.00", quantity="-1", order_id="the-returned")
    )
    extracts[march(11)] += [
        bought(PEOPLE[1], "the-last-second", march(10), time(23, 59, 59), amount="4000.00"),
        bought(PEOPLE[1], "the-second-after", march(11), time(0), amount="8000.00"),
        bought(LATE, "late", march(8), time(12), amount="700.00"),
    ]
    # From then on there is twice as long a time before.
    extracts[march(18)].append(bought(PEOPLE[481], "from-the-archives", date(2024, 1, 20), time(12)))
    return extracts


def bought(customer_id: str, line: str, day: date, at: time, **said: Any) -> Row:
    """An order line by the clock of the shop."""
    moment = datetime.combine(day, at, ZONE).astimezone(UTC)
    return order_line(line, **{"customer_id": customer_id, "ordered_at": f"{moment:%Y-%m-%d %H:%M:%S}"} | said)


def _contacts() -> dict[date, list[Row]]:
    extracts: dict[date, list[Row]] = {day: [] for day in DAYS}

    def report(
        on: date, campaign: str, customers: Iterable[str], arm: str = "", contacted_on: date | None = None
    ) -> None:
        extracts[on] += [
            {"campaign_id": campaign, "customer_id": one, "arm": arm, "contacted_on": str(contacted_on or "")}
            for one in customers
        ]

    for one, arm in {**ARMS, GUEST: "treatment"}.items():
        report(march(5), "arms", [one], arm)
    treated = [one for one, arm in ARMS.items() if arm == "treatment" and one != TOO_SOON]
    report(march(5), "over_before", PEOPLE[400:450], contacted_on=date(2024, 2, 22))
    report(march(6), "arms", [TOO_SOON], "treatment", march(5))
    report(march(6), "arms", [one for one in treated if one != UNCONTACTED], "treatment", march(6))
    report(march(6), "arms", [STRANGER], "treatment", march(6))
    report(march(8), "arms", [IN_BOTH_ARMS], "control")
    report(march(9), "arms", [CONTAMINATED], "control", march(9))
    # The arms of these come on the 8th (one of them) and on the 9th (the other).
    report(march(6), "late_arms", PEOPLE[::3])
    report(march(7), "late_arms", PEOPLE[::6], contacted_on=march(7))
    report(march(8), "late_arms", PEOPLE[::6], "treatment", march(7))
    report(march(9), "late_arms", PEOPLE[3::6], "control")
    # One contact is planned on the 7th and made on the 9th.
    report(march(6), "no_holdout", CONTACTED[:40], contacted_on=march(6))
    report(march(7), "no_holdout", CONTACTED[40:-1], contacted_on=march(7))
    report(march(7), "no_holdout", CONTACTED[-1:], contacted_on=march(9))
    report(march(7), "no_holdout", [GUEST], contacted_on=march(7))
    for name in ("open_ended", "withdrawn", "moved"):
        report(march(6), name, PEOPLE[1:120:2], contacted_on=march(6))
    report(march(6), "few", PEOPLE[:10], contacted_on=march(6))
    for name, drawn in ASSIGNED.items():
        others = {"treatment": "control", "control": "treatment"}
        for one, arm in drawn.items():
            if name == "uneven" and arm == "treatment" and one > PEOPLE[300]:
                continue
            said = others[arm] if name == "ours" and one in MIXED_UP else arm
            is_contacted = said == "treatment" or (name == "ours" and one in OURS_CONTAMINATED)
            report(march(13), name, [one], said, march(12) if is_contacted else None)
    return extracts


def _responses() -> dict[date, list[Row]]:
    def answer(campaign: str, one: str, day: date, response: str, at: time = time(12)) -> Row:
        moment = datetime.combine(day, at, ZONE).astimezone(UTC)
        return {
            "campaign_id": campaign,
            "customer_id": one,
            "response": response,
            "responded_at": f"{moment:%Y-%m-%d %H:%M:%S}",
        }

    return _daily(
        {
            march(6): [answer("arms", one, march(6), "click") for one in PEOPLE[21:101:2]],
            march(8): [
                *(answer("arms", one, march(7), "redeem", time(23, 30)) for one in PEOPLE[41:161:2]),
                *(answer("arms", one, march(8), "open") for one in PEOPLE[200:220]),
                *(answer("arms", one, march(8), "click") for one in PEOPLE[102:130:2]),
                answer("arms", ANSWERED_UNASKED, march(8), "redeem"),
            ],
            march(11): [answer("arms", one, march(11), "redeem") for one in PEOPLE[301:321:2]],
            march(13): [answer("ours", one, march(13), "click") for one in PEOPLE[105:180] if OURS[one] == "treatment"],
        }
    )
