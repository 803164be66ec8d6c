"""The page Change preview: the rule to be edited, who enters and leaves, and who uses the segment."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from orchestration.settings import Home
from orchestration.transform.project import PROJECT_DIR
from tests.builders import ask
from tests.dashboard.conftest import Publish
from tests.dashboard.looking import cells, metric, opened, row_of
from tests.dashboard.test_try_page import write


def test_the_projects_file_is_edited_and_who_enters_and_leaves_is_what_sql_counts(
    app: str, page: Page, shown: Home
) -> None:
    opened(page, f"{app}/change?segment=aged_65_and_over")
    file = PROJECT_DIR / "models" / "segments" / "aged_65_and_over.sql"
    expect(page.get_by_role("textbox", name="Condition")).to_have_value(file.read_text(encoding="utf-8").rstrip())
    expect(page.get_by_role("note").filter(has_text="Nothing changes")).to_be_visible()
    members = ask(shown, "select count(*) from segments.aged_65_and_over")[0][0]
    for label in ("Members now", "Members then"):
        expect(metric(page, label)).to_have_text(str(members))
    write(page, "age between 60 and 72")
    groups = ask(
        shown,
        "select case when not is_then then 'leave' when is_now then 'stay' else 'enter' end, count(*)::varchar, "
        "format('{:,.2f}', sum(spend_last_365_days)::double) "
        "from (select *, age between 60 and 72 as is_then, age >= 65 as is_now from customers.dim_customers) "
        "where is_then or is_now group by 1",
    )
    assert {who for who, _, _ in groups} == {"enter", "leave", "stay"}
    for who, customers, spent in groups:
        expect(cells(row_of(page, who), customers).first).to_be_attached()
        expect(cells(row_of(page, who), spent).first).to_be_attached()
    then = sum(int(customers) for who, customers, _ in groups if who != "leave")
    expect(metric(page, "Members then")).to_have_text(str(then))
    expect(cells(row_of(page, "age >= 65"), "gone")).to_be_attached()


def test_segments_campaigns_and_personas_that_use_it_are_named(app: str, page: Page, publish: Publish) -> None:
    campaign = "insert into catalog.campaigns by name select '{}' as campaign_id, '{}' as campaign_name, '{}' as segment, 'running' as state, date '2024-03-01' as starts_on, date '2024-04-01' as ends_on"
    publish(
        campaign.format("c1", "Spring **sale**", "top_spenders"),
        campaign.format("c2", "Full price", "vips_at_full_price"),
        "create or replace table catalog.personas as select 'gourmets' as persona, ['top_spenders'] as segments",
    )
    opened(page, f"{app}/change?segment=top_spenders")
    expect(cells(page, "vips_at_full_price").first).to_be_attached()
    expect(cells(row_of(page, "c1"), "Spring **sale**")).to_be_attached()
    expect(cells(row_of(page, "c2"), "vips_at_full_price")).to_be_attached()
    expect(cells(page, "gourmets")).to_be_attached()
