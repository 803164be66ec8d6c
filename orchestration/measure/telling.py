"""The sentence of an alert: what moved, what was to be expected, why, and what the inputs did. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import duckdb
import pandas as pd

from orchestration.measure.episodes import QUIET_DAYS, Line, Verdict
from orchestration.measure.reasons import INPUTS_NAMED, reasons_of, unusual_inputs
from orchestration.measure.shifts import SCALE_DAYS, WEEKLY

#: Segments that were counted and are defined no more, each with the day after its last and its last size.
RETIRED = """
select segment, max(as_of_date) + 1, arg_max(members, as_of_date)
from metrics.segment_counts_daily
where segment not in (select segment from refresh.definitions)
group by segment
"""

#: What a figure was, by measure, and what was to be expected of it.
SEEN = {
    "members": "{observed:,.0f} members",
    "entered": "{observed:,.0f} entered",
    "exited": "{observed:,.0f} left",
    "share": "{observed:.1%} of the {whole}",
}
EXPECTED = {"share": "expected {lower:.1%}–{upper:.1%}"}
EXPECTED_COUNT = "expected {lower:,.0f}–{upper:,.0f}"
NOUNS = {"members": "size", "entered": "entries", "exited": "exits", "share": "share"}
#: Events are added up over days; members and shares are the same ones every day.
ADDED_UP = {"entered", "exited"}

OVER = """
select {total}(observed), sum(expected)
from metrics.segment_expectations
where segment = $segment and measure = $measure and as_of_date > $before and as_of_date <= $day and expected is not null
"""


class Telling:
    """Puts lines of the ledger into words, from the tables of the warehouse."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        rows = connection.execute("select segment, raw_columns, scheme from refresh.definitions").fetchall()
        self._raw_columns = {segment: raw_columns for segment, raw_columns, _ in rows}
        self._wholes = {segment: scheme or "base" for segment, _, scheme in rows}

    def message(self, line: Line) -> str:
        """The sentence of a line; empty while an episode continues."""
        if line.state == "continuing":
            return ""
        said = self._of_segment(line, line.verdict.segment) if line.verdict.segment else self._of_everything(line)
        return f"It got worse: {said}" if line.state == "worse" else said

    def redefined(self, anew: pd.DataFrame) -> Iterator[tuple[str, date, str]]:
        """Each segment whose definition changed, with the day and the sentence."""
        for row in anew.itertuples():
            day = pd.Timestamp(row.as_of_date).date()
            why = reasons_of(self._connection, row.segment, day, day - timedelta(1), self._raw_columns[row.segment])
            yield row.segment, day, f"{row.segment} {why.moved}, defined anew{why.because()}"

    def retired(self) -> Iterator[tuple[str, date, str]]:
        """Each segment that is defined no more, with the day after its last and the sentence."""
        for segment, day, members in self._connection.execute(RETIRED).fetchall():
            yield segment, day, f"{segment} is retired: it is defined no more, and had {members:,} members last"

    def _of_segment(self, line: Line, segment: str) -> str:
        verdict = line.verdict
        expected = EXPECTED.get(verdict.measure, EXPECTED_COUNT).format(lower=verdict.lower, upper=verdict.upper)
        seen = self._seen(verdict, segment, verdict.observed)
        if line.state == "recovered":
            days = (verdict.as_of_date - line.opened_on).days
            return f"{segment} moved no further for {QUIET_DAYS} days, {days} days after it began: {seen} ({expected})"
        before = verdict.as_of_date - timedelta(SCALE_DAYS[verdict.scale])
        why = reasons_of(self._connection, segment, verdict.as_of_date, before, self._raw_columns[segment])
        if SCALE_DAYS[verdict.scale] > 1:
            said = f"{segment}: {self._over(verdict, segment, before)}; it {why.moved}"
        elif verdict.measure == "members":
            said = f"{segment} {why.moved} ({expected})"
        else:
            said = f"{segment}: {seen} ({expected}); it {why.moved}"
        return said + why.because()

    def _seen(self, verdict: Verdict, segment: str, observed: float) -> str:
        return SEEN[verdict.measure].format(observed=observed, whole=self._wholes[segment])

    def _over(self, verdict: Verdict, segment: str, before: date) -> str:
        """What came in the days since: of events all of them, of members and shares the average, beside the course that they left."""
        asked = {"segment": segment, "measure": verdict.measure, "before": before, "day": verdict.as_of_date}
        total = "sum" if verdict.measure in ADDED_UP else "avg"
        ((observed, expected),) = self._connection.execute(OVER.format(total=total), asked).fetchall()
        days = (verdict.as_of_date - before).days
        if verdict.measure in ADDED_UP:
            lost = "its weekly pattern is lost, " if verdict.scale == WEEKLY else ""
            return f"{lost}{self._seen(verdict, segment, observed)} in {days} days (expected {expected:,.0f})"
        course = _relative(verdict.effect)
        return f"{self._seen(verdict, segment, observed)} on average over {days} days, {course} their course before"

    def _of_everything(self, line: Line) -> str:
        if line.state == "recovered":
            return f"the segments moved no further together for {QUIET_DAYS} days"
        verdict = line.verdict
        day = verdict.as_of_date
        inputs = unusual_inputs(self._connection, day, day - timedelta(1), None)
        over = "" if verdict.scale == "1 day" else f", over {verdict.scale}"
        noun, course = NOUNS[verdict.measure], _relative(verdict.effect)
        said = f"the segments moved together: the {noun} of the median segment went {course} the course{over}"
        return "; ".join([said, *(one.phrase for one in inputs[:INPUTS_NAMED])])


def _relative(effect: float) -> str:
    if effect < 1:
        return f"{abs(effect):.0%} {'above' if effect > 0 else 'below'}"
    return f"{1 + effect:,.0f} times" if effect < 100 else "more than 100 times"
