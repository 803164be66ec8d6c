"""How figures and days are written: thousands apart, days in ISO form, nothing known as a dash."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

UNKNOWN = "–"


def number(value: float | Decimal | None, decimals: int = 0) -> str:
    # A nought has no sign.
    return UNKNOWN if value is None else f"{round(float(value), decimals) + 0.0:,.{decimals}f}"


def signed(value: float | None, decimals: int = 0) -> str:
    return UNKNOWN if value is None else f"{value:+,.{decimals}f}"


def share(value: float | None) -> str:
    """Of a share between 0 and 1."""
    return UNKNOWN if value is None else "<0.1%" if 0 < value < 0.0005 else f"{value:.1%}"


def day(value: date | None) -> str:
    return UNKNOWN if value is None else value.isoformat()


def moment(value: str) -> str:
    """Of a time in ISO 8601, to the minute."""
    return datetime.fromisoformat(value).strftime("%Y-%m-%d %H:%M UTC")


def counted(count: int, one: str, many: str) -> str:
    """``1 customer``, ``1,200 customers``."""
    return f"{count:,} {one if count == 1 else many}"
