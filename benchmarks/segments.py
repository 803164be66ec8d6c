"""Adds made-up segments to a copy of the dbt project, until it has as many as the benchmark asks for.

Each is what a marketer might ask for and has its two files and its line in the list, as any segment has.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import yaml

from benchmarks.company import DEPARTMENTS, INCOME_BANDS, INTERESTS, REGIONS

MEMBERSHIP = Path("models/metrics/segment_membership.sql")
TEMPLATE = Path("models/segments/men_18_25.yml")

CATEGORIES = [category for names in DEPARTMENTS.values() for category in names]
CHANNELS = ("email", "sms", "post", "push")
STAGES = ("never_bought", "new", "won_back", "active", "at_risk", "lapsed")


def _of(choices: Sequence[str | int], n: int) -> str | int:
    return choices[n % len(choices)]


#: Conditions over ``dim_customers``, each a family of rules of one kind; the number makes them differ.
CONDITIONS: list[Callable[[int], str]] = [
    lambda n: f"gender = '{_of(('female', 'male'), n)}'\n    and age between {18 + 5 * n % 50} and {27 + 5 * n % 50}",
    lambda n: f"region = '{_of(REGIONS, n)}'\n    and is_contactable_by_email",
    lambda n: f"orders_last_90_days >= {1 + n % 4}\n    and spend_last_90_days > {40 + 30 * n}",
    lambda n: f"favourite_department = '{_of(list(DEPARTMENTS), n)}'\n    and spend_last_365_days >= {50 + 25 * n}",
    lambda n: (
        f"{{{{ bought(category='{_of(CATEGORIES, 3 * n + 1)}', within='{_of((1, 3, 6), n)} months') }}}}\n    and spend_lifetime > {20 * n}"
    ),
    lambda n: (
        f"spend_percentile >= {50 + 9 * n % 45}\n    and days_since_last_order between {20 + 10 * n} and {60 + 20 * n}"
    ),
    lambda n: f"{{{{ interested_in('{_of(INTERESTS, n)}') }}}}\n    and preferred_channel = '{_of(CHANNELS, n)}'",
    lambda n: f"returned_lines_lifetime >= {1 + n % 3}\n    and orders_lifetime >= {3 + n}",
    lambda n: f"income_band = '{_of(INCOME_BANDS, n)}'\n    and household_size >= {1 + n % 4}",
    lambda n: f"average_order_last_365_days between {10 + 10 * n} and {40 + 15 * n}",
    lambda n: f"days_since_sign_up < {60 + 60 * n}\n    and orders_lifetime >= {1 + n % 3}",
    lambda n: f"discount_share_last_365_days >= 0.{5 + n:02}\n    and {{{{ member_of('frequent_buyers') }}}}",
    lambda n: f"days_until_birthday <= {5 + 7 * n}\n    and {_of(('sms_opt_in', 'push_opt_in', 'post_opt_in'), n)}",
    lambda n: f"lifecycle_stage = '{_of(STAGES, n)}'\n    and region in ('{_of(REGIONS, n)}', '{_of(REGIONS, n + 3)}')",
    lambda n: f"spend_last_30_days > {1 + n % 3} * spend_last_180_days / 6\n    and orders_last_30_days > 1",
    lambda n: f"favourite_category in ('{_of(CATEGORIES, n)}', '{_of(CATEGORIES, n + 7)}')\n    and not email_opt_in",
    lambda n: (
        f"{{{{ bought(category='{_of(CATEGORIES, 5 * n)}', within='12 months') }}}}\n"
        f"    and not {{{{ bought(category='{_of(CATEGORIES, 5 * n)}', within='3 months') }}}}"
    ),
]


def add_segments(project_dir: Path, wanted: int) -> int:
    """Writes segments into the copied project until there are ``wanted``; says how many there are then (never fewer than shipped)."""
    shipped = len(list((project_dir / "models" / "segments").glob("*.sql")))
    words = yaml.safe_load((project_dir / TEMPLATE).read_text())["models"][0]
    words.pop("unit_tests", None)
    names = []
    for n in range(wanted - shipped):
        name = f"made_up_{n + 1:03}"
        condition = CONDITIONS[n % len(CONDITIONS)](n // len(CONDITIONS))
        folder = project_dir / "models" / "segments"
        (folder / f"{name}.sql").write_text(
            f"select as_of_date, customer_id\nfrom {{{{ ref('dim_customers') }}}}\nwhere {condition}\n"
        )
        meta = words["config"]["meta"] | {"label": f"Made up, number {n + 1}", "objective": "Measure"}
        described = {
            "name": name,
            "description": f"Made-up segment number {n + 1} of the benchmark. One row per member and as-of date.",
            "config": words["config"] | {"meta": meta},
        }
        (folder / f"{name}.yml").write_text(yaml.safe_dump({"models": [words | described]}, sort_keys=False))
        names.append(name)
    membership = project_dir / MEMBERSHIP
    lines = "".join(f"    '{name}',\n" for name in names)
    membership.write_text(re.sub(r"(set segments = \[\n)", rf"\g<1>{lines}", membership.read_text(), count=1))
    return shipped + len(names)
