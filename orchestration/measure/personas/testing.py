"""``metrics.persona_claims``: what each claim says of each day, with its figure and verdict. Who is compared is in ``members``, how in ``figures`` and ``intervals``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import date
from typing import Any, get_args

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from orchestration.days import Days, chunks
from orchestration.measure.personas.figures import make_windows, unit_of, values_of
from orchestration.measure.personas.intervals import Estimate, Figures, Sums, above, estimate, times
from orchestration.measure.personas.members import tell_days, tell_personas
from orchestration.measure.personas.verdicts import FLOOR, verdicts
from orchestration.measure.personas.wording import message
from orchestration.personas.claims import VALUES, Attribute, Claim, Measure
from orchestration.personas.files import Persona

#: Customers times as-of dates that are worked out at once.
CUSTOMER_DAYS_AT_ONCE = 4_000_000

#: Name and type of every column, in order.
COLUMNS = {
    "as_of_date": "date",
    "persona": "varchar",
    "claim": "varchar",
    "text": "varchar",
    "kind": "varchar",
    "measure": "varchar",
    "compared": "varchar",
    "at_least": "double",
    "at_most": "double",
    "tolerance": "double",
    "unit": "varchar",
    "customers": "bigint",
    "others": "bigint",
    "value": "double",
    "reference": "double",
    "figure": "double",
    "lower": "double",
    "upper": "double",
    "verdict": "varchar",
    "message": "varchar",
    "state": "varchar",
    "claim_hash": "varchar",
}
CREATE = f"""
create schema if not exists metrics;
create table if not exists metrics.persona_claims ({", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())})
"""

#: What is said of a day on which its customers can be believed.
FIGURES = ["customers", "others", "value", "reference", "figure", "lower", "upper", "verdict"]

#: What is added up of a measure, exactly, over some of its customers.
SUMMED = {
    "customers": "count(*)",
    "num": "sum(num)",
    "den": "sum(den)",
    "num_num": "sum(num::hugeint * num)",
    "num_den": "sum(num::hugeint * den)",
    "den_den": "sum(den::hugeint * den)",
    "num_num_num": "sum(num::hugeint * num * num)",
    "num_num_den": "sum(num::hugeint * num * den)",
    "num_den_den": "sum(num::hugeint * den * den)",
    "den_den_den": "sum(den::hugeint * den * den)",
}
ADDED_UP = ", ".join(f"{how} as {name}" for name, how in SUMMED.items())
#: The sums of a measure over the customers of each persona, and over everybody else: those of all less the persona's.
SUMS = f"""
with figures as materialized ({{values}}),

everybody as (
    select as_of_date, {ADDED_UP} from figures group by as_of_date
),

of_personas as (
    select as_of_date, persona, {ADDED_UP}
    from figures
    inner join persona_members using (as_of_date, customer_id)
    where list_contains($personas::varchar[], persona)
    group by as_of_date, persona
)

select as_of_date, persona, true as is_persona, {", ".join(f"{name}::double as {name}" for name in SUMMED)}
from of_personas

union all

select
    everybody.as_of_date, personas.persona, false as is_persona,
    {", ".join(f"(everybody.{name} - coalesce(of_personas.{name}, 0))::double as {name}" for name in SUMMED)}
from everybody
cross join (select unnest($personas::varchar[]) as persona) as personas
left join of_personas on of_personas.as_of_date = everybody.as_of_date and of_personas.persona = personas.persona
"""

#: The products of two measures' sums over the customers of a persona, by which their covariance is told.
PRODUCTS = """
select
    one.as_of_date,
    sum(one.num::hugeint * other.num)::double as num_num,
    sum(one.num::hugeint * other.den)::double as num_den,
    sum(one.den::hugeint * other.num)::double as den_num,
    sum(one.den::hugeint * other.den)::double as den_den
from ({one}) as one
inner join ({other}) as other on other.as_of_date = one.as_of_date and other.customer_id = one.customer_id
semi join (select * from persona_members where persona = $persona) as members
    on members.as_of_date = one.as_of_date and members.customer_id = one.customer_id
group by all
"""

#: The days on which a segment is held: what is said of its members then is not of that day.
HELD = "select segment, as_of_date from metrics.segment_counts_daily where state = 'held' and as_of_date between $first and $last"
#: Since when there were goods to sell and values that a customer had, by the field of a measure that asks for them.
KNOWN_VALUES = " union all ".join(
    [
        "select 'category', lower(category), min(valid_from) from intermediate.int_product_versions group by all",
        "select 'department', lower(department), min(valid_from) from intermediate.int_product_versions group by all",
        "select 'interests', interest, min(valid_from) from (select unnest(interests) as interest, valid_from from intermediate.int_customer_versions) group by all",
        *(
            f"select '{column}', {column}::varchar, min(valid_from) from intermediate.int_customer_versions group by all"
            for column in get_args(Attribute)
            if column not in ("age", "interests", *VALUES)
        ),
    ]
)


def record_claims(
    connection: duckdb.DuckDBPyConnection,
    personas: Mapping[str, Persona],
    kept: Iterable[str],
    days: Days,
    currency: str,
) -> int:
    """Writes ``metrics.persona_claims`` for the days, in place of what was there; gives the rows written.

    Grain: one row per as-of date, persona and claim; figures and verdict are null where the claim is not observed, and on days on which a segment of the persona is
    held. What was said of the days of personas that are ``kept``, because they cannot be tested any more, stays.
    """
    connection.execute(CREATE)
    found = [
        frame
        for part in chunks(list(days), _days_at_once(connection))
        for frame in _of_days(connection, tuple(personas.values()), part, currency)
    ]
    connection.execute("begin")
    connection.execute(
        "delete from metrics.persona_claims where as_of_date between $first and $last and not list_contains($kept::varchar[], persona)",
        {"first": days.first, "last": days.last, "kept": sorted(kept)},
    )
    rows = pd.concat(found, ignore_index=True) if found else pd.DataFrame()
    if len(rows):
        connection.register("rows", rows)
        connection.execute(
            "insert into metrics.persona_claims by name select * from rows order by persona, claim, as_of_date"
        )
        connection.unregister("rows")
    connection.execute("commit")
    return len(rows)


def _days_at_once(connection: duckdb.DuckDBPyConnection) -> int:
    ((customers,),) = connection.execute(
        "select count(distinct customer_id) from intermediate.int_customer_versions"
    ).fetchall()
    return max(1, CUSTOMER_DAYS_AT_ONCE // max(1, int(customers)))


def _of_days(
    connection: duckdb.DuckDBPyConnection, personas: Sequence[Persona], days: Sequence[date], currency: str
) -> list[pd.DataFrame]:
    tell_days(connection, days)
    tell_personas(connection, personas)
    sums = _all_sums(connection, personas)
    held = set(connection.execute(HELD, {"first": days[0], "last": days[-1]}).fetchall())
    known_since = {(field, said): since for field, said, since in connection.execute(KNOWN_VALUES).fetchall()}
    frames = []
    for persona in personas:
        for claim in persona.claims:
            unknown = [_unknown(claim, known_since, day) for day in days]
            is_known = np.array([one is None for one in unknown])
            rests_on = {*persona.evidence, *persona.segments_of("excluded"), *(one.segment for one in claim.measures)}
            is_held = np.array([any((segment, day) in held for segment in rests_on) for day in days])
            at = pd.DatetimeIndex(days)
            frame = (
                _tested(connection, persona, claim, sums, at, is_known)
                if claim.kind == "observed"
                else _frame(claim, at)
            )
            frame["state"] = np.where(is_held, "held", "fresh")
            if is_held.any():
                frame.loc[is_held, FIGURES] = None
            said = zip(frame.to_dict("records"), unknown, strict=True)
            frame["message"] = [message(claim, row, currency, one) for row, one in said]
            frames.append(frame.assign(persona=persona.id, claim_hash=_digest(persona, claim)))
    return frames


def _unknown(claim: Claim, known_since: Mapping[tuple[str, str], date], day: date) -> tuple[str, str] | None:
    """A value that the claim asks for and that nothing had by the day, behind what it is of."""
    asked = (one for measure in claim.measures for one in measure.values if one[0] not in VALUES)
    return next((one for one in asked if known_since.get(one, date.max) > day), None)


def _all_sums(connection: duckdb.DuckDBPyConnection, personas: Sequence[Persona]) -> dict[Measure, pd.DataFrame]:
    """Each measure once, for all personas that ask it: as_of_date, persona, is_persona, and the sums."""
    asked: dict[Measure, list[str]] = {}
    for persona in personas:
        for claim in persona.claims:
            for measure in claim.measures:
                if persona.id not in asked.setdefault(measure, []):
                    asked[measure].append(persona.id)
    make_windows(connection, asked)
    return {
        measure: connection.execute(SUMS.format(values=values_of(measure)), {"personas": names}).df()
        for measure, names in asked.items()
    }


def _tested(
    connection: duckdb.DuckDBPyConnection,
    persona: Persona,
    claim: Claim,
    sums: Mapping[Measure, pd.DataFrame],
    at: pd.DatetimeIndex,
    is_known: NDArray[np.bool_],
) -> pd.DataFrame:
    """The claim of each day; nothing is said of goods and values that there never were."""
    measure, another, tolerance = claim.measure, claim.another, claim.tolerance
    assert measure is not None, claim.id
    assert tolerance is not None, claim.id
    one = _sums(sums[measure], persona.id, True, at)
    value = _estimate(one, measure)
    other, reference = None, None
    covariance: Figures | float = 0.0
    if another is not None:
        other = _sums(sums[another], persona.id, True, at)
        reference = _estimate(other, another)
        covariance = _covariance(connection, persona.id, measure, another, one, other, at)
    elif claim.compared != "alone":
        other = _sums(sums[measure], persona.id, False, at)
        reference = _estimate(other, measure)
    figure = value
    if reference is not None:
        figure = (times if claim.compared.startswith("times") else above)(value, reference, covariance)
    is_shown = is_known & (one.customers >= FLOOR) & (True if other is None else other.customers >= FLOOR)
    low, middle, high = (np.where(is_shown, numbers, np.nan) for numbers in (figure.lower, figure.value, figure.upper))
    said = verdicts(middle, low, high, claim.limit, tolerance, is_least=claim.at_least is not None)
    shown: dict[str, Any] = {
        name: np.where(is_shown & np.isfinite(numbers), numbers, np.nan)
        for name, numbers in (
            ("value", value.value),
            ("reference", np.full(len(at), np.nan) if reference is None else reference.value),
            ("figure", figure.value),
            ("lower", figure.lower),
            ("upper", figure.upper),
        )
    }
    return _frame(
        claim,
        at,
        measure=measure.in_words if another is None else f"{measure.in_words}; {another.in_words}",
        unit=measure.unit if claim.compared in ("alone", "above_the_rest", "above_another") else "number",
        customers=one.customers.astype(int),
        others=None if other is None else other.customers.astype(int),
        verdict=said,
        **shown,
    )


def _frame(claim: Claim, at: pd.DatetimeIndex, **said: Any) -> pd.DataFrame:
    words: dict[str, Any] = {
        "as_of_date": at,
        "claim": claim.id,
        "text": claim.text,
        "kind": claim.kind,
        "compared": claim.compared if claim.kind == "observed" else None,
        "at_least": claim.at_least,
        "at_most": claim.at_most,
        "tolerance": claim.tolerance,
    }
    unsaid = dict.fromkeys(name for name in COLUMNS if name not in ("persona", "message", "state", "claim_hash"))
    return pd.DataFrame(unsaid | words | said, index=range(len(at))).astype(
        {"customers": "Int64", "others": "Int64", "verdict": "object"}
    )


def _sums(frame: pd.DataFrame, persona: str, is_persona: bool, at: pd.DatetimeIndex) -> Sums:
    """The sums of each day; noughts where nobody counts."""
    names = [field.name for field in fields(Sums)]
    of_it = frame[(frame["persona"] == persona) & (frame["is_persona"] == is_persona)].set_index("as_of_date")[names]
    of_it = of_it.reindex(at, fill_value=0.0)
    return Sums(*(of_it[name].to_numpy(float) for name in names))


def _estimate(sums: Sums, measure: Measure) -> Estimate:
    return estimate(sums, unit_of(measure), measure.unit == "share")


def _covariance(
    connection: duckdb.DuckDBPyConnection,
    persona: str,
    measure: Measure,
    another: Measure,
    one: Sums,
    other: Sums,
    at: pd.DatetimeIndex,
) -> Figures:
    """Of two figures of the same customers, from the linearised quotients."""
    query = PRODUCTS.format(one=values_of(measure), other=values_of(another))
    found = connection.execute(query, {"persona": persona}).df().set_index("as_of_date").reindex(at, fill_value=0.0)
    num_num, num_den, den_num, den_den = (
        found[name].to_numpy(float) for name in ("num_num", "num_den", "den_num", "den_den")
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        a, b = one.num / one.den, other.num / other.den
        products = num_num - b * num_den - a * den_num + a * b * den_den
        # As in the variance of each, so that a measure is wholly correlated with itself.
        products *= np.sqrt(one.customers / (one.customers - 1) * (other.customers / (other.customers - 1)))
        covariance = products / (one.den * other.den) / (unit_of(measure) * unit_of(another))
    return np.where(np.isfinite(covariance), covariance, 0.0)


def _digest(persona: Persona, claim: Claim) -> str:
    """Of all that a verdict rests on beside the customers: the day from which it is so begins anew where it changes."""
    rests_on = {
        "claim": claim.model_dump(mode="json", exclude={"text", "because", "settled_by"}),
        "segments": sorted((one.id, one.role) for one in persona.segments if one.role != "target"),
    }
    return hashlib.sha256(json.dumps(rests_on, sort_keys=True).encode()).hexdigest()[:16]
