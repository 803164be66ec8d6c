"""The page Campaigns: each with its sentence, and of one the verdict as the command line words it."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from orchestration.settings import Home
from orchestration.target.outcome import read_outcome
from tests.builders import Refreshed
from tests.dashboard.conftest import serving
from tests.dashboard.looking import cells, opened


def test_a_campaign_is_judged_as_on_the_command_line_and_without_a_holdout_not_at_all(
    page: Page, campaigns: Refreshed
) -> None:
    home = Home(campaigns.aside)
    with serving(home) as address:
        for campaign in ("arms", "no_holdout"):
            outcome = read_outcome(home, campaign)
            assert outcome is not None
            opened(page, f"{address}/campaigns?campaign={campaign}")
            expect(cells(page, f"campaigns?campaign={campaign}")).to_be_attached()
            expect(page.get_by_role("note").filter(has_text="Did it work?")).to_contain_text(outcome.verdict)
            for said in outcome.sentences:
                expect(page.get_by_text(said, exact=True)).to_be_visible()
        said_of_one = page.get_by_test_id("stMain").inner_text().split("One campaign")[1]
        assert not re.search(r"\b(lift|win|worked)\b", said_of_one.replace("Did it work", ""), re.IGNORECASE)
        page.goto("about:blank")  # before its server goes
