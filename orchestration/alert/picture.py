"""The picture of a series: what was observed, what was expected, and between which bounds. Drawn without pyplot, whose state
all would share.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from orchestration.alert.notice import Series

OBSERVED, EXPECTED = "#1f4e79", "#8c8c8c"


def draw(series: Series, title: str) -> bytes:
    """A PNG of 800 by 350 pixels, in which a day without a figure is a gap."""
    figure = Figure(figsize=(8, 3.5), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    days: Any = series.days  # matplotlib takes dates, and says it does not
    axes.fill_between(
        days, _numbers(series.lower), _numbers(series.upper), color=EXPECTED, alpha=0.25, lw=0, label="as usual"
    )
    axes.plot(days, _numbers(series.expected), color=EXPECTED, lw=1, ls="--", label="expected")
    axes.plot(days, _numbers(series.observed), color=OBSERVED, lw=1.8, label="observed")
    axes.plot(days[-1:], _numbers(series.observed[-1:]), "o", color="#c0392b", ms=6)
    axes.set_title(title, loc="left", fontsize=10, parse_math=False)
    axes.tick_params(labelsize=8)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, min_n_ticks=1))
    axes.grid(axis="y", alpha=0.3, lw=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="best", fontsize=8, frameon=False, ncols=3)
    written = io.BytesIO()
    figure.savefig(written, format="png")
    return written.getvalue()


def _numbers(values: Sequence[float | None]) -> list[float]:
    return [math.nan if value is None else float(value) for value in values]
