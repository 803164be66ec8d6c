"""On which of the days ahead each customer is a member of each segment if nothing comes in, worked out only where it can have become other than
the night before said, and carried on from there elsewhere.

A day ahead that was looked at before comes out the same again for a customer of whom nothing has come since, where the rule asks of no
other customer. States no rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from functools import partial

from orchestration.days import Days
from orchestration.transform.catalogue import what_builds_on_what, with_those_beneath
from orchestration.transform.clauses import Rule
from orchestration.transform.meaning import CUSTOMERS
from orchestration.transform.rules import Rules
from orchestration.transform.what_if import KNOWN_FROM, KNOWN_UNTIL, NOTHING_GIVEN, Copy

#: Days ahead that are looked at; their number has to be below 63, for a customer's days are the bits of an integer.
DAYS_AHEAD = 30

#: Customers times days that are worked out at once; where everybody is compared: of what is beneath the comparison, and compared.
ROWS_AT_ONCE, DERIVED_AT_ONCE, COMPARED_AT_ONCE = 3_000_000, 32_000_000, 6_000_000

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

CARRIED_ON = """
insert into main.found
select segment, customer_id, days >> {days_gone} as days
from {warehouse}.refresh.days_ahead
where list_contains({segments}, segment) and days >> {days_gone} > 0 and customer_id not in (from main.changed)
"""

TOGETHER = """
insert into main.days_ahead
select segment, customer_id, bit_or(days) as days from main.found where segment = '{segment}' group by segment, customer_id
"""

KEEP = """
create or replace table {warehouse}.refresh.days_ahead as from main.days_ahead;
create or replace table {warehouse}.refresh.days_ahead_of as
select {day} as day, unnest({segments}::varchar[]) as segment, unnest({fingerprints}::varchar[]) as fingerprint
"""


def look_ahead(copy: Copy, rules: Rules, told: list[str], day: date, first_day: date) -> None:
    """Writes ``main.days_ahead`` of the copy for the segments that are ``told``, each after those that it builds on.

    Grain: one row per segment and customer who is a member on a day ahead, with ``days``, in which bit n is the day n + 1 days after
    ``day``. ``first_day`` is the first that the run has evaluated.
    """
    copy.run(*CREATE.split(";"))
    ahead = Days(day + timedelta(1), day + timedelta(DAYS_AHEAD))
    before, kept = _night_before(copy, rules, day, first_day)
    of_one = _of_one(rules, told)
    if before is not None:
        copy.run(f"create table main.changed as {_who_changed(copy, before)}")
    nothing_came = before == day and not copy.connection.execute("select 1 from main.changed limit 1").fetchall()
    carried = _can_be_carried(rules, told if nothing_came else of_one, kept)
    found = FOUND.replace("{tomorrow}", f"date '{ahead.first}'")
    comparing = [segment for segment in told if segment not in of_one and segment not in carried]
    _compare_everybody(copy, rules, found, comparing, ahead)
    evaluate = partial(_evaluate, copy, rules, found)
    evaluate([segment for segment in of_one if segment not in carried], ahead)
    if before is not None and carried:
        if not nothing_came:
            known_before = before + timedelta(DAYS_AHEAD)
            if known_before < ahead.last:
                evaluate(carried, Days(known_before + timedelta(1), ahead.last))
            if known_before >= ahead.first:
                evaluate(carried, Days(ahead.first, known_before), of="customer_id in (from main.changed)")
        carry = CARRIED_ON.replace("{days_gone}", str((day - before).days))
        copy.run(carry.replace("{segments}", str(carried)))
    copy.run(*(TOGETHER.replace("{segment}", segment) for segment in told))


def keep_days_ahead(copy: Copy, rules: Rules, told: list[str], day: date) -> None:
    """Keeps what ``look_ahead`` found in the warehouse, for the next night."""
    kept = KEEP.replace("{day}", f"date '{day}'").replace("{segments}", str(told))
    fingerprints = [_fingerprint(rules, segment) for segment in told]
    copy.run(*kept.replace("{fingerprints}", str(fingerprints)).split(";"))


def members(segment: str, rule: Rule) -> str:
    """The statement that makes the segment a view over the customers that the copy has derived."""
    meets_all = " and ".join(f"coalesce({clause.sql}, false)" for clause in rule.clauses)
    made = MEMBERS.replace("{segment}", segment).replace("{source}", rule.source)
    return made.replace("{meets_all}", meets_all)


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


def _of_one(rules: Rules, told: list[str]) -> list[str]:
    """Of the segments told, those whose rules ask of no other customer, through other segments neither."""
    models = rules.models
    comparing = models.comparing_among(rules.attributes)
    known_of_one = {versions.table for versions in models.versioned} | models.derived.keys() - models.comparing
    builds_on = what_builds_on_what(rules.segments)
    of_one: list[str] = []
    for segment in told:
        rule = rules.rules[segment]
        if (
            all(clause.is_of_one for clause in rule.clauses)
            and not rule.columns & comparing
            and rule.tables <= known_of_one
            and all(other in of_one for other in builds_on[segment])
        ):
            of_one.append(segment)
    return of_one


def _can_be_carried(rules: Rules, asked: list[str], kept: list[str]) -> list[str]:
    """Of the segments asked, those that the night before told of too, with all that they build on."""
    builds_on = what_builds_on_what(rules.segments)
    carried: list[str] = []
    for segment in asked:
        if segment in kept and all(other in carried for other in builds_on[segment]):
            carried.append(segment)
    return carried


def _evaluate(copy: Copy, rules: Rules, found: str, segments: list[str], days: Days, of: str = "") -> None:
    """Asks the rules of the segments on the days, of every customer or of those that the condition ``of`` picks, and notes what is ``found``.

    So many customers at a time that what was bought is added up once for each of them.
    """
    if not segments:
        return
    asked, part = _asked(rules, segments)
    for some in _customers_at_a_time(copy, of, len(days)):
        copy.know_what_is_known(part.tables, part.needed, some)
        _ask(copy, part, found, segments, asked, days)


def _compare_everybody(copy: Copy, rules: Rules, found: str, segments: list[str], days: Days) -> None:
    """The same of rules that compare customers: everybody has to be there, so that it is some days at a time."""
    if not segments:
        return
    asked, part = _asked(rules, segments)
    copy.know_what_is_known(part.tables)
    customers = max(1, _customers(copy))
    for many in _in_parts(days, DERIVED_AT_ONCE // customers):
        given = copy.derive_what_compares_nobody(_listed(many), part.needed, part.attributes, {*part.derived})
        for few in _in_parts(many, COMPARED_AT_ONCE // customers):
            _ask(copy, part, found, segments, asked, few, given)


def _asked(rules: Rules, segments: list[str]) -> tuple[list[str], Rules]:
    """The segments with all that they build on, and their rules."""
    asked = with_those_beneath(rules.segments, segments)
    return asked, replace(rules, rules={segment: rules.rules[segment] for segment in asked})


def _ask(
    copy: Copy,
    part: Rules,
    found: str,
    segments: list[str],
    asked: list[str],
    days: Days,
    given: Mapping[str, str] = NOTHING_GIVEN,
) -> None:
    copy.derive(_listed(days), part.needed, compare=True, columns=part.columns, given=given)
    for segment in asked:
        copy.run(members(segment, part.rules[segment]))
        if segment in segments:
            copy.run(found.replace("{segment}", segment))


def _in_parts(days: Days, at_once: int) -> Iterator[Days]:
    """The days in runs of so many, of one at least; a small company's would be longer than the calendar."""
    at_once = max(1, min(len(days), at_once))
    for gone in range(0, len(days), at_once):
        first = days.first + timedelta(gone)
        yield Days(first, min(days.last, first + timedelta(at_once - 1)))


def _listed(days: Days) -> str:
    return f"select date '{days.first}' + range::integer as as_of_date from range({len(days)})"


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
    return f"{rules.hashes[segment]} for {DAYS_AHEAD} days"
