"""The tables of a release: what analysts read, with the words of every column. Where each comes from in the warehouse
is said here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestration.measure.unsubscribes import unsubscribes
from orchestration.publish.campaign_tables import CAMPAIGN_TABLES
from orchestration.publish.persona_tables import PERSONA_TABLES
from orchestration.publish.release_table import ReleaseTable

LATEST = "(select max(as_of_date) from customers.dim_customers)"
#: Half of it is the longest campaign that can be planned from the customers' own past.
ORDER_DAYS_KEPT = 365
KNOWN = f"(select customer_id from customers.dim_customers where as_of_date = {LATEST})"
CURRENT = "(select segment from refresh.definitions)"
#: To sort millions of rows by a number is half the work of sorting them by a name.
PLACES = "(select segment, row_number() over (order by segment) as place from refresh.definitions) as places"


CAUSE_WORDS = {
    "cause": "new_customer or deleted: joined or left the base. attribute_edited: the CRM changed what detail names. own_behaviour: orders or "
    "returns of the day itself. time_passed: nothing was needed, a window moved on or a birthday came. rank_moved: others moved around the customer. "
    "other_segment_moved: a segment in the rule did, named in detail. late_or_corrected_data: orders of days before came, were corrected or withdrawn. "
    "definition_changed: the rule is another since. held_or_released: it happened while the segment was held.",
    "clause": "The clause of the rule that turned; null where it is not the customer, or not the rule, that changed.",
    "detail": "The raw columns that were edited, or the segments that moved; else null.",
}


#: Large tables that are written day after day or segment after segment stay as they were written: sorting all of them again would take longer every night.
TABLES = [
    ReleaseTable(
        "customers.dim_customers",
        f"select * from customers.dim_customers where as_of_date = {LATEST} order by customer_id",
    ),
    ReleaseTable(
        "customers.dim_customers_month_ends",
        f"select * from customers.dim_customers_month_ends where customer_id in {KNOWN}",
        comment="customers.dim_customers as it was at the ends of up to twelve months before: what is asked of a rule's past. "
        "One row per month end and customer who is still in customers.dim_customers.",
        model="dim_customers",
    ),
    ReleaseTable(
        "customers.conditions_on_order_lines",
        f"select * from customers.conditions_on_order_lines where customer_id in {KNOWN}",
        "Who meets the conditions of rules that look into order lines, which a release does not have; of a condition that begins with NOT who does not, and everybody else meets it. "
        "One row per as-of date (the release's and the month ends), condition and such customer.",
        {
            "as_of_date": "The day.",
            "condition": "The condition, as it stands in catalog.segments.sql.",
            "customer_id": "Who is listed.",
            "is_met": "Whether she meets it: true, or false of a condition that begins with NOT, of which those who do not are listed.",
        },
    ),
    ReleaseTable(
        "customers.order_days",
        f"""
        select customer_id, ordered_on, orders, spend
        from intermediate.int_customer_days
        where valid_from <= {LATEST} and coalesce(valid_to > {LATEST}, true)
            and ordered_on > {LATEST} - {ORDER_DAYS_KEPT} and ordered_on <= {LATEST} and lines > 0
            and customer_id in {KNOWN}
        order by customer_id, ordered_on
        """,
        "What each customer bought day by day in the last 365 days. One row per customer and day with an order or a return, "
        "of the customers in customers.dim_customers alone.",
        {
            "customer_id": "Who ordered.",
            "ordered_on": "The day, in the business time zone.",
            "orders": "Orders with a positive quantity.",
            "spend": "Net of discounts and returns, in the business currency.",
        },
    ),
    ReleaseTable(
        "customers.unsubscribes",
        f"select * from ({unsubscribes(LATEST)}) where customer_id in {KNOWN} order by all",
        "Who asked not to be contacted any more, in answer to a campaign: by its channel, or by every one where that is not known. One row per customer and channel.",
        {
            "customer_id": "Who asked.",
            "channel": "The channel of the campaign that was answered so: email, sms, post or push.",
            "unsubscribed_on": "The extract that brought the first such answer.",
        },
    ),
    ReleaseTable(
        "metrics.segment_counts_daily",
        f"select * from metrics.segment_counts_daily where segment in {CURRENT} order by segment, as_of_date",
        "How many members each segment had on each as-of date, zeros included. One row per segment and as-of date.",
        {
            "as_of_date": "The day whose end-of-day state is counted, in the business time zone.",
            "segment": "Name of the segment.",
            "members": "Customers in the segment on the as-of date.",
            "entered": "Members on this day who were not on the day before; null on the segment's first day on record.",
            "exited": "Members on the day before who are not on this day; null on the segment's first day on record.",
            "base_customers": "Customers known and not deleted on the as-of date.",
            "share_of_base": "members / base_customers, between 0 and 1; null where the base is empty.",
            "state": "fresh, or held where the day could not be believed and the figures of the last good day stand.",
            "definition_hash": "Hash of all that the figure's meaning rests on; where it changes, the segment was defined anew.",
            "held_because": "Why the day is held; null where it is fresh.",
        },
    ),
    ReleaseTable(
        "metrics.segment_membership_history",
        f"select history.* from metrics.segment_membership_history as history inner join {PLACES} using (segment) order by place",
    ),
    ReleaseTable(
        "metrics.segment_moves",
        f"select * from metrics.segment_moves where segment in {CURRENT}",
        "Why each customer entered or left a segment: one cause per move. One row per segment, as-of date and customer who entered or left.",
        {
            "as_of_date": "The day of the move: the first on which the customer is, or is not any more, a member.",
            "segment": "Name of the segment.",
            "customer_id": "Who moved.",
            "direction": "entered or exited.",
            **CAUSE_WORDS,
            "revenue": "What the customer spent in the last 365 days, net of returns, in the business currency; up to the day before where deleted.",
        },
    ),
    ReleaseTable(
        "metrics.segment_shift_causes",
        f"select * from metrics.segment_shift_causes where segment in {CURRENT} order by segment, as_of_date, direction, cause, clause, detail",
        "Why a segment moved, on every day: the causes add up to entered and exited of metrics.segment_counts_daily. "
        "One row per segment, as-of date, direction, cause, clause and detail.",
        {
            "as_of_date": "The day of the moves.",
            "segment": "Name of the segment.",
            "direction": "entered or exited.",
            **CAUSE_WORDS,
            "customers": "Customers who moved so, each counted once.",
            "revenue": "What they spent in the last 365 days, net of returns, in the business currency.",
        },
    ),
    ReleaseTable(
        "metrics.segment_expectations",
        "select * from metrics.segment_expectations order by segment, measure, as_of_date",
        "What was to be expected of each segment on each day, from the days before it, and what came. One row per segment, as-of date and measure.",
        {
            "as_of_date": "The day.",
            "segment": "Name of the segment.",
            "measure": "members, entered, exited, or share: of the exclusive scheme that the segment is in, else of the base.",
            "observed": "What came; a share is between 0 and 1.",
            "expected": "What was to be expected; null before there are 14 days to learn from.",
            "lower_95": "Lower end of the band in which 95 of 100 such days lie.",
            "upper_95": "Upper end of that band.",
            "lower_99": "Lower end of the band in which 99 of 100 such days lie.",
            "upper_99": "Upper end of that band.",
            "p_value": "How rare so large a shift is by chance, corrected for the windows that are looked at.",
            "scale": "The window over which the day is rarest: a day, 3, 7 or 28 days, or the weekly pattern.",
            "effect": "Size of the shift over that window, relative to its course: -0.21 for a fall by 21 %.",
            "min_detectable": "The smallest relative fall in one day that the segment could have shown: smaller ones pass unseen.",
            "is_shift": "Whether it is a shift that chance does not explain.",
            "state": "judged; warming_up (before 56 days: warnings only); insufficient_history (before 14); known; no_value.",
            "known_because": "What was known of the day beforehand: a holiday, an event, a campaign, a hold, a late correction, a new definition; else null.",
        },
    ),
    ReleaseTable(
        "metrics.segment_shifts",
        "select * from metrics.segment_shifts order by as_of_date, segment",
        "The ledger of unexpected shifts. One row per as-of date and episode, while it is open and on the day it ends.",
        {
            "as_of_date": "The day.",
            "segment": "Name of the segment; null where everything moved at once.",
            "measure": "The figure that moved: members where they did, else the rarest of entered, exited and share.",
            "kind": "jump, level_shift, slow_drift, weekly_pattern_lost, mix_shift, appeared, vanished, everything_at_once, redefined or retired.",
            "severity": "critical, warning or info.",
            "observed": "What came; null where everything moved at once, which has a size alone.",
            "expected": "What was to be expected.",
            "lower": "Lower end of the 95 % band.",
            "upper": "Upper end of the 95 % band.",
            "state": "opened, continuing, worse, recovered; noted where it is no alert.",
            "message": "What moved, and why, in a sentence; empty while it continues.",
            "opened_on": "The day on which the episode was opened.",
            "effect": "Size of the shift, relative to the course.",
            "p_value": "How rare so large a shift is by chance.",
            "scale": "The window over which it shows: a day, 3, 7 or 28 days, or the weekly pattern.",
        },
    ),
    *CAMPAIGN_TABLES,
    *PERSONA_TABLES,
    ReleaseTable(
        "metrics.segment_outlook",
        f"select * from metrics.segment_outlook where segment in {CURRENT}",
        "Who will leave and enter each segment in the next 30 days if nothing comes in, and who would enter with one order today. "
        "One row per segment, customer and change; see metrics.segment_outlook_gaps for what cannot be told.",
        {
            "segment": "Name of the segment.",
            "customer_id": "Who.",
            "change": "leaves or enters, as windows end and birthdays come, a condition that compares customers being taken as it is tonight (changes_rank in the gaps); one_order_away: "
            "is no member, and would be with one more order today of the size that is usual for the customer (of the median for who never ordered).",
            "expected_on": "The first day on which it is so; null of one_order_away.",
        },
    ),
    ReleaseTable(
        "metrics.segment_outlook_gaps",
        f"select * from metrics.segment_outlook_gaps where segment in {CURRENT} order by segment, change",
        "What metrics.segment_outlook cannot tell. One row per segment and change of which it is silent.",
        {
            "segment": "Name of the segment.",
            "change": "leaves, enters or one_order_away; changes_rank: who leaves and enters is told but for those who do so because customers compare otherwise.",
            "because": "Why it cannot be told.",
        },
    ),
    ReleaseTable("metrics.segment_overlap", "select * from metrics.segment_overlap order by segment_a, segment_b"),
    ReleaseTable(
        "metrics.segment_flows_daily",
        "select * from metrics.segment_flows_daily order by scheme, as_of_date, from_segment, to_segment",
    ),
    ReleaseTable(
        "metrics.input_quality",
        "select * from metrics.input_quality where extract_date <= (select max(as_of_date) from metrics.segment_counts_daily) "
        "order by extract_date, source, table_name, expectation, column_name",
    ),
    ReleaseTable(
        "metrics.input_profile",
        "select * from metrics.input_profile where extract_date <= (select max(as_of_date) from metrics.segment_counts_daily) "
        "order by extract_date, source, table_name, column_name",
    ),
    ReleaseTable(
        "metrics.input_findings",
        "select * from metrics.input_findings where extract_date <= (select max(as_of_date) from metrics.segment_counts_daily) "
        "order by extract_date, source, table_name, expectation, columns",
    ),
    ReleaseTable(
        "catalog.segments",
        """
        select
            d.segment, d.label, d.description, d.objective, d.owner, d.channel, d.family, d.scheme, d.builds_on, d.sql,
            d.columns_used, d.raw_columns, d.definition_hash, c.as_of_date, c.members, c.state,
            case when c.state = 'held' then (
                select min(h.as_of_date) from metrics.segment_counts_daily as h
                where h.segment = d.segment and h.state = 'held' and h.as_of_date > coalesce((
                    select max(f.as_of_date) from metrics.segment_counts_daily as f
                    where f.segment = d.segment and f.state = 'fresh'), date '0001-01-01')
            ) end as held_since,
            c.held_because,
            (
                select arg_max(o.who || ' on ' || left(o.released_at, 10) || ': ' || o.reason, o.released_at)
                from refresh.overrides as o
                where o.segment = d.segment and o.first_day <= c.as_of_date and (o.stands or exists (
                    from refresh.released_segments as r
                    inner join metrics.segment_sizes as s on s.segment = r.segment and s.as_of_date = r.as_of_date
                    where r.segment = d.segment and s.remark is not null))
            ) as released_by
        from refresh.definitions as d
        inner join metrics.segment_counts_daily as c
            on c.segment = d.segment and c.as_of_date = (select max(as_of_date) from metrics.segment_counts_daily)
        order by d.segment
        """,
        "What each segment is, for whom, and in which state it was published. One row per segment.",
        {
            "segment": "Name of the segment; its members are the table segments.<name>.",
            "label": "Name for people.",
            "description": "The rule in words, its boundaries included.",
            "objective": "What marketing wants of the segment.",
            "owner": "Who answers for the segment.",
            "channel": "The channel by which the segment is usually reached.",
            "family": "The family of segments that it belongs to.",
            "scheme": "The exclusive scheme that it belongs to; null where it stands alone.",
            "builds_on": "Other segments in its rule.",
            "sql": "The rule as it ran. It runs in a release too, except where it looks into order lines (intermediate.int_order_lines), "
            "which a release has not.",
            "columns_used": "Attributes of customers.dim_customers in the rule; what it asks besides is in builds_on and sql.",
            "raw_columns": "Columns of the extracts on which the members depend, through every model in between: crm/customers.gender.",
            "definition_hash": "Hash of all that the segment's meaning rests on: its rule, the attributes and segments in it, the models, "
            "macros and variables that these are made of.",
            "as_of_date": "The day whose members are published.",
            "members": "Members on that day.",
            "state": "fresh, or held: the last good version is published.",
            "held_since": "First day of the hold; null where fresh.",
            "held_because": "Why it is held; null where fresh.",
            "released_by": "Who last had it published although it was held, when and why; null where nobody did, or what was held against it is mended.",
        },
    ),
]


def segment_table(segment: str, label: str) -> ReleaseTable:
    """The table of one segment's members of today, read from the release's own history, which is in order of segments."""
    return ReleaseTable(
        f'segments."{segment}"',
        "select customer_id, entered_on from release.metrics.segment_membership_history "
        f"where segment = '{segment}' and exited_on is null",
        f"{label}: today's members. One row per member.",
        {"customer_id": "The member.", "entered_on": "First as-of date of the current membership."},
    )


def with_words_of_models(table: ReleaseTable, manifest: Mapping[str, Any]) -> ReleaseTable:
    """The table with the words of its dbt model where it brings none of its own."""
    if table.columns:
        return table
    name = table.model or table.name.split(".")[1]
    node = next(
        node for node in manifest["nodes"].values() if node["resource_type"] == "model" and node["name"] == name
    )
    return ReleaseTable(
        table.name,
        table.query,
        table.comment or node["description"],
        {column: words["description"] for column, words in node["columns"].items()},
    )
