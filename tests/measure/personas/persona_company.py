"""A company of 260 customers in three days, with campaigns by e-mail and by post, and with everything that changes what is known of a customer."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

from orchestration.personas.files import Persona
from tests.builders import CUSTOMERS, ORDER_LINES, PRODUCTS, Company, Row, customer, order_line, product

DAYS = [date(2024, 3, 9), date(2024, 3, 10), date(2024, 3, 11)]
FIRST, SECOND, THIRD = DAYS
CAMPAIGNS, CONTACTS, RESPONSES = "crm/campaigns", "crm/campaign_contacts", "crm/campaign_responses"
PEOPLE = [f"C{number:03}" for number in range(260)]
GOODS = ["COFFEE", "MILK", "NAPKINS", "UNLISTED"]


def persona(name: str, /, **said: Any) -> Persona:
    """A good persona of those aged 65 and over, but for what is said."""
    return Persona.model_validate(words(**said) | {"id": name})


def words(**said: Any) -> dict[str, Any]:
    """What the file of a good persona says, but for what is said."""
    return {
        "name": "Walter",
        "archetype": "A regular",
        "status": "active",
        "owner": "service team",
        "review_by": date(2025, 1, 1),
        "segments": [{"id": "aged_65_and_over", "role": "evidence"}],
        "needs": ["Small packs"],
        "pain_points": [{"text": "Large packs", "moment": "at the shelf", "severity": "low"}],
        "motivations": ["A chat"],
        "expectations": ["A letter"],
        "jobs_to_be_done": ["When the week is quiet, shop"],
        "tone": "Polite",
        "value_proposition": "He is greeted",
        "claims": [{"id": "chats", "text": "Chats", "kind": "assumed", "settled_by": "Asking"}],
    } | said


def observed(name: str, measure: dict[str, Any], /, **said: Any) -> dict[str, Any]:
    return {"id": name, "text": name, "kind": "observed", "measure": measure, "tolerance": 0.1} | said


@cache
def company() -> Company:
    dice = random.Random(20240309)
    people = [_person(number) for number in range(len(PEOPLE))]
    return {
        CUSTOMERS: {
            FIRST: people,
            SECOND: [
                people[4] | {"is_deleted": "true"},
                people[8] | {"birth_date": "2000-01-01"},
                people[9] | {"gender": "", "email_opt_in": "true"},
                people[12] | {"household_size": "5"},
            ],
            THIRD: [people[4], people[16] | {"is_deleted": "true"}, people[21] | {"interests": "cooking"}],
        },
        ORDER_LINES: {
            FIRST: [line for number in range(len(PEOPLE)) for line in _past_of(dice, number)],
            SECOND: [
                _line("C000-0-0", 0, datetime(2024, 3, 1, 12, tzinfo=UTC), amount="0.50", product_id="MILK"),
                _line("late", 24, datetime(2024, 2, 1, 12, tzinfo=UTC), amount="80.00", product_id="COFFEE"),
                _line("back", 28, datetime(2024, 3, 10, 12, tzinfo=UTC), quantity="-1", amount="-30.00"),
                # One second before midnight in New York, on the day that its clocks go forward.
                _line("midnight", 32, datetime(2024, 3, 11, 3, 59, 59, tzinfo=UTC), product_id="COFFEE"),
            ],
            THIRD: [
                _line(
                    f"new-{number}",
                    number,
                    datetime(2024, 3, 11, 15, tzinfo=UTC),
                    amount=f"{number}.00",
                    product_id="MILK",
                )
                for number in range(0, 260, 3)
            ],
        },
        PRODUCTS: {
            FIRST: [product("COFFEE", "COFFEE"), product("MILK", "MILK", "DAIRY"), product("NAPKINS", "PAPER")],
            THIRD: [product("COFFEE", "COFFEE"), product("MILK", "CREAM", "DAIRY"), product("NAPKINS", "PAPER")],
        },
        CAMPAIGNS: {
            FIRST: [_campaign("mail", "email"), _campaign("letter", "post"), _campaign("moved", "email")],
            THIRD: [_campaign("mail", "email"), _campaign("letter", "post"), _campaign("moved", "sms")],
        },
        CONTACTS: {
            FIRST: [_contact("mail", number, date(2024, 1, 9 + number % 20)) for number in range(0, 200)]
            + [_contact("letter", number, date(2024, 2, 5)) for number in range(60, 260)]
            + [_contact("moved", number, date(2024, 2, 20)) for number in range(0, 260, 2)],
            SECOND: [_contact("mail", number, SECOND) for number in range(190, 210)],
        },
        RESPONSES: {
            FIRST: [_answer("mail", number, "click") for number in range(0, 200, 4)]
            + [_answer("mail", number, "open") for number in range(1, 200, 4)]
            + [_answer("letter", number, "redeem") for number in range(60, 260, 7)],
            THIRD: [_answer("letter", number, "redeem") for number in range(61, 260, 9)]
            + [_answer("moved", number, "click") for number in range(0, 260, 8)],
        },
    }


def _person(number: int) -> Row:
    return customer(
        PEOPLE[number],
        gender=("male", "female", "", "other")[number % 3],
        birth_date=""
        if number == 250
        else str(date(1935 + number % 20 if number % 4 == 0 else 1975 + number % 15, 1 + number % 12, 1 + number % 28)),
        preferred_channel=("email", "sms", "post", "push", "")[number % 5],
        email_opt_in=("true", "false", "")[number % 3],
        interests=("cooking", "", "baking;parenting", "wine;cooking")[number % 4 if number % 8 else 3],
        household_size="" if number % 17 == 3 else str(1 + number % 5),
    )


def _past_of(dice: random.Random, number: int) -> list[Row]:
    lines = []
    for visit in range(dice.randrange(0, 4 + number % 12)):
        at = datetime(2024, 3, 9, 16, tzinfo=UTC) - timedelta(days=dice.randrange(0, 150), hours=dice.randrange(0, 9))
        for item in range(1 + dice.randrange(3)):
            lines.append(
                _line(
                    f"{PEOPLE[number]}-{visit}-{item}",
                    number,
                    at,
                    order_id=f"{PEOPLE[number]}-{visit}",
                    product_id=dice.choice(GOODS),
                    amount=f"{dice.lognormvariate(2, 1):.2f}",
                    discount=f"{dice.choice([0, 0, 0.4, 1.25]):.2f}",
                )
            )
    return lines


def _line(name: str, number: int, at: datetime, **said: Any) -> Row:
    return order_line(name, **{"customer_id": PEOPLE[number], "ordered_at": at.strftime("%Y-%m-%d %H:%M:%S")} | said)


def _campaign(name: str, channel: str) -> Row:
    return {
        "campaign_id": name,
        "campaign_name": name.title(),
        "segment": "",
        "channel": channel,
        "starts_on": "2024-01-09",
        "ends_on": "2024-03-20",
    }


def _contact(campaign: str, number: int, on: date) -> Row:
    return {"campaign_id": campaign, "customer_id": PEOPLE[number], "contacted_on": str(on)}


def _answer(campaign: str, number: int, response: str) -> Row:
    return {
        "campaign_id": campaign,
        "customer_id": PEOPLE[number],
        "response": response,
        "responded_at": "2024-03-08 12:00:00",
    }
