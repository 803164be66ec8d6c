"""Who a persona stands for on a day, and who else is in the base: temporary tables for the other modules. What is measured of them is not here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

import duckdb
import pandas as pd

from orchestration.personas.files import Persona

#: A version is what was known on a day from valid_from until valid_to.
VALID = "{version}.valid_from <= days.as_of_date and coalesce({version}.valid_to > days.as_of_date, true)"

BASE = f"""
create or replace temp table base as
select
    days.as_of_date,
    customer.* exclude (extract_date, is_deleted, valid_from, valid_to),
    year(days.as_of_date) - year(customer.birth_date)
        - (month(days.as_of_date) * 100 + day(days.as_of_date) < month(customer.birth_date) * 100 + day(customer.birth_date))::int as age
from intermediate.int_customer_versions as customer
inner join days on {VALID.format(version="customer")}
where not customer.is_deleted
"""

MEMBERS = """
create or replace temp table persona_members as
select base.as_of_date, links.persona, base.customer_id
from links
inner join metrics.segment_membership_history as history on history.segment = links.segment
inner join base
    on base.customer_id = history.customer_id and history.entered_on <= base.as_of_date
    and coalesce(history.exited_on > base.as_of_date, true)
where links.role in ('evidence', 'excluded')
group by all
having bool_and(links.role = 'evidence')
"""


def tell_days(connection: duckdb.DuckDBPyConnection, days: Sequence[date]) -> None:
    """Makes the temporary table ``days`` (as_of_date) and ``base``: one row per as-of date and customer known on it, with what the CRM says of her."""
    connection.execute("create or replace temp table days (as_of_date date)")
    connection.execute("insert into days select unnest($days::date[])", {"days": list(days)})
    connection.execute(BASE)


def tell_personas(connection: duckdb.DuckDBPyConnection, personas: Iterable[Persona]) -> None:
    """Makes ``links`` (persona, segment, role), and ``persona_members`` (as_of_date, persona, customer_id) for the ``days``: the members of the segments of the role
    evidence that are in none of the role excluded.
    """
    links = pd.DataFrame(
        [(persona.id, one.id, one.role) for persona in personas for one in persona.segments],
        columns=["persona", "segment", "role"],
        dtype="str",
    )
    connection.register("links_said", links)
    connection.execute("create or replace temp table links as select * from links_said")
    connection.unregister("links_said")
    connection.execute(MEMBERS)
