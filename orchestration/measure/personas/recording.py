"""Puts together what a night records of the personas: ``metrics.personas`` (what is said of each, and whether it is held), claims, evidence and coverage."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from datetime import date

import duckdb
import pandas as pd

from orchestration.days import Days
from orchestration.measure.personas.coverage import record_coverage
from orchestration.measure.personas.evidence import record_evidence
from orchestration.measure.personas.members import tell_days, tell_personas
from orchestration.measure.personas.testing import record_claims
from orchestration.personas.files import Persona, PersonaFiles, Rule, circular_claim, unknown_segment

COLUMNS = {
    "persona": "varchar",
    "name": "varchar",
    "archetype": "varchar",
    "status": "varchar",
    "owner": "varchar",
    "review_by": "date",
    "is_negative": "boolean",
    "segments": "varchar[]",
    "evidence": "varchar[]",
    "targets": "varchar[]",
    "excluded": "varchar[]",
    "customers": "bigint",
    "held_since": "date",
    "held_because": "varchar",
    "said": "varchar",
}
#: Of a persona whose file could never be read they are empty.
LINKS = ("segments", "evidence", "targets", "excluded")
CREATE = f"""
create schema if not exists metrics;
create table if not exists metrics.personas ({", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())})
"""

#: A persona is held with a segment that she is made of.
HELD_SEGMENTS = """
select links.persona, min(counts.as_of_date), arg_min(counts.segment || ': ' || today.held_because, (counts.segment, today.held_because))
from links
inner join metrics.segment_counts_daily as today
    on today.segment = links.segment and today.as_of_date = $last and today.state = 'held'
inner join metrics.segment_counts_daily as counts on counts.segment = links.segment and counts.state = 'held'
where links.role in ('evidence', 'excluded') and counts.as_of_date > (
    select coalesce(max(as_of_date), date '0001-01-01') from metrics.segment_counts_daily as fresh
    where fresh.segment = links.segment and fresh.state = 'fresh' and fresh.as_of_date < $last
)
group by links.persona
"""


@dataclass(frozen=True)
class Recorded:
    """Rows written."""

    claims: int
    evidence: int
    coverage: int


def record_personas(
    connection: duckdb.DuckDBPyConnection,
    files: PersonaFiles,
    days: Days,
    currency: str,
    timezone: str,
    selected: Set[str] = frozenset(),
) -> Recorded:
    """Writes what is known of the personas: the claims of every one of the days, all else of the last of them. Where the run is of ``selected``
    segments, what was said of the days stays for personas that ask for none of them.

    A persona whose file cannot be read, or names a segment that there is not, is held, and all are where their folder is gone: what was said of them last stays.
    Retired ones are listed, and not tested any more.
    """
    found = connection.execute("select segment, columns_used, builds_on, scheme from refresh.definitions").fetchall()
    rules = {segment: Rule(*said) for segment, *said in found}
    connection.execute(CREATE)
    held = {file.rsplit(".", 1)[0]: wrong for file, wrong in files.wrong.items()}
    if files.missing:
        known = connection.execute("select persona from metrics.personas").fetchall()
        held |= {persona: files.missing for (persona,) in known}
    for persona in files.personas.values():
        file = files.folder / f"{persona.id}.yml"
        if wrong := unknown_segment(persona, file, rules) or circular_claim(persona, file, rules):
            held[persona.id] = wrong
    good = {name: persona for name, persona in files.personas.items() if name not in held}
    tested = {name: persona for name, persona in good.items() if persona.status != "retired"}
    asked = {name: persona for name, persona in tested.items() if not selected or selected & {*persona.asked_segments}}
    claims = record_claims(connection, asked, {*held, *good} - {*asked}, days, currency)
    tell_days(connection, [days.last])
    tell_personas(connection, tested.values())
    _record_catalogue(connection, good, {name: _without(files, wrong) for name, wrong in held.items()}, days.last)
    return Recorded(claims, record_evidence(connection, timezone, held), record_coverage(connection))


def _without(files: PersonaFiles, wrong: str) -> str:
    """The sentence with the file as it is called in the project: where the folder is says nothing to who reads the release."""
    return wrong.replace(f"{files.folder}/", "personas/")


def _record_catalogue(
    connection: duckdb.DuckDBPyConnection, good: dict[str, Persona], held: dict[str, str], last: date
) -> None:
    sizes = dict(connection.execute("select persona, count(*) from persona_members group by persona").fetchall())
    with_segment = {
        persona: (since, because)
        for persona, since, because in connection.execute(HELD_SEGMENTS, {"last": last}).fetchall()
    }
    rows = [_row(persona, sizes.get(name, 0), *with_segment.get(name, (None, None))) for name, persona in good.items()]
    found = connection.execute("select * from metrics.personas")
    names = [column[0] for column in found.description or ()]
    before = {row[0]: dict(zip(names, row, strict=True)) for row in found.fetchall()}
    for name, because in held.items():
        earlier = before.get(name, dict.fromkeys(COLUMNS) | {"persona": name} | {links: [] for links in LINKS})
        rows.append(earlier | {"held_since": earlier["held_since"] or last, "held_because": because})
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    connection.execute("begin")
    connection.execute("delete from metrics.personas")
    connection.register("rows", frame)
    connection.execute("insert into metrics.personas by name select * from rows order by persona")
    connection.unregister("rows")
    connection.execute("commit")


def _row(persona: Persona, customers: int, held_since: date | None, held_because: str | None) -> dict[str, object]:
    said = persona.model_dump(mode="json", include={"name", "archetype", "status", "owner", "is_negative"})
    return {
        **said,
        "persona": persona.id,
        "review_by": persona.review_by,
        "segments": [one.id for one in persona.segments],
        "evidence": list(persona.evidence),
        "targets": list(persona.segments_of("target")),
        "excluded": list(persona.segments_of("excluded")),
        "customers": customers,
        "held_since": held_since,
        "held_because": held_because,
        "said": persona.model_dump_json(by_alias=True),
    }
