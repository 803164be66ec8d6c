"""On which days a segment is held by its output rules. They are judged in SQL (segment_sizes); what holding does is SQL too."""

from __future__ import annotations

from datetime import date

from orchestration.errors import ConfigurationError
from orchestration.warehouse import Warehouse


def held_days(warehouse: Warehouse, segment: str, since: date) -> tuple[date, ...]:
    """The as-of dates from ``since`` on which an output rule holds the segment.

    Raises ConfigurationError where none does: a hold for an extract that never came ends with the extract.
    """
    with warehouse.connect() as connection:
        days = connection.execute(
            "select as_of_date from metrics.segment_sizes "
            "where segment = $segment and is_held and as_of_date >= $since order by as_of_date",
            {"segment": segment, "since": since},
        ).fetchall()
    if not days:
        raise ConfigurationError(
            f"{segment} is held because an extract never arrived: deliver it and refresh again, an empty file where it has no rows."
        )
    return tuple(day for (day,) in days)
