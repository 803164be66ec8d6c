"""How a notice arrives: by mail with its picture within the text, at a webhook with the picture attached."""

from __future__ import annotations

import base64
from datetime import date

import pytest

from orchestration.alert.channel import Channel
from orchestration.alert.message import digest
from orchestration.alert.picture import draw
from tests.alert.builders import DAY, Mailbox, Webhook, series, shift

PNG = b"\x89PNG\r\n\x1a\n"


def test_a_mail_has_text_html_and_the_series_as_a_picture_within_it(mailbox: Mailbox) -> None:
    notice = shift(series=series(), details=("94 left because of last_order_on", "2 came"))
    assert Channel(mailbox.url()).send(digest([notice])).arrived
    [mail] = mailbox.mails
    assert mail["subject"] == "at_risk: 180 members, 250–290 expected"
    html = mail.get_body(("html",))
    text = mail.get_body(("plain",))
    assert html is not None
    assert text is not None
    assert "<li>94 left because of last_order_on</li>" in html.get_content()
    assert 'src="cid:series.png"' in html.get_content()
    assert "at_risk has 180 members on 2017-11-14" in text.get_content()
    [picture] = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    assert picture.get_content_disposition() == "inline"
    assert picture.get_payload(decode=True)[:8] == PNG  # type: ignore[index]


def test_a_webhook_gets_text_and_the_picture_attached(webhook: Webhook) -> None:
    assert Channel(webhook.url()).send(digest([shift(series=series(), details=("94 left",))])).arrived
    [message] = webhook.got["crm"]
    assert message["title"] == "at_risk: 180 members, 250–290 expected"
    assert "<" not in message["message"]
    assert "- 94 left" in message["message"]
    assert "segments ack at_risk" in message["message"]
    [attached] = message["attachments"]
    assert attached["mimetype"] == "image/png"
    assert base64.b64decode(attached["base64"])[:8] == PNG


def test_a_notice_without_a_series_has_no_picture() -> None:
    assert digest([shift()]).picture is None


@pytest.mark.parametrize("days", [1, 2, 40])
@pytest.mark.parametrize("value", [None, 0.0, 180.0])
def test_any_series_can_be_drawn(days: int, value: float | None) -> None:
    whole = series()
    short = type(whole)(whole.days[-days:], *(((value,) * days),) * 4)
    assert draw(short, "$5 and 250_300 members").startswith(PNG)


def test_what_html_takes_for_markup_is_shown_as_it_is() -> None:
    letter = digest([shift(title="<b>", message='members < 5 & "few"', details=("<script>alert(1)</script>",))])
    assert "members &lt; 5 &amp; &quot;few&quot;" in letter.html
    assert "<script>" not in letter.html
    assert "members < 5" in letter.text


def test_a_digest_is_one_message_with_a_line_each() -> None:
    letter = digest([shift("at_risk", severity="critical"), shift("rfm_champions"), shift("men_18_25")])
    assert letter.title == f"3 shifts of segments on {DAY}"
    assert [line.split(" has ")[0] for line in letter.text.splitlines()] == [
        "- critical: at_risk",
        "- warning: rfm_champions",
        "- warning: men_18_25",
    ]
    assert letter.html.count("<li>") == 3
    assert letter.kind == "failure"
    assert letter.picture is None


def test_segments_held_for_one_reason_share_a_line() -> None:
    since = date(2017, 11, 14)
    held = [
        shift(
            name,
            "held",
            key=f"held/{name}/{since}",
            title=f"{name} is held since {since}",
            message="email_opt_in was empty in 93 % of 2,475 rows.",
            details=("Deliver the corrected extract.",),
        )
        for name in ("at_risk", "rfm_champions")
    ]
    letter = digest(held)
    assert letter.title == "2 segments are held on 2017-11-14"
    assert letter.text.splitlines() == [
        f"- at_risk is held since {since}, rfm_champions is held since {since}: email_opt_in was empty in 93 % of 2,475 rows.",
        "Deliver the corrected extract.",
    ]
    assert digest([*held, shift("men_18_25")]).title == "3 alerts of segments on 2017-11-14"
