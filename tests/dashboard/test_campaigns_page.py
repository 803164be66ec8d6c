"""The page Campaigns: what can be said of one whose arms were drawn, of one without a holdout, and that there is none."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.dashboard.conftest import Publish
from tests.dashboard.looking import cells, drawn, opened, row_of

#: Both of the four days of the shop: a campaign of ours with a holdout, and a sender's without.
CAMPAIGNS = """
insert into catalog.campaigns by name
select
    'spring' as campaign_id, 'A <b>bold</b> spring' as campaign_name, 'Have them order' as objective, 'active' as segment, 'email' as channel,
    date '2024-03-09' as starts_on, date '2024-03-10' as ends_on, date '2024-03-12' as measured_until, 'us' as assigned_by, 0.4 as holdout,
    'spend' as primary_metric, 0.5 as contact_cost, 100 as fixed_cost, 0.25 as margin, 'over' as state, 1200 as treatment, 800 as control, 'r1' as release
union all by name
select
    'leaflet' as campaign_id, 'Leaflet' as campaign_name, 'post' as channel, date '2024-03-09' as starts_on, date '2024-03-12' as measured_until,
    'sender' as assigned_by, 'spend' as primary_metric, 'over' as state
"""
IMPACT = """
insert into metrics.campaign_impact by name
select
    'spring' as campaign_id, date '2024-03-09' + n::integer as as_of_date, segment, 'spend' as metric, 'randomised' as evidence,
    segment is null as is_primary, date '2024-03-12' as measured_until, n + 1 as day_index, 4 as planned_days, (n + 1) / 4 as information_fraction,
    1200 as n_treatment, 800 as n_control, 900 as buyers_treatment, 500 as buyers_control, 44 as mean_treatment, 40 as mean_control,
    'difference_of_means' as estimator, n + 1.0 as lift, n - 1.0 as lower, n + 3.0 as upper, n - 3.0 as lower_anytime, n + 5.0 as upper_anytime,
    (n + 1) / 40 as relative_lift, (n - 1) / 40 as relative_lower, (n + 3) / 40 as relative_upper, 0.001 as p_value, 'welch' as p_method,
    0.05 as alpha_now, 0.5 as srm_p, 1200 as contacted, ['controls_contacted: 3'] as flags,
    if(segment is null, if(n = 3, 'win', 'too_early'), 'no_evidence') as verdict, 700 as cost, 4800 as incremental_revenue, '' as message
from range(4) as days(n), (values (null), ('active'), ('at_risk')) as segments(segment)
union all by name
select
    'leaflet' as campaign_id, date '2024-03-12' as as_of_date, 'spend' as metric, 'none' as evidence, true as is_primary, 1000 as n_treatment,
    2000 as n_control, 50 as mean_treatment, 20 as mean_control, [] as flags, 'not_randomised' as verdict, '' as message
"""


def test_of_drawn_arms_the_verdict_the_arms_the_checks_and_the_segments_are_told(
    app: str, page: Page, publish: Publish
) -> None:
    publish(CAMPAIGNS, IMPACT)
    opened(page, f"{app}/campaigns?campaign=spring")
    expect(page.get_by_role("heading", name="A <b>bold</b> spring")).to_be_visible()
    verdict = page.get_by_role("note").filter(has_text="Did it work?")
    expect(verdict).to_contain_text(
        "It worked: spend per customer +4.00 USD against the holdout, +10 % (95 %: +5 % to +15 %)"
    )
    expect(page.get_by_text("1,200 and 800 on the receipt, 1,200 and 800 measured")).to_be_visible()
    expect(page.get_by_text("3 customers of the control group had contact all the same").first).to_be_visible()
    expect(page.get_by_text("segments campaign show spring")).to_be_visible()
    expect(cells(row_of(page, "at_risk"), "10 % (5 % to 15 %)").first).to_be_attached()
    expect(page.get_by_role("heading", name="Effect by day")).to_be_visible()


def test_without_a_holdout_nobody_can_tell_and_no_lift_is_spoken_of(app: str, page: Page, publish: Publish) -> None:
    publish(CAMPAIGNS, IMPACT)
    opened(page, f"{app}/campaigns")
    row = row_of(page, "campaigns?campaign=leaflet")
    expect(cells(row, "Nobody can tell what it did: nobody was held out.").first).to_be_attached()
    opened(page, f"{app}/campaigns?campaign=leaflet")
    expect(page.get_by_role("note").get_by_text("Nobody can tell what it did: nobody was held out.")).to_be_visible()
    expect(page.get_by_text("Nothing could be compared on any day.")).to_be_visible()
    drawn(page)
    told = page.get_by_test_id("stMain").inner_text().split("Did it work?")[-1].lower()
    assert [word for word in ("lift", "it worked", "win", "loss") if word in told.split()] == []


def test_without_campaigns_the_page_says_so(app: str, page: Page, publish: Publish) -> None:
    publish("delete from catalog.campaigns", "delete from metrics.campaign_impact")
    opened(page, f"{app}/campaigns")
    expect(page.get_by_text("No campaign is known")).to_be_visible()
