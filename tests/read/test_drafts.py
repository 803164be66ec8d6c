"""A draft of a segment is read as dbt and DuckDB would, and refused with a sentence where it would do more than ask."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestration.errors import DraftRefused
from orchestration.read.drafts import read_draft
from orchestration.read.opened import Release
from orchestration.read.trial import try_draft
from orchestration.transform.catalogue import in_a_release
from orchestration.transform.meaning import parse
from orchestration.transform.project import PROJECT_DIR
from orchestration.transform.rendering import render
from tests.read.small_release import BOUGHT_FRUIT, select, small_release, with_answers

VARIABLES = {"business_timezone": "America/New_York", "product_x": "X"}


def refusal(release: Release, written: str) -> str:
    with pytest.raises(DraftRefused) as refused:
        try_draft(release, read_draft(release, written, VARIABLES))
    return str(refused.value)


def test_every_shipped_segment_is_rendered_to_the_sql_that_dbt_compiled(release: Release) -> None:
    for segment, sql in release.rows("select segment, sql from catalog.segments"):
        written = (PROJECT_DIR / "models" / "segments" / f"{segment}.sql").read_text()
        assert in_a_release(parse(render(written, VARIABLES))).sql(dialect="duckdb", pretty=True) == sql


def test_every_shipped_segment_as_a_draft_has_its_own_members(release: Release) -> None:
    for segment, members in release.rows("select segment, members from catalog.segments"):
        written = (PROJECT_DIR / "models" / "segments" / f"{segment}.sql").read_text()
        told = try_draft(release, read_draft(release, written, VARIABLES))
        [itself] = [one for one in told.overlaps if one.segment == segment]
        assert (told.members, itself.members_both) == (members, members), segment


@pytest.mark.parametrize(
    "written",
    [
        "gender = 'male' and age between 18 and 25",
        "  gender = 'male'  -- men\n  and age between 18 and 25 -- young\n",
        "select as_of_date, customer_id\nfrom {{ ref('dim_customers') }}\nwhere gender = 'male' and age between 18 and 25;",
        "{{ config(tags=['segment']) }}\nselect as_of_date, customer_id from customers.dim_customers\nwhere gender = 'male' and age between 18 and 25",
        "with men as (select * from customers.dim_customers where gender = 'male')\nselect as_of_date, customer_id from men where age between 18 and 25",
        "{{ member_of('men_18_25') }}",
        "customer_id in (select customer_id from segments.men_18_25)",
        "((gender = 'male') and (age >= 18)) and not (age > 25)",
    ],
)
def test_a_condition_and_a_whole_file_are_the_same_draft(release: Release, written: str) -> None:
    assert try_draft(release, read_draft(release, written, VARIABLES)).members == release.rows("select count(*) from segments.men_18_25")[0][0]  # fmt: skip


def test_a_condition_becomes_the_text_of_a_segments_file(release: Release) -> None:
    written = "age >= 65\n    and gender = 'female'\n"
    model = read_draft(release, written, VARIABLES).model
    assert model == "select as_of_date, customer_id\nfrom {{ ref('dim_customers') }}\nwhere age >= 65\n    and gender = 'female'\n"  # fmt: skip
    assert read_draft(release, model, VARIABLES).rule == read_draft(release, written, VARIABLES).rule


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("copy customers.dim_customers to '{file}'", "statement of another kind (COPY)"),
        ("attach '{file}' as other", "statement of another kind (ATTACH)"),
        ("pragma database_list", "statement of another kind (PRAGMA)"),
        ("set threads = 1", "statement of another kind (SET)"),
        ("drop table segments.active", "statement of another kind (DROP)"),
        ("explain select 1", "statement of another kind (EXPLAIN)"),
        ("describe segments.active", "it writes nothing"),
        ("age > 3; drop table segments.active", "these are 2 statements"),
        ("select 1; select 2", "these are 2 statements"),
        ("with gone as (delete from segments.active returning *) select as_of_date, customer_id from gone", "it writes nothing"),
        ("age in (select a from read_csv('{file}'))", "is a function that makes or reads another"),
        ("age in (select a from read_parquet('{file}'))", "is a function that makes or reads another"),
        ("customer_id in (select file from glob('/*'))", "is a function that makes or reads another"),
        ("customer_id in (select table_name from duckdb_tables())", "is a function that makes or reads another"),
        ("customer_id in (select unnest(range) from range(3))", "is a function that makes or reads another"),
        ("select as_of_date, customer_id from '{file}'", "There is no table {file} in the release"),
        ("customer_id in (select customer_id from segments.men_18_26)", "did you mean segments.men_18_25?"),
        ("customer_id in (select segment from catalog.segments)", "There is no table catalog.segments"),
        ("exists (select 1 from memory.main.other)", "There is no table memory.main.other"),
        ("birth_date < current_date", "is another at every asking"),
        ("signed_up_on < today()", "is another at every asking"),
        ("random() < 0.5", "is another at every asking"),
        ("select customer_id from customers.dim_customers", "A segment selects as_of_date and customer_id"),
        ("", "The draft is empty"),
        ("-- nothing yet", "The draft is empty"),
        ("{{ bougth(within='3 months') }}", "'bougth' is undefined"),
        ("{{ bought() }}", "'within' was not provided"),
        ("{{ in_lifecycle_stage('asleep') }}", "no attribute 'asleep'"),
        ("{{ ref('dim_customer') }}", "did you mean dim_customers?"),
        ("age > {{ var('product_y') }}", "did you mean product_x?"),
        ("age > {{ 3", "Line 1 is not Jinja that can be read"),
        ("{{ ''.__class__.__mro__ }}", "is unsafe"),
    ],
)  # fmt: skip
def test_what_does_more_than_ask_is_refused_in_a_sentence(release: Release, tmp_path: Path, written: str, said: str) -> None:  # fmt: skip
    file = tmp_path / "there.csv"
    file.write_text("a\n1\n")
    assert said.replace("{file}", str(file)) in refusal(release, written.replace("{file}", str(file)))
    assert file.read_text() == "a\n1\n"


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("gendr = 'male'", "LINE 1: gendr = 'male'\n        ^^^^^"),
        ("age > 3\n  and gendr = 'male'", "LINE 2:   and gendr = 'male'\n              ^^^^^"),
        ("age > 3\n  and and is_contactable", "LINE 2:   and and is_contactable\n              ^^^"),
        ("select as_of_date, customer_id\nfrom {{ ref('dim_customers') }}\nwhere\n  agee > 3", "LINE 4:   agee > 3\n          ^^^^"),
        ("select as_of_date, customer_id\nfrom {{ ref('dim_customers') }}\nwhere age > > 3", "LINE 3: where age > > 3\n                    ^"),
    ],
)  # fmt: skip
def test_a_broken_draft_is_told_in_duckdbs_own_words_with_the_place(release: Release, written: str, place: str) -> None:
    assert place in refusal(release, written)


def test_a_failure_that_comes_with_the_rows_quotes_none_of_them(release: Release) -> None:
    said = refusal(release, "cast(favourite_category as integer) > 3")
    assert "Conversion Error" in said
    assert "SNACKS" not in said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("age > 30" + " and age <> 200" * 2_000, "and 20,000 are read"),
        ("age > 30" + " and age <> 200" * 200, "and 100 can be asked"),
        ("age > 30" + " or age = 20" * 200, "and 100 can be asked"),
    ],
    ids=["long", "many clauses", "one clause of many"],
)
def test_a_draft_that_would_take_minutes_to_plan_is_refused_at_once(release: Release, written: str, said: str) -> None:
    with pytest.raises(DraftRefused, match=said):
        read_draft(release, written, {})


@pytest.mark.parametrize(
    ("written", "members"),
    [
        (BOUGHT_FRUIT, 2),
        (f"not {BOUGHT_FRUIT}", 4),
        (f"gender = 'female' or {BOUGHT_FRUIT}", 3),
        (f"age < 50 and not ({BOUGHT_FRUIT} or gender = 'female')", 0),  # of dora nobody knows that she is not
    ],
)
def test_a_condition_on_order_lines_is_answered_where_a_published_rule_has_it(written: str, members: int) -> None:
    release = with_answers(
        small_release({"fruit": select(BOUGHT_FRUIT)}, {"fruit": ["bert", "fred"]}), {BOUGHT_FRUIT: ["bert", "fred"]}
    )
    assert try_draft(release, read_draft(release, written, VARIABLES)).members == members


def test_another_condition_on_order_lines_says_why_it_has_no_answer_and_what_to_do(release: Release) -> None:
    said = refusal(release, "{{ bought(category='CANDY', within='1 month') }} and age > 30")
    assert said.startswith("`bought(category='CANDY', within='1 month')` looks into intermediate.int_order_lines, ")
    assert "save the segment and refresh" in said
