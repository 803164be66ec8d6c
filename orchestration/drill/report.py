"""The drill as Markdown: the part of a page that is written anew by each drill. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from orchestration.drill.drill import CleanNights, Control, Drill
from orchestration.drill.outcomes import Outcome
from orchestration.errors import ConfigurationError

#: The page's own words end here; the last drill begins.
HEADING = "## The last drill"

#: How many rules a row shows; the others are counted.
RULES_SHOWN = 2

FAULT_COLUMNS = ("fault", "verdict", "by", "held", "needless", "published wrong", "stopped", "hours lost")


def write_page(page: Path, drilled: Drill) -> None:
    """Puts the drill into a Markdown page, in the place of the one before. Raises as ``words_of`` does."""
    words = words_of(page)
    unfinished = page.with_name(f".{page.name}.partial")
    unfinished.write_text(f"{words}\n{as_markdown(drilled)}", encoding="utf-8")
    unfinished.replace(page)


def words_of(page: Path) -> str:
    """What a page says before the last drill. Raises ConfigurationError where it is not there or has not the heading."""
    text = page.read_text(encoding="utf-8") if page.is_file() else ""
    words, heading, _ = text.partition(f"\n{HEADING}\n")
    if not heading:
        raise ConfigurationError(f"{page} has no line `{HEADING}` below which the drill could be written.")
    return words


def as_markdown(drilled: Drill) -> str:
    """The section of the last drill: the sum, the faults, the controls and the clean nights."""
    parts = [
        HEADING,
        said_in_short(drilled),
        _table(FAULT_COLUMNS, (fault_row(outcome) for outcome in drilled.faults)),
        "### Nights without a fault",
        _table(
            ("night", "held", "because"),
            [_control_row(drilled, control) for control in drilled.controls] + list(_false_holds(drilled.clean)),
        ),
    ]
    return "\n\n".join(parts) + "\n"


def said_in_short(drilled: Drill) -> str:
    """One paragraph: how many were caught, at what price, and how quiet the clean nights were."""
    total, clean = drilled.summary, drilled.clean
    sentences = [
        f"On the night of {drilled.as_of_date}: {total.caught} of {total.faults} faults caught, {total.missed} missed, "
        f"{total.harmless} without effect.",
        f"{total.stopped} stopped everything, {total.stopped_where_a_part_would_do} of them where a part would have done.",
        f"{total.needless} segments were held that need not have been; {total.hours_lost} hours of data were lost in all.",
    ]
    if clean.nights:
        sentences.append(
            f"In {clean.nights} clean nights before it {clean.segment_nights_held} of {clean.segment_nights:,} "
            f"segment-nights were held, in {len(clean.false_holds)} night{'' if len(clean.false_holds) == 1 else 's'}."
        )
    return " ".join(sentences)


def fault_row(outcome: Outcome) -> tuple[str, ...]:
    """One fault as the cells of ``FAULT_COLUMNS``."""
    shown, more = outcome.rules[:RULES_SHOWN], len(outcome.rules) - RULES_SHOWN
    stopped = ("yes, a part would do" if outcome.a_part_would_do else "yes") if outcome.stopped else ""
    return (
        outcome.fault,
        outcome.verdict,
        ", ".join(shown) + (f" and {more} more" if more > 0 else ""),
        str(len(outcome.held)),
        str(len(outcome.needless)),
        str(len(outcome.published_wrong)),
        stopped,
        str(outcome.hours_lost),
    )


def _control_row(drilled: Drill, control: Control) -> tuple[str, ...]:
    return (f"{drilled.as_of_date}: {control.what}", str(len(control.held)), "; ".join(control.said))


def _false_holds(clean: CleanNights) -> Iterable[tuple[str, ...]]:
    for hold in clean.false_holds:
        yield str(hold.as_of_date), str(len(hold.held)), "; ".join(hold.said)


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)
