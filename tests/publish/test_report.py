"""The nightly page: what the night brought, on one small file that asks nobody and runs nothing."""

from __future__ import annotations

import re
from datetime import timedelta
from html.parser import HTMLParser

import pytest

from orchestration.publish.releases import open_for_reading
from orchestration.publish.report import LARGEST, REPORT, points, report
from orchestration.read.opened import Release
from orchestration.settings import Home
from tests.builders import SHOP_DAYS, Changed, Refreshed

DAY = SHOP_DAYS[-1]
#: What makes a browser fetch or run something.
REACHING_OUT = re.compile(r"https?:|//|\b(src|href|srcset|action|on\w+)\s*=|url\(|@import|<(script|link|iframe|object|form)\b", re.IGNORECASE)  # fmt: skip


class Cells(HTMLParser):
    """The texts of the table's cells, row by row."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data.strip()


def rows_of(page: str) -> dict[str, list[str]]:
    cells = Cells()
    cells.feed(page.split("<tbody>")[1].split("</tbody>")[0])
    return {row[0]: row[1:] for row in cells.rows}


def shift(segment: str, message: str) -> str:
    return (
        "insert into metrics.segment_shifts (as_of_date, segment, measure, kind, severity, state, message, opened_on) "
        f"values ('{DAY}', '{segment}', 'members', 'jump', 'critical', 'opened', '{message}', '{DAY}')"
    )


def test_every_segment_is_a_row_with_what_the_release_counted(changed: Changed) -> None:
    release = changed()
    rows = rows_of(report(release))
    counted = release.rows(
        "select segment, described.members, entered, exited, described.state from catalog.segments as described "
        "join metrics.segment_counts_daily as counted using (segment, as_of_date)"
    )
    assert {name: (row[0], row[3], row[4], row[1]) for name, row in rows.items()} == {
        name: (f"{members:,}", f"{entered:,}", f"{exited:,}", state)
        for name, members, entered, exited, state in counted
    }


def test_it_stands_in_the_release_s_folder_and_comes_out_the_same_again(shop: Refreshed) -> None:
    written = (shop.aside / "releases" / "current" / REPORT).read_text(encoding="utf-8")
    release = open_for_reading(Home(shop.aside))
    assert release is not None
    assert shop.manifest.release in written
    assert report(release) == written
    release.close()


def test_it_asks_nobody_and_runs_nothing(changed: Changed) -> None:
    assert REACHING_OUT.findall(report(changed())) == []


def test_what_moved_is_told_with_its_picture(changed: Changed) -> None:
    page = report(changed(shift("active", "active fell by 7 to 12")))
    said = page.split("What moved unexpectedly")[1].split("<h2>")[0]
    assert "Critical: active, jump since tonight, opened" in said
    assert "active fell by 7 to 12." in said
    assert said.count("<polyline") == 1
    assert f"Members per day from {SHOP_DAYS[0]} to {DAY}" in said


def test_what_is_held_comes_first_and_says_why(changed: Changed) -> None:
    page = report(
        changed(
            f"update catalog.segments set state = 'held', held_since = '{DAY}', held_because = 'gender was empty' where segment = 'women_25_34'"
        )
    )
    assert f"Held since {DAY}: women_25_34" in page
    assert "gender was empty. The last good version stays published." in page
    assert next(iter(rows_of(page))) == "women_25_34"


def test_what_others_wrote_is_text(changed: Changed) -> None:
    hostile = '<script>alert(1)</script>"><img src=x onerror=alert(1)>'
    page = report(
        changed(
            f"update catalog.segments set label = '{hostile}', state = 'held', held_since = as_of_date, held_because = '{hostile}'",
            shift("active", hostile),
        )
    )
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_hundreds_of_segments_with_long_words_still_fit_into_a_mail(changed: Changed) -> None:
    long = "very long & " * 500
    made = changed(
        f"insert into catalog.segments by name select described.* replace ('segment_with_a_name_of_its_own_' || number as segment, "
        f"'{long}' as label, 'held' as state, as_of_date - number::integer as held_since, '{long}' as held_because) "
        "from catalog.segments as described, range(400) as numbers (number) where segment = 'active'",
        "insert into metrics.segment_counts_daily by name select counted.* replace ('segment_with_a_name_of_its_own_' || number as segment, "
        "as_of_date - ago::integer as as_of_date, (hash(number, ago) % 1000000)::bigint as members) "
        f"from metrics.segment_counts_daily as counted, range(400) as numbers (number), range(60) as days (ago) where segment = 'active' and as_of_date = '{DAY}'",
        *(shift(f"segment_with_a_name_of_its_own_{number}", long) for number in range(40)),
        f"insert into catalog.campaigns by name select 'c' || number as campaign_id, '{long}' as campaign_name, 'email' as channel, 'running' as state, "
        f"date '{SHOP_DAYS[0]}' as starts_on from range(30) as numbers (number)",
        f"insert into metrics.campaign_impact by name select 'c' || number as campaign_id, date '{DAY}' as as_of_date, true as is_primary, "
        f"'too_early' as verdict, '{long}' as message from range(30) as numbers (number)",
    )
    sixty_days = Release(made.connection, made.name, DAY, DAY - timedelta(400), made.published_at)
    page = report(sixty_days)
    assert LARGEST // 2 < len(page.encode()) <= LARGEST <= 102_000
    assert "more changed less" in page
    assert page.count("<strong>very long") > 1


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ([0, 5, 10], "0,9 10,5 20,1"),
        ([0, None, 10], "0,9 20,1"),
        ([7, 7, 7], "0,9 10,9 20,9"),
        ([None, 3, None], ""),
        ([], ""),
    ],
)
def test_a_line_keeps_every_day_s_place(values: list[float | None], line: str) -> None:
    assert points(values, 20, 10) == line
