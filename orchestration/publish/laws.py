"""What must be true of every release before anybody reads it. Each law is a query that returns the rows that break it."""

from __future__ import annotations

import duckdb

LAWS = {
    "a segment's entered and exited are those of its history, on every day": """
        with moves as (
            select segment, moved_on as as_of_date, sum(entered) as entered, sum(exited) as exited
            from (
                select segment, entered_on as moved_on, count(*) as entered, 0 as exited
                from metrics.segment_membership_history group by all
                union all
                select segment, exited_on as moved_on, 0 as entered, count(*) as exited
                from metrics.segment_membership_history where exited_on is not null group by all
            )
            group by all
        )
        select segment, as_of_date
        from metrics.segment_counts_daily as counts
        full join moves using (segment, as_of_date)
        -- on a segment's first day on record all of its members enter its history
        where coalesce(moves.entered, 0) is distinct from coalesce(counts.entered, counts.members)
            or coalesce(moves.exited, 0) is distinct from
                case when counts.as_of_date is not null then coalesce(counts.exited, 0) end""",
    "members are those of the day before, plus entered, less exited": """
        select today.segment, today.as_of_date
        from metrics.segment_counts_daily as today
        inner join metrics.segment_counts_daily as before
            on before.segment = today.segment and before.as_of_date = today.as_of_date - 1
        where today.members <> before.members + today.entered - today.exited""",
    "every segment has a row for every day since its first": """
        select segment from metrics.segment_counts_daily
        group by segment
        having count(*) <> max(as_of_date) - min(as_of_date) + 1
            or max(as_of_date) <> (select max(as_of_date) from metrics.segment_counts_daily)""",
    "every move has exactly one cause": """
        with causes as (
            select segment, as_of_date,
                sum(customers) filter (where direction = 'entered') as entered,
                sum(customers) filter (where direction = 'exited') as exited
            from metrics.segment_shift_causes group by all
        )
        select segment, as_of_date
        from metrics.segment_counts_daily as counts
        full join causes using (segment, as_of_date)
        where coalesce(causes.entered, 0) is distinct from coalesce(counts.entered, 0)
            or coalesce(causes.exited, 0) is distinct from coalesce(counts.exited, 0)""",
    "every member is a customer": """
        select history.segment, history.customer_id
        from metrics.segment_membership_history as history
        anti join customers.dim_customers as customer on customer.customer_id = history.customer_id
        where history.exited_on is null""",
    "a customer is a row of dim_customers once": "select customer_id from customers.dim_customers group by 1 having count(*) > 1",
    "an exclusive scheme has each customer at most once": """
        select catalogue.scheme, history.customer_id
        from metrics.segment_membership_history as history
        inner join catalog.segments as catalogue on catalogue.segment = history.segment
        where catalogue.scheme is not null and catalogue.state = 'fresh' and history.exited_on is null
        group by all having count(*) > 1""",
}


def broken_laws(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """The laws that the release breaks, with the number of rows that break each."""
    counts = {
        law: connection.execute(f"select count(*) from ({query})").fetchall()[0][0] for law, query in LAWS.items()
    }
    return {law: rows for law, rows in counts.items() if rows}
