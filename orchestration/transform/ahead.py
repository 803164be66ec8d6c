"""On which of the days ahead each customer meets what is known beforehand of each segment's rule, worked out only where it can have become
other than the night before said, and carried on from there elsewhere.

A day ahead that was looked at before comes out the same again for a customer of whom nothing has come since. Days are looked at for a week of nights
at once: what was bought is added up once for all of them, and on the nights between nobody is asked but those of whom something came. States no rule.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial

from orchestration.days import Days
from orchestration.transform.catalogue import what_builds_on_what
from orchestration.transform.clauses import Rule
from orchestration.transform.meaning import CUSTOMERS
from orchestration.transform.rules import Rules
from orchestration.transform.what_if import KNOWN_FROM, KNOWN_UNTIL, Copy

#: Days ahead that are told.
DAYS_AHEAD = 30
#: Days after those that are looked at with them, for the nights to come. A customer's days are the bits of an integer: together fewer than 63.
DAYS_TO_SPARE = 6

#: Of what DuckDB may use, for each customer's day that is worked out at once: with 4 GB three million, at which nothing spilled.
BYTES_PER_ROW = 1_300

KEPT = """
create table if not exists {warehouse}.refresh.days_looked_at (segment varchar, customer_id varchar, days bigint);
create table if not exists {warehouse}.refresh.looked_ahead (day date, since date, until date, segment varchar, fingerprint varchar)
"""

CREATE = """
create table main.carried as select unnest({carried}::varchar[]) as segment;
create table main.changed (customer_id varchar);
create table main.found (segment varchar, customer_id varchar, days bigint)
"""

MEMBERS = "create or replace view segments.{segment} as select as_of_date, customer_id from {source} where {meets_all}"

#: A customer's days as a member, as bits, the first day looked at the lowest.
FOUND = """
insert into main.found
select '{segment}' as segment, customer_id, bit_or(1::bigint << date_diff('day', {first}, as_of_date)) as days
from segments.{segment}
group by customer_id
"""

#: What the night before said of whoever nothing came of since.
CARRIED_ON = """
select segment, customer_id, days
from {warehouse}.refresh.days_looked_at
where segment in (from main.carried) and customer_id not in (from main.changed)
"""

#: Where nobody is carried on whose further days were looked at: both beside each other.
BESIDE = "create view main.looked_at as {carried_on} union all from main.found"

#: Else what was found of a segment, together with what is carried on.
TOGETHER = """
insert into main.looked_at
select '{segment}' as segment, customer_id, bit_or(days) as days
from (
    select customer_id, days from main.found where segment = '{segment}'
    union all
    select customer_id, days >> {days_gone} from ({carried_on}) where segment = '{segment}' and days >> {days_gone} > 0
)
group by customer_id
"""

TOLD = """
create view main.days_ahead as
select segment, customer_id, (days >> {days_gone}) & {all_days} as days from main.looked_at
"""

KEEP_WHAT_CHANGED = """
delete from {warehouse}.refresh.days_looked_at
where customer_id in (from main.changed) or segment not in (from main.carried);
insert into {warehouse}.refresh.days_looked_at from main.found
"""
KEEP_ALL = "create or replace table {warehouse}.refresh.days_looked_at as from main.looked_at"
KEEP_OF_WHAT = """
create or replace table {warehouse}.refresh.looked_ahead as
select {day} as day, {since} as since, {until} as until, unnest({segments}::varchar[]) as segment, unnest({fingerprints}::varchar[]) as fingerprint
"""


@dataclass(frozen=True)
class LookedAhead:
    """What was looked at as of ``day``: the days after ``since`` up to ``until``, of which those of the segments ``carried`` were looked at before."""

    day: date
    since: date
    until: date
    carried: list[str]

    @property
    def stands(self) -> bool:
        """Whether days count from an earlier night, whose rows of whoever nothing came of stay as they are."""
        return self.since < self.day


def look_ahead(copy: Copy, rules: Rules, told: list[str], day: date, first_day: date) -> LookedAhead:
    """Writes ``main.days_ahead`` of the copy for the segments that are ``told``, each after those that it builds on, by rules that ask of one
    customer at a time.

    Grain: one row per segment and customer who meets the rule on a day ahead, with ``days``, in which bit n is the day n + 1 days after
    ``day``; no bit where that day is not told yet, or was. ``first_day`` is the first that the run has evaluated.
    """
    copy.run(*KEPT.split(";"))
    before = _night_before(copy, rules, told, day, first_day)
    carried = before.carried if before else []
    copy.run(*CREATE.replace("{carried}", str(carried)).split(";"))
    if before and before.until >= day + timedelta(DAYS_AHEAD):
        now = replace(before, day=day)
    else:
        now = LookedAhead(day, day, day + timedelta(DAYS_AHEAD + DAYS_TO_SPARE), carried)
    evaluate = partial(_evaluate, copy, rules, f"date '{now.since + timedelta(1)}'")
    evaluate([segment for segment in told if segment not in carried], Days(day + timedelta(1), now.until))
    if before:
        copy.run(f"insert into main.changed {_who_changed(copy, before.day)}")
        if now.until > before.until:
            evaluate(carried, Days(before.until + timedelta(1), now.until))
        evaluate(carried, Days(day + timedelta(1), before.until), of="customer_id in (from main.changed)")
    if now.stands:
        copy.run(BESIDE.replace("{carried_on}", CARRIED_ON))
    else:
        copy.run("create table main.looked_at (segment varchar, customer_id varchar, days bigint)")
        together = TOGETHER.replace("{carried_on}", CARRIED_ON)
        together = together.replace("{days_gone}", str((day - before.since).days if before else 0))
        for segment in told:
            copy.run(together.replace("{segment}", segment))
    copy.run(TOLD.replace("{days_gone}", str((day - now.since).days)).replace("{all_days}", str(2**DAYS_AHEAD - 1)))
    return now


def keep_days_ahead(copy: Copy, rules: Rules, told: list[str], looked: LookedAhead) -> None:
    """Keeps what ``look_ahead`` found in the warehouse, for the next night."""
    kept = KEEP_WHAT_CHANGED if looked.stands else KEEP_ALL
    of_what = KEEP_OF_WHAT.replace("{segments}", str(told))
    of_what = of_what.replace("{fingerprints}", str([_fingerprint(rules, segment) for segment in told]))
    for name in ("day", "since", "until"):
        of_what = of_what.replace(f"{{{name}}}", f"date '{getattr(looked, name)}'")
    copy.run(*kept.split(";"), of_what)


def members(segment: str, rule: Rule) -> str:
    """The statement that makes the segment a view over the customers that the copy has derived."""
    made = MEMBERS.replace("{segment}", segment).replace("{source}", rule.source)
    return made.replace("{meets_all}", meets_all(rule))


def meets_all(rule: Rule) -> str:
    """The condition that all of a rule's clauses are met."""
    return " and ".join(f"coalesce({clause.sql}, false)" for clause in rule.clauses)


def _night_before(copy: Copy, rules: Rules, told: list[str], day: date, first_day: date) -> LookedAhead | None:
    """What can be carried on, with the segments of which it can; None where nothing can.

    Nothing on or before its day was evaluated anew, and the rules of the segments, with all that they build on, are as they were.
    """
    found = copy.connection.execute(f"from {copy.warehouse}.refresh.looked_ahead").fetchall()
    if not found:
        return None
    before, since, until = found[0][:3]
    kept = {segment: fingerprint for *_, segment, fingerprint in found}
    builds_on = what_builds_on_what(rules.segments)
    carried: list[str] = []
    for segment in told:
        is_kept = kept.get(segment) == _fingerprint(rules, segment)
        if is_kept and all(other in carried for other in builds_on[segment]):
            carried.append(segment)
    return LookedAhead(before, since, until, carried) if before < first_day and until > day and carried else None


def _evaluate(copy: Copy, rules: Rules, first: str, segments: list[str], days: Days, of: str = "") -> None:
    """Asks the rules of the segments on the days, of every customer or of those that the condition ``of`` picks, and notes what is found.

    So many customers at a time that what was bought is added up once for each of them.
    """
    if not segments:
        return
    asked = rules.alone(segments)
    found = FOUND.replace("{first}", first)
    listed = f"select date '{days.first}' + range::integer as as_of_date from range({len(days)})"
    for some in _customers_at_a_time(copy, of, len(days)):
        copy.know_what_is_known(asked.tables, asked.needed, some)
        copy.derive(listed, asked.needed, compare=False, columns=asked.columns)
        for segment, rule in asked.rules.items():
            copy.run(members(segment, rule))
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
    ((memory,),) = copy.connection.execute("select parse_formatted_bytes(current_setting('memory_limit'))").fetchall()
    parts = 1 + _customers(copy, of) * days * BYTES_PER_ROW // memory
    if parts == 1:
        yield of
    else:
        yield from (f"{f'{of} and ' if of else ''}hash(customer_id) % {parts} = {part}" for part in range(parts))


def _fingerprint(rules: Rules, segment: str) -> str:
    return f"{rules.hashes[segment]}, beforehand"
