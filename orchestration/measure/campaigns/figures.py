"""A figure of a campaign with its interval, and how one is written for people: with its unit, and no more digits than it deserves. What the figures mean is not
said here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

#: Figures that are only foreseen have two digits that mean something.
DIGITS = 2


@dataclass(frozen=True)
class Range:
    """A figure and the 95 % interval around it, where there is one."""

    expected: float
    lower: float | None = None
    upper: float | None = None

    def times(self, factor: float) -> Range:
        """Each of the three times the factor: below nought, ``lower`` is what comes of the lower lift, and not the lower figure."""
        return self._each(lambda figure: factor * figure)

    def plus(self, sum_: float) -> Range:
        return self._each(lambda figure: figure + sum_)

    def _each(self, change: Callable[[float], float]) -> Range:
        lower, upper = (None if end is None else change(end) for end in (self.lower, self.upper))
        return Range(change(self.expected), lower, upper)


def ranged(expected: float | None, lower: float | None = None, upper: float | None = None) -> Range | None:
    return None if expected is None else Range(expected, lower, upper)


def count(customers: float) -> str:
    """1,240"""
    return f"{customers:,.0f}"


def money(amount: float, currency: str) -> str:
    """A sum that is known: 1,240 USD, 40.85 USD; 1,240 where the currency is not."""
    return f"{_unsigned(f'{amount:,.0f}' if abs(amount) >= 100 else f'{amount:,.2f}')} {currency}".rstrip()


def about(amount: float, currency: str) -> str:
    """A sum that is foreseen or estimated: 1,200 USD."""
    return f"{_unsigned(f'{rounded(amount):,.{_places(amount)}f}')} {currency}".rstrip()


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


def in_unit(figure: Range | None, unit: str) -> str:
    """A figure with its interval, of shares as 10 % (5 % to 15 %), of money and customers as 1,240 (900 to 1,500); a dash where there is none."""
    if figure is None:
        return "-"
    written = percent if unit == "share" else count
    if figure.lower is None or figure.upper is None:
        return written(figure.expected)
    return f"{written(figure.expected)} ({written(figure.lower)} to {written(figure.upper)})"


def several(customers: float, word: str) -> str:
    """1 buyer, 2 buyers."""
    return f"{count(customers)} {word}" + ("" if round(customers) == 1 else "s")


def signed(metric: str, figure: float, currency: str) -> str:
    """A difference in a metric: +4.00 EUR, -3.1 points."""
    if metric == "spend":
        return f"{plus(figure)}{money(figure, currency)}"
    if metric in ("ordered", "responded"):
        return f"{plus(figure)}{100 * figure:.1f} points"
    return f"{plus(figure)}{figure:.2f}"


def signed_percent(share: float) -> str:
    """+10 %, -3.1 %"""
    return f"{plus(share)}{percent(share)}"


def plus(figure: float) -> str:
    return "+" if figure > 0 else ""


def as_sentence(said: str) -> str:
    """With a capital letter and one full stop."""
    return f"{said[:1].upper()}{said[1:].rstrip('.')}."


def _places(amount: float) -> int:
    return 0 if abs(amount) >= 10 or not amount else 2


def _unsigned(text: str) -> str:
    """Nought has no sign."""
    return text.removeprefix("-") if not text.strip("-0.,") else text
