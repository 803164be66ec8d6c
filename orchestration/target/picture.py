"""The picture of a campaign: its effect by the end of each day, with the bands in which it may lie. Drawn without pyplot, whose state all would share;
the same figures give the same file to the byte.
"""

from __future__ import annotations

import io
import math
from datetime import date
from pathlib import Path
from typing import Any, Literal

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from orchestration.errors import ConfigurationError
from orchestration.measure.campaigns.figures import signed
from orchestration.target.outcome import Outcome, drawn_between
from orchestration.target.outcome_in_words import title_of

EFFECT, ANYTIME, QUIET = "#1f4e79", "#b8c4d0", "#555555"

AXIS = {
    "spend": "{currency} per customer, from the start to the day",
    "orders": "orders per customer, from the start to the day",
    "ordered": "customers with an order, from the start to the day",
    "responded": "customers who responded, from the start to the day",
}


def write_picture(outcome: Outcome, file: Path) -> bool:
    """Draws the outcome into a file, ``.svg`` or ``.png``; gives whether there was anything to draw. Raises ConfigurationError where it is another kind."""
    kind = file.suffix.lower().lstrip(".")
    if kind not in ("svg", "png"):
        raise ConfigurationError(f"{file} is neither .svg nor .png: name the picture so.")
    if not file.parent.is_dir():
        raise ConfigurationError(f"There is no folder {file.parent} to draw {file.name} into.")
    is_drawn = any(row.lift is not None for row in outcome.days)
    if is_drawn:
        file.write_bytes(draw(outcome, kind))
    return is_drawn


def draw(outcome: Outcome, kind: str) -> bytes:
    """The picture, 800 by 400 points, as ``svg`` or ``png``."""
    with mpl.rc_context(
        {"svg.hashsalt": outcome.known.campaign_id, "svg.fonttype": "none", "font.family": "sans-serif"}
    ):
        figure = Figure(figsize=(8, 4), dpi=100, layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        _bands(axes, outcome)
        _frame(axes, outcome)
        axes.set_title(title_of(outcome), loc="left", fontsize=12, pad=22, parse_math=False)
        _words(axes, outcome)
        written = io.BytesIO()
        figure.savefig(written, format=kind, metadata={"Date": None} if kind == "svg" else {"Software": None})
    return written.getvalue()


def _bands(axes: Axes, outcome: Outcome) -> None:
    rows = outcome.days
    days: Any = [row.as_of_date for row in rows]  # matplotlib takes dates, and says it does not
    if any(row.lower_anytime is not None for row in rows):
        lower, upper = _numbers(row.lower_anytime for row in rows), _numbers(row.upper_anytime for row in rows)
        axes.fill_between(days, lower, upper, color=ANYTIME, alpha=0.45, lw=0, label="holds however often one looks")
    lower, upper = _numbers(row.lower for row in rows), _numbers(row.upper for row in rows)
    axes.fill_between(days, lower, upper, color=EFFECT, alpha=0.25, lw=0, label="95 %, for one look")
    difference = "difference" if outcome.is_randomised else "difference of changes"
    label = "effect" if rows[-1].may_be_claimed else difference
    axes.plot(days, _numbers(row.lift for row in rows), color=EFFECT, lw=2, label=label)
    last = next(row for row in reversed(rows) if row.lift is not None)
    at: Any = [last.as_of_date]
    axes.plot(at, [last.lift or 0.0], "o", color=EFFECT, ms=6)
    axes.annotate(
        signed(last.metric, last.lift or 0.0, outcome.currency),
        (at[0], last.lift or 0.0),
        xytext=(8, 0),
        textcoords="offset points",
        va="center",
        fontsize=9,
        color=EFFECT,
        parse_math=False,
    )
    axes.set_ylim(*drawn_between(rows))


def _frame(axes: Axes, outcome: Outcome) -> None:
    axes.axhline(0, color="black", lw=0.9)
    known, rows = outcome.known, outcome.days
    first, last = rows[0].as_of_date, rows[-1].as_of_date
    planned = known.measured_until
    if known.ends_on and first <= known.ends_on <= last and known.ends_on != planned:
        _mark(axes, known.ends_on, "last contacts", "right")
    if planned and (planned - first).days < 3 * max(28, (last - first).days):
        _mark(axes, planned, "planned end", "left")
        last = max(last, planned)
    left, right = mpl.dates.date2num(first), mpl.dates.date2num(last)  # type: ignore[no-untyped-call]
    room = 0.03 * max(1.0, right - left)
    axes.set_xlim(left - room, right + room)


def _mark(axes: Axes, day: date, word: str, side: Literal["left", "right"]) -> None:
    """A line on a day, with its word on that side of it."""
    at: Any = day
    axes.axvline(at, color=QUIET, lw=0.9, ls=(0, (4, 3)))
    axes.annotate(
        word,
        (at, 0.02),
        xycoords=("data", "axes fraction"),
        xytext=(-4 if side == "left" else 4, 0),
        textcoords="offset points",
        ha="right" if side == "left" else "left",
        fontsize=8,
        color=QUIET,
    )


def _words(axes: Axes, outcome: Outcome) -> None:
    metric = outcome.days[-1].metric
    axes.set_ylabel(AXIS[metric].format(currency=outcome.currency), fontsize=9)
    axes.tick_params(labelsize=8)
    locator = AutoDateLocator(minticks=3, maxticks=8)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    axes.yaxis.set_major_locator(MaxNLocator(nbins=6, min_n_ticks=1))
    if metric in ("ordered", "responded"):
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, symbol=" %"))
    axes.grid(axis="y", alpha=0.3, lw=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0, fontsize=8, frameon=False, ncols=3)


def _numbers(values: Any) -> list[float]:
    return [math.nan if value is None else float(value) for value in values]
