"""The brief of a segment: what a writer gets to read, figure by figure, and that the words of others stay words."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from orchestration.errors import ConfigurationError
from orchestration.read.opened import Release
from orchestration.settings import Home, load_settings
from orchestration.target.brief import brief, read_brief
from orchestration.target.holdouts import holdout, smallest_control
from orchestration.target.past import past_of_segment
from orchestration.target.planning import read_plan
from tests.builders import SHOP_DAYS, Changed, Refreshed
from tests.personas_by_hand import claim, contradicted, persona, said, statements, untested
from tests.target.builders import write_campaign
from tests.target.small_release import campaign
from tests.test_cli import segments

TODAY = SHOP_DAYS[-1]

#: A thousand members whom e-mail reaches: every other one ordered in the last 28 days, for 20 or 60, which is 20 each.
A_THOUSAND = """
update catalog.segments set channel = 'email', members = 1000 where segment = 'active';
delete from segments.active;
insert into segments.active by name select 'n' || n as customer_id from range(1000) as numbers (n);
insert into customers.dim_customers by name
    select max(as_of_date) as as_of_date, 'n' || n as customer_id, true as email_opt_in, true as has_email
    from customers.dim_customers cross join range(1000) as numbers (n) group by n;
delete from metrics.segment_membership_history where segment = 'active';
insert into metrics.segment_membership_history by name
    select 'active' as segment, 'n' || n as customer_id, date '2023-01-01' as entered_on, null::date as exited_on from range(1000) as numbers (n);
delete from customers.order_days;
insert into customers.order_days by name
    select 'n' || n as customer_id, date '2024-03-10' as ordered_on, 1 as orders, if(n % 4 = 0, 60, 20) as spend
    from range(0, 1000, 2) as numbers (n);
insert into customers.order_days by name
    select 'n' || n as customer_id, date '2023-06-01' as ordered_on, 1 as orders, 10 as spend from range(10) as numbers (n)
"""

CAMPAIGNS = """
insert into catalog.campaigns by name
select
    'spring' as campaign_id, 'A *bold* spring' as campaign_name, 'Have them order' as objective, 'active' as segment, 'email' as channel,
    date '2024-02-01' as starts_on, date '2024-02-02' as ends_on, date '2024-03-01' as measured_until, 'us' as assigned_by, 'spend' as primary_metric,
    'over' as state
union all by name
select
    'leaflet' as campaign_id, 'Leaflet' as campaign_name, 'Have them come' as objective, 'lapsed' as segment, 'post' as channel,
    date '2024-01-01' as starts_on, date '2024-01-02' as ends_on, date '2024-02-01' as measured_until, 'us' as assigned_by, 'spend' as primary_metric,
    'over' as state
union all by name
select
    'autumn' as campaign_id, 'Autumn' as campaign_name, 'active' as segment, 'sms' as channel, date '2024-09-01' as starts_on,
    'sender' as assigned_by, 'spend' as primary_metric, 'planned' as state
"""
IMPACT = """
insert into metrics.campaign_impact by name
select
    campaign_id, date '2024-03-01' as as_of_date, segment, 'spend' as metric, 'randomised' as evidence, segment is null as is_primary,
    date '2024-03-01' as measured_until, 28 as day_index, 28 as planned_days, 1.0 as information_fraction, 1000 as n_treatment, 1000 as n_control,
    600 as buyers_treatment, 580 as buyers_control, 44 as mean_treatment, 40 as mean_control, 4.0 as lift, 2.0 as lower, 6.0 as upper,
    0.1 as relative_lift, 0.05 as relative_lower, 0.15 as relative_upper, 0.5 as srm_p, [] as flags, 'win' as verdict, '' as message
from (values ('spring', null), ('leaflet', null), ('leaflet', 'active')) as measured (campaign_id, segment)
"""


def in_dollars(release: Release) -> Release:
    return replace(release, currency="USD")


def text_of(changed: Changed, *rows: str, segment: str = "active", **tables: Any) -> str:
    return brief(in_dollars(changed(*statements(**tables), *rows)), segment).markdown


def part(text: str, heading: str) -> str:
    """What stands under a heading of the second level."""
    return re.split("^## ", text.split(f"## {heading}\n")[1], flags=re.MULTILINE)[0]


def test_who_is_in_it_and_how_many_with_the_trend_and_what_distinguishes_them(changed: Changed) -> None:
    text = text_of(
        changed,
        A_THOUSAND,
        "update catalog.segments set label = 'Active *now*', description = 'Who ordered <b>lately</b>. One row per member and as-of date.' where segment = 'active'",
        f"insert into metrics.segment_counts_daily by name select 'active' as segment, date '{TODAY - timedelta(28)}' as as_of_date, 800 as members, 'fresh' as state",
        "insert into customers.dim_customers by name select as_of_date, 'o' || n as customer_id, false as email_opt_in, true as has_email from range(500) as numbers (n), (select max(as_of_date) as as_of_date from customers.dim_customers)",
    )  # fmt: skip
    assert text.startswith("# Brief: Active \\*now\\*\n\nSegment `active`, on 2024-03-12, ")
    who = part(text, "Who, and how many")
    assert "Who ordered \\<b\\>lately\\</b\\>\\.\n" in who
    assert "One row per member" not in who
    assert "1,000 members" in who
    assert "28 days before there were 800: +25 %." in who
    assert re.search(r"\| email opt in \| 100\.0% \| \d\.\d% \|", who)


def test_of_few_members_it_is_not_told_what_distinguishes_them(changed: Changed) -> None:
    who = part(text_of(changed, segment="men_18_25"), "Who, and how many")
    assert "What distinguishes them is not told: they, or the others, are fewer than 20." in who
    assert "How many there were 28 days before is not on record." in who


def test_a_persona_says_what_to_tell_them_and_why(changed: Changed) -> None:
    text = text_of(changed, personas=[persona()])
    what = part(text, "What to tell them, and why")
    for line in (
        "### Petra the planner",
        "**Value proposition:** The whole week in one basket",
        "- **Needs:** To be done with shopping in one trip",
        "- **Pains:** Half of the list is sold out \\(on Saturday noon; high\\)",
        "- **Objections:** Delivery costs more than it saves",
        "- **Proof points:** Nine of ten lists are complete",
        "- **Tone:** Brief and practical",
        "> I shop once, or not at all\\.\n>\n> (Interview 12, 2024-01-15)",
    ):
        assert line in what


def test_claims_are_marked_as_what_they_are_and_a_contradicted_one_is_not_to_be_written(changed: Changed) -> None:
    claims = [
        claim(),
        claim("takes_few_discounts", text="Discounts leave her cold", verdict="weakened"),
        untested("has_a_list", "She shops by a list", "inferred"),
        untested("has_children", "She has children", "assumed"),
    ]
    what = part(text_of(changed, personas=[persona()], claims=claims), "What to tell them, and why")
    assert "- She spends more than the others\\. **Holds** since 2024-03-09: 1.50 times the rest (95 %: 1.40 to 1.60), claimed at least 1.20 times the rest." in what  # fmt: skip
    assert "Discounts leave her cold\\. **Weakened: do not lean on it** since" in what
    assert "She shops by a list\\. **Inferred, not tested**, because of this: Her baskets are alike from week to week" in what  # fmt: skip
    assert "She has children\\. **Assumed, not tested.** It would be settled by: A question in the next survey" in what
    assert "Do not write this" not in what

    what = part(text_of(changed, personas=[persona()], claims=[claim(), contradicted()]), "What to tell them, and why")
    claimed, against = what.split("**Do not write this:**")
    assert "Discounts leave her cold" not in claimed
    assert "- Discounts leave her cold\\. Contradicted since 2024-03-10: 20 % (95 %: 18 % to 22 %), claimed at most 10 %." in against  # fmt: skip


def test_without_a_persona_it_says_so_plainly(changed: Changed) -> None:
    made = brief(changed(*statements()), "active")
    assert made.personas == ()
    assert "No persona speaks of `active`" in part(made.markdown, "What to tell them, and why")
    without = brief(changed("drop table if exists catalog.personas"), "active").markdown
    assert "No persona speaks of `active`" in without


def test_personas_that_are_retired_or_leave_the_segment_out_do_not_speak_of_it(changed: Changed) -> None:
    out = [{"id": "lapsed", "role": "evidence"}, {"id": "active", "role": "excluded"}]
    made = brief(
        changed(
            *statements(
                [
                    persona(said("gone", name="Gone", status="retired")),
                    persona(said("away", name="Away", segments=out)),
                ]
            )
        ),
        "active",
    )
    assert made.personas == ()
    assert "No persona speaks of `active`" in made.markdown
    assert "Gone is retired." in made.markdown
    assert "Away is not about them" in made.markdown


def test_what_has_to_be_known_of_a_persona_is_told_with_her(changed: Changed) -> None:
    links = [{"id": "lapsed", "role": "evidence"}, {"id": "active", "role": "target"}]
    held = {"state": "held", "held_since": date(2024, 3, 10), "held_because": "an *unknown* field"}
    text = text_of(changed, personas=[persona(said(segments=links, status="draft", is_negative=True), **held)])
    assert "What is claimed of her is tested on others: `lapsed`." in text
    assert "She is a draft" in text
    assert "**Do not win her:**" in text
    assert "**Held since 2024-03-10:** an \\*unknown\\* field" in text
    text = text_of(changed, personas=[persona(said=None, **held)])
    assert "Nothing of her could ever be read" in text


def test_what_a_campaign_could_show_is_worked_out_from_what_the_members_of_then_did(changed: Changed) -> None:
    release = in_dollars(changed(*statements(), A_THOUSAND))
    case = part(brief(release, "active").markdown, "The business case")
    assert (
        "- In the 28 days from 2024-02-14 to 2024-03-12 50 % of the 1,000 customers who were in the segment before ordered, "
        "and net spend per customer was 20.00 USD.\n- There are 1,000 members whom email reaches." in case
    )
    with release.cursor() as cursor:
        past = past_of_segment(cursor, "active", TODAY, 28)
    assert past is not None
    base = past.rate("spend")
    assert base is not None
    visible = holdout(0.1, 1000, base, 0.5).visible_relative
    assert visible is not None
    assert f"With 10 % held out (100 customers) lifts of spend above {100 * visible:.0f} % would show" in case
    assert smallest_control(1000, base, 0.5, 0.1) is None
    assert "No control group is large enough to show a lift of 10 %: not even 50 % of them would do." in case


def test_where_a_control_group_would_do_its_size_is_told(changed: Changed) -> None:
    alike = "update customers.order_days set spend = 20; insert into customers.order_days by name select 'n' || n as customer_id, date '2024-03-11' as ordered_on, 1 as orders, 18 as spend from range(1, 1000, 2) as numbers (n)"  # fmt: skip
    release = changed(*statements(), A_THOUSAND, alike)
    with release.cursor() as cursor:
        past = past_of_segment(cursor, "active", TODAY, 28)
    assert past is not None
    control = smallest_control(1000, past.rates[0], past.buyers, 0.1)
    assert control is not None
    case = part(brief(release, "active").markdown, "The business case")
    assert f"- To show a lift of 10 %, hold out at least {control} customers" in case


def test_too_few_members_promise_nothing(changed: Changed) -> None:
    by_email = "update catalog.segments set channel = 'email'"
    case = part(text_of(changed, by_email), "The business case")
    assert "Told is what today's members did, which misleads where they are chosen by what they did." in case
    assert "With 10 % held out nothing could be claimed" in case


def test_the_reach_is_told_by_channel(changed: Changed) -> None:
    reached = part(text_of(changed, A_THOUSAND), "Through which channel")
    assert "Usually reached by email." in reached
    assert "| email | 1,000 | 1,000 |" in reached
    assert "| sms | 0 | 0 |" in reached


def test_what_was_tried_on_the_segment_and_what_others_did_to_its_members_is_told(changed: Changed) -> None:
    tried = part(text_of(changed, CAMPAIGNS, IMPACT), "What was tried before")
    spring, leaflet = (line for line in tried.splitlines() if line.startswith("- "))
    assert spring.startswith("- **A \\*bold\\* spring** (email, from 2024-02-01): It worked: spend per customer \\+4\\.00 USD")  # fmt: skip
    assert leaflet.startswith("- **Leaflet** (post, from 2024-01-01), of these members among its own: more, beyond chance; spend per customer \\+4\\.00 USD")  # fmt: skip
    assert leaflet.endswith("\\+15 %\\)\\.")
    assert "Autumn" not in tried
    assert "No campaign on it is on record" in part(text_of(changed), "What was tried before")


def test_a_campaign_that_is_planned_is_named_with_where_its_plan_is(changed: Changed) -> None:
    case = part(text_of(changed, CAMPAIGNS, IMPACT), "The business case")
    assert "Autumn is planned from 2024-09-01 on by sms. Its plan: `segments campaign plan autumn`." in case


def test_nothing_that_others_wrote_is_markdown(changed: Changed) -> None:
    hostile = "# **b** <b>t</b> [l](javascript:x) ![i](y) $m$ `c` | ~s~\n\n- x"
    plain_said = said()
    texts = ("needs", "motivations", "expectations", "jobs_to_be_done", "objections", "proof_points")
    file = said(
        **{name: [hostile] for name in texts},
        **dict.fromkeys(("name", "archetype", "tone", "value_proposition"), hostile),
        quotes=[plain_said["quotes"][0] | {"text": hostile, "source": hostile}],
        pain_points=[plain_said["pain_points"][0] | {"text": hostile, "moment": hostile}],
    )
    release = changed(
        *statements([persona(file, state="held", held_since=TODAY, held_because=hostile)], [claim(text=hostile), contradicted(text=hostile)]),
        "update catalog.segments set label = '# **b** <b>t</b> $m$', description = '[l](javascript:x) `c` <i>', channel = '**b**'",
        CAMPAIGNS,
        IMPACT,
        "update catalog.campaigns set campaign_name = '**b** <b>t</b> [l](javascript:x)', channel = '`c` $m$'",
    )  # fmt: skip
    text = brief(release, "active").markdown
    for sign in ("<b>", "**b**", "[l]", "![", " `c`", "$m$", "~s~", "\n- x", "\n# **"):
        assert re.search(rf"(?<!\\){re.escape(sign)}", text.removeprefix("# Brief")) is None, sign


def test_an_unknown_segment_is_refused_with_the_nearest(changed: Changed) -> None:
    with pytest.raises(ConfigurationError, match=r"There is no segment activ in release .*; did you mean active"):
        brief(changed(), "activ")


# ---- with the files of the home ----


@pytest.fixture
def home(shop: Refreshed, tmp_path: Path) -> Home:
    return Home(Path(shutil.copytree(shop.aside, tmp_path / "home", symlinks=True)))


def planned(home: Home, **said: Any) -> None:
    days = {"starts_on": TODAY + timedelta(1), "ends_on": TODAY + timedelta(1)}
    settings = home.path / "settings.yml"
    settings.write_text(f"{settings.read_text()}campaigns: planned\n")
    file = campaign(**days, segment="active", currency="USD", **said).model_dump(mode="json", exclude_defaults=True)
    write_campaign(home.path / "planned" / "spring.yml", file)


def test_a_planned_campaign_brings_its_business_case(home: Home) -> None:
    planned(home, name="Spring *letter*")
    made = read_brief(home, load_settings(home), "active")
    plan = read_plan(home, load_settings(home), "spring")
    assert made is not None
    assert plan is not None
    assert made.campaigns == ("spring",)
    case = part(made.markdown, "The business case").replace("\\", "")
    assert "**Spring *letter*** (`spring`), 2024-03-13 to 2024-03-22, by email, as it is planned." in case
    assert plan.case.verdict in case
    assert all(f"- {sentence}" in case for sentence in plan.case.sentences)
    assert "What a campaign of 28 days could show" not in case
    other = read_brief(home, load_settings(home), "lapsed")
    assert other is not None
    assert other.campaigns == ()
    assert "What a campaign of 28 days could show" in other.markdown


def test_the_command_prints_markdown_writes_it_into_a_file_and_gives_json(home: Home, tmp_path: Path) -> None:
    printed = segments("brief", "active", home=home.path)
    assert printed.returncode == 0, printed.stderr
    assert printed.stdout.startswith("# Brief: ")
    out = tmp_path / "brief.md"
    written = segments("brief", "active", "--out", str(out), home=home.path)
    assert (written.returncode, written.stdout) == (0, "")
    assert out.read_text() == printed.stdout
    told = json.loads(segments("brief", "active", "--json", home=home.path).stdout)
    assert (told["segment"], told["markdown"]) == ("active", printed.stdout)
    nowhere = segments("brief", "active", "--out", str(tmp_path / "no" / "brief.md"), home=home.path)
    assert nowhere.returncode == 2
    assert "cannot be written" in nowhere.stderr
    unknown = segments("brief", "activ", home=home.path)
    assert unknown.returncode == 2
    assert "did you mean active" in unknown.stderr


def test_before_the_first_release_the_command_says_how_to_make_one(tmp_path: Path) -> None:
    told = segments("brief", "active", home=tmp_path)
    assert told.returncode != 0
    assert "segments refresh" in told.stderr
