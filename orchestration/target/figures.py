"""How a figure of a campaign is written for people: with its unit, and no more digits than it deserves. What the figures mean is not said here."""

from __future__ import annotations

import math

#: Figures that are only foreseen have two digits that mean something.
DIGITS = 2


def count(customers: float) -> str:
    """1,240"""
    return f"{customers:,.0f}"


def money(amount: float, currency: str) -> str:
    """A sum that is known: 1,240 USD, 40.85 USD."""
    return f"{_unsigned(f'{amount:,.0f}' if abs(amount) >= 100 else f'{amount:,.2f}')} {currency}"


def about(amount: float, currency: str) -> str:
    """A sum that is foreseen or estimated: 1,200 USD."""
    return f"{_unsigned(f'{rounded(amount):,.{_places(amount)}f}')} {currency}"


def percent(share: float) -> str:
    """9 %, 0.4 %, 1,200 %: whole from 10 % on, and two digits from 1,000 % on."""
    if abs(share) >= 10:
        share = rounded(share)
    if share and abs(share) < 0.0005:
        return "under 0.1 %"
    text = f"{100 * share:,.0f}" if abs(share) >= 0.0995 else f"{100 * share:.1f}".removesuffix(".0")
    return f"{_unsigned(text)} %"


def rounded(figure: float) -> float:
    """The figure with two significant digits."""
    if not figure:
        return 0.0
    return round(figure, DIGITS - 1 - math.floor(math.log10(abs(figure))))


def several(customers: float, word: str) -> str:
    """1 buyer, 2 buyers."""
    return f"{count(customers)} {word}" + ("" if round(customers) == 1 else "s")


def _places(amount: float) -> int:
    return 0 if abs(amount) >= 10 or not amount else 2


def _unsigned(text: str) -> str:
    """Nought has no sign."""
    return text.removeprefix("-") if not text.strip("-0.,") else text
