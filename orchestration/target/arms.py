"""Which arm each customer of an audience is drawn for: by a hash of the campaign's id and the customer's, in equal shares within strata.

Pure SQL on the temporary table ``audience``: the same arms on any machine, with any number of threads and in any order of rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from orchestration.campaigns.receipts import Stratum
from orchestration.sql import identifier, literal
from orchestration.target.audience import AUDIENCE

#: The temporary table with the arms, in order of customers: customer_id, arm, stratum.
ARMS = "assignment"

PARTS_OF_A_NUMBER = 5
#: So many values of an attribute that is no number are strata of their own; the rest of them is one.
VALUES = 20

#: The first customers of each stratum in order of their lots are the control arm. How many they are is rounded over the strata so far, which are in an
#: order of their own lots: each stratum is within one customer of its share, all of them together are exactly the share, and strata too small
#: for a customer of either arm get one as often as their size deserves.
DRAW = f"""
create or replace temp table {ARMS} as
with sizes as (
    select stratum, count(*) as customers
    from strata
    group by stratum
),
in_order as (
    select stratum, customers, sum(customers) over (order by sha256($salt || ':' || stratum), stratum) as customers_so_far
    from sizes
),
shares as (
    select
        stratum,
        floor($holdout * customers_so_far + 0.5) - floor($holdout * (customers_so_far - customers) + 0.5) as controls
    from in_order
),
lots as (
    select
        customer_id,
        stratum,
        row_number() over (partition by stratum order by sha256($salt || ':' || customer_id), customer_id) as place
    from strata
)
select customer_id, case when place <= controls then 'control' else 'treatment' end as arm, stratum
from lots
inner join shares using (stratum)
order by customer_id
"""


def draw_arms(
    connection: duckdb.DuckDBPyConnection, salt: str, holdout: float, stratify_by: Sequence[str]
) -> tuple[Stratum, ...]:
    """Draws the arms of the audience into the temporary table ``assignment``; gives the size of each arm by stratum."""
    cut_into_strata(connection, stratify_by)
    connection.execute(DRAW, {"salt": salt, "holdout": holdout})
    counted = connection.execute(
        "select stratum, count(*) filter (where arm = 'treatment'), count(*) filter (where arm = 'control') "
        f"from {ARMS} group by stratum order by stratum"
    ).fetchall()
    return tuple(Stratum(*row) for row in counted)


def cut_into_strata(connection: duckdb.DuckDBPyConnection, stratify_by: Sequence[str]) -> None:
    """Writes the temporary table ``strata``, one row per customer of the audience: customer_id, stratum.

    A number or a date is cut into fifths by its rank among those that are neither null nor zero, equal ones never apart. Of anything else the most
    frequent values stand alone. Null is a value.
    """
    types = {row[0]: str(row[1]) for row in connection.execute("describe customers.dim_customers").fetchall()}
    labels = [_label(attribute, types[attribute]) for attribute in stratify_by]
    connection.execute(
        f"create or replace temp table strata as select customer_id, concat_ws(', ', {', '.join(labels) or literal('all')}) as stratum "
        f"from {AUDIENCE} inner join customers.dim_customers using (customer_id)"
    )


def _label(attribute: str, type_: str) -> str:
    """The SQL of the name of a customer's stratum by one attribute."""
    column, name = identifier(attribute), attribute.replace("'", "''")
    if type_ == "DATE":
        return _fifth(name, column, f"{column} is null", "")
    if type_.startswith("DECIMAL") or type_ in (
        "TINYINT",
        "SMALLINT",
        "INTEGER",
        "BIGINT",
        "HUGEINT",
        "DOUBLE",
        "FLOAT",
    ):
        return _fifth(name, column, f"coalesce({column} = 0, true)", f"when {column} = 0 then '{name} = 0'")
    most_frequent = (
        f"select {column}::varchar from {AUDIENCE} inner join customers.dim_customers using (customer_id) "
        f"where {column} is not null group by all order by count(*) desc, {column}::varchar limit {VALUES}"
    )
    return (
        f"case when {column} is null then '{name} is null' "
        f"when {column}::varchar in ({most_frequent}) then '{name} = ' || {column}::varchar else '{name} is rare' end"
    )


def _fifth(name: str, column: str, stands_alone: str, zero: str) -> str:
    ranked = f"rank() over (partition by {stands_alone} order by {column}) - 1"
    fifth = f"1 + {PARTS_OF_A_NUMBER} * ({ranked}) // count(*) over (partition by {stands_alone})"
    return f"case when {column} is null then '{name} is null' {zero} else '{name} ' || ({fifth}) || '/{PARTS_OF_A_NUMBER}' end"
