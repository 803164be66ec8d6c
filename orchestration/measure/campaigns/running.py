"""Which campaigns there are to measure on a day, our own from their receipts and others' from the extracts, and over which days of orders.

Who was assigned, and what they bought, is in ``outcomes``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import duckdb

from orchestration.campaigns.files import CampaignFiles, Metric
from orchestration.campaigns.receipts import Receipt, assignment_file, readable_receipts
from orchestration.days import Days
from orchestration.settings import Home

#: Returns and late order lines are waited for so many days after the window closed; then the figures stand.
SETTLING_DAYS = 7
#: A campaign without an end is measured for so long, and what became of one that is over is told anew each night for so long.
LONGEST_DAYS = 366
#: What is measured of a campaign of which nobody said it in advance.
USUAL_METRIC: Metric = "spend"
USUAL_SECONDARY: tuple[Metric, ...] = ("ordered", "orders", "responded")

#: Each list of campaigns holds until the next one comes; a campaign that is not in it any more is withdrawn.
LISTED = """
with lists as (
    select extract_date as valid_from, lead(extract_date) over (order by extract_date) as valid_to
    from (select distinct extract_date from crm.campaigns)
)
select
    campaign.campaign_id, coalesce(campaign.campaign_name, campaign.campaign_id), campaign.segment, campaign.channel, campaign.starts_on,
    campaign.ends_on, campaign.contact_cost, campaign.fixed_cost, lists.valid_from, lists.valid_to
from crm.campaigns as campaign
inner join lists on lists.valid_from = campaign.extract_date
where campaign.starts_on is not null and lists.valid_from <= $last
order by campaign.campaign_id, lists.valid_from
"""

CREATE = """
create schema if not exists metrics;
create or replace table metrics.campaigns (
    campaign_id varchar, campaign_name varchar, objective varchar, segment varchar, channel varchar, starts_on date, ends_on date,
    measured_until date, assigned_by varchar, holdout double, primary_metric varchar, contact_cost decimal(18, 4), fixed_cost decimal(18, 2),
    margin double, value_of_an_answer decimal(18, 2), state varchar, treatment bigint, control bigint, release varchar
)
"""


@dataclass(frozen=True)
class Running:
    """A campaign as it was known on ``days``, the as-of dates on which it is measured.

    Orders count from ``launched_on`` to ``measured_until`` (None: without an end). ``holdout`` is the share that was planned to be held out, where it is
    known; ``assignment`` the file with the arms where we drew them. ``segments_on`` is the day whose members of segments are looked at: the last before
    the campaign could move anybody.
    """

    campaign_id: str
    launched_on: date
    measured_until: date | None
    contacted_until: date | None
    primary_metric: Metric
    secondary_metrics: tuple[Metric, ...]
    holdout: float | None
    assignment: Path | None
    segments_on: date
    days: tuple[date, ...]

    @property
    def planned_days(self) -> int | None:
        return None if self.measured_until is None else (self.measured_until - self.launched_on).days + 1

    def day_index(self, day: date) -> int:
        """How many days of the window have passed by the end of the day."""
        passed = (day - self.launched_on).days + 1
        return passed if self.planned_days is None else min(passed, self.planned_days)


def campaigns_to_measure(connection: duckdb.DuckDBPyConnection, home: Home, days: Days) -> list[Running]:
    """The campaigns whose windows meet the days, each once for every way in which it was known on some of them."""
    receipts = readable_receipts(home)
    first = _first_day_on_record(connection)
    own = [_of_receipt(home, receipt, first) for receipt in receipts.values()]
    listed = [row for row in connection.execute(LISTED, {"last": days.last}).fetchall() if row[0] not in receipts]
    known = [(one, Days(days.first, days.last)) for one in own]
    for campaign_id, _, _, _, starts_on, ends_on, _, _, valid_from, valid_to in listed:
        until = days.last if valid_to is None else min(days.last, valid_to - timedelta(1))
        if max(valid_from, days.first) <= until:
            one = Running(
                campaign_id=campaign_id,
                launched_on=starts_on,
                measured_until=ends_on,
                contacted_until=ends_on,
                primary_metric=USUAL_METRIC,
                secondary_metrics=USUAL_SECONDARY,
                holdout=None,
                assignment=None,
                segments_on=max(first, starts_on - timedelta(1)),
                days=(),
            )
            known.append((one, Days(max(valid_from, days.first), until)))
    merged: dict[Running, list[date]] = {}
    for one, while_known in known:
        merged.setdefault(one, []).extend(day for day in while_known if _is_measured_on(one, day, days.last))
    return [replace(one, days=tuple(on)) for one, on in merged.items() if on]


def record_campaigns(connection: duckdb.DuckDBPyConnection, home: Home, files: CampaignFiles, last: date) -> None:
    """Writes ``metrics.campaigns`` anew, one row per campaign that is planned, ran or runs: what was decided of it, and its state on the last day.

    What may change after the start is as the file says it now, everything else as the receipt has it.
    """
    receipts = readable_receipts(home)
    rows = [
        _row(campaign_id, receipts.get(campaign_id), files, last)
        for campaign_id in sorted({*files.campaigns, *receipts})
    ]
    newest = {row[0]: row for row in connection.execute(LISTED, {"last": last}).fetchall()}
    for (
        campaign_id,
        name,
        segment,
        channel,
        starts_on,
        ends_on,
        contact_cost,
        fixed_cost,
        _,
        valid_to,
    ) in newest.values():
        if campaign_id not in receipts and campaign_id not in files.campaigns:
            is_withdrawn = valid_to is not None and valid_to <= min(last, ends_on or last)
            state = "withdrawn" if is_withdrawn else _state(starts_on, ends_on, ends_on, last)
            decided = (
                campaign_id,
                name,
                None,
                segment,
                channel,
                starts_on,
                ends_on,
                ends_on,
                "sender",
                None,
                USUAL_METRIC,
            )
            rows.append((*decided, contact_cost, fixed_cost, None, None, state, None, None, None))
    connection.execute(CREATE)
    if rows:
        connection.executemany(f"insert into metrics.campaigns values ({', '.join('?' * 19)})", sorted(rows))


def _row(campaign_id: str, receipt: Receipt | None, files: CampaignFiles, last: date) -> tuple[object, ...]:
    said = files.campaigns.get(campaign_id)
    decided = receipt.decided if receipt else files.campaigns[campaign_id]
    now = said or decided
    launched_on = receipt.counts_from if receipt else decided.starts_on
    state = _state(launched_on, decided.ends_on, decided.measured_until, last)
    if receipt is None and state != "planned":
        state = "not launched"
    return (
        *(
            campaign_id,
            now.name,
            now.objective,
            decided.segment,
            decided.channel,
            launched_on,
            decided.ends_on,
            decided.measured_until,
        ),
        *(
            decided.assigned_by,
            _holdout(receipt, decided.holdout),
            decided.primary_metric,
            now.contact_cost,
            now.fixed_cost,
            now.margin,
        ),
        *(now.value_of_an_answer, state),
        *((receipt.treatment, receipt.control, receipt.release) if receipt and receipt.strata else (None, None, None)),
    )


def _holdout(receipt: Receipt | None, said: float | str) -> float | None:
    if receipt is not None and receipt.holdout is not None:
        return receipt.holdout
    return said if isinstance(said, float) else None


def _state(starts_on: date, ends_on: date | None, measured_until: date | None, last: date) -> str:
    if starts_on > last:
        return "planned"
    if ends_on is None or last <= ends_on:
        return "running"
    return "measuring" if measured_until is None or last <= measured_until else "over"


def _of_receipt(home: Home, receipt: Receipt, first: date) -> Running:
    decided = receipt.decided
    return Running(
        campaign_id=receipt.id,
        launched_on=receipt.counts_from,
        measured_until=decided.measured_until,
        contacted_until=decided.ends_on,
        primary_metric=decided.primary_metric,
        secondary_metrics=decided.secondary_metrics,
        holdout=_holdout(receipt, decided.holdout),
        assignment=assignment_file(home, receipt.id) if decided.assigned_by == "us" else None,
        segments_on=max(first, receipt.counts_from - timedelta(1)),
        days=(),
    )


def _is_measured_on(one: Running, day: date, newest: date) -> bool:
    """Every day of the window and while it settles; after that only the newest day on record."""
    if one.measured_until is None:
        return one.launched_on <= day < one.launched_on + timedelta(LONGEST_DAYS)
    waits = LONGEST_DAYS if day == newest else SETTLING_DAYS
    return one.launched_on <= day <= one.measured_until + timedelta(waits)


def _first_day_on_record(connection: duckdb.DuckDBPyConnection) -> date:
    first: date = connection.execute("select min(as_of_date) from metrics.segment_counts_daily").fetchall()[0][0]
    return first
