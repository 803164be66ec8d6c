"""On which days and for which extracts a segment is held. Both are decided before; what holding does is SQL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from orchestration.errors import ConfigurationError
from orchestration.validate.overrides import Doubt
from orchestration.warehouse import Warehouse


@dataclass(frozen=True)
class Hold:
    """The as-of dates on which a segment is held, and the doubts about extracts that speak against it."""

    as_of_dates: tuple[date, ...]
    doubts: tuple[Doubt, ...]


def hold_of(warehouse: Warehouse, segment: str, since: date) -> Hold:
    """What holds the segment from ``since`` on.

    Raises ConfigurationError where nothing does that can be released: a day whose extract never came is held until it comes.
    """
    with warehouse.connect() as connection:
        days = connection.execute(
            "select as_of_date from metrics.segment_sizes "
            "where segment = $segment and is_held and as_of_date >= $since order by as_of_date",
            {"segment": segment, "since": since},
        ).fetchall()
        doubts = connection.execute(
            "select distinct table_id, extract_date, digest, columns from refresh.held_segments "
            "where segment = $segment and coalesce(held_until, date '9999-12-31') > $since order by all",
            {"segment": segment, "since": since},
        ).fetchall()
    if not days:
        raise ConfigurationError(
            f"{segment} is held because an extract never arrived: deliver it and refresh again, an empty file where it has no rows."
        )
    return Hold(
        tuple(day for (day,) in days),
        tuple(Doubt(table, day, digest, tuple(columns)) for table, day, digest, columns in doubts),
    )
