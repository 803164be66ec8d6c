"""A segment that somebody tries out: read and refused here, before a row of the release is. What becomes of it is in ``trial``.

A draft is one condition or one SELECT, as in a segment's file, over the release's own tables. The connection refuses what would slip through.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from orchestration.errors import DraftRefused, nearest
from orchestration.read.conditions import IN_A_RELEASE
from orchestration.read.opened import Release
from orchestration.transform.catalogue import in_a_release
from orchestration.transform.clauses import SEGMENTS, Rule, rule_of
from orchestration.transform.meaning import CUSTOMERS, parse
from orchestration.transform.rendering import render

MODEL = "select as_of_date, customer_id\nfrom {{{{ ref('dim_customers') }}}}\nwhere {condition}\n"
#: What stands before a condition to have it read; on one line, so that the draft's own lines begin at the second.
HEAD = f"select as_of_date, customer_id from customers.{CUSTOMERS} where\n"
KEY = ["as_of_date", "customer_id"]
COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
#: What depends on the hour at which it is asked, or on chance.
NOT_THE_SAME_TWICE = (exp.CurrentDate, exp.CurrentTimestamp, exp.CurrentTime, exp.CurrentDatetime, exp.Rand, exp.Uuid)
NAMED_SO = {"today", "now", "get_current_time", "get_current_timestamp", "transaction_timestamp", "setseed"}


#: Of a draft that is asked while somebody waits.
LONGEST_DRAFT, MOST_CONDITIONS = 20_000, 100


@dataclass(frozen=True)
class Draft:
    """A draft that can be asked: ``model`` is the text of a segment's file, ``rule`` what it says over a release."""

    model: str
    rule: Rule


def read_draft(release: Release, written: str, variables: Mapping[str, object]) -> Draft:
    """The draft that is ``written``: a condition, or a whole SELECT, with Jinja or without; ``variables`` are the settings'.

    Raises DraftRefused: with DuckDB's own message and the place where it cannot be read, else with what a draft may not do.
    """
    rendered = render(written, variables)
    if len(rendered) > LONGEST_DRAFT:
        raise DraftRefused(
            f"The draft has {len(rendered):,} characters, and {LONGEST_DRAFT:,} are read: write `in (…)`, or a rule that says it in short."
        )
    with release.cursor() as cursor:
        statement, is_condition = _one_select(cursor, rendered)
        rule = in_a_release(_guarded(cursor, statement))
        _demand_few_conditions(rule)
        _demand_that_it_binds(cursor, rule, statement)
    model = MODEL.format(condition=written.strip()) if is_condition else written.strip() + "\n"
    return Draft(model, rule_of(parse(rule.sql(dialect="duckdb")), model))


def _one_select(cursor: duckdb.DuckDBPyConnection, rendered: str) -> tuple[str, bool]:
    """The draft as a statement, and whether it was a mere condition."""
    statement, is_condition = rendered, False
    try:
        found = cursor.extract_statements(rendered)
    except duckdb.ParserException as unreadable:
        if re.match(r"\s*(select|with|from)\b", COMMENT.sub(" ", rendered), re.IGNORECASE):
            raise DraftRefused(str(unreadable)) from unreadable
        statement, is_condition = HEAD + rendered, True
        try:
            found = cursor.extract_statements(statement)
        except duckdb.ParserException as of_condition:
            raise DraftRefused(_in_its_place(of_condition)) from of_condition
    if not found:
        raise DraftRefused("The draft is empty: write a condition, such as age >= 65.")
    if len(found) > 1:
        raise DraftRefused(f"A draft is one condition or one SELECT, and these are {len(found)} statements.")
    if found[0].type != duckdb.StatementType.SELECT:
        raise DraftRefused(
            f"A draft is a condition or a SELECT, and this is a statement of another kind ({found[0].type.name}): a draft writes nothing and reads no file."
        )
    return statement, is_condition


def _guarded(cursor: duckdb.DuckDBPyConnection, statement: str) -> exp.Expr:
    """The draft, parsed, that reads the release's own tables and nothing else, and says the same whenever it is asked."""
    try:
        parsed = sqlglot.parse_one(statement, dialect="duckdb")
    except SqlglotError as unreadable:
        raise DraftRefused("DuckDB could read the draft, but its clauses cannot be told apart: write it more plainly.") from unreadable  # fmt: skip
    if not isinstance(parsed, exp.Query) or parsed.find(exp.DML, exp.DDL, exp.Into):
        raise DraftRefused("A draft is a condition or a plain SELECT; it writes nothing.")
    known = {
        f"{schema}.{table}"
        for schema, table in cursor.execute("select schema_name, table_name from duckdb_tables()").fetchall()
        if schema in IN_A_RELEASE
    }
    own = {cte.alias for cte in parsed.find_all(exp.CTE)}
    for table in parsed.find_all(exp.Table):
        if not isinstance(table.this, exp.Identifier):
            raise DraftRefused(
                f"A draft reads the release's tables and no others, and {table.sql(dialect='duckdb')} is a function that makes or reads another."
            )
        name = ".".join(part.name for part in table.parts)
        if name not in known and name not in own and table.db != "intermediate":
            near = [one for one in sorted(known) if one.startswith(f"{table.db or 'customers'}.")]
            raise DraftRefused(
                f"There is no table {name} in the release; {nearest(name, near or sorted(IN_A_RELEASE))}"
            )
    for node in parsed.find_all(exp.Func):
        if isinstance(node, NOT_THE_SAME_TWICE) or (isinstance(node, exp.Anonymous) and node.name.lower() in NAMED_SO):
            raise DraftRefused(
                f"{node.sql(dialect='duckdb')} is another at every asking: a segment is of a day, which is the column as_of_date."
            )
    if parsed.named_selects != KEY:
        raise DraftRefused(f"A segment selects {' and '.join(KEY)}, in this order, and nothing else.")
    return parse(statement)


def _demand_few_conditions(rule: exp.Expr) -> None:
    """Each clause is counted alone and in every step of the waterfall: hundreds would be planned for minutes, which no limit ends."""
    found = sum(1 for _ in rule.find_all(exp.Predicate, exp.Connector))
    if found > MOST_CONDITIONS:
        raise DraftRefused(
            f"The draft has {found:,} conditions and what joins them, and {MOST_CONDITIONS:,} can be asked: write `in (…)`, or a rule that says it in short."
        )


def _demand_that_it_binds(cursor: duckdb.DuckDBPyConnection, rule: exp.Expr, statement: str) -> None:
    """Has DuckDB read the draft as it is written, so that its message shows the place; where it looks into a segment, as a release runs it.

    What looks into order lines is read later, with who meets it in their place.
    """
    looked_into = {table.db for table in rule.find_all(exp.Table)}
    if looked_into - IN_A_RELEASE - {""}:
        return
    if SEGMENTS in looked_into:
        statement = rule.sql(dialect="duckdb", pretty=True)
    try:
        cursor.execute("explain " + statement if statement.startswith(HEAD) else "explain\n" + statement)
    except duckdb.InterruptException:
        raise
    except duckdb.Error as wrong:
        raise DraftRefused(_in_its_place(wrong)) from wrong


def _in_its_place(wrong: duckdb.Error) -> str:
    """DuckDB's message, with the line of the draft and not that of the statement around it, which has one more."""
    said = str(wrong)
    place = re.search(r"^LINE (\d+): ", said, re.MULTILINE)
    if place is None:
        return said
    here = f"LINE {int(place[1]) - 1}: "
    before, line, *after = said[: place.start()], *said[place.end() :].split("\n")
    shorter = len(place[0]) - len(here)
    return before + "\n".join([here + line, *(one[shorter:] for one in after)])
