"""The morning on which a campaign starts: who is in its audience, what is frozen, what makes it wait, and what a rerun or a kill changes: nothing."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from orchestration.campaigns.files import MAY_CHANGE, Campaign, read_campaigns
from orchestration.campaigns.receipts import ASSIGNMENT, RECEIPT, Receipt, assignment_file, read_receipt, receipt_folder
from orchestration.errors import RefreshRunning
from orchestration.settings import Home, Settings
from orchestration.target import launching
from orchestration.target.business_case import read_case
from orchestration.target.launching import CampaignState, launch, states, states_once_launched, wrong_since_the_release
from tests.builders import a_refresh_at_work
from tests.target.builders import (
    DAY,
    MORNING,
    SETTINGS,
    SmallRelease,
    archive_emails,
    campaign_file,
    publish,
    rows,
    shopper,
    shoppers,
)


def the_only(found: list[CampaignState]) -> CampaignState:
    [one] = found
    return one


def launched(home: Home, campaign_id: str = "spring", settings: Settings = SETTINGS) -> Receipt:
    [state] = [one for one in launch(home, settings) if one.id == campaign_id]
    assert state.state == "launched", state.because
    receipt = read_receipt(home, campaign_id)
    assert receipt is not None
    return receipt


def arms(home: Home, campaign_id: str = "spring") -> dict[str, str]:
    return {customer: arm for customer, arm, _ in rows(assignment_file(home, campaign_id))}


def everything(home: Home) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in sorted(home.campaigns.rglob("*")) if file.is_file()}


def test_a_campaign_is_frozen_with_all_that_it_rests_on(home: Home) -> None:
    release = publish(home, SmallRelease(shoppers(50)))
    campaign_file(home)
    receipt = launched(home)
    assert (receipt.release, receipt.as_of_date, receipt.launched_on) == (release, DAY, MORNING)
    assert (receipt.definition_hash, receipt.holdout, receipt.salt) == ("abc", 0.2, "spring")
    assert receipt.campaign["segment"] == "active"
    assert (receipt.treatment, receipt.control) == (40, 10)
    assert len(receipt.checksum) == len(receipt.frozen) == 64
    assert [stratum.stratum for stratum in receipt.strata] == [
        f"spend_last_365_days {fifth}/5" for fifth in range(1, 6)
    ]
    assert rows(assignment_file(home, "spring")) == sorted(rows(assignment_file(home, "spring")))


def test_each_step_on_the_way_to_the_audience_is_counted(home: Home) -> None:
    customers = [*shoppers(60), shopper("X", post_opt_in=None)]
    for number in (0, 1, 2):
        customers[number] |= {"post_opt_in": False}
    members = {
        "complainers": ["C0000", "C0006", "C0007", "C0050"],
        "first": [one["customer_id"] for one in [*customers[:40], customers[-1]]],
    }
    unsubscribed = [("C0003", "email"), ("C0004", "post"), ("C0051", "post")]
    publish(home, SmallRelease(customers, members, unsubscribed))
    campaign_file(home, segment="first", suppress=["complainers"])
    assert {step.step: step.customers for step in launched(home).steps} == {
        "members": 41,
        "consented": 37,
        "reachable": 37,
        "not_unsubscribed": 36,
        "not_suppressed": 34,
        "not_in_global_holdout": 34,
        "not_in_another_campaign": 34,
    }
    assert arms(home).keys() == {f"C{number:04}" for number in range(3, 40)} - {"C0004", "C0006", "C0007"}


def test_by_email_only_who_has_an_address_is_reachable(home: Home) -> None:
    customers = shoppers(10)
    customers[0] |= {"email_opt_in": False}
    customers[1] |= {"has_email": False}
    publish(home, SmallRelease(customers, unsubscribed=[("C0002", "email"), ("C0003", "post")]))
    archive_emails(home, DAY, {one["customer_id"]: "jane@marker.example" for one in customers})
    campaign_file(home, channel="email", holdout=0.5)
    assert [step.customers for step in launched(home).steps] == [10, 9, 8, 7, 7, 7, 7]
    assert arms(home).keys() == {f"C{number:04}" for number in range(3, 10)}


def test_nobody_is_in_two_exclusive_campaigns_at_once(home: Home) -> None:
    publish(home, SmallRelease(shoppers(100), {"some": [f"C{one:04}" for one in range(40)]}))
    campaign_file(home, "a", segment="some")
    campaign_file(home, "b")
    campaign_file(home, "c", exclusive=False)
    launch(home, SETTINGS)
    a, b, c = arms(home, "a"), arms(home, "b"), arms(home, "c")
    assert (len(a), len(b), len(c)) == (40, 60, 100)
    assert not a.keys() & b.keys()
    assert launched(home, "b").apart_from == ("a",)
    assert launched(home, "c").apart_from == ()


def test_an_exclusive_campaign_has_its_customers_until_its_last_measured_day(home: Home) -> None:
    publish(home, SmallRelease(shoppers(40)))
    campaign_file(home, "a", ends_on=MORNING, measured_days=7)
    launch(home, SETTINGS)
    last = MORNING + timedelta(7)
    publish(home, SmallRelease(shoppers(40)), last - timedelta(1))
    campaign_file(home, "b", starts_on=last, ends_on=last + timedelta(3))
    waiting = {one.id: one for one in launch(home, SETTINGS)}["b"]
    assert waiting.state == "waiting"
    assert "its audience has 0 customers" in str(waiting.because)
    assert "40 not in global holdout, 0 not in another campaign" in str(waiting.because)
    publish(home, SmallRelease(shoppers(40)), last)
    assert [(one.id, one.state) for one in launch(home, SETTINGS)] == [("a", "over"), ("b", "launched")]
    assert len(arms(home, "b")) == 40


def test_who_is_in_the_global_holdout_is_in_no_campaign_and_stays_so_when_it_grows(home: Home) -> None:
    publish(home, SmallRelease(shoppers(400)))
    campaign_file(home, "a", exclusive=False)
    campaign_file(home, "b", exclusive=False)
    everybody = {one["customer_id"] for one in shoppers(400)}

    def left_out(share: float) -> set[str]:
        settings = SETTINGS.model_copy(update={"global_holdout": share})
        shutil.rmtree(home.campaigns, ignore_errors=True)
        assert launched(home, "a", settings).global_holdout == share
        assert arms(home, "a").keys() == arms(home, "b").keys()
        return everybody - arms(home, "a").keys()

    tenth, third = left_out(0.1), left_out(0.3)
    assert 25 <= len(tenth) <= 55
    assert 95 <= len(third) <= 145
    assert tenth < third
    assert left_out(0) == set()


def test_a_rename_of_everything_that_may_change_changes_nobodys_arm(home: Home, tmp_path: Path) -> None:
    other = Home(tmp_path / "other")
    for one, name in ((home, "Spring"), (other, "A letter in spring")):
        publish(one, SmallRelease(shoppers(60)))
        campaign_file(one, name=name, objective=name, contact_cost=9)
    assert launched(home).checksum == launched(other).checksum
    assert arms(home) == arms(other)


def test_a_morning_done_twice_changes_nothing(home: Home) -> None:
    publish(home, SmallRelease(shoppers(50)))
    campaign_file(home)
    first, before = launch(home, SETTINGS), everything(home)
    publish(home, SmallRelease(shoppers(70)), DAY)
    assert launch(home, SETTINGS) == first == states(home, SETTINGS)
    assert everything(home) == before


def test_looking_at_the_campaigns_launches_none_and_says_what_would_come(home: Home) -> None:
    publish(home, SmallRelease(shoppers(50)))
    campaign_file(home)
    state = the_only(states(home, SETTINGS))
    assert (state.state, state.treatment, state.control, state.launched_on) == ("planned", 40, 10, None)
    assert "it starts with the next night" in str(state.because)
    assert not home.campaigns.exists()


def test_a_campaign_starts_on_its_day_and_is_over_after_its_last_measured_one(home: Home) -> None:
    publish(home, SmallRelease(shoppers(50)))
    campaign_file(home, starts_on=MORNING + timedelta(1))
    assert the_only(launch(home, SETTINGS)).state == "planned"
    publish(home, SmallRelease(shoppers(50)), MORNING)
    state = the_only(launch(home, SETTINGS))
    assert (state.state, state.launched_on) == ("launched", MORNING + timedelta(1))
    last = MORNING + timedelta(6 + 7)
    for day, expected in ((last - timedelta(1), "launched"), (last, "over")):
        publish(home, SmallRelease(shoppers(50)), day)
        assert the_only(launch(home, SETTINGS)).state == expected


def test_a_campaign_of_whose_days_none_saw_a_night_is_missed(home: Home) -> None:
    publish(home, SmallRelease(shoppers(50)))
    campaign_file(home, starts_on=DAY - timedelta(5), ends_on=DAY)
    state = the_only(launch(home, SETTINGS))
    assert state.state == "missed"
    assert state.because == f"it ended on {DAY} and never started: give it other days, or remove spring.yml."
    assert not home.campaigns.exists()


def test_a_campaign_late_on_its_last_day_still_starts_with_the_plan_of_the_days_that_are_left(home: Home) -> None:
    publish(home, SmallRelease(shoppers(50)))
    campaign_file(home, starts_on=DAY - timedelta(5), ends_on=MORNING)
    receipt, case = launched(home), read_case(home, "spring")
    assert case is not None
    assert receipt.launched_on == receipt.counts_from == case.starts_on == MORNING
    assert (case.planned_days, case.late_by) == (8, 6)


def test_a_segment_that_is_held_tonight_makes_it_wait_and_it_starts_once_it_is_fresh(home: Home) -> None:
    held = {"active": (DAY - timedelta(2), "it would lose all of its 50 members")}
    publish(home, SmallRelease(shoppers(50), held=held))
    campaign_file(home)
    state = the_only(launch(home, SETTINGS))
    assert state.state == "waiting"
    assert state.because is not None
    assert state.because.startswith("active is held since 2024-03-07: it would lose all of its 50 members.")
    assert "segments release-held active" in state.because
    publish(home, SmallRelease(shoppers(50)), MORNING)
    assert launched(home).launched_on == MORNING + timedelta(1)


def test_a_suppressed_segment_that_is_held_makes_it_wait_too(home: Home) -> None:
    publish(home, SmallRelease(shoppers(50), held={"complainers": (DAY, "it is empty")}))
    campaign_file(home, suppress=["complainers"])
    assert "complainers is held since 2024-03-09" in str(the_only(launch(home, SETTINGS)).because)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"segment": "activ"}, "`segment` names the segment activ, which there is not; did you mean active?"),
        ({"suppress": ["complainer"]}, "`suppress` names the segment complainer, which there is not; did you mean complainers?"),
        ({"stratify_by": ["regoin"]}, "`stratify_by` names regoin, which is no attribute of customers.dim_customers; did you mean region?"),
        ({"holdout": 0.001}, "its audience has 50 customers, of whom 0 would be held out and 50 contacted, and each arm needs 2"),
        ({"holdout": 0.99}, "of whom 50 would be held out and 0 contacted"),
        ({"holdout": "smallest", "lift_to_detect": 0.05, "primary_metric": "responded"}, "who is held out cannot answer, so no holdout shows a lift in answers"),
        ({"holdout": "smallest", "lift_to_detect": 0.05}, "no holdout is large enough to show a lift of 5.0% in spend, not even half of the audience"),
    ],
)  # fmt: skip
def test_what_keeps_a_campaign_from_starting_is_said(home: Home, said: dict[str, object], sentence: str) -> None:
    publish(home, SmallRelease(shoppers(50)))
    campaign_file(home, **said)
    for state in (the_only(states(home, SETTINGS)), the_only(launch(home, SETTINGS))):
        assert state.state == "waiting"
        assert sentence in str(state.because)
    assert not receipt_folder(home, "spring").exists()


def test_an_audience_of_three_waits_and_says_the_way_to_it(home: Home) -> None:
    publish(home, SmallRelease(shoppers(50), {"few": ["C0001", "C0002", "C0003"]}))
    campaign_file(home, segment="few")
    assert the_only(launch(home, SETTINGS)).because == (
        "its audience has 3 customers, of whom 1 would be held out and 2 contacted, and each arm needs 2: choose a segment with more members, "
        "or another holdout. The way to the audience: 3 members, 3 consented, 3 reachable, 3 not unsubscribed, 3 not suppressed, "
        "3 not in global holdout, 3 not in another campaign."
    )


def test_an_audience_of_one_is_one_customer(home: Home) -> None:
    publish(home, SmallRelease(shoppers(50), {"few": ["C0001"]}))
    campaign_file(home, segment="few")
    assert "its audience has 1 customer, of whom 0 would" in str(the_only(launch(home, SETTINGS)).because)


def test_the_smallest_holdout_is_asked_for_the_audience_and_frozen(home: Home) -> None:
    publish(home, SmallRelease(shoppers(50)))
    campaign_file(home, holdout="smallest", lift_to_detect=0.1)
    asked = []

    def three_in_ten(release: duckdb.DuckDBPyConnection, campaign: Campaign, audience: str, as_of: date) -> float:
        asked.append((campaign.id, release.execute(f"select count(*) from {audience}").fetchall(), as_of))
        return 0.3

    state = the_only(launch(home, SETTINGS, three_in_ten))
    assert asked == [("spring", [(50,)], DAY)]
    assert (state.state, state.treatment, state.control) == ("launched", 35, 15)
    assert launched(home).holdout == 0.3


def test_a_lift_that_no_holdout_shows_makes_it_wait(home: Home) -> None:
    publish(home, SmallRelease(shoppers(50)))
    campaign_file(home, holdout="smallest", lift_to_detect=0.01)
    state = the_only(launch(home, SETTINGS, lambda *_: None))
    assert state.state == "waiting"
    assert "no holdout is large enough to show a lift of 1.0% in spend, not even half of the audience" in str(
        state.because
    )


def test_a_campaign_that_its_sender_assigns_is_frozen_without_arms(home: Home) -> None:
    publish(home, SmallRelease(shoppers(50)))
    campaign_file(home, assigned_by="sender", segment="of_the_sender")
    receipt = launched(home)
    assert (receipt.steps, receipt.strata, receipt.checksum, receipt.holdout) == ((), (), "", None)
    assert [file.name for file in receipt_folder(home, "spring").iterdir()] == ["receipt.json"]
    assert the_only(states(home, SETTINGS)).treatment is None
    campaign_file(home, assigned_by="sender", segment="of_the_sender", primary_metric="orders")
    assert the_only(states(home, SETTINGS)).state == "refused"


@pytest.mark.parametrize(
    "edited",
    [
        {"primary_metric": "orders"},
        {"secondary_metrics": ["orders"]},
        {"holdout": 0.1},
        {"segment": "complainers"},
        {"ends_on": MORNING + timedelta(9)},
        {"measured_days": 14},
        {"stratify_by": ["gender"]},
        {"exclusive": False},
    ],
)
def test_a_file_edited_after_the_start_is_refused_and_the_receipt_stands(home: Home, edited: dict[str, object]) -> None:
    publish(home, SmallRelease(shoppers(50)))
    campaign_file(home)
    launch(home, SETTINGS)
    before = everything(home)
    campaign_file(home, **edited)
    state = the_only(launch(home, SETTINGS))
    assert state.state == "refused"
    [field] = edited
    assert str(state.because).startswith(f"{field} of spring.yml is not what was frozen when it started on {MORNING}")
    assert str(state.because).endswith(f"What may change: {', '.join(MAY_CHANGE)}.")
    assert (state.treatment, state.control) == (40, 10)
    assert everything(home) == before


def test_what_may_change_may_change(home: Home) -> None:
    publish(home, SmallRelease(shoppers(50)))
    campaign_file(home)
    launch(home, SETTINGS)
    campaign_file(
        home,
        name="Another",
        objective="Another",
        contact_cost=1,
        fixed_cost=5,
        margin=0.2,
        value_of_an_answer=3,
        assumed_lift=0.1,
    )
    state = the_only(launch(home, SETTINGS))
    assert (state.state, state.name) == ("launched", "Another")


def test_an_id_used_a_second_time_is_refused(home: Home) -> None:
    publish(home, SmallRelease(shoppers(50)))
    campaign_file(home)
    launch(home, SETTINGS)
    later = DAY + timedelta(365)
    publish(home, SmallRelease(shoppers(50)), later)
    campaign_file(home, starts_on=later + timedelta(1), ends_on=later + timedelta(5))
    state = the_only(launch(home, SETTINGS))
    assert state.state == "refused"
    assert "starts_on, ends_on of spring.yml are not what was frozen" in str(state.because)
    assert "plan another campaign under an id of its own" in str(state.because)


def test_a_file_renamed_after_the_start_is_refused_and_starts_no_second_campaign(home: Home) -> None:
    publish(home, SmallRelease(shoppers(50)))
    file = campaign_file(home, exclusive=False)
    launch(home, SETTINGS)
    before = everything(home)
    file.unlink()
    campaign_file(home, "spring_2024", exclusive=False, name="Spring 2024", contact_cost=1)
    found = {one.id: one for one in launch(home, SETTINGS)}
    assert {one.id: one.state for one in found.values()} == {"spring": "launched", "spring_2024": "refused"}
    sentence = (
        f"spring_2024.yml says what spring.yml said, which is gone and started on {MORNING}: call it spring.yml again, for an id never changes; "
        "if it is another campaign, put spring.yml back beside it."
    )
    assert found["spring_2024"].because == sentence
    assert wrong_since_the_release(home, read_campaigns(home, SETTINGS)) == {"spring_2024.yml": sentence}
    assert everything(home) == before


def test_a_second_campaign_like_one_whose_file_is_there_or_on_other_days_is_no_renamed_one(home: Home) -> None:
    publish(home, SmallRelease(shoppers(50)))
    file = campaign_file(home, exclusive=False)
    launch(home, SETTINGS)
    campaign_file(home, "twin", exclusive=False)
    assert launched(home, "twin").treatment == 40
    file.unlink()
    campaign_file(home, "later", exclusive=False, ends_on=MORNING + timedelta(9))
    assert launched(home, "later").treatment == 40


def test_a_receipt_outlives_its_file(home: Home) -> None:
    publish(home, SmallRelease(shoppers(50)))
    file = campaign_file(home)
    launch(home, SETTINGS)
    file.write_text("name: [")
    assert the_only(launch(home, SETTINGS)).state == "refused"
    file.unlink()
    state = the_only(launch(home, SETTINGS))
    assert (state.state, state.because) == ("launched", f"its file is gone; what was frozen on {MORNING} stands.")


def test_one_wrong_file_keeps_no_other_campaign_from_starting(home: Home) -> None:
    publish(home, SmallRelease(shoppers(50)))
    campaign_file(home)
    campaign_file(home, "dear", currency="EUR")
    campaign_file(home, "none", holdout=0)
    found = {one.id: one for one in launch(home, SETTINGS)}
    assert {one.id: one.state for one in found.values()} == {"dear": "refused", "none": "refused", "spring": "launched"}
    assert "say the costs in USD" in str(found["dear"].because)
    assert "Without a holdout nobody can tell" in str(found["none"].because)


def without_its_receipt(folder: Path) -> None:
    (folder / RECEIPT).unlink()


def with_a_damaged_receipt(folder: Path) -> None:
    (folder / RECEIPT).write_text("{")


def without_its_arms(folder: Path) -> None:
    (folder / ASSIGNMENT).unlink()


def with_one_customer_fewer(folder: Path) -> None:
    file = folder / ASSIGNMENT
    duckdb.execute(f"create or replace table kept as from read_parquet('{file}') where customer_id <> 'C0000'")
    duckdb.execute(f"copy kept to '{file}'")


@pytest.mark.parametrize(
    "harm", [without_its_receipt, with_a_damaged_receipt, without_its_arms, with_one_customer_fewer]
)
def test_a_campaign_that_lost_what_was_frozen_keeps_its_customers_from_exclusive_ones(
    home: Home, harm: Callable[[Path], None]
) -> None:
    publish(home, SmallRelease(shoppers(50), {"some": [f"C{one:04}" for one in range(20)]}))
    campaign_file(home, "a", segment="some")
    launch(home, SETTINGS)
    harm(receipt_folder(home, "a"))
    campaign_file(home, "b")
    campaign_file(home, "c", exclusive=False)
    found = {one.id: one for one in launch(home, SETTINGS)}
    assert {one.id: one.state for one in found.values()} == {"a": "refused", "b": "waiting", "c": "launched"}
    assert str(receipt_folder(home, "a")) in str(found["a"].because)
    assert "nobody knows whom a has" in str(found["b"].because)


def test_a_folder_without_its_receipt_is_refused_and_not_drawn_anew(home: Home) -> None:
    publish(home, SmallRelease(shoppers(50)))
    campaign_file(home)
    launch(home, SETTINGS)
    (receipt_folder(home, "spring") / "receipt.json").unlink()
    state = the_only(launch(home, SETTINGS))
    assert state.state == "refused"
    assert "nobody can draw the same customers twice without it" in str(state.because)


def test_before_the_first_release_everything_is_planned(home: Home) -> None:
    campaign_file(home)
    state = the_only(launch(home, SETTINGS))
    assert (state.state, state.because) == ("planned", "there is no release yet: make one with `segments refresh`.")


def test_campaigns_are_not_launched_while_another_refresh_is_at_work(home: Home) -> None:
    publish(home, SmallRelease(shoppers(50)))
    campaign_file(home)
    with a_refresh_at_work(home), pytest.raises(RefreshRunning):
        launch(home, SETTINGS)
    assert not home.campaigns.exists()


def test_a_full_disk_makes_it_wait_and_leaves_nothing(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(home, SmallRelease(shoppers(50)))
    campaign_file(home)

    def no_room(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(launching, "write_target_list", no_room)
    state = the_only(launch(home, SETTINGS))
    assert state.state == "waiting"
    assert "No space left on device" in str(state.because)
    assert list(home.campaigns.iterdir()) == []
    assert the_only(states(home, SETTINGS)).state == "planned"
    state = the_only(states_once_launched(home, SETTINGS))
    assert state.state == "waiting"
    assert f"has no receipt in {home.campaigns}, so writing it failed" in str(state.because)


def test_once_all_are_launched_only_what_starts_later_is_planned(home: Home) -> None:
    publish(home, SmallRelease(shoppers(50)))
    campaign_file(home)
    campaign_file(home, "later", starts_on=MORNING + timedelta(1))
    launch(home, SETTINGS)
    assert {one.id: one.state for one in states_once_launched(home, SETTINGS)} == {
        "later": "planned",
        "spring": "launched",
    }


KILLED = """
import os, signal, sys
from pathlib import Path
from orchestration.campaigns import receipts
from orchestration.settings import Home
from orchestration.target import launching
from tests.target.builders import SETTINGS

def die(*_): os.kill(os.getpid(), signal.SIGKILL)

setattr({module}, "{name}", die)
launching.launch(Home(Path(sys.argv[1])), SETTINGS)
"""


@pytest.mark.parametrize(
    ("module", "name"),
    [("launching", "_write"), ("launching", "write_target_list"), ("launching", "keep_receipt"), ("receipts", "flush")],
)
def test_a_kill_leaves_nothing_half_written_and_the_next_launch_draws_the_same(
    home: Home, tmp_path: Path, module: str, name: str
) -> None:
    publish(home, SmallRelease(shoppers(50)))
    campaign_file(home)
    killed = subprocess.run(
        [sys.executable, "-c", KILLED.format(module=module, name=name), str(home.path)], check=False
    )
    assert killed.returncode == -signal.SIGKILL
    assert [path.name for path in home.campaigns.iterdir()] == [".building-spring"]
    assert the_only(states(home, SETTINGS)).state == "planned"
    launched(home)
    assert [path.name for path in home.campaigns.iterdir()] == ["spring"]
    unharmed = Home(tmp_path / "unharmed")
    publish(unharmed, SmallRelease(shoppers(50)))
    campaign_file(unharmed)
    assert launched(unharmed).checksum == launched(home).checksum
