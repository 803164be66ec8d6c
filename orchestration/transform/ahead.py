"""On which of the days ahead each customer meets what is known beforehand of each segment's rule, worked out only where it can have become
other than the night before said, and carried on from there elsewhere.

A day ahead that was looked at before comes out the same again for a customer of whom nothing has come since. States no rule.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from functools import partial

from orchestration.days import Days
from orchestration.transform.catalogue import what_builds_on_what, with_those_beneath
from orchestration.transform.clauses import Rule
from orchestration.transform.meaning import CUSTOMERS
from orchestration.transform.rules import Rules
from orchestration.transform.what_if import KNOWN_FROM, KNOWN_UNTIL, Copy

#: Days ahead that are looked at; their number has to be below 63, for a customer's days are the bits of an integer.
DAYS_AHEAD = 30

#: Customers times days that are worked out at once.
ROWS_AT_ONCE = 3_000_000

CREATE = """
create table if not exists {warehouse}.refresh.days_ahead (segment varchar, customer_id varchar, days bigint);
create table if not exists {warehouse}.refresh.days_ahead_of (day date, segment varchar, fingerprint varchar);
create table main.found (segment varchar, customer_id varchar, days bigint);
create table main.days_ahead (segment varchar, customer_id varchar, days bigint)
"""

MEMBERS = "create or replace view segments.{segment} as select as_of_date, customer_id from {source} where {meets_all}"

#: A customer's days as a member, as bits, tomorrow the lowest.
FOUND = """
insert into main.found
select '{segment}' as segment, customer_id, bit_or(1::bigint << date_diff('day', {tomorrow}, as_of_date)) as days
from segments.{segment}
group by customer_id
"""

#: The same where one day was asked of, on which a customer is a member once.
FOUND_ON_A_DAY = """
insert into main.found
select '{segment}' as segment, customer_id, 1::bigint << date_diff('day', {tomorrow}, as_of_date) as days
from segments.{segment}
"""

#: What was found of a segment, beside what the night before said of whoever nothing came of since.
TOGETHER = """
insert into main.days_ahead
select '{segment}' as segment, customer_id, bit_or(days) as days
from (
    select customer_id, days from main.found where segment = '{segment}'
    {carried_on}
)
group by customer_id
"""

CARRIED_ON = """
    union all
    select customer_id, days >> {days_gone} as days
    from {warehouse}.refresh.days_ahead
    where segment = '{segment}' and days >> {days_gone} > 0 and customer_id not in (from main.changed)
"""

KEEP = """
create or replace table {warehouse}.refresh.days_ahead as from main.days_ahead;
create or replace table {warehouse}.refresh.days_ahead_of as
select {day} as day, unnest({segments}::varchar[]) as segment, unnest({fingerprints}::varchar[]) as fingerprint
"""


def look_ahead(copy: Copy, rules: Rules, told: list[str], day: date, first_day: date) -> None:
    """Writes ``main.days_ahead`` of the copy for the segments that are ``told``, each after those that it builds on, by rules that ask of one
    customer at a time.

    Grain: one row per segment and customer who meets the rule on a day ahead, with ``days``, in which bit n is the day n + 1 days after
    ``day``. ``first_day`` is the first that the run has evaluated.
    """
    copy.run(*CREATE.split(";"))
    ahead = Days(day + timedelta(1), day + timedelta(DAYS_AHEAD))
    before, kept = _night_before(copy, rules, day, first_day)
    carried = _can_be_carried(rules, told, kept)
    evaluate = partial(_evaluate, copy, rules, f"date '{ahead.first}'")
    evaluate([segment for segment in told if segment not in carried], ahead)
    carried_on = ""
    if before is not None and carried:
        copy.run(f"create table main.changed as {_who_changed(copy, before)}")
        known_before = before + timedelta(DAYS_AHEAD)
        if known_before < ahead.last:
            evaluate(carried, Days(known_before + timedelta(1), ahead.last))
        if known_before >= ahead.first:
            evaluate(carried, Days(ahead.first, known_before), of="customer_id in (from main.changed)")
        carried_on = CARRIED_ON.replace("{days_gone}", str((day - before).days))
    for segment in told:
        together = TOGETHER.replace("{carried_on}", carried_on if segment in carried else "")
        copy.run(together.replace("{segment}", segment))


def keep_days_ahead(copy: Copy, rules: Rules, told: list[str], day: date) -> None:
    """Keeps what ``look_ahead`` found in the warehouse, for the next night."""
    kept = KEEP.replace("{day}", f"date '{day}'").replace("{segments}", str(told))
    fingerprints = [_fingerprint(rules, segment) for segment in told]
    copy.run(*kept.replace("{fingerprints}", str(fingerprints)).split(";"))


def members(segment: str, rule: Rule) -> str:
    """The statement that makes the segment a view over the customers that the copy has derived."""
    made = MEMBERS.replace("{segment}", segment).replace("{source}", rule.source)
    return made.replace("{meets_all}", meets_all(rule))


def meets_all(rule: Rule) -> str:
    """The condition that all of a rule's clauses are met."""
    return " and ".join(f"coalesce({clause.sql}, false)" for clause in rule.clauses)


def _night_before(copy: Copy, rules: Rules, day: date, first_day: date) -> tuple[date | None, list[str]]:
    """The day whose look ahead can be carried on, and the segments in it: nothing on or before it was evaluated anew, and their rules are as
    they were.
    """
    found = copy.connection.execute(f"from {copy.warehouse}.refresh.days_ahead_of").fetchall()
    before = found[0][0] if found else None
    if before is None or before >= first_day or day > before + timedelta(DAYS_AHEAD):
        return None, []
    return before, [
        segment
        for _, segment, fingerprint in found
        if segment in rules.hashes and fingerprint == _fingerprint(rules, segment)
    ]


def _can_be_carried(rules: Rules, asked: list[str], kept: list[str]) -> list[str]:
    """Of the segments asked, those that the night before told of too, with all that they build on."""
    builds_on = what_builds_on_what(rules.segments)
    carried: list[str] = []
    for segment in asked:
        if segment in kept and all(other in carried for other in builds_on[segment]):
            carried.append(segment)
    return carried


def _evaluate(copy: Copy, rules: Rules, tomorrow: str, segments: list[str], days: Days, of: str = "") -> None:
    """Asks the rules of the segments on the days, of every customer or of those that the condition ``of`` picks, and notes what is found.

    So many customers at a time that what was bought is added up once for each of them.
    """
    if not segments:
        return
    asked = with_those_beneath(rules.segments, segments)
    part = replace(rules, rules={segment: rules.rules[segment] for segment in asked})
    found = (FOUND_ON_A_DAY if len(days) == 1 else FOUND).replace("{tomorrow}", tomorrow)
    listed = f"select date '{days.first}' + range::integer as as_of_date from range({len(days)})"
    for some in _customers_at_a_time(copy, of, len(days)):
        copy.know_what_is_known(part.tables, part.needed, some)
        copy.derive(listed, part.needed, compare=False, columns=part.columns)
        for segment in asked:
            copy.run(members(segment, part.rules[segment]))
            if segment in segments:
                copy.run(found.replace("{segment}", segment))


def _who_changed(copy: Copy, since: date) -> str:
    """A query for everybody of whom something else is known than on that day."""
    return " union ".join(
        f"select customer_id from {{warehouse}}.{versions.table} "
        f"where customer_id is not null and ({KNOWN_FROM} > date '{since}' or {KNOWN_UNTIL} > date '{since}')"
        for versions in copy.models.versioned
    )


def _customers(copy: Copy, of: str = "") -> int:
    newest = f"{copy.warehouse}.customers.{CUSTOMERS}"
    asked = f"select count(*) from {newest} where as_of_date = (select max(as_of_date) from {newest})"
    return int(copy.connection.execute(f"{asked} and {of}" if of else asked).fetchall()[0][0])


def _customers_at_a_time(copy: Copy, of: str, days: int) -> Iterator[str]:
    """Conditions that pick the customers in parts; one that is empty picks everybody."""
    parts = 1 + _customers(copy, of) * days // ROWS_AT_ONCE
    if parts == 1:
        yield of
    else:
        yield from (f"{f'{of} and ' if of else ''}hash(customer_id) % {parts} = {part}" for part in range(parts))


def _fingerprint(rules: Rules, segment: str) -> str:
    return f"{rules.hashes[segment]}, beforehand, for {DAYS_AHEAD} days"
