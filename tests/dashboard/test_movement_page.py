"""The page Movement: who went from stage to stage as SQL counts it, and what lies over what."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from orchestration.settings import Home
from tests.builders import SHOP_DAYS, ask
from tests.dashboard.looking import cells, opened, row_of

#: Stages by customer on the first day and on the last.
MOVES = f"""
with stages as (select segment from catalog.segments where scheme = 'lifecycle'),
on_day as (
    select customer_id, segment, entered_on, coalesce(exited_on, date '9999-12-31') as exited_on
    from metrics.segment_membership_history semi join stages using (segment)
)
select before.segment, after.segment, count(*)::varchar
from (from on_day where entered_on <= date '{SHOP_DAYS[0]}' and exited_on > date '{SHOP_DAYS[0]}') as before
inner join (from on_day where entered_on <= date '{SHOP_DAYS[-1]}' and exited_on > date '{SHOP_DAYS[-1]}') as after using (customer_id)
where before.segment <> after.segment
group by all
"""


def test_who_moved_between_two_days_is_what_sql_counts(app: str, page: Page, shown: Home) -> None:
    moves = ask(shown, MOVES)
    assert moves
    opened(page, f"{app}/movement?scheme=lifecycle&since={SHOP_DAYS[0]}&until={SHOP_DAYS[-1]}")
    for before, after, customers in moves:
        row = row_of(page, before).filter(has=cells(page, after))
        expect(cells(row, customers).first).to_be_attached()
    expect(page.get_by_role("heading", name="Near-duplicates")).to_be_visible()


def test_days_that_are_not_in_their_order_are_told_in_a_sentence(app: str, page: Page) -> None:
    opened(page, f"{app}/movement?scheme=lifecycle&since={SHOP_DAYS[-1]}&until={SHOP_DAYS[0]}")
    expect(page.get_by_text("Choose a second day that is later than the first.")).to_be_visible()
