"""What is told is told once to each receiver; what cannot be is tried again, and stops nobody else."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from filelock import FileLock
from werkzeug import Request, Response

from orchestration.alert.acknowledgements import Acknowledgement
from orchestration.alert.delivery import Delivery, deliver, tell
from orchestration.alert.ledger import Ledger
from orchestration.alert.notice import Notice
from orchestration.alert.notices import held_notices
from orchestration.alert.routes import read_routes
from orchestration.errors import ConfigurationError
from orchestration.settings import Home
from tests.alert.builders import (
    AT_ONCE,
    DAY,
    NIGHT,
    NOW,
    OWNERS,
    Mailbox,
    Webhook,
    free_port,
    publish,
    series,
    shift,
    write_alerts,
)

ROOT = Path(__file__).parents[2]
SECRET = "s3cr3t-t0ken"


def run(home: Home, notices: Sequence[Notice], now: datetime = NOW, acks: Sequence[Acknowledgement] = ()) -> Delivery:
    routes = read_routes(home)
    assert routes is not None
    return deliver(home, notices, routes, now, acks, AT_ONCE)


def shifts(count: int, **said: object) -> list[Notice]:
    return [shift(f"segment_{number:02}", owner="crm", **said) for number in range(count)]


@pytest.fixture
def told(home: Home, webhook: Webhook) -> Home:
    """A home with one receiver, the webhook ``crm``."""
    write_alerts(home, f"receivers:\n  crm: {{url: '{webhook.url()}'}}\n")
    return home


def test_what_is_told_is_not_told_again(told: Home, webhook: Webhook) -> None:
    first, again = run(told, [shift()]), run(told, [shift()], NOW + NIGHT)
    assert [entry.key for entry in first.sent] == ["shift/at_risk/members/2017-11-14/opened"]
    assert again.entries == ()
    assert len(webhook.got["crm"]) == 1


def test_another_state_of_the_episode_is_told(told: Home, webhook: Webhook) -> None:
    run(told, [shift()])
    run(told, [shift(), shift(state="worse", title="at_risk: still fewer")], NOW + NIGHT)
    assert webhook.titles()[1:] == ["at_risk: still fewer"]


def test_a_fact_says_who_was_told_what_and_when(told: Home) -> None:
    run(told, [shift()])
    sending, sent = [json.loads(line) for line in (told.path / "deliveries.jsonl").read_text().splitlines()]
    assert sending["outcome"] == "sending"
    assert sent == {
        "key": "shift/at_risk/members/2017-11-14/opened",
        "receiver": "crm",
        "at": "2017-11-15T02:30:00+00:00",
        "outcome": "sent",
        "letter": "shift/at_risk/members/2017-11-14/opened",
        "title": "at_risk: 180 members, 250–290 expected",
        "attempts": 1,
        "reason": None,
        "kept": None,
    }


def test_each_receiver_hears_what_it_filters(home: Home, webhook: Webhook, mailbox: Mailbox) -> None:
    write_alerts(
        home,
        f"receivers:\n  crm: {{url: '{webhook.url()}', owners: [crm]}}\n"
        f"  post: {{url: '{mailbox.url()}', segments: ['men_*']}}\n",
    )
    run(home, [shift("at_risk"), shift("men_18_25", series=series())])
    assert webhook.titles() == ["at_risk: 180 members, 250–290 expected"]
    assert [mail["subject"] for mail in mailbox.mails] == ["men_18_25: 180 members, 250–290 expected"]


def test_one_that_refuses_is_tried_three_times_and_again_in_the_next_run(told: Home, webhook: Webhook) -> None:
    webhook.broken.add("crm")
    [failed] = run(told, [shift()]).failed
    assert (failed.attempts, failed.reason) == (3, "the message was refused (HTTP 500)")
    assert len(webhook.got["crm"]) == 3
    webhook.broken.clear()
    [sent] = run(told, [shift()], NOW + NIGHT).sent
    assert sent.attempts == 1
    assert Ledger.read(told).undelivered(NOW + NIGHT) == []


def test_a_passing_trouble_is_overcome_in_the_run(told: Home, webhook: Webhook) -> None:
    webhook.server.clear()
    webhook.server.expect_ordered_request("/crm").respond_with_data("busy", status=503)
    webhook.server.expect_ordered_request("/crm").respond_with_data("ok")
    [sent] = run(told, [shift()]).sent
    assert sent.attempts == 2


def test_one_that_cannot_be_reached_stops_no_other(home: Home, webhook: Webhook) -> None:
    write_alerts(
        home,
        f"receivers:\n  gone: {{url: 'json://127.0.0.1:{free_port()}'}}\n"
        f"  no_mail: {{url: 'mailto://127.0.0.1:{free_port()}?from=a@shop.example&to=b@shop.example&mode=insecure'}}\n"
        f"  crm: {{url: '{webhook.url()}'}}\n",
    )
    delivery = run(home, [shift()])
    assert [(entry.receiver, entry.reason) for entry in delivery.failed] == [
        ("gone", "it cannot be reached, or does not let us in"),
        ("no_mail", "it cannot be reached, or does not let us in"),
    ]
    assert [entry.receiver for entry in delivery.sent] == ["crm"]


def test_a_mail_server_that_knows_nobody_of_that_name_stops_no_other(
    home: Home, mailbox: Mailbox, webhook: Webhook
) -> None:
    mailbox.refused.add("gone@shop.example")
    write_alerts(
        home,
        f"receivers:\n  gone: {{url: '{mailbox.url('gone@shop.example')}'}}\n  here: {{url: '{mailbox.url()}'}}\n",
    )
    delivery = run(home, [shift()])
    assert [(entry.receiver, entry.outcome) for entry in delivery.entries] == [("gone", "failed"), ("here", "sent")]
    assert delivery.failed[0].reason == "the message was refused"
    assert len(mailbox.mails) == 1


def test_one_that_is_slow_holds_up_no_other_and_is_not_asked_again_at_once(home: Home, webhook: Webhook) -> None:
    def slowly(request: Request) -> Response:
        webhook.got.setdefault("slow", []).append({})
        time.sleep(0.8)
        return Response("ok")

    webhook.server.expect_oneshot_request("/slow").respond_with_handler(slowly)
    write_alerts(
        home,
        f"receivers:\n  slow: {{url: '{webhook.url('slow', rto=0.3)}'}}\n  crm: {{url: '{webhook.url(rto=5)}'}}\n",
    )
    delivery = run(home, [shift()])
    [failed] = delivery.failed
    assert (failed.receiver, failed.attempts, failed.reason) == ("slow", 1, "no answer within 0.3 s")
    assert [entry.receiver for entry in delivery.sent] == ["crm"]


def test_who_failed_twice_is_left_alone_until_the_next_run(told: Home, webhook: Webhook) -> None:
    webhook.broken.add("crm")
    failed = run(told, shifts(5)).failed
    assert [entry.attempts for entry in failed] == [3, 3, 0, 0, 0]
    assert failed[-1].reason == "not tried: the 2 messages before it failed"
    webhook.broken.clear()
    assert len(run(told, shifts(5), NOW + NIGHT).sent) == 5


def test_beyond_the_weekly_limit_the_rest_of_a_run_is_one_digest(home: Home, webhook: Webhook) -> None:
    write_alerts(home, f"weekly_limit: 3\nreceivers:\n  crm: {{url: '{webhook.url()}'}}\n")
    delivery = run(home, shifts(10))
    assert (len(delivery.sent), len(delivery.digested)) == (3, 7)
    assert webhook.titles()[3:] == ["7 shifts of segments on 2017-11-14"]
    assert webhook.got["crm"][3]["message"].count("\n- ") == 6
    assert run(home, shifts(10), NOW + NIGHT).entries == ()


def test_the_limit_is_of_any_seven_days_and_of_each_receiver(home: Home, webhook: Webhook) -> None:
    write_alerts(
        home,
        f"weekly_limit: 2\nreceivers:\n  crm: {{url: '{webhook.url()}'}}\n"
        f"  all: {{url: '{webhook.url('all')}', weekly_limit: 9}}\n",
    )
    nights = [DAY + timedelta(days=night) for night in range(9)]
    for number, day in enumerate(nights):
        run(home, [shift(since=day, as_of_date=day, title=str(day))], NOW + number * NIGHT)
    by_receiver = [
        [entry.outcome for entry in Ledger.read(home).latest().values() if entry.receiver == name]
        for name in ("crm", "all")
    ]
    assert by_receiver[0] == ["sent", "sent", *["digested"] * 5, "sent", "sent"]
    assert set(by_receiver[1]) == {"sent"}
    assert len(webhook.got["crm"]) == 9


def test_the_worst_comes_first_and_what_is_left_is_the_digest(home: Home, webhook: Webhook) -> None:
    write_alerts(home, f"weekly_limit: 1\nreceivers:\n  crm: {{url: '{webhook.url()}'}}\n")
    run(home, [*shifts(2), shift("at_risk", severity="critical", title="critical one")])
    assert webhook.titles() == ["critical one", "2 shifts of segments on 2017-11-14"]


def test_segments_held_for_one_reason_are_one_message_and_count_as_one(home: Home, webhook: Webhook) -> None:
    write_alerts(home, f"weekly_limit: 2\nreceivers:\n  crm: {{url: '{webhook.url()}'}}\n")
    publish(home, DAY, dict.fromkeys(OWNERS, (DAY, "email_opt_in was empty in 93 % of 2,475 rows")))
    delivery = run(home, [*held_notices(home), shift()])
    assert webhook.titles() == ["3 segments are held on 2017-11-14", "at_risk: 180 members, 250–290 expected"]
    assert [entry.outcome for entry in delivery.entries] == ["sent"] * 4


def test_a_hold_is_told_once_however_long_it_lasts_and_its_end_too(told: Home, webhook: Webhook) -> None:
    for number in range(3):
        publish(told, DAY + number * NIGHT, {"at_risk": (DAY, "birth_date was empty")})
        tell(told, held_notices(told), NOW + number * NIGHT)
    publish(told, DAY + 3 * NIGHT)
    tell(told, held_notices(told), NOW + 3 * NIGHT)
    tell(told, held_notices(told), NOW + 4 * NIGHT)
    assert webhook.titles() == ["at_risk is held since 2017-11-14", "at_risk is fresh again"]
    assert "birth_date was empty" in webhook.got["crm"][0]["message"]
    assert "1,275 members" in webhook.got["crm"][1]["message"]


def test_of_a_recovery_hears_who_heard_of_the_trouble_whatever_it_filters(home: Home, webhook: Webhook) -> None:
    write_alerts(
        home,
        f"receivers:\n  worst: {{url: '{webhook.url('worst')}', severities: [critical]}}\n"
        f"  brand: {{url: '{webhook.url('brand')}', owners: [brand]}}\n",
    )
    run(home, [shift(severity="critical")])
    run(home, [shift(state="recovered", title="at_risk is back")], NOW + NIGHT)
    assert webhook.titles("worst")[1:] == ["at_risk is back"]
    assert webhook.titles("brand") == []


def test_older_than_a_week_is_not_told(told: Home, webhook: Webhook) -> None:
    publish(told, DAY)
    days = [DAY - timedelta(days=ago) for ago in (7, 6)]
    delivery = tell(told, [shift(since=day, as_of_date=day) for day in days], NOW)
    assert [entry.key for entry in delivery.sent] == [f"shift/at_risk/members/{days[1]}/opened"]


def test_without_receivers_or_a_release_nothing_is_done(home: Home, webhook: Webhook) -> None:
    publish(home)
    assert tell(home, [shift()]) == Delivery()
    assert not (home.path / "deliveries.jsonl").exists()


def test_a_secret_is_in_no_fact_no_log_and_no_output(
    home: Home,
    webhook: Webhook,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG", logger="apprise")
    monkeypatch.setenv("HOOK_TOKEN", SECRET)
    webhook.broken.add(SECRET)
    write_alerts(
        home,
        f"receivers:\n  refuses: {{url: 'json://crm:${{HOOK_TOKEN}}@127.0.0.1:{webhook.server.port}/${{HOOK_TOKEN}}'}}\n"
        f"  gone: {{url: 'gotify://127.0.0.1:{free_port()}/${{HOOK_TOKEN}}'}}\n"
        f"  no_mail: {{url: 'mailto://u:${{HOOK_TOKEN}}@127.0.0.1:{free_port()}?from=a@shop.example&to=b@shop.example'}}\n",
    )
    delivery = run(home, [shift()])
    assert len(delivery.failed) == 3
    printed = capfd.readouterr()
    everywhere = "".join(file.read_text() for file in home.path.glob("*.jsonl"))
    assert SECRET not in f"{delivery!r} {everywhere} {printed.out} {printed.err}"
    assert SECRET not in "".join(record.getMessage() for record in caplog.records if record.name == "apprise")


# ---- killed ----

NIGHT_OF = """
import os, signal, sys
from datetime import datetime
from pathlib import Path
from orchestration.alert import delivery
from orchestration.alert.notices import held_notices
from orchestration.settings import Home
home, moment = Home(Path(sys.argv[1])), sys.argv[2]
if moment == "published":
    os.kill(os.getpid(), signal.SIGKILL)
if moment == "sent":
    note = delivery._Postman._note
    def killed(self, notices, outcome, *more):
        if outcome == "sent":
            os.kill(os.getpid(), signal.SIGKILL)
        return note(self, notices, outcome, *more)
    delivery._Postman._note = killed
delivery.tell(home, held_notices(home), datetime.fromisoformat(sys.argv[3]))
"""


def night(home: Home, moment: str, now: datetime = NOW) -> int:
    command = [sys.executable, "-c", NIGHT_OF, str(home.path), moment, now.isoformat()]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


@pytest.fixture
def held(told: Home) -> Home:
    publish(told, DAY, {"at_risk": (DAY, "birth_date was empty")})
    return told


def test_killed_between_publishing_and_sending_the_next_run_tells(held: Home, webhook: Webhook) -> None:
    assert night(held, "published") == -signal.SIGKILL
    assert webhook.titles() == []
    assert night(held, "undisturbed", NOW + NIGHT) == 0
    assert night(held, "undisturbed", NOW + NIGHT) == 0
    assert webhook.titles() == ["at_risk is held since 2017-11-14"]


def test_killed_between_sending_and_noting_it_is_unknown_and_not_told_twice(held: Home, webhook: Webhook) -> None:
    assert night(held, "sent") == -signal.SIGKILL
    assert night(held, "undisturbed", NOW + NIGHT) == 0
    assert webhook.titles() == ["at_risk is held since 2017-11-14"]
    [unknown] = Ledger.read(held).undelivered(NOW)
    assert unknown.said == "unknown: cut short while it was sent, and not sent again"


def test_killed_while_the_receiver_answers_the_others_are_told_in_the_next_run(home: Home, webhook: Webhook) -> None:
    """The process is killed from outside at the moment when its first message is on its way."""
    publish(home, DAY, {"at_risk": (DAY, "birth_date was empty")})
    script = NIGHT_OF.replace('if moment == "published":', 'print(os.getpid(), flush=True)\nif moment == "published":')
    write_alerts(
        home, f"receivers:\n  first: {{url: '{webhook.url('first')}'}}\n  second: {{url: '{webhook.url('second')}'}}\n"
    )
    command = [sys.executable, "-c", script, str(home.path), "undisturbed", NOW.isoformat()]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as running:

        def kill(request: Request) -> Response:
            webhook.got.setdefault("first", []).append(json.loads(request.get_data()))
            os.kill(running.pid, signal.SIGKILL)
            return Response("too late")

        webhook.server.expect_oneshot_request("/first").respond_with_handler(kill)
        assert running.wait() == -signal.SIGKILL
    assert night(home, "undisturbed", NOW + NIGHT) == 0
    assert (len(webhook.titles("first")), len(webhook.titles("second"))) == (1, 1)


def test_two_that_deliver_wait_for_each_other_and_tell_once(held: Home, webhook: Webhook) -> None:
    command = [sys.executable, "-c", NIGHT_OF, str(held.path), "undisturbed", NOW.isoformat()]
    with FileLock(held.path / "deliveries.lock"):
        both = [subprocess.Popen(command, cwd=ROOT) for _ in range(2)]
        time.sleep(2)
        assert [one.poll() for one in both] == [None, None]
        assert webhook.titles() == []
    assert [one.wait() for one in both] == [0, 0]
    assert webhook.titles() == ["at_risk is held since 2017-11-14"]


def test_a_line_cut_in_the_middle_by_hand_is_told_and_nothing_sent(told: Home, webhook: Webhook) -> None:
    (told.path / "deliveries.jsonl").write_text('{"key": "shift/')
    with pytest.raises(ConfigurationError, match=r"deliveries\.jsonl cannot be read: put back its last version"):
        run(told, [shift()])
    assert webhook.titles() == []
