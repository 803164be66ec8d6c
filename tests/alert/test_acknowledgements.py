"""What is acknowledged is told no more until it recovers; what is snoozed is told of in nothing until its end."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from typing import Literal

import pytest

from orchestration.alert.acknowledgements import acknowledge, read_acknowledgements, silenced
from orchestration.alert.delivery import tell
from orchestration.alert.notice import Notice
from orchestration.alert.notices import held_notices
from orchestration.settings import Home
from tests.alert.builders import DAY, NIGHT, NOW, Webhook, publish, shift, write_alerts

LATER = DAY + 3 * NIGHT


def segments(*arguments: str, home: Home) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "orchestration.cli", *arguments, "--home", str(home.path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def is_told(home: Home, notice: Notice) -> bool:
    return silenced(read_acknowledgements(home), notice) is None


def test_an_acknowledged_episode_is_told_no_more_but_for_its_recovery(published: Home) -> None:
    acknowledge(published, "at_risk", "ack", "the campaign of May ended")
    assert not is_told(published, shift(state="worse", as_of_date=LATER))
    assert not is_told(published, shift("at_risk", "held", key=f"held/at_risk/{DAY}", as_of_date=LATER))
    assert is_told(published, shift(state="recovered", as_of_date=LATER))
    assert is_told(published, shift("rfm_champions", state="worse"))


def test_an_episode_that_begins_after_the_acknowledgement_is_told(published: Home) -> None:
    acknowledge(published, "at_risk", "ack", "the campaign of May ended")
    assert is_told(published, shift(since=LATER, as_of_date=LATER))


def test_an_acknowledgement_of_a_measure_leaves_the_others(published: Home) -> None:
    acknowledge(published, "at_risk", "ack", "known", measure="members")
    assert not is_told(published, shift(state="worse"))
    assert is_told(published, shift(state="worse", measure="entered"))


def test_a_snooze_silences_everything_of_the_segment_until_its_end(published: Home) -> None:
    acknowledge(published, "at_risk", "snooze", "it is moved to another source", until=LATER)
    for state in ("opened", "worse", "recovered"):
        assert not is_told(published, shift(state=state, since=LATER, as_of_date=LATER))
        assert is_told(published, shift(state=state, since=LATER + NIGHT, as_of_date=LATER + NIGHT))
    assert is_told(published, shift("rfm_champions"))


@pytest.mark.parametrize("kind", ["ack", "snooze"])
def test_what_is_up_with_a_campaign_on_the_segment_is_told_all_the_same(
    published: Home, kind: Literal["ack", "snooze"]
) -> None:
    acknowledge(published, "at_risk", kind, "the campaign of May ended", until=LATER)
    assert not is_told(published, shift(state="worse"))
    assert is_told(published, shift(state="loss", key="campaign/spring/loss", measure=None, since=None))


def test_an_acknowledgement_may_end_before_the_episode_does(published: Home) -> None:
    acknowledge(published, "at_risk", "ack", "known", until=LATER)
    assert not is_told(published, shift(state="worse", as_of_date=LATER))
    assert is_told(published, shift(state="worse", as_of_date=LATER + NIGHT))


def test_nobody_is_told_and_the_run_says_why(published: Home, webhook: Webhook) -> None:
    write_alerts(published, f"receivers:\n  crm: {{url: '{webhook.url()}'}}\n")
    made = acknowledge(published, "at_risk", "ack", "the campaign of May ended")
    delivery = tell(published, [shift(state="worse"), shift("rfm_champions")], NOW)
    assert webhook.titles() == ["rfm_champions: 180 members, 250–290 expected"]
    assert dict(delivery.silenced) == {
        "shift/at_risk/members/2017-11-14/worse": f"acknowledged by {made.who}: the campaign of May ended"
    }


def test_what_is_still_held_when_a_snooze_ends_is_told_then(published: Home, webhook: Webhook) -> None:
    write_alerts(published, f"receivers:\n  crm: {{url: '{webhook.url()}'}}\n")
    acknowledge(published, "at_risk", "snooze", "they mend it", until=DAY + NIGHT)
    for number in range(1, 4):
        publish(published, DAY + number * NIGHT, {"at_risk": (DAY + NIGHT, "birth_date was empty")})
        tell(published, held_notices(published), NOW + number * NIGHT)
    assert webhook.titles() == [f"at_risk is held since {DAY + NIGHT}"]


def test_who_when_and_why_are_kept_as_a_fact(published: Home) -> None:
    told = segments("snooze", "at_risk", "--until", str(LATER), "--reason", "moved", "--json", home=published)
    assert told.returncode == 0, told.stderr
    [line] = (published.path / "acknowledgements.jsonl").read_text().splitlines()
    assert json.loads(line) == json.loads(told.stdout)
    kept = json.loads(line)
    assert {"who", "at"} <= kept.keys()
    assert (kept["kind"], kept["segment"], kept["reason"]) == ("snooze", "at_risk", "moved")
    assert (kept["first_day"], kept["until"]) == (str(DAY), str(LATER))
    assert segments("ack", "at_risk", "--reason", "known", home=published).returncode == 0
    assert [one.kind for one in read_acknowledgements(published)] == ["snooze", "ack"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ("ack", "at_rosk", "--reason", "known"),
            "There is no segment at_rosk in release 2017-11-14-0000; did you mean at_risk?",
        ),
        (("ack", "at_risk", "--reason", " "), "Say why"),
        (("ack", "at_risk"), "Missing option '--reason'"),
        (("ack", "at_risk", "--reason", "ask jane.roe@shop.example"), "say it without an e-mail address"),
        (
            ("ack", "at_risk", "--reason", "known", "--until", "2017-11-13"),
            "2017-11-13 is past: the newest day of the release is 2017-11-14",
        ),
        (("snooze", "at_risk", "--reason", "known"), "Missing option '--until'"),
        (("snooze", "at_risk", "--reason", "known", "--until", "soon"), "write it as 2017-12-31"),
    ],
)
def test_one_that_makes_no_sense_keeps_nothing(arguments: tuple[str, ...], sentence: str, published: Home) -> None:
    told = segments(*arguments, home=published)
    assert (told.returncode, told.stdout) == (2, "")
    assert sentence in told.stderr
    assert not (published.path / "acknowledgements.jsonl").exists()


def test_before_the_first_release_there_is_nothing_to_acknowledge(home: Home) -> None:
    told = segments("ack", "at_risk", "--reason", "known", home=home)
    assert told.returncode == 1
    assert "There is no release" in told.stderr


def test_the_day_until_which_it_holds_is_included(published: Home) -> None:
    made = acknowledge(published, "at_risk", "snooze", "today only", until=DAY)
    assert made.until == date(2017, 11, 14)
    assert not is_told(published, shift())
