"""Shifts of daily figures: what is found, what is left in peace, and every table that a caller may bring."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from orchestration.measure.shifts import DAYS_TO_SAY, Judgement, Kind, detect, judge
from orchestration.measure.smoothing import DAYS_TO_BEGIN

pytestmark = pytest.mark.filterwarnings("error")

DAYS, SEGMENTS = 150, 60
WEEK = np.array([0.0, 0.1, 0.05, 0.0, -0.1, -0.25, 0.2])
#: A day late enough that everything has been learnt.
LATE = 130


def flows(days: int = DAYS, segments: int = SEGMENTS, seed: int = 1, level: float = 1_000) -> pd.DataFrame:
    """Events that follow the week, with noise beyond chance."""
    rng = np.random.default_rng(seed)
    dates = pd.date_range("2025-01-01", periods=days)
    usual = level * np.exp(WEEK[dates.day_of_week][:, None] + rng.normal(0, 0.05, (days, segments)))
    return pd.DataFrame(rng.poisson(usual).astype(float), dates, [f"s{number}" for number in range(segments)])


def members(days: int = DAYS, segments: int = SEGMENTS, seed: int = 1, level: float = 5_000) -> pd.DataFrame:
    """Members of whom two in a hundred change each day."""
    rng = np.random.default_rng(seed)
    sizes = [np.full(segments, int(level))]
    for _ in range(days - 1):
        sizes.append(sizes[-1] + rng.poisson(0.02 * level, segments) - rng.binomial(sizes[-1], 0.02))
    dates = pd.date_range("2025-01-01", periods=days)
    return pd.DataFrame(np.array(sizes, float), dates, [f"s{number}" for number in range(segments)])


def none_of(counts: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(False, counts.index, counts.columns)


def wide(judgement: Judgement, column: str) -> pd.DataFrame:
    table = judgement.days.pivot(index="date", columns="segment", values=column)
    return table.reindex(columns=judgement.days["segment"].unique())


def alerted(judgement: Judgement, segment: str) -> list[int]:
    """The days, counted from the first, on which the segment is alerted."""
    return np.flatnonzero(wide(judgement, "shift")[segment]).tolist()


# What is found


def test_half_of_a_days_events_missing_is_found_on_that_day_in_that_segment() -> None:
    counts = flows()
    counts.iloc[LATE, 7] *= 0.5
    judgement = judge(counts, "flow")
    assert alerted(judgement, "s7") == [LATE]
    assert wide(judgement, "shift").iloc[LATE].sum() == 1


def test_a_fall_says_its_scale_and_its_relative_size() -> None:
    counts = flows()
    counts.iloc[LATE, 7] *= 0.5
    row = judge(counts, "flow").days.query("segment == 's7'").iloc[LATE]
    assert row["scale"] == "1 day"
    assert row["effect"] == pytest.approx(-0.5, abs=0.1)
    assert row["expected"] == pytest.approx(counts.iloc[LATE, 7] * 2, rel=0.2)


def test_a_level_too_small_for_a_day_is_found_within_a_week() -> None:
    counts = flows()
    counts.iloc[LATE:, 7] = (counts.iloc[LATE:, 7] * 0.87).round()
    days = alerted(judge(counts, "flow"), "s7")
    assert days
    assert LATE <= days[0] < LATE + 7


def test_members_that_melt_away_in_a_month_are_found() -> None:
    counts = members()
    melting = 1 - 0.3 * np.minimum(np.arange(1, DAYS - 99) / 30, 1)
    counts.iloc[100:, 7] = (counts.iloc[100:, 7] * melting).round()
    days = alerted(judge(counts, "stock"), "s7")
    assert days
    assert 100 < days[0] < 145


def test_a_weekly_pattern_that_goes_flat_is_found_and_named() -> None:
    counts = flows()
    counts.iloc[LATE : LATE + 14, 7] = np.random.default_rng(3).poisson(1_000, 14)
    found = judge(counts, "flow").days.query("segment == 's7' and shift and date >= '2025-05-11'")
    assert "weekly pattern" in found["scale"].tolist()
    assert found["effect"].iloc[-1] < 0


def test_events_where_there_were_none_are_found() -> None:
    counts = flows()
    counts["s7"] = 0.0
    counts.iloc[LATE, 7] = 400
    assert alerted(judge(counts, "flow"), "s7") == [LATE]


def test_members_that_vanish_are_found() -> None:
    counts = members()
    counts.iloc[LATE:, 7] = 0.0
    assert alerted(judge(counts, "stock"), "s7")[0] == LATE


def test_a_share_that_doubles_is_found() -> None:
    rng = np.random.default_rng(1)
    dates = pd.date_range("2025-01-01", periods=DAYS)
    names = [f"s{number}" for number in range(SEGMENTS)]
    shares = pd.DataFrame(rng.binomial(5_000, 0.2, (DAYS, SEGMENTS)) / 5_000, dates, names)
    shares.iloc[LATE, 7] = 0.4
    row = judge(shares, "share").days.query("shift")
    assert row[["date", "segment"]].values.tolist() == [[dates[LATE], "s7"]]
    assert row["effect"].iloc[0] == pytest.approx(1.0, abs=0.1)


# What is left in peace


@pytest.mark.parametrize("kind", ["flow", "stock"])
def test_where_nothing_happens_hardly_anything_is_alerted(kind: Kind) -> None:
    counts = flows() if kind == "flow" else members()
    assert detect(counts, kind)["shift"].sum() <= 5


def test_a_real_level_shift_is_accepted_after_three_days() -> None:
    counts = flows()
    counts.iloc[LATE - 30 :, 7] = (counts.iloc[LATE - 30 :, 7] * 0.5).round()
    judgement = judge(counts, "flow")
    expected = wide(judgement, "expected")["s7"]
    later = slice(LATE - 30 + 3, None)
    assert (expected.iloc[later] / (500 * np.exp(WEEK[counts.index.day_of_week]))[later]).between(0.85, 1.15).all()
    assert alerted(judgement, "s7") == list(range(LATE - 30, LATE - 30 + DAYS_TO_SAY))


def test_a_relative_change_that_nobody_acts_on_is_no_shift_however_sure() -> None:
    counts = pd.DataFrame(100_000.0, pd.date_range("2025-01-01", periods=DAYS), ["steady"])
    counts.iloc[LATE:] = 106_000.0
    judgement = judge(counts, "stock")
    assert judgement.days["p_value"].iloc[LATE] < 1e-3
    assert not judgement.days["shift"].any()


def test_a_handful_of_customers_is_not_judged() -> None:
    judgement = judge(flows(level=1).clip(upper=4), "flow")
    assert judgement.days["p_value"].isna().all()
    assert not judgement.days["shift"].any()


def test_a_fall_of_everything_is_one_alert_and_not_one_for_each() -> None:
    counts = flows()
    counts.iloc[LATE] = np.random.default_rng(2).binomial(counts.iloc[LATE].astype(int), 0.7)
    judgement = judge(counts, "flow")
    assert not wide(judgement, "shift").iloc[LATE].any()
    everything = judgement.everything
    assert np.flatnonzero(everything["shift"]).tolist() == [LATE]
    assert everything["effect"].iloc[LATE] == pytest.approx(-0.3, abs=0.03)
    assert everything["common"].iloc[LATE] < -5


def test_a_fall_of_everything_hides_no_segment_that_fell_by_itself() -> None:
    counts = flows()
    counts.iloc[LATE] = (counts.iloc[LATE] * 0.7).round()
    counts.iloc[LATE, 7] = (counts.iloc[LATE, 7] * 0.4).round()
    assert wide(judge(counts, "flow"), "shift").iloc[LATE].sum() == 1


def test_where_everything_stays_at_a_new_level_it_is_said_once_and_learnt() -> None:
    counts = flows()
    counts.iloc[100:] = (counts.iloc[100:] * 0.6).round()
    judgement = judge(counts, "flow")
    alerts = np.flatnonzero(judgement.everything["shift"])
    assert alerts[0] == 100
    assert alerts[-1] < 100 + 2 * DAYS_TO_SAY
    expected = wide(judgement, "expected").iloc[110:].mean().mean()
    assert expected == pytest.approx(counts.iloc[110:].mean().mean(), rel=0.05)


def test_two_days_of_shock_move_the_level_by_the_smaller_of_the_two() -> None:
    counts = flows()
    counts.iloc[100] = (counts.iloc[100] * 0.8).round()
    counts.iloc[101] = (counts.iloc[101] * 0.01).round()
    expected = wide(judge(counts, "flow"), "expected")
    assert (expected.iloc[102] / (1_000 * np.exp(WEEK[counts.index[102].day_of_week]))).median() > 0.7


# Days that are known, and definitions that change


def test_a_known_day_is_never_alerted_and_teaches_nothing() -> None:
    counts, known = flows(), none_of(flows())
    known.iloc[[60, 61, LATE], 7] = True
    wild = counts.copy()
    wild.iloc[[60, 61, LATE], 7] = [1.0, 90_000.0, 0.0]
    calm, stirred = judge(counts, "flow", known), judge(wild, "flow", known)
    pd.testing.assert_frame_equal(calm.days, stirred.days)
    days = stirred.days.query("segment == 's7'").iloc[[60, 61, LATE]]
    assert not days["shift"].any()
    assert (days["state"] == "known").all()
    assert days["expected"].notna().all()


def test_nothing_before_a_restart_is_compared_with_anything_after() -> None:
    counts, restarts = members(), none_of(members())
    restarts.iloc[100, 7] = True
    counts.iloc[100:, 7] = (counts.iloc[100:, 7] * 0.4).round()
    other = counts.copy()
    other.iloc[:100, 7] *= 3
    judgement = judge(counts, "stock", restarts=restarts)
    assert alerted(judgement, "s7") == []
    states = wide(judgement, "state")["s7"]
    assert states.iloc[99] == "judged"
    assert (states.iloc[100 : 100 + DAYS_TO_BEGIN] == "insufficient_history").all()
    assert states.iloc[100 + DAYS_TO_BEGIN] == "warming_up"
    expected = wide(judge(other, "stock", restarts=restarts), "expected")["s7"]
    pd.testing.assert_series_equal(expected.iloc[100:], wide(judgement, "expected")["s7"].iloc[100:])


def test_a_segment_that_begins_anew_is_judged_again() -> None:
    counts, restarts = members(), none_of(members())
    restarts.iloc[60, 7] = True
    counts.iloc[60:, 7] = (counts.iloc[60:, 7] * 0.4).round()
    counts.iloc[LATE, 7] = 100
    assert LATE in alerted(judge(counts, "stock", restarts=restarts), "s7")


# Honesty


def test_a_day_is_judged_by_itself_and_its_past_alone() -> None:
    counts = flows()
    counts.iloc[90:, 3] *= 0.5
    counts.iloc[100] *= 0.7
    whole, early = judge(counts, "flow"), judge(counts.iloc[:120], "flow")
    pd.testing.assert_frame_equal(whole.days.iloc[: 120 * SEGMENTS], early.days)
    pd.testing.assert_frame_equal(whole.everything.iloc[:120], early.everything)


@pytest.mark.parametrize("kind", ["flow", "stock"])
def test_the_bands_cover_what_they_promise(kind: Kind) -> None:
    counts = flows(days=250) if kind == "flow" else members(days=250)
    verdicts, observed = judge(counts, kind), counts.iloc[80:]
    covered = {}
    for level in (95, 99):
        lower, upper = (wide(verdicts, f"{side}_{level}").iloc[80:] for side in ("lower", "upper"))
        covered[level] = ((observed >= lower) & (observed <= upper)).mean().mean()
    assert covered[95] == pytest.approx(0.95, abs=0.015)
    assert covered[99] == pytest.approx(0.99, abs=0.006)


def test_a_fall_of_the_smallest_detectable_size_is_found_about_every_second_time() -> None:
    counts = flows()
    smallest = wide(judge(counts, "flow"), "min_detectable")
    found = []
    for day in range(LATE - 12, LATE + 1, 2):
        fallen, which = counts.iloc[: day + 1].copy(), slice(day % 11, SEGMENTS, 11)
        fallen.iloc[day, which] *= 1 - smallest.iloc[day, which]
        found.extend(detect(fallen, "flow")["shift"].iloc[-SEGMENTS:].iloc[which])
    assert 0.3 <= np.mean(found) <= 0.8


def test_a_small_segment_can_show_only_large_changes() -> None:
    counts = flows()
    counts["s7"] = np.random.default_rng(5).poisson(25, DAYS).astype(float)
    smallest = wide(judge(counts, "flow"), "min_detectable").iloc[LATE]
    assert smallest["s7"] > 0.4
    assert smallest.drop("s7").median() < 0.3


def test_a_segment_ripens_from_too_little_history_over_warnings_to_verdicts() -> None:
    states = wide(judge(flows(), "flow"), "state")["s7"]
    assert states.iloc[[13, 14, 55, 56]].tolist() == ["insufficient_history", "warming_up", "warming_up", "judged"]


# Tables that a caller may bring


@pytest.mark.parametrize("kind", ["flow", "stock", "share"])
@pytest.mark.parametrize("columns", [[], ["a", "b"]])
def test_no_history_gives_no_rows(kind: Kind, columns: list[str]) -> None:
    judgement = judge(pd.DataFrame(columns=columns, index=pd.DatetimeIndex([]), dtype=float), kind)
    assert judgement.days.empty
    assert judgement.everything.empty


def test_one_day_is_too_little_history() -> None:
    judgement = judge(flows(days=1), "flow")
    assert (judgement.days["state"] == "insufficient_history").all()
    assert judgement.days["expected"].isna().all()


@pytest.mark.parametrize("kind", ["flow", "stock", "share"])
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_what_never_moves_is_never_alerted(kind: Kind, value: float) -> None:
    counts = pd.DataFrame(value, pd.date_range("2025-01-01", periods=90), [f"s{number}" for number in range(12)])
    judgement = judge(counts, kind)
    assert not judgement.days["shift"].any()
    assert not judgement.everything["shift"].any()


def test_a_single_segment_is_judged_by_itself() -> None:
    counts = flows(segments=1)
    counts.iloc[LATE] = 200
    judgement = judge(counts, "flow")
    assert alerted(judgement, "s0") == [LATE]
    assert judgement.everything["p_value"].isna().all()


def test_days_missing_from_the_table_are_days_without_a_value() -> None:
    counts = flows()
    left_out = judge(counts.drop(counts.index[[40, 41, 90]]), "flow")
    counts.iloc[[40, 41, 90]] = np.nan
    pd.testing.assert_frame_equal(left_out.days, judge(counts, "flow").days)
    assert (left_out.days.query("date == '2025-02-10'")["state"] == "no_value").all()


def test_values_missing_anywhere_cost_their_own_days_only() -> None:
    counts = flows()
    counts = counts.mask(np.random.default_rng(4).random(counts.shape) < 0.2)
    counts.iloc[LATE, 7] = 300
    judgement = judge(counts, "flow")
    assert LATE in alerted(judgement, "s7")
    assert not wide(judgement, "shift").where(counts.isna(), False).any().any()
    assert judgement.days["shift"].sum() <= 6


def test_a_segment_born_later_has_its_own_history() -> None:
    counts = flows()
    counts.iloc[:80, 7] = np.nan
    states = wide(judge(counts, "flow"), "state")["s7"]
    assert states.iloc[[79, 80, 93, 94, 135, 136]].tolist() == [
        "no_value",
        "insufficient_history",
        "insufficient_history",
        "warming_up",
        "warming_up",
        "judged",
    ]


def test_five_thousand_segments_are_judged_in_seconds() -> None:
    judgement = judge(flows(days=40, segments=5_000), "flow")
    assert len(judgement.days) == 40 * 5_000


def test_rows_come_by_day_and_within_it_in_the_order_of_the_columns() -> None:
    counts = flows(days=20, segments=3)[["s2", "s0", "s1"]]
    verdicts = detect(counts, "flow")
    assert verdicts["segment"].tolist()[:4] == ["s2", "s0", "s1", "s2"]
    assert verdicts.columns.tolist() == [
        "date",
        "segment",
        "expected",
        "lower_95",
        "upper_95",
        "lower_99",
        "upper_99",
        "p_value",
        "shift",
    ]


@pytest.mark.parametrize(
    ("counts", "kind", "said"),
    [
        (flows(days=20).replace(0, 1) * -1, "flow", "cannot be a flow of segment 's0'; it must be between 0 and inf"),
        (flows(days=20), "share", "cannot be a share of segment 's0'; it must be between 0 and 1"),
        (flows(days=20), "rate", "no kind 'rate' of figure; use one of stock, flow, share"),
        (pd.concat([flows(days=20)] * 2), "flow", "A day or a segment occurs twice"),
    ],
)
def test_a_wrong_table_is_refused_in_a_sentence(counts: pd.DataFrame, kind: Kind, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        detect(counts, kind)


def test_known_days_of_a_stranger_are_refused() -> None:
    counts = flows(days=20)
    with pytest.raises(ValueError, match="`known` speaks of segment 'stranger'"):
        judge(counts, "flow", known=none_of(counts).rename(columns={"s3": "stranger"}))
